/** Flat entries on disk: their keys, their checksums, and the mark that says of which state they are. */
import { crc32 } from "node:zlib";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { bytesToHash, bytesToHex, type Hash, hexToBytes } from "../primitives/hex.ts";
import type { FlatKey, FlatStore } from "../state/flatState.ts";
import { columns, del, put, type WriteOp } from "./columns.ts";
import type { Database } from "./database.ts";
import { StorageError } from "./storageError.ts";

const HASH_BYTES = 32;
const CHECKSUM_BYTES = 4;
const ROOT_KEY = "flatRoot";

/** Reads entries with their checksums: nothing else would tell a flipped bit from a balance. Throws StorageError DAMAGED. */
export function flatStore(database: Database): FlatStore {
  return {
    getFlat: (key) => {
      const raw = database.get(columnOf(key.length), key);
      return raw && openFlat(database, key, raw);
    },
  };
}

/** Value of an entry as it lies on disk. Throws StorageError DAMAGED. */
export function openFlat(database: Database, key: Bytes, raw: Bytes): Bytes {
  const value = flatValue(raw);
  if (raw.length > CHECKSUM_BYTES && readChecksum(raw) === checksum(key, value)) return value;
  const detail = `the flat entry ${bytesToHex(key)} does not have its checksum: run qnet db repair`;
  throw new StorageError({ code: "DAMAGED", path: database.path, detail });
}

/** The same without a look at the checksum. */
export function flatValue(raw: Bytes): Bytes {
  return raw.subarray(CHECKSUM_BYTES);
}

/** Writes that bring the entries into their columns. */
export function flatOps(entries: ReadonlyMap<FlatKey, Bytes>): WriteOp[] {
  const ops: WriteOp[] = [];
  for (const [text, value] of entries) {
    const key = Buffer.from(text, "latin1");
    const column = columnOf(key.length);
    ops.push(value.length === 0 ? del(column, key) : put(column, key, sealed(key, value)));
  }
  return ops;
}

/** Root of the state in the columns; undefined: they are empty, or of no one state. */
export function readFlatRoot(database: Database): Hash | undefined {
  const raw = database.get(columns.meta, ROOT_KEY);
  return raw && bytesToHash(raw);
}

/** Marks the columns as showing this state, or none. */
export function markFlatRoot(root: Hash | undefined): WriteOp {
  return root === undefined
    ? del(columns.meta, ROOT_KEY)
    : put(columns.meta, ROOT_KEY, hexToBytes(root));
}

/** Empties the columns; the mark goes first. */
export async function clearFlat(database: Database): Promise<void> {
  await database.batch([markFlatRoot(undefined)], { sync: true });
  await database.clear(columns.flatAccounts);
  await database.clear(columns.flatSlots);
}

function columnOf(keyLength: number) {
  return keyLength === HASH_BYTES ? columns.flatAccounts : columns.flatSlots;
}

function checksum(key: Bytes, value: Bytes): number {
  return crc32(value, crc32(key));
}

function sealed(key: Bytes, value: Bytes): Bytes {
  const sum = new Uint8Array(CHECKSUM_BYTES);
  new DataView(sum.buffer).setUint32(0, checksum(key, value));
  return concatBytes(sum, value);
}

function readChecksum(raw: Bytes): number {
  return new DataView(raw.buffer, raw.byteOffset).getUint32(0);
}
