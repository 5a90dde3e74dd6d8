/**
 * Which blocks hold a log of an address or with a topic, so that a search over a wide, sparse range reads only the
 * blocks that matter. One key per block and distinct term: kind ‖ address or topic ‖ block number, no value.
 * A search intersects the sorted block numbers of its terms by leaping (logCursor.ts); only what is left is read and
 * matched log by log. Without a usable term it walks the range with the headers' blooms.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../primitives/hex.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { bloomBits, bloomMayContain } from "../types/bloom.ts";
import type { Log, Receipt } from "../types/receipt.ts";
import type { BlockStore } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import { NUMBER_BYTES, writeNumber } from "./indexKeys.ts";
import { FieldCursor, leap, termPrefix } from "./logCursor.ts";

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
  /** Told how far the search is: below this block everything was found. */
  readonly progress?: { block: bigint };
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

/** Blocks walked without a match between two chances for other work. */
const BLOCKS_PER_TURN = 256;
const NO_VALUE: Bytes = new Uint8Array(0);

/** Index entries of a block's logs, to be written or deleted with the block. */
export function logIndexKeys(number: bigint, receipts: readonly Receipt[]): Bytes[] {
  // a set for each kind: terms that name their kind would be new strings, to be hashed each time
  const terms: Set<Address | Hash>[] = [new Set()];
  for (const { logs } of receipts) {
    for (const { address, topics } of logs) {
      terms[0]?.add(address);
      for (let i = 0; i < topics.length; i++) {
        const topic = topics[i];
        terms[i + 1] ??= new Set();
        if (topic !== undefined) terms[i + 1]?.add(topic);
      }
    }
  }
  return terms.flatMap((values, kind) => Array.from(values, (value) => keyOf(kind, value, number)));
}

function keyOf(kind: number, value: Address | Hash, number: bigint): Bytes {
  const prefix = termPrefix(kind, value);
  const key = new Uint8Array(prefix.length + NUMBER_BYTES);
  key.set(prefix);
  writeNumber(key, prefix.length, number);
  return key;
}

/** Writes the index entries of a block. */
export function putLogIndex(number: bigint, receipts: readonly Receipt[]): WriteOp[] {
  return logIndexKeys(number, receipts).map((key) => put(columns.logIndex, key, NO_VALUE));
}

/** Deletes the index entries of a block that leaves the canonical chain. */
export function deleteLogIndex(number: bigint, receipts: readonly Receipt[]): WriteOp[] {
  return logIndexKeys(number, receipts).map((key) => del(columns.logIndex, key));
}

/** The logs of the canonical chain that match, oldest first. */
export async function* searchLogs(
  sources: { readonly database: Database; readonly store: BlockStore },
  query: LogQuery,
  limits: LogLimits = {},
): AsyncGenerator<FoundLog> {
  const most = limits.maxLogs ?? Number.POSITIVE_INFINITY;
  const mayMatch = bloomTest(query);
  let found = 0;
  let walked = 0;
  for await (const number of candidates(sources.database, query)) {
    if (limits.progress !== undefined) limits.progress.block = number;
    limits.signal?.throwIfAborted();
    if (++walked % BLOCKS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const match of matchesInBlock(sources.store, number, { query, mayMatch })) {
      if (++found > most)
        throw new ChainError({ code: "TOO_MANY_LOGS", limit: most, block: number });
      yield match;
    }
  }
}

/** Matching logs of the canonical block at this height; none if there is no such block. */
function matchesInBlock(
  store: BlockStore,
  number: bigint,
  by: { readonly query: LogFilter; readonly mayMatch: (bloom: Bytes) => boolean },
): FoundLog[] {
  const hash = store.canonicalHash(number);
  const header = hash && store.header(hash);
  if (hash === undefined || header === undefined || !by.mayMatch(header.logsBloom)) return [];
  const block = store.block(hash);
  const receipts = store.receipts(hash);
  if (block === undefined || receipts === undefined)
    throw new ChainError({ code: "DAMAGED", missing: `receipts of ${hash}` });
  return matchReceipts(block, receipts, by.query);
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

/** Tells of a block by its bloom whether it may hold a matching log. */
function bloomTest({ addresses, topics }: LogFilter): (bloom: Bytes) => boolean {
  const fields = [addresses, ...topics]
    .filter(({ length }) => length > 0)
    .map((alternatives) => alternatives.map((value) => bloomBits(hexToBytes(value))));
  return (bloom) =>
    fields.every((alternatives) => alternatives.some((bits) => bloomMayContain(bloom, bits)));
}

async function* candidates(database: Database, query: LogQuery): AsyncGenerator<bigint> {
  const fields = [query.addresses, ...query.topics].flatMap((alternatives, kind) =>
    alternatives.length === 0
      ? []
      : [new FieldCursor(database, { kind, values: alternatives, query })],
  );
  for (let number = query.fromBlock; number <= query.toBlock; number++) {
    // without a field whose index is worth reading, each block of the range is a candidate
    const next = await leap(fields, number);
    if (next === undefined) return;
    number = next;
    yield next;
  }
}
