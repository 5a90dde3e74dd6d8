/**
 * Which blocks hold a log of an address or with a topic, so that a search over a wide, sparse range reads only the
 * blocks that matter. One key per block and distinct term: kind ‖ address or topic ‖ block number, no value.
 * A search intersects the sorted block numbers of its terms by leaping; only what is left is read and matched log by log.
 * Without a usable term it walks the range with the headers' blooms.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../primitives/hex.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { bloomMayContain } from "../types/bloom.ts";
import type { Log, Receipt } from "../types/receipt.ts";
import type { BlockStore } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import { NUMBER_BYTES, readNumber, writeNumber } from "./indexKeys.ts";

/** What to look for: alternatives per field, an empty list lets everything pass. */
export interface LogFilter {
  readonly addresses: readonly Address[];
  /** Alternatives by position. */
  readonly topics: readonly (readonly Hash[])[];
}

/** A filter over blocks, both ends included. */
export interface LogQuery extends LogFilter {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
}

/** Where a search ends early: with ChainError TOO_MANY_LOGS, or with the signal's reason. */
export interface LogLimits {
  readonly maxLogs?: number;
  readonly signal?: AbortSignal;
}

/** A log and its place in the canonical chain. */
export interface FoundLog {
  readonly log: Log;
  readonly blockHash: Hash;
  readonly blockNumber: bigint;
  /** seconds */
  readonly blockTimestamp: bigint;
  readonly transactionHash: Hash;
  readonly transactionIndex: number;
  /** Position among all logs of the block. */
  readonly logIndex: number;
}

/** Above this many alternatives in a field its index is not used: opening that many cursors costs more than reading. */
const MAX_INDEXED_ALTERNATIVES = 64;
const PAGE_NUMBERS = 256;
/** Blocks walked without a match between two chances for other work. */
const BLOCKS_PER_TURN = 256;
const NO_VALUE: Bytes = new Uint8Array(0);

/** Index entries of a block's logs, to be written or deleted with the block. */
export function logIndexKeys(number: bigint, receipts: readonly Receipt[]): Bytes[] {
  const terms = new Set<string>();
  for (const { logs } of receipts) {
    for (const log of logs) {
      terms.add(`0${log.address}`);
      for (let i = 0; i < log.topics.length; i++) terms.add(`${i + 1}${log.topics[i]}`);
    }
  }
  return Array.from(terms, (term) => {
    const prefix = termPrefix(Number(term[0]), term.slice(1));
    const key = new Uint8Array(prefix.length + NUMBER_BYTES);
    key.set(prefix);
    writeNumber(key, prefix.length, number);
    return key;
  });
}

/** Writes the index entries of a block. */
export function putLogIndex(number: bigint, receipts: readonly Receipt[]): WriteOp[] {
  return logIndexKeys(number, receipts).map((key) => put(columns.logIndex, key, NO_VALUE));
}

/** Deletes the index entries of a block that leaves the canonical chain. */
export function deleteLogIndex(number: bigint, receipts: readonly Receipt[]): WriteOp[] {
  return logIndexKeys(number, receipts).map((key) => del(columns.logIndex, key));
}

function termPrefix(kind: number, value: string): Bytes {
  const bytes = hexToBytes(value);
  const prefix = new Uint8Array(1 + bytes.length);
  prefix[0] = kind;
  prefix.set(bytes, 1);
  return prefix;
}

/** The logs of the canonical chain that match, oldest first. */
export async function* searchLogs(
  sources: { readonly database: Database; readonly store: BlockStore },
  query: LogQuery,
  limits: LogLimits = {},
): AsyncGenerator<FoundLog> {
  const most = limits.maxLogs ?? Number.POSITIVE_INFINITY;
  let found = 0;
  let walked = 0;
  for await (const number of candidates(sources.database, query)) {
    limits.signal?.throwIfAborted();
    if (++walked % BLOCKS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const match of matchesInBlock(sources.store, number, query)) {
      if (++found > most)
        throw new ChainError({ code: "TOO_MANY_LOGS", limit: most, block: number });
      yield match;
    }
  }
}

/** Matching logs of the canonical block at this height; none if there is no such block. */
function matchesInBlock(store: BlockStore, number: bigint, filter: LogFilter): FoundLog[] {
  const hash = store.canonicalHash(number);
  const header = hash && store.header(hash);
  if (hash === undefined || header === undefined || !bloomMatches(header.logsBloom, filter))
    return [];
  const block = store.block(hash);
  const receipts = store.receipts(hash);
  if (block === undefined || receipts === undefined)
    throw new ChainError({ code: "DAMAGED", missing: `receipts of ${hash}` });
  return matchReceipts(block, receipts, filter);
}

/** The logs of a block that match, in order. */
export function matchReceipts(
  block: {
    readonly hash: Hash;
    readonly header: { readonly number: bigint; readonly timestamp: bigint };
    readonly transactions: readonly { readonly hash: Hash }[];
  },
  receipts: readonly Receipt[],
  filter: LogFilter,
): FoundLog[] {
  const found: FoundLog[] = [];
  let logIndex = 0;
  for (const [transactionIndex, { logs }] of receipts.entries()) {
    const transactionHash = block.transactions[transactionIndex]?.hash;
    if (transactionHash === undefined)
      throw new ChainError({
        code: "DAMAGED",
        missing: `transaction of a receipt in ${block.hash}`,
      });
    for (const log of logs) {
      if (logMatches(log, filter))
        found.push({
          log,
          blockHash: block.hash,
          blockNumber: block.header.number,
          blockTimestamp: block.header.timestamp,
          transactionHash,
          transactionIndex,
          logIndex,
        });
      logIndex++;
    }
  }
  return found;
}

/** Whether a log passes the filter. */
export function logMatches(log: Log, { addresses, topics }: LogFilter): boolean {
  if (addresses.length > 0 && !addresses.includes(log.address)) return false;
  if (topics.length > log.topics.length) return false;
  return topics.every((alternatives, position) => {
    const topic = log.topics[position];
    return alternatives.length === 0 || (topic !== undefined && alternatives.includes(topic));
  });
}

/** Whether a block with this bloom may hold a matching log. */
export function bloomMatches(bloom: Bytes, { addresses, topics }: LogFilter): boolean {
  return [addresses, ...topics].every(
    (alternatives) =>
      alternatives.length === 0 ||
      alternatives.some((value) => bloomMayContain(bloom, hexToBytes(value))),
  );
}

async function* candidates(database: Database, query: LogQuery): AsyncGenerator<bigint> {
  const fields = [query.addresses, ...query.topics]
    .map((alternatives, kind) => ({ alternatives, kind }))
    .filter(({ alternatives: { length } }) => length > 0 && length <= MAX_INDEXED_ALTERNATIVES)
    .map(({ alternatives, kind }) => new FieldCursor(database, { kind, alternatives, query }));
  for (let number = query.fromBlock; number <= query.toBlock; number++) {
    const next = await leap(fields, number);
    if (next === undefined) return;
    number = next;
    yield next;
  }
}

/** Smallest block number from `number` on that all fields have. */
async function leap(fields: readonly FieldCursor[], number: bigint): Promise<bigint | undefined> {
  let agreed = number;
  for (let i = 0; i < fields.length; ) {
    const next = await fields[i]?.seek(agreed);
    if (next === undefined) return undefined;
    // a field that leaps further sends all others after it
    i = next === agreed || fields.length === 1 ? i + 1 : 0;
    agreed = next;
  }
  return agreed;
}

/** Block numbers with any of a field's alternatives. */
class FieldCursor {
  readonly #terms: readonly TermCursor[];

  constructor(
    database: Database,
    field: {
      readonly kind: number;
      readonly alternatives: readonly string[];
      readonly query: LogQuery;
    },
  ) {
    const prefixes = [...new Set(field.alternatives)].map((value) => termPrefix(field.kind, value));
    this.#terms = prefixes.map((prefix) => new TermCursor(database, prefix, field.query.toBlock));
  }

  async seek(number: bigint): Promise<bigint | undefined> {
    let least: bigint | undefined;
    for (const term of this.#terms) {
      const next = await term.seek(number);
      if (next !== undefined && (least === undefined || next < least)) least = next;
      if (least === number) break;
    }
    return least;
  }
}

/** Sorted block numbers of one term, read page by page; `seek` never goes back. */
class TermCursor {
  readonly #database: Database;
  readonly #prefix: Bytes;
  readonly #to: bigint;
  #page: bigint[] = [];
  #at = 0;
  #ended = false;

  constructor(database: Database, prefix: Bytes, to: bigint) {
    this.#database = database;
    this.#prefix = prefix;
    this.#to = to;
  }

  async seek(number: bigint): Promise<bigint | undefined> {
    for (;;) {
      for (; this.#at < this.#page.length; this.#at++) {
        const next = this.#page[this.#at];
        if (next !== undefined && next >= number) return next;
      }
      if (this.#ended || number > this.#to) return undefined;
      await this.#readPage(number);
    }
  }

  async #readPage(from: bigint): Promise<void> {
    const page: bigint[] = [];
    const range = { gte: this.#key(from), lte: this.#key(this.#to), limit: PAGE_NUMBERS };
    for await (const [key] of this.#database.iterate(columns.logIndex, range))
      page.push(readNumber(key, this.#prefix.length));
    this.#page = page;
    this.#at = 0;
    this.#ended = page.length < PAGE_NUMBERS;
  }

  #key(number: bigint): Bytes {
    const key = new Uint8Array(this.#prefix.length + NUMBER_BYTES);
    key.set(this.#prefix);
    writeNumber(key, this.#prefix.length, number);
    return key;
  }
}
