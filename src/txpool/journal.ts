/**
 * Local transactions on disk, so that a restart does not lose them: records of length, checksum and bytes, appended as they
 * come and rewritten from time to time with those that still wait. It is a convenience, not a promise: writes are not synced.
 */
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import { SerialQueue } from "../runtime/queue.ts";

/** Largest journal; what comes beyond it is not kept until the next rotation. */
const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;
/** Rewrites and appends that may wait for the disk. */
const MAX_WRITES = 16;
const HEADER_BYTES = 8;
/** How long a transaction may wait for its write: one write for many costs this thread less. */
const FLUSH_MS = 50;
/** Dead bytes that are not worth a rewrite. */
const SLACK_BYTES = 1024 * 1024;

/** The journal of one pool. Failures of the disk are logged and never stop the pool. */
export class Journal {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #log: Logger;
  readonly #writes = new SerialQueue({ name: "transaction journal", limit: MAX_WRITES });
  readonly #live = new Map<Hash, Bytes>();
  #liveBytes = 0;
  #buffer: Bytes[] = [];
  /** Open for appending; opening it for each write costs more than the writes. */
  #file: FileHandle | undefined;
  #flushing: NodeJS.Timeout | undefined;
  #sizeBytes = 0;
  #full = false;

  constructor(
    dependencies: { readonly log: Logger },
    options: { readonly path: string; readonly maxBytes?: number },
  ) {
    this.#log = dependencies.log;
    this.#path = options.path;
    this.#maxBytes = options.maxBytes ?? MAX_JOURNAL_BYTES;
  }

  /** Bytes of the file and of what is on its way there. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Transactions of the file, up to the first damaged record. */
  async load(): Promise<readonly Bytes[]> {
    const size = await stat(this.#path).then(
      (found) => found.size,
      (error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      },
    );
    if (size === undefined) return [];
    if (size > 2 * this.#maxBytes) {
      this.#log.warn("Transaction journal is too large and was ignored", { sizeBytes: size });
      return [];
    }
    const { records, whole } = splitRecords(await readFile(this.#path));
    if (!whole)
      this.#log.warn("Transaction journal ends in a damaged record", { kept: records.length });
    this.#sizeBytes = size;
    return records;
  }

  /** Keeps a transaction until it is released; returns at once. */
  keep(hash: Hash, raw: Bytes): void {
    if (this.#live.has(hash)) return;
    const length = HEADER_BYTES + raw.length;
    if (this.#sizeBytes + length > this.#maxBytes) this.tidy();
    if (this.#sizeBytes + length > this.#maxBytes) {
      if (!this.#full)
        this.#log.warn("Transaction journal is full", { sizeBytes: this.#sizeBytes });
      this.#full = true;
      return;
    }
    this.#live.set(hash, raw);
    this.#liveBytes += length;
    this.#sizeBytes += length;
    this.#buffer.push(header(raw), raw);
    this.#flushing ??= setTimeout(() => {
      this.#flushing = undefined;
      this.#write(() => this.#flush());
    }, FLUSH_MS).unref();
  }

  /** The transaction need not survive any more; its record leaves with the next rotation. */
  release(hash: Hash): void {
    const raw = this.#live.get(hash);
    if (raw === undefined) return;
    this.#live.delete(hash);
    this.#liveBytes -= HEADER_BYTES + raw.length;
  }

  /** Rewrites the file when most of it is dead. */
  tidy(): void {
    if (this.#sizeBytes > 2 * this.#liveBytes + SLACK_BYTES) this.rotate();
  }

  /** Replaces the file by one that holds what is kept now. */
  rotate(): void {
    this.#buffer = [];
    this.#sizeBytes = this.#liveBytes;
    this.#full = false;
    const parts = Array.from(this.#live.values(), (raw) => [header(raw), raw]).flat();
    this.#write(async () => {
      const fresh = `${this.#path}.new`;
      await writeFile(fresh, Buffer.concat(parts));
      await this.#closeFile();
      await rename(fresh, this.#path);
    });
  }

  /** Waits for the writes under way. */
  async close(): Promise<void> {
    clearTimeout(this.#flushing);
    if (this.#buffer.length > 0) this.#write(() => this.#flush());
    await this.#writes.idle();
    await this.#closeFile();
    await rm(`${this.#path}.new`, { force: true });
  }

  async #flush(): Promise<void> {
    const parts = this.#buffer;
    this.#buffer = [];
    if (parts.length === 0) return;
    this.#file ??= await open(this.#path, "a");
    await this.#file.appendFile(Buffer.concat(parts));
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #write(task: () => Promise<void>): void {
    this.#writes.run(task).catch((error: unknown) => {
      this.#log.warn("Transaction journal could not be written", { path: this.#path, error });
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function header(raw: Bytes): Bytes {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(raw.length, 0);
  bytes.writeUInt32BE(crc32(raw), 4);
  return bytes;
}

function splitRecords(file: Buffer): { readonly records: Bytes[]; readonly whole: boolean } {
  const records: Bytes[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= file.length) {
    const start = at + HEADER_BYTES;
    const end = start + file.readUInt32BE(at);
    if (end > file.length) break;
    const raw = file.subarray(start, end);
    if (crc32(raw) !== file.readUInt32BE(at + 4)) break;
    records.push(raw);
    at = end;
  }
  return { records, whole: at === file.length };
}
