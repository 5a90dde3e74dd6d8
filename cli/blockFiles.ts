/** Files of concatenated RLP blocks, plain, gzip or zstd: read and written as streams, never held as a whole. */
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib";
import type { Bytes } from "../src/primitives/bytes.ts";
import { rlpItemLength } from "../src/types/rlp.ts";
import { CommandError } from "./exit.ts";

/** Largest block that is read: eight times Osaka's limit. */
const MAX_BLOCK_BYTES = 67_108_864;
const CHUNK_BYTES = 1_048_576;
/** An RLP head has at most nine bytes. */
const MAX_HEAD_BYTES = 9;

/** A raw block and how far into the file (of `fileBytes`) reading has come. */
export interface RawBlock {
  readonly raw: Bytes;
  readonly readBytes: number;
  readonly fileBytes: number;
}

/** Raw blocks of one file. Throws CommandError when the file ends inside a block or holds something else. */
export async function* readBlockFile(file: string): AsyncGenerator<RawBlock> {
  const { size: fileBytes } = await stat(file);
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const splitter = new BlockSplitter(file);
  try {
    for await (const chunk of await decompressed(source, file)) {
      splitter.push(chunk);
      for (const raw of splitter.take()) yield { raw, readBytes: source.bytesRead, fileBytes };
    }
    splitter.end();
  } finally {
    source.destroy();
  }
}

async function decompressed(source: Readable, file: string): Promise<AsyncIterable<Bytes>> {
  const handle = await open(file, "r");
  const magic = new Uint8Array(4);
  try {
    await handle.read(magic, 0, 4, 0);
  } finally {
    await handle.close();
  }
  const [a, b, c, d] = magic;
  // no RLP list begins with these bytes
  const isGzip = a === 0x1f && b === 0x8b;
  const isZstd = a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd;
  if (!isGzip && !isZstd) return source;
  const unpack = isGzip ? createGunzip() : createZstdDecompress();
  source.on("error", (error) => unpack.destroy(error));
  return source.pipe(unpack);
}

/** Cuts a stream of bytes into RLP items. */
class BlockSplitter {
  readonly #file: string;
  #chunks: Bytes[] = [];
  #length = 0;
  #wanted = 1;
  #blocks = 0;

  constructor(file: string) {
    this.#file = file;
  }

  push(chunk: Bytes): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Blocks that are complete; joins the chunks only when there is one. */
  *take(): Generator<Bytes> {
    if (this.#length < this.#wanted) return;
    const bytes = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    let at = 0;
    this.#wanted = 1;
    while (bytes !== undefined && at < bytes.length) {
      const total = this.#lengthAt(bytes, at);
      this.#wanted = total ?? bytes.length - at + 1;
      if (total === undefined || at + total > bytes.length) break;
      yield bytes.subarray(at, at + total);
      this.#blocks++;
      at += total;
      this.#wanted = 1;
    }
    const rest = bytes?.subarray(at) ?? new Uint8Array(0);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
  }

  end(): void {
    if (this.#length > 0) this.#refuse(`ends inside block ${this.#blocks + 1} of the file`);
  }

  #lengthAt(bytes: Bytes, at: number): number | undefined {
    if ((bytes[at] ?? 0) < 0xc0) this.#refuse(`has no block after ${this.#blocks} blocks`);
    const found = rlpItemLength(bytes.subarray(at, at + MAX_HEAD_BYTES), 0);
    if (found !== undefined && found.totalLength > MAX_BLOCK_BYTES) {
      this.#refuse(`has a block of ${found.totalLength} bytes`);
    }
    return found?.totalLength;
  }

  #refuse(what: string): never {
    throw new CommandError({ code: "FAILED", problem: `${this.#file} ${what}` });
  }
}

/** Where exported blocks go. */
export interface BlockSink {
  readonly stream: Writable;
  /** Waits until everything is written. */
  finish(): Promise<void>;
}

/** A new file, compressed by the ending of `name` (.gz, .zst). */
export function createBlockFile(file: string, name: string): BlockSink {
  const target = createWriteStream(file, { flags: "wx" });
  const pack = name.endsWith(".gz")
    ? createGzip()
    : name.endsWith(".zst")
      ? createZstdCompress()
      : undefined;
  const finished = new Promise<void>((resolve, reject) => {
    target.once("close", resolve);
    target.once("error", reject);
    pack?.once("error", reject);
  });
  // somebody waits for it in `finish`; until then a failure must not count as unhandled
  finished.catch(() => {});
  pack?.pipe(target);
  const stream = pack ?? target;
  return {
    stream,
    finish: () => {
      stream.end();
      return finished;
    },
  };
}
