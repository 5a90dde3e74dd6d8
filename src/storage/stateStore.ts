/** The state's view of the database, and the way of its changes into a block's batch. */
import type { Bytes } from "../primitives/bytes.ts";
import type { StateChanges, StateStore } from "../state/state.ts";
import { columns, put, type WriteOp } from "./columns.ts";
import type { Database } from "./database.ts";

/** Trie nodes and code from the database, read synchronously. */
export function databaseStateStore(database: Database): StateStore {
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
