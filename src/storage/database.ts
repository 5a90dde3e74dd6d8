/**
 * The node's database: LevelDB on disk, or memory, behind one class.
 *
 * Entries live in the columns of `columns.ts`. Reads of single entries are synchronous (3 us; an awaited read costs 20).
 * Writes come as whole batches, all or nothing, synced to disk before the promise resolves: one batch per block.
 * Opening never mistakes a damaged database for a new one, and says who holds a locked one.
 */
import { Level } from "level";
import { MemoryLevel } from "memory-level";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHex } from "../primitives/hex.ts";
import { type Column, diskKey, type WriteOp } from "./columns.ts";
import {
  type DatabaseFiles,
  databaseFiles,
  hasLevelFiles,
  holderPid,
  makeDirectory,
  markCreated,
  removePid,
  wasCreated,
  writePid,
} from "./lock.ts";
import { migrate } from "./migrations.ts";
import { errorCode, errorText, StorageError } from "./storageError.ts";

export interface DatabaseOptions {
  /** Directory; undefined keeps everything in memory. */
  readonly path?: string | undefined;
  /** Memory for reading: LevelDB's cache of blocks, and its table files as far as they are mapped. Default: 160 MiB. */
  readonly cacheBytes?: number;
}

/** Bounds of an iteration, in keys of the column; `limit` counts entries. */
export interface Range<K> {
  readonly gte?: K;
  readonly gt?: K;
  readonly lte?: K;
  readonly lt?: K;
  readonly reverse?: boolean;
  readonly limit?: number;
}

const MEMORY_PATH = "memory";
/** What a chain of millions of transfers can be followed with in less than 800 MB. */
const DEFAULT_CACHE_BYTES = 160 * 1024 * 1024;
/** Of the cache: uncompressed blocks. The rest is for mapped tables. */
const BLOCK_SHARE = 1 / 5;
/** Up to two of these are in memory; a block's batch should fit. */
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;
/** Size at which LevelDB ends a table file. */
const TABLE_BYTES = 2 * 1024 * 1024;
/**
 * Tables open at a time, at least and at most. LevelDB maps each into memory, so its default of 990 lets a process grow with its
 * data directory. A read from a table that must be opened first takes 50 us instead of 15.
 */
const [LEAST_TABLES, MOST_TABLES] = [64, 32_768];
/** What LevelDB sets aside of `maxOpenFiles` for files that are not tables. */
const LEVEL_OWN_FILES = 10;
const views = { keyEncoding: "view", valueEncoding: "view" } as const;

/**
 * Opens the database at `path`, creating it if there is none, and migrates it to the present layout.
 * Throws StorageError LOCKED, DAMAGED, UNAVAILABLE or NEWER_SCHEMA.
 */
export async function openDatabase(options: DatabaseOptions = {}): Promise<Database> {
  if (options.path === undefined) {
    const memory = new MemoryLevel<Bytes, Bytes>(views);
    await memory.open();
    const database = new Database(memory, undefined);
    await migrate(database);
    return database;
  }
  const files = databaseFiles(options.path);
  makeDirectory(files);
  const existing = wasCreated(files);
  if (existing && !hasLevelFiles(files)) {
    throw damaged(files.path, "the database was created, but its file CURRENT is gone");
  }
  const { cacheBytes = DEFAULT_CACHE_BYTES } = options;
  const level = new Level<Bytes, Bytes>(files.level, {
    ...views,
    createIfMissing: !existing,
    cacheSize: cacheBytes * BLOCK_SHARE,
    writeBufferSize: WRITE_BUFFER_BYTES,
    maxFileSize: TABLE_BYTES,
    maxOpenFiles: openTables(cacheBytes * (1 - BLOCK_SHARE)) + LEVEL_OWN_FILES,
  });
  await level.open().catch((error: unknown) => {
    throw openingError(files, error);
  });
  const database = new Database(level, files);
  try {
    await writePid(files);
    await migrate(database);
    if (!existing) await markCreated(files);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

function openTables(bytes: number): number {
  return Math.min(Math.max(Math.floor(bytes / TABLE_BYTES), LEAST_TABLES), MOST_TABLES);
}

const SYSTEM_FAULTS =
  /Permission denied|No space left|Read-only file system|Too many open files|Not a directory/;

function openingError(files: DatabaseFiles, error: unknown): StorageError {
  const { path } = files;
  const detail = errorText(error);
  const cause = error instanceof Error ? error.cause : undefined;
  if (errorCode(cause) === "LEVEL_LOCKED") {
    return new StorageError({ code: "LOCKED", path, pid: holderPid(files) }, { cause: error });
  }
  const code = SYSTEM_FAULTS.test(detail) ? "UNAVAILABLE" : "DAMAGED";
  return new StorageError({ code, path, detail }, { cause: error });
}

function damaged(path: string, detail: string, cause?: unknown): StorageError {
  return new StorageError({ code: "DAMAGED", path, detail }, { cause });
}

/** What we use of LevelDB and of its twin in memory. */
interface LevelStore {
  getSync(key: Bytes): Bytes | undefined;
  batch(): LevelBatch;
  iterator(options: KeyBounds & { reverse: boolean; limit: number }): AsyncIterable<[Bytes, Bytes]>;
  clear(options: KeyBounds): Promise<void>;
  /** LevelDB on disk only. */
  compactRange?(start: Bytes, end: Bytes): Promise<void>;
  close(): Promise<void>;
}

/** A batch that is filled write by write: on the thread of the caller, a third of what an array of writes costs. */
interface LevelBatch {
  put(key: Bytes, value: Bytes): unknown;
  del(key: Bytes): unknown;
  write(options: { readonly sync: boolean }): Promise<void>;
}

/** An open database. Own it in one place; close it last. */
export class Database {
  /** Directory, or "memory". */
  readonly path: string;
  readonly #level: LevelStore;
  readonly #files: DatabaseFiles | undefined;
  #closing: Promise<void> | undefined;

  /** Use `openDatabase`. */
  constructor(level: LevelStore, files: DatabaseFiles | undefined) {
    this.#level = level;
    this.#files = files;
    this.path = files?.path ?? MEMORY_PATH;
  }

  /** True when the entries survive the process. */
  get onDisk(): boolean {
    return this.#files !== undefined;
  }

  /** Value under `key`, or undefined. The bytes in it are not to be modified. Throws StorageError DAMAGED or CLOSED. */
  get<K, V>(column: Column<K, V>, key: K): V | undefined {
    const onDisk = diskKey(column, key);
    const raw = this.#read(onDisk);
    return raw === undefined ? undefined : this.#decode(column, column.value, [onDisk, raw]);
  }

  /** Value under a key as it is on disk, prefix and all, for who inspects the database; copied. Throws StorageError CLOSED. */
  getRaw(key: Bytes): Bytes | undefined {
    const raw = this.#read(key);
    return raw && Uint8Array.from(raw);
  }

  /** True when there is a value under `key`. */
  has<K, V>(column: Column<K, V>, key: K): boolean {
    return this.#read(diskKey(column, key)) !== undefined;
  }

  /**
   * Applies all writes or none, in order. With `sync` (the default) they are on the disk when the promise resolves.
   * Throws StorageError WRITE_FAILED or CLOSED.
   */
  async batch(ops: readonly WriteOp[], options: { readonly sync?: boolean } = {}): Promise<void> {
    const { onDisk } = this;
    try {
      const batch = this.#level.batch();
      for (const op of ops) {
        if (op.type === "del") batch.del(op.key);
        else if (onDisk) batch.put(op.key, op.value);
        // memory-level keeps what it is given: copies, which do not hold on to the buffers they were cut from
        else batch.put(new Uint8Array(op.key), new Uint8Array(op.value));
      }
      await batch.write({ sync: options.sync ?? true });
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Entries of a column in key order (or reverse) as of the first step. Stop early with `break`, never by dropping it. */
  async *iterate<K, V>(
    column: Column<K, V>,
    range: Range<K> = {},
  ): AsyncGenerator<readonly [key: K, value: V]> {
    for await (const [onDisk, raw] of this.#entries(bounds(column, range), range)) {
      const key = this.#decode(column, column.key, [onDisk, onDisk.subarray(1)]);
      yield [key, this.#decode(column, column.value, [onDisk, raw])];
    }
  }

  /** Entries and bytes of a column, by reading all of it. */
  async measure(column: AnyColumn): Promise<{ entries: number; bytes: number }> {
    let entries = 0;
    let bytes = 0;
    for await (const [key, value] of this.#entries(wholeColumn(column), {})) {
      entries++;
      bytes += key.length + value.length;
    }
    return { entries, bytes };
  }

  /** Removes all entries of a column. Not atomic: for indexes that are rebuilt from other columns. */
  async clear(column: AnyColumn): Promise<void> {
    await this.#level.clear(wholeColumn(column)).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  /** Gives the space of removed entries of a column back to the disk. */
  async compact(column: AnyColumn): Promise<void> {
    const { gte, lt } = wholeColumn(column);
    await this.#level.compactRange?.(gte, lt).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  /** True when no column has an entry. */
  async isEmpty(): Promise<boolean> {
    for await (const _ of this.#entries({}, { limit: 1 })) return false;
    return true;
  }

  /** Waits for writes under way and releases the lock. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    if (this.#files !== undefined) removePid(this.#files);
    await this.#level.close();
  }

  #read(key: Bytes): Bytes | undefined {
    try {
      return this.#level.getSync(key);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async *#entries(
    keys: KeyBounds,
    options: Pick<Range<unknown>, "reverse" | "limit">,
  ): AsyncGenerator<[Bytes, Bytes]> {
    const { reverse = false, limit = -1 } = options;
    try {
      yield* this.#level.iterator({ ...keys, reverse, limit });
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #decode<T>(
    column: { readonly name: string },
    codec: { decode(bytes: Bytes): T },
    [key, raw]: readonly [Bytes, Bytes],
  ): T {
    try {
      return codec.decode(plain(raw));
    } catch (error) {
      throw damaged(
        this.path,
        `column ${column.name}, key ${bytesToHex(key)}: ${errorText(error)}`,
        error,
      );
    }
  }

  #failure(error: unknown): StorageError {
    if (error instanceof StorageError) return error;
    const { path } = this;
    const code = errorCode(error);
    const options = { cause: error };
    if (code === "LEVEL_DATABASE_NOT_OPEN")
      return new StorageError({ code: "CLOSED", path }, options);
    const detail = errorText(error);
    if (code === "LEVEL_CORRUPTION") return damaged(path, detail, error);
    return new StorageError({ code: "WRITE_FAILED", path, detail }, options);
  }
}

interface KeyBounds {
  gte?: Bytes;
  gt?: Bytes;
  lte?: Bytes;
  lt?: Bytes;
}

/** A column whatever its keys and values are. */
type AnyColumn = Pick<Column<unknown, unknown>, "prefix">;

function wholeColumn({ prefix }: AnyColumn): { gte: Bytes; lt: Bytes } {
  return { gte: Uint8Array.of(prefix), lt: Uint8Array.of(prefix + 1) };
}

function bounds<K, V>(column: Column<K, V>, range: Range<K>): KeyBounds {
  const found: KeyBounds = {};
  const whole = wholeColumn(column);
  if (range.gt !== undefined) found.gt = diskKey(column, range.gt);
  else if (range.gte !== undefined) found.gte = diskKey(column, range.gte);
  else found.gte = whole.gte;
  if (range.lt !== undefined) found.lt = diskKey(column, range.lt);
  else if (range.lte !== undefined) found.lte = diskKey(column, range.lte);
  else found.lt = whole.lt;
  return found;
}

/** LevelDB returns Buffers, whose `slice` shares memory: the same bytes as a plain Uint8Array. */
function plain(raw: Bytes): Bytes {
  return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
}
