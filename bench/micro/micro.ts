/** Cost of the parts a transaction is made of, one function at a time. */
import { MerklePatriciaTrie } from "@ethereumjs/mpt";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak, type IHasher } from "hash-wasm";
import { keccak256, keccakBackend, keccakHash } from "../../src/crypto/keccak.ts";
import { secp256k1Backend } from "../../src/crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { type Address, bytesToAddress, type Hash, hexToBytes } from "../../src/primitives/hex.ts";
import { State, type StateStore } from "../../src/state/state.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../src/types/account.ts";
import { senderOf } from "../../src/types/sender.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { decodeTransaction, signTransaction } from "../../src/types/transactionCodec.ts";
import { median, table } from "../report.ts";

const ROUNDS = 5;
const ACCOUNTS = 100_000;
const CHANGED = 2_000;

/** Microseconds per call: median of rounds of `count` calls, after one warm-up round. */
function time(count: number, call: (i: number) => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) call(i);
    if (round > 0) rounds.push(((performance.now() - start) * 1000) / count);
  }
  return median(rounds);
}

function transfers(count: number): Transaction[] {
  const key = keccak256(new Uint8Array([1]));
  return Array.from({ length: count }, (_, i) =>
    signTransaction(
      {
        type: 2,
        chainId: 31337n,
        nonce: BigInt(i),
        maxFeePerGas: 3_000_000_000n,
        maxPriorityFeePerGas: 1_000_000_000n,
        gasLimit: 21_000n,
        to: addressAt(i),
        value: 1n,
        data: EMPTY_BYTES,
        accessList: [],
        maxFeePerBlobGas: 0n,
        blobVersionedHashes: [],
        authorizationList: [],
      },
      key,
    ),
  );
}

function addressAt(i: number): Address {
  return bytesToAddress(hexToBytes(keccakHash(Uint8Array.of(i, i >> 8, i >> 16))).subarray(12));
}

class MapStore implements StateStore {
  readonly #nodes = new Map<string, Bytes>();
  readonly #code = new Map<Hash, Bytes>();
  getNode(hash: Bytes): Bytes | undefined {
    return this.#nodes.get(Buffer.from(hash).toString("hex"));
  }
  getCode(hash: Hash): Bytes | undefined {
    return this.#code.get(hash);
  }
  keep(state: State): void {
    const changes = state.takeChanges();
    for (const [hash, node] of changes.nodes) this.#nodes.set(hash, node);
    for (const [hash, code] of changes.code) this.#code.set(hash, code);
  }
}

/** us per changed account of a state with ACCOUNTS of them: CHANGED balances, then the root. */
function stateCost(): number {
  const store = new MapStore();
  const state = new State(store, EMPTY_TRIE_ROOT);
  const addresses = Array.from({ length: ACCOUNTS }, (_, i) => addressAt(i));
  for (const address of addresses) state.setAccount(address, { ...EMPTY_ACCOUNT, balance: 1n });
  state.root();
  store.keep(state);
  const stride = Math.floor(ACCOUNTS / CHANGED);
  let round = 0n;
  return (
    time(1, () => {
      round += 1n;
      for (let i = 0; i < CHANGED; i++) {
        const address = addresses[i * stride];
        if (address !== undefined)
          state.setAccount(address, { ...EMPTY_ACCOUNT, balance: 1n + round });
      }
      state.root();
      store.keep(state);
    }) / CHANGED
  );
}

/** The same work on @ethereumjs/mpt: us per put, with all its nodes in memory. */
async function libraryTrieCost(): Promise<number> {
  const trie = new MerklePatriciaTrie({ useKeyHashing: true });
  const count = 2_000;
  const value = new Uint8Array(70).fill(1);
  for (let i = 0; i < count; i++) await trie.put(hexToBytes(addressAt(i)), value);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    value[0] = 2 + (i & 63);
    await trie.put(hexToBytes(addressAt(i)), value.slice());
  }
  return ((performance.now() - start) * 1000) / count;
}

function hashWasm(hasher: IHasher, data: Bytes): Bytes {
  return hasher.init().update(data).digest("binary");
}

/** All rows as a table. */
export async function micro(): Promise<string> {
  const signed = transfers(500);
  const raws = signed.map((transaction) => transaction.raw);
  const [small, large] = [new Uint8Array(32).fill(7), new Uint8Array(576).fill(7)];
  const decoded = () => raws.map((raw) => decodeTransaction(raw));
  let fresh = decoded();
  const hasher = await createKeccak(256);
  const rows: [string, number][] = [
    [`keccak-256 of 32 bytes (${keccakBackend})`, time(20_000, () => keccak256(small))],
    ["keccak-256 of 32 bytes (hash-wasm)", time(20_000, () => hashWasm(hasher, small))],
    ["keccak-256 of 32 bytes (noble)", time(2_000, () => keccak_256(small))],
    [`keccak-256 of 576 bytes (${keccakBackend})`, time(10_000, () => keccak256(large))],
    ["keccak-256 of 576 bytes (noble)", time(1_000, () => keccak_256(large))],
    [
      "decode and hash a type 2 transfer",
      time(500, (i) => decodeTransaction(raws[i] ?? EMPTY_BYTES)),
    ],
    [
      `recover its sender (${secp256k1Backend})`,
      time(500, (i) => {
        if (i === 0) fresh = decoded();
        const transaction = fresh[i];
        return transaction && senderOf(transaction);
      }),
    ],
    [`change an account of ${ACCOUNTS}, root included (${CHANGED} a block)`, stateCost()],
    ["change an account of 2000 in @ethereumjs/mpt", await libraryTrieCost()],
  ];
  return table(
    ["what", "us"],
    rows.map(([what, micros]) => [what, micros.toFixed(2)]),
  );
}
