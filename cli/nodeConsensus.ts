/** What `qnet node` takes part in consensus with: the keys of its data directory behind their signing records. */
import { noPeers } from "../src/consensus/transport.ts";
import type { ConsensusNodeOptions } from "../src/node/config.ts";
import type { Genesis } from "../src/types/genesis.ts";
import { signingRecordsFolder } from "./dataFolder.ts";
import { UsageError } from "./exit.ts";
import type { CommandIo } from "./io.ts";
import type { OptionValues } from "./options.ts";
import { existingPassword } from "./passwords.ts";
import { openSigningKeys } from "./validatorKeys.ts";
import { passwordFile } from "./validatorSeat.ts";

/** Own messages of a running copy would be heard by then; a network whose validators all restart waits no longer. Source: docs/consensus.md §10. */
const MAX_LISTEN_MS = 180_000;
const LISTEN_EPOCHS = 2;

type Flags = OptionValues<"solo" | "validator" | "i-know-what-i-do" | "validator-password">;

/** undefined: the node does not sign. Throws UsageError, CommandError, KeystoreError. */
export async function consensusOptions(
  values: Flags,
  place: { readonly genesis: Genesis; readonly datadir: string },
  io: CommandIo,
): Promise<ConsensusNodeOptions | undefined> {
  if (!values.solo && !values.validator) {
    if (values["i-know-what-i-do"]) throw new UsageError("--i-know-what-i-do needs --validator");
    return undefined;
  }
  const { genesis, datadir } = place;
  const config = genesis.config.qnet?.consensus;
  if (config === undefined || config.validators.length === 0)
    throw new UsageError("--validator: this genesis names no validators, give --network FILE");
  if (config.dev) throw new UsageError("--validator: a development chain has none, use qnet dev");
  // until nodes reach each other over sockets, a validator among others would only fall behind
  if (config.validators.length > 1)
    throw new UsageError(
      `--validator in a network of ${config.validators.length} validators is not supported yet`,
    );
  const given = values["validator-password"];
  const file = given ?? (values.solo ? passwordFile(datadir) : undefined);
  const source = { file, option: "--validator-password", io };
  const keys = await openSigningKeys(datadir, () => existingPassword(source));
  const waits = !values.solo && !values["i-know-what-i-do"];
  const listenMs = Math.min(LISTEN_EPOCHS * config.epochLength * config.slotMs, MAX_LISTEN_MS);
  return {
    keys,
    recordsPath: (keyHash) => signingRecordsFolder(datadir, keyHash),
    transport: noPeers,
    listenMs: waits ? listenMs : 0,
  };
}
