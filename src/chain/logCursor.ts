/** Walking the index of logs: the block numbers of each term in order, united per field and intersected over the fields. */
import type { Bytes } from "../primitives/bytes.ts";
import { hexToBytes } from "../primitives/hex.ts";
import { columns } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { NUMBER_BYTES, readNumber, writeNumber } from "./indexKeys.ts";

/** Entries read at once: few at first, since most terms of a long list have few; more where more follow. */
const FIRST_PAGE = 16;
const MAX_PAGE = 256;
const PAGE_GROWTH = 4;
/**
 * Entries that a field may read for each block of the range. A field of many alternatives that are in most blocks would read
 * more entries than there are blocks: then the blocks themselves are the shorter way.
 */
const ENTRIES_PER_BLOCK = 2n;
/** Entries that any field may read, however short the range. */
const LEAST_ENTRIES = 4_096n;

/** Start of the keys of one term: kind (0 address, 1 to 4 topic by position) ‖ value. */
export function termPrefix(kind: number, value: string): Bytes {
  const bytes = hexToBytes(value);
  const prefix = new Uint8Array(1 + bytes.length);
  prefix[0] = kind;
  prefix.set(bytes, 1);
  return prefix;
}

/** Smallest block number from `number` on that all fields have; of no use: fields that read too much. */
export async function leap(
  fields: readonly FieldCursor[],
  number: bigint,
): Promise<bigint | undefined> {
  let agreed = number;
  for (let i = 0; i < fields.length; ) {
    const field = fields[i];
    const next = field === undefined || field.isSpent ? agreed : await field.seek(agreed);
    if (next === undefined) return undefined;
    // a field that leaps further sends all others after it
    i = next === agreed || fields.length === 1 ? i + 1 : 0;
    agreed = next;
  }
  return agreed;
}

/** What a field looks for, and where. */
export interface FieldTerms {
  readonly kind: number;
  readonly values: readonly string[];
  readonly query: { readonly fromBlock: bigint; readonly toBlock: bigint };
}

/** Block numbers with any of a field's alternatives. */
export class FieldCursor {
  readonly #terms: readonly TermCursor[];
  #entriesLeft: bigint;

  constructor(database: Database, { kind, values, query }: FieldTerms) {
    const prefixes = [...new Set(values)].map((value) => termPrefix(kind, value));
    this.#terms = prefixes.map((prefix) => new TermCursor(database, prefix, query.toBlock));
    const allowed = ENTRIES_PER_BLOCK * (query.toBlock - query.fromBlock + 1n);
    this.#entriesLeft = allowed > LEAST_ENTRIES ? allowed : LEAST_ENTRIES;
  }

  /** It has read so much that going on costs more than looking at the blocks; ask it no more. */
  get isSpent(): boolean {
    return this.#entriesLeft <= 0n;
  }

  /** The next number from `number` on; `number` itself, perhaps wrongly, where the field is spent on the way. */
  async seek(number: bigint): Promise<bigint | undefined> {
    let least: bigint | undefined;
    for (const term of this.#terms) {
      if (term.head < number) {
        this.#entriesLeft -= BigInt(await term.seek(number));
        if (this.isSpent) return number;
      }
      if (!term.isOver && (least === undefined || term.head < least)) least = term.head;
    }
    return least;
  }
}

/** Sorted block numbers of one term, read page by page; it never goes back. */
class TermCursor {
  readonly #database: Database;
  readonly #prefix: Bytes;
  readonly #to: bigint;
  #page: bigint[] = [];
  #at = 0;
  #pageSize = FIRST_PAGE;
  #isLastPage = false;
  /** The number it stands at. */
  head = -1n;
  /** There is no number any more; `head` is above all then. */
  isOver = false;

  constructor(database: Database, prefix: Bytes, to: bigint) {
    this.#database = database;
    this.#prefix = prefix;
    this.#to = to;
  }

  /** Goes to the first number from `number` on; returns how many entries it had to read. */
  async seek(number: bigint): Promise<number> {
    for (let read = 0; ; read += await this.#readPage(number)) {
      for (; this.#at < this.#page.length; this.#at++) {
        const next = this.#page[this.#at];
        if (next === undefined || next < number) continue;
        this.head = next;
        return read;
      }
      if (!this.#isLastPage && number <= this.#to) continue;
      this.isOver = true;
      this.head = this.#to + 1n;
      return read;
    }
  }

  /** Counts the opening of a cursor like an entry. */
  async #readPage(from: bigint): Promise<number> {
    const limit = this.#pageSize;
    const page: bigint[] = [];
    const range = { gte: this.#key(from), lte: this.#key(this.#to), limit };
    for await (const [key] of this.#database.iterate(columns.logIndex, range))
      page.push(readNumber(key, this.#prefix.length));
    this.#page = page;
    this.#at = 0;
    this.#pageSize = Math.min(MAX_PAGE, limit * PAGE_GROWTH);
    this.#isLastPage = page.length < limit;
    return page.length + 1;
  }

  #key(number: bigint): Bytes {
    const key = new Uint8Array(this.#prefix.length + NUMBER_BYTES);
    key.set(this.#prefix);
    writeNumber(key, this.#prefix.length, number);
    return key;
  }
}
