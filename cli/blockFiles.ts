/** Files of concatenated RLP blocks, plain, gzip or zstd: read and written as streams, never held as a whole. */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import {
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from "node:zlib";
import type { Bytes } from "../src/primitives/bytes.ts";
import { NodeError } from "../src/primitives/errors.ts";
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
  try {
    yield* splitFile(file);
  } catch (cause) {
    if (cause instanceof NodeError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const problem = `${file} cannot be read: ${detail}`;
    throw new CommandError({ code: "FAILED", problem }, { cause });
  }
}

async function* splitFile(file: string): AsyncGenerator<RawBlock> {
  const { size: fileBytes } = await stat(file);
  const packing = await packingOf(file);
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const splitter = new BlockSplitter(file);
  try {
    for await (const chunk of packing === undefined ? source : unpacked(source, packing)) {
      splitter.push(chunk);
      for (const raw of splitter.take()) yield { raw, readBytes: source.bytesRead, fileBytes };
    }
    splitter.end();
  } finally {
    source.destroy();
  }
}

type Packing = "gzip" | "zstd";

/** By the first bytes, with which no RLP list begins. */
async function packingOf(file: string): Promise<Packing | undefined> {
  await using handle = await open(file, "r");
  const magic = new Uint8Array(4);
  await handle.read(magic, 0, 4, 0);
  const [a, b, c, d] = magic;
  if (a === 0x1f && b === 0x8b) return "gzip";
  return a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd ? "zstd" : undefined;
}

/** What all members of a compressed file hold, one after the other: Node's streams may end with the first. */
async function* unpacked(source: Readable, packing: Packing): AsyncGenerator<Bytes> {
  const input: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  let rest: Buffer | undefined;
  const next = async (): Promise<Buffer | undefined> => {
    const found = rest ?? (await input.next()).value;
    rest = undefined;
    return found;
  };
  for (let first = await next(); first !== undefined; first = await next()) {
    const unpack = packing === "gzip" ? createGunzip() : createZstdDecompress();
    const feeding = feed(unpack, first, next);
    // who reads is told of what goes wrong in feeding
    feeding.catch((error: Error) => unpack.destroy(error));
    yield* unpack;
    rest = await feeding;
  }
}

/** Gives chunks to `unpack`, one when it is done with the one before, to the end of its member; returns what is left over. */
async function feed(
  unpack: Gunzip | ZstdDecompress,
  first: Buffer,
  next: () => Promise<Buffer | undefined>,
): Promise<Buffer | undefined> {
  let given = 0;
  for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = await next()) {
    given += chunk.length;
    await write(unpack, chunk);
    const unused = given - unpack.bytesWritten;
    if (unused > 0) return chunk.subarray(chunk.length - unused);
  }
  unpack.end();
  return undefined;
}

function write(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
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
    if ((bytes[at] ?? 0) < 0xc0)
      this.#refuse(`is no file of RLP blocks: none begins where block ${this.#blocks + 1} should`);
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
  /** Resolves when more may come; rejects when the file cannot be written. */
  write(raw: Bytes): Promise<void>;
  /** Waits until everything is written. */
  finish(): Promise<void>;
  /** Lets go of the file, written or not. */
  destroy(): void;
}

/** A new file, compressed by the ending of `name` (.gz, .zst). */
export function createBlockFile(file: string, name: string): BlockSink {
  const target = createWriteStream(file, { flags: "wx" });
  const pack = name.endsWith(".gz")
    ? createGzip()
    : name.endsWith(".zst")
      ? createZstdCompress()
      : undefined;
  const stream: Writable = pack ?? target;
  const ended = pack === undefined ? finished(target) : pipeline(pack, target);
  // somebody waits for it in `write` or `finish`; until then a failure must not count as unhandled
  ended.catch(() => {});
  return {
    // a full disk ends the stream, and then nothing drains any more
    write: async (raw) => {
      if (!stream.write(raw)) await Promise.race([once(stream, "drain"), ended]);
    },
    finish: () => {
      stream.end();
      return ended;
    },
    destroy: () => {
      stream.destroy();
    },
  };
}
