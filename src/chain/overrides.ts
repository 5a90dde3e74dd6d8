/**
 * What a developer changed by hand (chains with `dev: true` only), kept beside the blocks so that a replay of the data
 * directory gives the same roots. A record belongs to a block: the state that edits made of its post-state while it was
 * the head, and, for a block built on such edits, the state it started from and the header fields set by hand.
 */
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import type { Header } from "../types/header.ts";
import { decodeRlp, encodeRlp, readBytes, readList } from "../types/rlp.ts";

/** Header fields that a developer may set for the next block. */
export const EXEMPTIBLE_FIELDS = ["baseFeePerGas", "gasLimit", "excessBlobGas", "mixHash"] as const;
export type ExemptibleField = (typeof EXEMPTIBLE_FIELDS)[number];

/** How a block deviates from what its parent and the protocol say. */
export interface BlockOverride {
  /** State the block was executed on, when it is not the parent's post-state. */
  readonly preStateRoot?: Hash;
  /** Fields whose formula does not apply. */
  readonly exempt: ReadonlySet<keyof Header>;
}

/** All that is recorded about a block. */
export interface OverrideRecord extends BlockOverride {
  /** State after edits on top of the block; its next child is executed on it. */
  readonly editedStateRoot?: Hash;
}

const NO_FIELDS: ReadonlySet<keyof Header> = new Set();
/** A block without any deviation. */
export const NO_OVERRIDE: OverrideRecord = { exempt: NO_FIELDS };

/** What is recorded about a block. */
export function readOverride(database: Database, hash: Hash): OverrideRecord {
  const raw = database.get(columns.overrides, hash);
  return raw === undefined ? NO_OVERRIDE : decodeOverride(raw);
}

/** Records as they are asked for, with each read at the head: that of the block asked for last is kept. */
export class OverrideRecords {
  readonly #database: Database;
  #last: { readonly hash: Hash; readonly record: OverrideRecord } | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What is recorded about a block. */
  of(hash: Hash): OverrideRecord {
    const last = this.#last;
    if (last?.hash === hash) return last.record;
    const record = readOverride(this.#database, hash);
    this.#last = { hash, record };
    return record;
  }

  /** To be told after each batch: there may be records in it. */
  written(): void {
    this.#last = undefined;
  }
}

/** Whether a record says anything. */
export function isEmptyOverride(record: OverrideRecord): boolean {
  const { preStateRoot, editedStateRoot, exempt } = record;
  return preStateRoot === undefined && editedStateRoot === undefined && exempt.size === 0;
}

/** Stored form: RLP of [edited root or "", root before or "", [names of exempt fields]]. */
export function encodeOverride(record: OverrideRecord): Bytes {
  return encodeRlp([
    encodeRoot(record.editedStateRoot),
    encodeRoot(record.preStateRoot),
    [...record.exempt].map((field) => Buffer.from(field, "utf8")),
  ]);
}

function encodeRoot(root: Hash | undefined): Bytes {
  return root === undefined ? EMPTY_BYTES : hexToBytes(root);
}

/** Reads the stored form. Throws DecodeError. */
export function decodeOverride(raw: Bytes): OverrideRecord {
  const [edited = EMPTY_BYTES, before = EMPTY_BYTES, fields = []] = readList(
    decodeRlp(raw),
    "override",
    3,
  );
  const editedStateRoot = decodeRoot(readBytes(edited, "editedStateRoot"));
  const preStateRoot = decodeRoot(readBytes(before, "preStateRoot"));
  const names = readList(fields, "exempt").map((name) =>
    Buffer.from(readBytes(name, "exempt")).toString("utf8"),
  );
  return {
    ...(editedStateRoot && { editedStateRoot }),
    ...(preStateRoot && { preStateRoot }),
    exempt: new Set(EXEMPTIBLE_FIELDS.filter((field) => names.includes(field))),
  };
}

function decodeRoot(raw: Bytes): Hash | undefined {
  return raw.length === 0 ? undefined : bytesToHash(raw);
}

/** Records what edits have made of a block's state, and nothing else new; undefined: nothing. */
export function putEdits(
  hash: Hash,
  { editedStateRoot: _, ...rest }: OverrideRecord,
  editedStateRoot: Hash | undefined,
): WriteOp {
  return putOverride(hash, editedStateRoot === undefined ? rest : { ...rest, editedStateRoot });
}

/** Records it, or removes the record of a block without deviations. */
export function putOverride(hash: Hash, record: OverrideRecord): WriteOp {
  return isEmptyOverride(record)
    ? del(columns.overrides, hash)
    : put(columns.overrides, hash, encodeOverride(record));
}
