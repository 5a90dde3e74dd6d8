/**
 * What the database holds: one row a column. A column's prefix is the first byte of its keys on disk; it must never be
 * given to another column, and changing a codec needs a migration.
 */
import { Arena } from "../primitives/arena.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Header } from "../types/header.ts";
import { decodeHeader, encodeHeader } from "../types/header.ts";
import {
  bigIntCodec,
  bytesCodec,
  type Codec,
  type Dated,
  datedCodec,
  hashCodec,
  locationCodec,
  numberCodec,
  type TransactionLocation,
  textCodec,
} from "./codecs.ts";

/** A named set of keys and values. */
export interface Column<K, V> {
  readonly name: string;
  /** First byte of every key. */
  readonly prefix: number;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

/** A write for `Database.batch`. */
export type WriteOp =
  | { readonly type: "put"; readonly key: Bytes; readonly value: Bytes }
  | { readonly type: "del"; readonly key: Bytes };

function column<K, V>(
  name: string,
  prefix: string,
  codecs: readonly [Codec<K>, Codec<V>],
): Column<K, V> {
  return { name, prefix: prefix.charCodeAt(0), key: codecs[0], value: codecs[1] };
}

const headerCodec: Codec<Header> = { encode: encodeHeader, decode: decodeHeader };

/** Every column of the database. */
export const columns = {
  /** Trie node by its 32-byte hash, of the account trie and all storage tries. */
  nodes: column<Bytes, Bytes>("nodes", "n", [bytesCodec, bytesCodec]),
  /** Account of the newest state by keccak256 of its address; keys and values are made by flatColumns. */
  flatAccounts: column<Bytes, Bytes>("flatAccounts", "A", [bytesCodec, bytesCodec]),
  /** Storage slot of the newest state by keccak256 of the address ‖ keccak256 of the slot. */
  flatSlots: column<Bytes, Bytes>("flatSlots", "F", [bytesCodec, bytesCodec]),
  /** Contract code by its hash. */
  code: column<Hash, Bytes>("code", "c", [hashCodec, bytesCodec]),
  /** Address or storage slot by its keccak256, where the node was asked to remember them. */
  preimages: column<Hash, Bytes>("preimages", "p", [hashCodec, bytesCodec]),
  /** Header by block hash. */
  headers: column<Hash, Header>("headers", "h", [hashCodec, headerCodec]),
  /** RLP of the body by block hash. */
  bodies: column<Hash, Bytes>("bodies", "b", [hashCodec, bytesCodec]),
  /** Receipts of a block by its hash, in the storage form of types/receipt. */
  receipts: column<Hash, Bytes>("receipts", "r", [hashCodec, bytesCodec]),
  /** Senders of a block's transactions by its hash: 20 bytes each, in order. */
  senders: column<Hash, Bytes>("senders", "s", [hashCodec, bytesCodec]),
  /** Hash of the canonical block by number. */
  canonical: column<bigint, Hash>("canonical", "C", [numberCodec, hashCodec]),
  /** Block number by block hash. */
  numbers: column<Hash, bigint>("numbers", "N", [hashCodec, numberCodec]),
  /** Total difficulty including the block, by block hash. */
  totalDifficulty: column<Hash, bigint>("totalDifficulty", "d", [hashCodec, bigIntCodec]),
  /** Place of a canonical transaction by its hash. */
  transactions: column<Hash, TransactionLocation>("transactions", "t", [hashCodec, locationCodec]),
  /** Index of logs; keys and values are made by chain/logIndex. */
  logIndex: column<Bytes, Bytes>("logIndex", "l", [bytesCodec, bytesCodec]),
  /** Index of transactions by address; keys and values are made by chain/addressIndex. */
  addressIndex: column<Bytes, Bytes>("addressIndex", "a", [bytesCodec, bytesCodec]),
  /** State root of a block, by block number ‖ block hash: all blocks of a height, for pruning. */
  stateRoots: column<Bytes, Bytes>("stateRoots", "R", [bytesCodec, bytesCodec]),
  /** State edits of a dev chain by block hash; values are made by chain/overrides. */
  overrides: column<Hash, Bytes>("overrides", "o", [hashCodec, bytesCodec]),
  /** Consensus data of a block, RLP of its sidecar core by block hash: never pruned. */
  sidecars: column<Hash, Bytes>("sidecars", "x", [hashCodec, bytesCodec]),
  /** Seal and vote signatures of a block by its hash, as one string; dropped by consensus/signaturePruning. */
  seals: column<Hash, Bytes>("seals", "y", [hashCodec, bytesCodec]),
  /** Blocks above the last finalised one: number (8 bytes) and hash; values are empty. */
  unfinal: column<Bytes, Bytes>("unfinal", "u", [bytesCodec, bytesCodec]),
  /** Checkpoints by macro hash, in the form of consensus/plainCodec: macro header, summary, validators. */
  macroblocks: column<Hash, Bytes>("macroblocks", "M", [hashCodec, bytesCodec]),
  /** Certificate of finality by epoch, RLP of AckQC. */
  certificates: column<bigint, Bytes>("certificates", "q", [numberCodec, bytesCodec]),
  /** Certificate of justification by epoch, RLP of JustQC, above the last finalised epoch. */
  justifications: column<bigint, Bytes>("justifications", "j", [numberCodec, bytesCodec]),
  /** What consensus remembers at a checkpoint of a dev chain, by the hash of its block, in the form of consensus/plainCodec. */
  points: column<Hash, Bytes>("points", "f", [hashCodec, bytesCodec]),
  /** Public key of a validator by its keccak256. */
  validatorKeys: column<Hash, Bytes>("validatorKeys", "k", [hashCodec, bytesCodec]),
  /** Contradicting messages of validators by keccak256 of the value, in the form of consensus/plainCodec. */
  evidence: column<Hash, Bytes>("evidence", "e", [hashCodec, bytesCodec]),
  /** What a validator's key has signed, in a database of its own; keys and values are made by consensus/signing/protectionLog. */
  signed: column<Bytes, Bytes>("signed", "S", [bytesCodec, bytesCodec]),
  /** Verified contracts by address, JSON of rpc/verify/verifiedStore with the time of the verification, ms. */
  verified: column<Bytes, Dated>("verified", "v", [bytesCodec, datedCodec]),
  /** Single values by name: schema, genesis, head, safe, finalized. */
  meta: column<string, Bytes>("meta", "m", [textCodec, bytesCodec]),
} as const;

/** Key of an entry on disk: the column's prefix and the key. */
export function diskKey<K>(column: Pick<Column<K, unknown>, "prefix" | "key">, key: K): Bytes {
  const encoded = column.key.encode(key);
  const onDisk = new Uint8Array(1 + encoded.length);
  onDisk[0] = column.prefix;
  onDisk.set(encoded, 1);
  return onDisk;
}

/** Keys and short values of batches. */
const arena = new Arena();
/** Arrays up to this length are born on V8's heap. */
const SHORT_BYTES = 64;

/** Sets a value in a batch. */
export function put<K, V>(column: Column<K, V>, key: K, value: V): WriteOp {
  const encoded = column.value.encode(value);
  const short = encoded.length <= SHORT_BYTES;
  return { type: "put", key: batchKey(column, key), value: short ? cut(encoded) : encoded };
}

/** Deletes a value in a batch; the key may be absent. */
export function del<K, V>(column: Column<K, V>, key: K): WriteOp {
  return { type: "del", key: batchKey(column, key) };
}

function batchKey<K>(column: Pick<Column<K, unknown>, "prefix" | "key">, key: K): Bytes {
  const encoded = column.key.encode(key);
  const onDisk = arena.take(1 + encoded.length);
  onDisk[0] = column.prefix;
  onDisk.set(encoded, 1);
  return onDisk;
}

function cut(bytes: Bytes): Bytes {
  const copy = arena.take(bytes.length);
  copy.set(bytes);
  return copy;
}
