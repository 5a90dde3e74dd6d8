/** Block 0: its state, its header, and the check that a database belongs to it. */
import stakingFile from "../../genesis/staking.json" with { type: "json" };
import { predeploy, stakingPredeploy } from "../execution/predeploy.ts";
import { stripZeros } from "../primitives/bytes.ts";
import { type Hash, hexToBytes } from "../primitives/hex.ts";
import { State, type StateChanges } from "../state/state.ts";
import { columns } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../types/account.ts";
import { type Block, makeBlock } from "../types/block.ts";
import { formatGenesis, type Genesis, genesisHeader, parseGenesisText } from "../types/genesis.ts";
import { ChainError } from "./chainError.ts";

/** Block 0 and everything its state consists of. */
export interface GenesisBlock {
  readonly block: Block;
  readonly changes: StateChanges;
}

const EMPTY_STORE = { getNode: () => undefined, getCode: () => undefined };

/**
 * Computes block 0 and its state. Where the genesis names validators, the staking contract is made by running its constructor
 * for them. Throws ChainError BAD_PREDEPLOY when that fails.
 */
export async function buildGenesisBlock(genesis: Genesis): Promise<GenesisBlock> {
  const state = new State(EMPTY_STORE, EMPTY_TRIE_ROOT);
  for (const [address, { balance, nonce, code, storage }] of genesis.alloc) {
    state.setAccount(address, { ...EMPTY_ACCOUNT, balance, nonce });
    if (code.length > 0) state.setCode(address, code);
    for (const [slot, value] of storage)
      state.setSlot(address, slot, stripZeros(hexToBytes(value)));
  }
  await deployStaking(genesis, state);
  const changes = state.takeChanges();
  const header = genesisHeader(genesis, changes.root);
  const withdrawals = header.withdrawalsRoot === undefined ? undefined : [];
  return { block: makeBlock(header, { transactions: [], ommers: [], withdrawals }), changes };
}

async function deployStaking(genesis: Genesis, state: State): Promise<void> {
  const { qnet, forks } = genesis.config;
  const config = qnet?.consensus;
  if (config === undefined || config.validators.length === 0) return;
  const env = genesisHeader(genesis, EMPTY_TRIE_ROOT);
  const context = { rules: forks.rules(env), blockHash: () => undefined };
  const contract = stakingPredeploy(config, hexToBytes(stakingFile.creationCode));
  const failure = await predeploy(state, env, context, contract);
  if (failure !== undefined)
    throw new ChainError(
      { code: "BAD_PREDEPLOY", address: contract.address, failure },
      { message: `the staking contract cannot be made for this genesis: ${failure}` },
    );
}

/** The genesis that a database was made with; undefined for an empty database. Throws GenesisError for a damaged one. */
export function readStoredGenesis(database: Database): Genesis | undefined {
  const raw = database.get(columns.meta, "genesisFile");
  return raw && parseGenesisText(Buffer.from(raw).toString("utf8"));
}

/** The genesis as it is stored with its chain. */
export function storedGenesisFile(genesis: Genesis): Uint8Array {
  return Buffer.from(formatGenesis(genesis), "utf8");
}

/** Throws ChainError GENESIS_MISMATCH: both hashes and the ways out. */
export function refuseGenesis(stored: Hash, given: Hash, path: string | undefined): never {
  const place = path === undefined ? "this database" : path;
  const another =
    path === undefined ? "another data directory" : "--datadir with another directory";
  throw new ChainError(
    { code: "GENESIS_MISMATCH", stored, given, ...(path === undefined ? {} : { path }) },
    {
      message:
        `${place} holds a chain with genesis ${stored}, the given genesis is ${given}. ` +
        `Use the genesis file that made it, or ${another}, or remove ${place} to start this chain anew.`,
    },
  );
}
