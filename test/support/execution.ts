/** States, blocks and contracts for tests of execution. */

import { keccakHash } from "../../src/crypto/keccak.ts";
import { addressOf } from "../../src/crypto/secp256k1.ts";
import type { BlockEnv, ExecutionContext } from "../../src/execution/evm.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHash,
  hexToBytes,
  parseAddress,
  ZERO_HASH,
} from "../../src/primitives/hex.ts";
import { State } from "../../src/state/state.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../src/types/account.ts";
import { type Rules, rulesForName } from "../../src/types/forks.ts";
import type { Transaction, TransactionFields } from "../../src/types/transaction.ts";
import { signTransaction } from "../../src/types/transactionCodec.ts";
import { PLAIN_FIELDS } from "./transactions.ts";

export const KEY = new Uint8Array(32).fill(0x45);
export const SENDER: Address = addressOf(KEY);
export const MINER = parseAddress(`0x${"c0".repeat(20)}`);
export const ETHER = 10n ** 18n;

/** An account of a test: `code` in hex without 0x. */
export interface TestAccount {
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: string;
  readonly storage?: Readonly<Record<number, bigint>>;
}

/** The address 0x…n. */
export function addressAt(n: number): Address {
  return parseAddress(`0x${n.toString(16).padStart(40, "0")}`);
}

/** Rules of a fork by its fixture name, chain id 1. */
export function rulesOf(fork: string): Rules {
  const schedule = rulesForName(fork, 1n);
  if (schedule === undefined) throw new Error(`no such fork: ${fork}`);
  return schedule.rules({ number: 1n, timestamp: 1_000n, difficulty: 0n });
}

/** A State in memory with these accounts, written down. */
export function stateWith(accounts: ReadonlyMap<Address, TestAccount>): State {
  const state = new State({ getNode: () => undefined, getCode: () => undefined }, EMPTY_TRIE_ROOT);
  for (const [address, { balance = 0n, nonce = 0n, code, storage = {} }] of accounts) {
    state.setAccount(address, { ...EMPTY_ACCOUNT, balance, nonce });
    if (code !== undefined) state.setCode(address, hexToBytes(`0x${code}`));
    for (const [slot, value] of Object.entries(storage)) {
      state.setSlot(address, bigIntToHash(BigInt(slot)), hexToBytes(bigIntToHash(value)));
    }
  }
  state.root();
  return state;
}

/** A block under `rules`, number 1. */
export function envFor(rules: Rules, fields: Partial<BlockEnv> = {}): BlockEnv {
  return {
    number: 1n,
    timestamp: 1_000n,
    gasLimit: 30_000_000n,
    difficulty: rules.has("paris") ? 0n : 131_072n,
    miner: MINER,
    mixHash: ZERO_HASH,
    baseFeePerGas: rules.has("london") ? 7n : undefined,
    excessBlobGas: rules.has("cancun") ? 0n : undefined,
    parentBeaconBlockRoot: undefined,
    parentHash: undefined,
    ...fields,
  };
}

/** Context under `rules`; ancestors have the hash of their number's text. */
export function contextFor(rules: Rules): ExecutionContext {
  return { rules, blockHash: (number) => keccakHash(new TextEncoder().encode(String(number))) };
}

/** A transaction of SENDER. */
export function signed(fields: Partial<TransactionFields>): Transaction {
  return signTransaction({ ...PLAIN_FIELDS, maxFeePerGas: 100n, ...fields }, KEY);
}

/** Code that returns `runtime` (hex without 0x) as a contract's code. */
export function initCodeOf(runtime: string): Uint8Array {
  const length = (runtime.length / 2).toString(16).padStart(4, "0");
  return hexToBytes(`0x61${length}600c60003961${length}6000f3${runtime}`);
}

/** A hash made of one byte. */
export function hashOf(byte: number): ReturnType<typeof bytesToHash> {
  return bytesToHash(new Uint8Array(32).fill(byte));
}
