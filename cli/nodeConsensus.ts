/** What `qnet node` takes part in consensus with: the keys of its data directory behind their signing records. */
import { readFile } from "node:fs/promises";
import type { ReporterAccount } from "../src/consensus/evidenceReporter.ts";
import { noPeers } from "../src/consensus/transport.ts";
import type { ConsensusNodeOptions } from "../src/node/config.ts";
import type { Address } from "../src/primitives/hex.ts";
import type { Genesis } from "../src/types/genesis.ts";
import { keystoreFolder, signingRecordsFolder } from "./dataFolder.ts";
import { UsageError } from "./exit.ts";
import type { CommandIo } from "./io.ts";
import { unlockKey } from "./keyAccess.ts";
import { findKeyFile } from "./keyFiles.ts";
import type { OptionValues } from "./options.ts";
import { existingPassword } from "./passwords.ts";
import { keyOfFile } from "./transactionKey.ts";
import { openSigningKeys } from "./validatorKeys.ts";
import { passwordFile } from "./validatorSeat.ts";

/** Own messages of a running copy would be heard by then; a network whose validators all restart waits no longer. Source: docs/consensus.md §10. */
const MAX_LISTEN_MS = 180_000;
const LISTEN_EPOCHS = 2;

type Flags = OptionValues<
  "solo" | "validator" | "i-know-what-i-do" | "report-evidence" | "validator-password"
>;

/** undefined: the node does not sign. Throws UsageError, CommandError, KeystoreError. */
export async function consensusOptions(
  values: Flags,
  place: { readonly genesis: Genesis; readonly datadir: string },
  io: CommandIo,
): Promise<ConsensusNodeOptions | undefined> {
  if (!values.solo && !values.validator) {
    for (const name of ["i-know-what-i-do", "report-evidence"] as const)
      if (values[name]) throw new UsageError(`--${name} needs --validator`);
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
  const password = onceAsked(() => existingPassword(source));
  const keys = await openSigningKeys(datadir, password);
  const reporter = await reporterOf(values["report-evidence"], datadir, password);
  const waits = !values.solo && !values["i-know-what-i-do"];
  const listenMs = Math.min(LISTEN_EPOCHS * config.epochLength * config.slotMs, MAX_LISTEN_MS);
  return {
    keys,
    recordsPath: (keyHash) => signingRecordsFolder(datadir, keyHash),
    transport: noPeers,
    listenMs: waits ? listenMs : 0,
    reporter,
  };
}

async function reporterOf(
  account: Address | undefined,
  datadir: string,
  password: () => Promise<string>,
): Promise<ReporterAccount | undefined> {
  if (account === undefined) return undefined;
  const { file } = await findKeyFile(keystoreFolder(datadir), account);
  const key = await unlockKey(await readFile(file), { module: undefined, password });
  const { pq, sign } = await keyOfFile(key);
  return { address: account, pqSender: pq, sign };
}

/** The password of several files, asked for once. */
function onceAsked(ask: () => Promise<string>): () => Promise<string> {
  let answer: Promise<string> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
