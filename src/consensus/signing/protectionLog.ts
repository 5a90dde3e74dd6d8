/**
 * What a validator's key has signed, on disk: one database per key and network. It keeps the highest positions (bounds)
 * for ever and the newest messages in full, so that a repeated request gets the signature that it got before.
 * `recordIntent` is durable when it resolves: only then may the message be signed.
 */
import { type Bytes, concatBytes } from "../../primitives/bytes.ts";
import { bytesToHash, bytesToHex, type Hash, hexToBytes } from "../../primitives/hex.ts";
import { columns, del, put, type WriteOp } from "../../storage/columns.ts";
import type { Database } from "../../storage/database.ts";
import { FixedReader, FixedWriter } from "../../types/fixedBytes.ts";
import { CONSENSUS_SIGNATURE_BYTES } from "../../types/vote.ts";
import { SigningError, type SigningIdentity } from "./signingError.ts";
import {
  describePlace,
  isBeyond,
  type MessageType,
  NOTHING_SIGNED,
  type Place,
  raisedBy,
  type SigningBounds,
  type VoteSpan,
} from "./signingRules.ts";

/** A message that the key has signed or was about to sign. */
export interface SignedRecord extends Place {
  /** keccak256 over domain, kind and body: what is signed */
  readonly root: Hash;
  /** undefined: the process ended before it was stored */
  readonly signature: Bytes | undefined;
}

/** What is used of a database. */
export type SigningStore = Pick<Database, "get" | "batch" | "iterate" | "close">;

/** Messages kept in full; older ones are covered by the bounds. Seals: half a minute at the least, votes and acks: a day. */
const KEPT: Readonly<Record<MessageType, number>> = { seal: 256, vote: 1_024, ack: 1_024 };

const TYPE_BYTE: Readonly<Record<MessageType, number>> = { seal: 1, vote: 2, ack: 3 };
const TYPES: readonly MessageType[] = ["seal", "vote", "ack"];
const KEY_BYTES = 10;
const HEAD_BYTES = 40;
const BOUNDS_BYTES = 48;
const META = { identity: "signerIdentity", bounds: "signerBounds", foreign: "signerForeign" };

/** Records of one key, open for one process. */
export class ProtectionLog {
  readonly identity: SigningIdentity;
  /** Nothing was recorded before: a new key, or records that were lost. */
  readonly isNew: boolean;
  readonly #store: SigningStore;
  readonly #places: Record<MessageType, Place[]> = { seal: [], vote: [], ack: [] };
  #bounds: SigningBounds;
  #foreign: string | undefined;

  private constructor(store: SigningStore, identity: SigningIdentity, isNew: boolean) {
    this.#store = store;
    this.identity = identity;
    this.isNew = isNew;
    const bounds = store.get(columns.meta, META.bounds);
    this.#bounds = bounds === undefined ? NOTHING_SIGNED : decodeBounds(bounds);
    const foreign = store.get(columns.meta, META.foreign);
    this.#foreign = foreign === undefined ? undefined : new TextDecoder().decode(foreign);
  }

  /** Opens the records of this key, or begins them. Throws SigningError WRONG_RECORDS, DAMAGED_RECORDS, StorageError. */
  static async open(store: SigningStore, identity: SigningIdentity): Promise<ProtectionLog> {
    const wanted = encodeIdentity(identity);
    const found = store.get(columns.meta, META.identity);
    if (found !== undefined && bytesToHex(found) !== bytesToHex(wanted))
      throw new SigningError({
        code: "WRONG_RECORDS",
        expected: bytesToHex(wanted),
        got: bytesToHex(found),
      });
    const log = whole(() => new ProtectionLog(store, identity, found === undefined));
    for await (const [key, value] of store.iterate(columns.signed)) {
      const record = whole(() => decodeRecord(key, value));
      if (isBeyond(record, log.#bounds)) damaged(`a ${describePlace(record)} beyond the bounds`);
      log.#places[record.type].push(record);
    }
    if (found !== undefined) return log;
    const isEmpty = TYPES.every((type) => log.#places[type].length === 0);
    if (!isEmpty || log.#bounds !== NOTHING_SIGNED) damaged("records without their key's name");
    await store.batch([put(columns.meta, META.identity, wanted)]);
    return log;
  }

  get bounds(): SigningBounds {
    return this.#bounds;
  }

  /** A message of this key that somebody else signed; undefined: none was seen. */
  get foreign(): string | undefined {
    return this.#foreign;
  }

  /** Recorded votes, oldest first. */
  get votes(): readonly VoteSpan[] {
    return this.#places.vote;
  }

  /** The record in this place. */
  recordAt(place: Place): SignedRecord | undefined {
    const key = encodeKey(place);
    const value = this.#store.get(columns.signed, key);
    return value && decodeRecord(key, value);
  }

  /** Everything recorded, by type and place. */
  async *records(): AsyncGenerator<SignedRecord> {
    for await (const [key, value] of this.#store.iterate(columns.signed))
      yield decodeRecord(key, value);
  }

  /** Writes down that the message in this place is going to be signed. On disk when it resolves. */
  async recordIntent(place: Place, root: Hash): Promise<void> {
    const pruned = this.#surplus(place.type, 1);
    const raised = raisedBy(this.#bounds, place);
    const lost = place.type === "vote" ? (pruned.at(-1)?.position ?? -1) : -1;
    const bounds = { ...raised, completeAbove: Math.max(raised.completeAbove, lost) };
    await this.#store.batch([
      put(columns.signed, encodeKey(place), encodeRecord({ ...place, root, signature: undefined })),
      ...pruned.map((old) => del(columns.signed, encodeKey(old))),
      put(columns.meta, META.bounds, encodeBounds(bounds)),
    ]);
    this.#bounds = bounds;
    const places = this.#places[place.type];
    places.splice(0, pruned.length);
    places.push(place);
  }

  /** Keeps the signature for repeated requests. Not synced: without it the same message is signed once more, which harms nobody. */
  async recordSignature(record: SignedRecord): Promise<void> {
    await this.#store.batch([put(columns.signed, encodeKey(record), encodeRecord(record))], {
      sync: false,
    });
  }

  /**
   * What a message of this key that was seen says about these records. "foreign": this process did not sign it, as far as
   * records reach back.
   */
  judgeSeen(place: Place, root: Hash): "own" | "foreign" | "unknown" {
    const record = this.recordAt(place);
    if (record !== undefined) return record.root === root ? "own" : "foreign";
    if (isBeyond(place, this.#bounds)) return "foreign";
    const oldest = this.#places[place.type][0];
    return oldest !== undefined && comparePlaces(place, oldest) > 0 ? "foreign" : "unknown";
  }

  /** Remembers that a message of this key is not this process's, and never to sign in its place or below. */
  async recordForeign(place: Place, text: string): Promise<void> {
    const raised = raisedBy(this.#bounds, place);
    // whoever signed this may have signed more votes up to the present
    const bounds = { ...raised, completeAbove: raised.target };
    await this.#raise(bounds, [put(columns.meta, META.foreign, new TextEncoder().encode(text))]);
    this.#foreign = text;
  }

  /**
   * Goes on after a foreign message, on the operator's word, above `floor` only. Records below would let a message be signed
   * that the other process has contradicted, so that they go: the bounds stand for them.
   */
  async adopt(floor: SigningBounds): Promise<void> {
    const places = TYPES.flatMap((type) => this.#places[type]);
    const completeAbove = Math.max(floor.completeAbove, this.#bounds.target);
    await this.#raise({ ...floor, completeAbove }, [
      del(columns.meta, META.foreign),
      ...places.map((place) => del(columns.signed, encodeKey(place))),
    ]);
    for (const type of TYPES) this.#places[type] = [];
    this.#foreign = undefined;
  }

  /** Takes over records of another copy: bounds rise, messages without a root count by their bounds only. */
  async merge(entries: readonly (Place & { readonly root: Hash | undefined })[]): Promise<void> {
    let bounds = this.#bounds;
    const operations: WriteOp[] = [];
    for (const entry of [...entries].sort(comparePlaces)) {
      bounds = raisedBy(bounds, entry);
      if (entry.type === "vote")
        bounds = { ...bounds, completeAbove: Math.max(bounds.completeAbove, entry.position) };
      const { root } = entry;
      const own = this.recordAt(entry);
      // what was never signed here gives way to what was signed there
      if (root === undefined || own?.root === root || own?.signature !== undefined) continue;
      const record = encodeRecord({ ...entry, root, signature: undefined });
      operations.push(put(columns.signed, encodeKey(entry), record));
      if (own === undefined) this.#places[entry.type].push(entry);
    }
    for (const type of TYPES) {
      const places = this.#places[type].sort(comparePlaces);
      for (const old of places.splice(0, this.#surplus(type, 0).length))
        operations.push(del(columns.signed, encodeKey(old)));
    }
    await this.#raise(bounds, operations);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #raise(floor: SigningBounds, operations: readonly WriteOp[]): Promise<void> {
    const before = this.#bounds;
    const seal: Place = { type: "seal", position: floor.slot, seq: floor.seq, source: 0 };
    const bounds = {
      ...raisedBy(before, seal),
      target: Math.max(before.target, floor.target),
      source: Math.max(before.source, floor.source),
      ack: Math.max(before.ack, floor.ack),
      completeAbove: Math.max(before.completeAbove, floor.completeAbove),
    };
    await this.#store.batch([...operations, put(columns.meta, META.bounds, encodeBounds(bounds))]);
    this.#bounds = bounds;
  }

  /** The oldest places that must go so that `more` fit in. */
  #surplus(type: MessageType, more: number): readonly Place[] {
    const places = this.#places[type];
    return places.slice(0, Math.max(0, places.length + more - KEPT[type]));
  }
}

/** What `read` gives; what cannot be decoded is damage. */
function whole<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SigningError) throw error;
    return damaged(error instanceof Error ? error.message : String(error));
  }
}

function damaged(problem: string): never {
  throw new SigningError({ code: "DAMAGED_RECORDS", problem });
}

function comparePlaces(a: Place, b: Place): number {
  return a.position - b.position || a.seq - b.seq;
}

function encodeIdentity({ keyHash, chainId, salt }: SigningIdentity): Bytes {
  const chain = new FixedWriter(8, "chainId").amount(chainId).bytes;
  return concatBytes(hexToBytes(keyHash), chain, hexToBytes(salt));
}

/** Identity of the records in a database that was opened elsewhere; undefined: none yet. */
export function readIdentity(store: Pick<SigningStore, "get">): SigningIdentity | undefined {
  const raw = store.get(columns.meta, META.identity);
  if (raw === undefined) return undefined;
  const reader = new FixedReader(raw, "signerIdentity", 72);
  return { keyHash: reader.hash(), chainId: reader.amount(), salt: reader.hash() };
}

function encodeKey({ type, position, seq }: Place): Bytes {
  return new FixedWriter(KEY_BYTES, "signed").u8(TYPE_BYTE[type]).u64(position).u8(seq).bytes;
}

function encodeRecord({ source, root, signature }: SignedRecord): Bytes {
  const head = new FixedWriter(HEAD_BYTES, "signed").u64(source).hash(root).bytes;
  return signature === undefined ? head : concatBytes(head, signature);
}

function decodeRecord(key: Bytes, value: Bytes): SignedRecord {
  const place = new FixedReader(key, "signed", KEY_BYTES);
  const type = TYPES[place.u8() - 1];
  if (type === undefined) throw new RangeError("a record of no known type");
  const head = new FixedReader(value.subarray(0, HEAD_BYTES), "signed", HEAD_BYTES);
  const source = head.u64();
  const root = bytesToHash(value.subarray(8, HEAD_BYTES));
  const signature =
    value.length > HEAD_BYTES ? Uint8Array.from(value.subarray(HEAD_BYTES)) : undefined;
  if (signature !== undefined && signature.length !== CONSENSUS_SIGNATURE_BYTES)
    damaged(`a signature of ${signature.length} bytes`);
  return { type, position: place.u64(), seq: place.u8(), source, root, signature };
}

/** Six counters, each one higher than its bound, so that "none" is 0. */
function encodeBounds(bounds: SigningBounds): Bytes {
  const writer = new FixedWriter(BOUNDS_BYTES, "bounds");
  const { slot, seq, target, source, ack, completeAbove } = bounds;
  for (const bound of [slot, seq, target, source, ack, completeAbove]) writer.u64(bound + 1);
  return writer.bytes;
}

function decodeBounds(raw: Bytes): SigningBounds {
  const reader = new FixedReader(raw, "bounds", BOUNDS_BYTES);
  const next = () => reader.u64() - 1;
  return {
    slot: next(),
    seq: next(),
    target: next(),
    source: next(),
    ack: next(),
    completeAbove: next(),
  };
}
