/** Merkle proofs of accounts and storage slots, present or absent. Source: EIP-1186. */
import { verifyMerkleProof } from "@ethereumjs/mpt";
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../primitives/hex.ts";
import { type Account, EMPTY_TRIE_ROOT } from "../types/account.ts";
import { decodeAccount } from "./accountCodec.ts";
import type { NodeStore } from "./nodeBuffer.ts";
import { NodeCache } from "./nodeCache.ts";
import { indexKey } from "./orderedTrie.ts";
import { decodeSlot } from "./slotCodec.ts";
import { Trie } from "./trie.ts";

/** Proof of one storage slot; `value` is big-endian without leading zeros, empty for zero. */
export interface StorageProof {
  readonly key: Hash;
  readonly value: Bytes;
  /** Nodes from the storage root; none when the account has no storage. */
  readonly proof: readonly Bytes[];
}

export interface AccountProof {
  readonly address: Address;
  /** undefined: the proof shows that there is no such account. */
  readonly account: Account | undefined;
  /** Nodes from the state root; none when the state is empty. */
  readonly accountProof: readonly Bytes[];
  readonly storageProof: readonly StorageProof[];
}

/** Proofs under the state `root`. Throws StateError. */
export function accountProof(
  store: NodeStore,
  root: Hash,
  address: Address,
  slots: readonly Hash[],
): AccountProof {
  const cache = new NodeCache();
  const accounts = new Trie(store, root, cache);
  const accountKey = keccak256(hexToBytes(address));
  const raw = accounts.get(accountKey);
  const account = raw === undefined ? undefined : decodeAccount(raw);
  const storage = new Trie(store, account?.storageRoot ?? EMPTY_TRIE_ROOT, cache);
  return {
    address,
    account,
    accountProof: accounts.prove(accountKey),
    storageProof: slots.map((key) => slotProof(storage, key)),
  };
}

function slotProof(storage: Trie, key: Hash): StorageProof {
  const slotKey = keccak256(hexToBytes(key));
  const raw = storage.get(slotKey);
  return {
    key,
    value: raw === undefined ? EMPTY_BYTES : decodeSlot(raw),
    proof: storage.prove(slotKey),
  };
}

/** Account that a proof shows under `root`, undefined for its absence. Rejects when the proof does not hold. */
export async function verifyAccountProof(
  root: Hash,
  address: Address,
  proof: readonly Bytes[],
): Promise<Account | undefined> {
  const raw = await provenValue(root, hexToBytes(address), proof);
  return raw === undefined ? undefined : decodeAccount(raw);
}

/** Value of a slot that a proof shows under `storageRoot`, empty for zero. Rejects when the proof does not hold. */
export async function verifyStorageProof(
  storageRoot: Hash,
  key: Hash,
  proof: readonly Bytes[],
): Promise<Bytes> {
  const raw = await provenValue(storageRoot, hexToBytes(key), proof);
  return raw === undefined ? EMPTY_BYTES : decodeSlot(raw);
}

/** Value at `index` that a proof shows under the root of transactions or receipts, undefined for its absence. Rejects when the proof does not hold. */
export async function verifyOrderedProof(
  root: Hash,
  index: number,
  proof: readonly Bytes[],
): Promise<Bytes | undefined> {
  if (root === EMPTY_TRIE_ROOT && proof.length === 0) return undefined;
  const value = await verifyMerkleProof(indexKey(index), [...proof], { root: hexToBytes(root) });
  return value ?? undefined;
}

async function provenValue(
  root: Hash,
  key: Bytes,
  proof: readonly Bytes[],
): Promise<Bytes | undefined> {
  if (root === EMPTY_TRIE_ROOT && proof.length === 0) return undefined;
  const value = await verifyMerkleProof(key, [...proof], {
    useKeyHashing: true,
    root: hexToBytes(root),
  });
  return value ?? undefined;
}
