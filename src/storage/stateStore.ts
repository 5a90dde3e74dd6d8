/** The state's view of the database, and the way of its changes into a block's batch. */
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, equalBytes } from "../primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../primitives/hex.ts";
import type { StateChanges, StateStore } from "../state/state.ts";
import { columns, put, type WriteOp } from "./columns.ts";
import type { Database } from "./database.ts";
import { StorageError } from "./storageError.ts";

/**
 * Trie nodes and code from the database, read synchronously. LevelDB does not look at its checksums when it reads, so
 * what comes from a disk must have the hash it is stored under: a flipped bit would become a balance. (A hash takes
 * 1 us, reading from LevelDB 3 us, and caches lie above.) Throws StorageError DAMAGED.
 */
export function databaseStateStore(database: Database): StateStore {
  const store = uncheckedStateStore(database);
  if (!database.onDisk) return store;
  const demand = (what: string, hash: Bytes, raw: Bytes): Bytes => {
    if (equalBytes(keccak256(raw), hash)) return raw;
    const detail = `the ${what} stored under ${bytesToHex(hash)} has another hash`;
    throw new StorageError({ code: "DAMAGED", path: database.path, detail });
  };
  return {
    getNode: (hash) => {
      const raw = store.getNode(hash);
      return raw && demand("trie node", hash, raw);
    },
    getCode: (hash) => {
      const raw = store.getCode(hash);
      return raw && demand("code", hexToBytes(hash), raw);
    },
  };
}

/** The same without a look at the hashes: for `verifyDatabase`, which reports all that is wrong. */
export function uncheckedStateStore(database: Database): StateStore {
  return {
    getNode: (hash) => database.get(columns.nodes, hash),
    getCode: (hash) => database.get(columns.code, hash),
  };
}

/** Writes that store `changes`: part of the batch of the block that made them. */
export function stateChangeOps(changes: StateChanges): WriteOp[] {
  const ops: WriteOp[] = [];
  for (const [hex, raw] of changes.nodes) ops.push(put(columns.nodes, nodeHash(hex), raw));
  for (const [hash, code] of changes.code) ops.push(put(columns.code, hash, code));
  return ops;
}

function nodeHash(hex: string): Bytes {
  return Buffer.from(hex, "hex");
}
