/** Block 0: its state, its header, and the check that a database belongs to it. */
import stakingFile from "../../genesis/staking.json" with { type: "json" };
import { keccakHash, sha256 } from "../crypto/keccak.ts";
import { predeploy, stakingPredeploy } from "../execution/predeploy.ts";
import { type Bytes, stripZeros } from "../primitives/bytes.ts";
import { type Address, bytesToHex, type Hash, hexToBytes } from "../primitives/hex.ts";
import { State, type StateChanges, type StateStore } from "../state/state.ts";
import { columns } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../types/account.ts";
import { type Block, makeBlock } from "../types/block.ts";
import {
  formatGenesis,
  type Genesis,
  type GenesisAccount,
  genesisHeader,
  parseGenesisText,
} from "../types/genesis.ts";
import { encodeHeader } from "../types/header.ts";
import { ChainError } from "./chainError.ts";

/** Block 0 and everything its state consists of. */
export interface GenesisBlock {
  readonly block: Block;
  readonly changes: StateChanges;
}

/** Where the state of block 0 goes while it is made, so that a large one is never in memory as a whole. */
export interface GenesisTarget {
  /** Reads what was written. */
  readonly store: StateStore;
  /** Keeps a part of the state; nothing refers to it before block 0 itself is stored. */
  write(changes: StateChanges): Promise<void>;
}

const EMPTY_STORE = { getNode: () => undefined, getCode: () => undefined };
/** Accounts between two writes to a target. */
const ACCOUNTS_A_PART = 32_768;

/**
 * Computes block 0 and its state. With a target all parts of the state but the last go there, without one `changes` is all
 * of it. Where the genesis names validators, the staking contract is made by running its constructor for them. Throws
 * ChainError BAD_PREDEPLOY when that fails.
 */
export async function buildGenesisBlock(
  genesis: Genesis,
  target?: GenesisTarget,
): Promise<GenesisBlock> {
  const state = new State(target?.store ?? EMPTY_STORE, EMPTY_TRIE_ROOT);
  // in the order of the trie each of its nodes, but for those above two parts, is made once
  const accounts = target === undefined ? genesis.alloc : inTrieOrder(genesis.alloc);
  let count = 0;
  for (const [address, account] of accounts) {
    putAccount(state, address, account);
    if (target !== undefined && ++count % ACCOUNTS_A_PART === 0)
      await target.write(state.takeChanges());
  }
  await deployStaking(genesis, state);
  const changes = state.takeChanges();
  const header = genesisHeader(genesis, changes.root);
  const withdrawals = header.withdrawalsRoot === undefined ? undefined : [];
  return { block: makeBlock(header, { transactions: [], ommers: [], withdrawals }), changes };
}

function putAccount(
  state: State,
  address: Address,
  { balance, nonce, code, storage }: GenesisAccount,
): void {
  state.setAccount(address, { ...EMPTY_ACCOUNT, balance, nonce });
  if (code.length > 0) state.setCode(address, code);
  for (const [slot, value] of storage) state.setSlot(address, slot, stripZeros(hexToBytes(value)));
}

function inTrieOrder(alloc: Genesis["alloc"]): (readonly [Address, GenesisAccount])[] {
  const hashed = Array.from(alloc, (entry) => ({ key: keccakHash(hexToBytes(entry[0])), entry }));
  hashed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return hashed.map(({ entry }) => entry);
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

/** Hashed at a time, in characters. */
const MARK_PART = 1_048_576;

/**
 * Digest of everything that block 0 is made of: whoever gives the genesis that a database was made with need not have its
 * state built again. Files of the same meaning may have different digests; the block itself decides then.
 */
export function genesisMark(genesis: Genesis): Bytes {
  const header = bytesToHex(encodeHeader(genesisHeader(genesis, EMPTY_TRIE_ROOT)));
  let digest = sha256(
    Buffer.from(stakingFile.creationCode + header + formatGenesis(genesis, "settings")),
  );
  let part = "";
  for (const [address, { balance, nonce, code, storage }] of genesis.alloc) {
    const numbers = `${balance},${nonce}`;
    part += JSON.stringify([address, numbers, bytesToHex(code), [...storage]]);
    if (part.length < MARK_PART) continue;
    digest = sha256(Buffer.concat([digest, Buffer.from(part)]));
    part = "";
  }
  return sha256(Buffer.concat([digest, Buffer.from(part)]));
}
