/** Genesis files by network name or path. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Hash } from "../src/primitives/hex.ts";
import { type Genesis, GenesisError, parseGenesisText } from "../src/types/genesis.ts";
import { CommandError } from "./exit.ts";
import { packageFolder } from "./package.ts";

/** Networks whose genesis files come with the program. */
export const NETWORKS: readonly string[] = ["mainnet", "testnet", "devnet"];

/** Text of the genesis file of a network. */
export function networkText(network: string): string {
  return readFileSync(join(packageFolder(), "genesis", `${network}.json`), "utf8");
}

/** Genesis of a network's name or of a file. Throws CommandError GENESIS_FILE, GenesisError with the file's name. */
export function loadGenesis(network: string): Genesis {
  if (NETWORKS.includes(network)) return parseGenesisText(networkText(network));
  if (statSync(network, { throwIfNoEntry: false })?.isFile() !== true) {
    const problem = `"${network}" is neither ${NETWORKS.join(", ")} nor a file`;
    throw new CommandError({ code: "GENESIS_FILE", problem });
  }
  try {
    return parseGenesisText(readFileSync(network, "utf8"));
  } catch (error) {
    if (!(error instanceof GenesisError)) throw error;
    const problem = `${network} is no usable genesis file:\n${error.message}`;
    throw new CommandError({ code: "GENESIS_FILE", problem }, { cause: error });
  }
}

/** Throws CommandError GENESIS_FILE unless the genesis block has the hash that was asked for. */
export function demandGenesisHash(actual: Hash, wanted: Hash | undefined): void {
  if (wanted === undefined || wanted === actual) return;
  const problem = `the genesis block is ${actual}, --genesis-hash demands ${wanted}`;
  throw new CommandError({ code: "GENESIS_FILE", problem });
}
