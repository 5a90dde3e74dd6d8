/** `qnet node --solo`: a network of one validator with the parameters of another network, but its own salt. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesToHash } from "../src/primitives/hex.ts";
import type { Genesis } from "../src/types/genesis.ts";
import { CommandError } from "./exit.ts";
import { loadGenesis } from "./genesisFiles.ts";
import { describeLaunch, fillTemplate, readTemplate, termsOf, withSalt } from "./genesisLaunch.ts";
import { prepareSeat } from "./validatorSeat.ts";

const OWNER_BALANCE = 10n ** 24n;

/** The genesis of the data directory, made with its keys from `network` when the directory is not there. Throws CommandError. */
export async function soloGenesis(datadir: string, network: string): Promise<Genesis> {
  const file = join(datadir, "genesis.json");
  if (!existsSync(file)) await makeNetwork(datadir, { network, file });
  const genesis = loadGenesis(file);
  const validators = genesis.config.qnet?.consensus?.validators.length ?? 0;
  if (validators === 1) return genesis;
  const problem = `--solo: ${file} names ${validators} validators, expected 1`;
  throw new CommandError({ code: "GENESIS_FILE", problem });
}

/** The genesis file comes last: a folder without one was not finished, and is refused when it is met again. */
async function makeNetwork(
  datadir: string,
  { network, file }: { readonly network: string; readonly file: string },
): Promise<void> {
  const template = withSalt(readTemplate(network), bytesToHash(randomBytes(32)));
  const terms = termsOf(template);
  const { owner, entry } = await prepareSeat(datadir, { ...terms, stakeGwei: terms.minStake });
  const text = fillTemplate(template, {
    validators: [entry],
    timestamp: BigInt(Math.floor(Date.now() / 1000)),
    funded: new Map([[owner, OWNER_BALANCE]]),
  });
  await describeLaunch(text);
  await writeFile(file, text);
}
