/** Cuts a stream of bytes into the JSON objects and arrays that stand in it one after another, with or without space between. */
import type { Bytes } from "../src/primitives/bytes.ts";

export type JsonStreamProblem =
  /** Something else than an object or an array begins. */
  | "not JSON-RPC"
  /** A value is longer than the limit. */
  | "too large";

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Finds where values end by their brackets alone; whether they are JSON is found out by who parses them. */
export class JsonStream {
  readonly #maxBytes: number;
  /** Beginning of the value that is not complete. */
  #parts: Bytes[] = [];
  #partBytes = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  /** Values may have `maxBytes` bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The texts that `chunk` completes; after a problem the stream cannot be read on. */
  push(chunk: Bytes): { readonly texts: readonly string[]; readonly problem?: JsonStreamProblem } {
    const texts: string[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#depth === 0) {
        start = at;
        if (isSpace(byte)) continue;
        if (!isOpening(byte)) return { texts, problem: "not JSON-RPC" };
      }
      if (!this.#ends(byte)) continue;
      const text = this.#take(chunk.subarray(start, at + 1));
      if (text === undefined) return { texts, problem: "too large" };
      texts.push(text);
    }
    return this.#keep(chunk.subarray(start)) ? { texts } : { texts, problem: "too large" };
  }

  /** Whether a value ends with this byte. In UTF-8 no byte of a longer character is one of those looked for. */
  #ends(byte: number): boolean {
    if (this.#isEscaped) {
      this.#isEscaped = false;
      return false;
    }
    if (this.#inString) {
      if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (isOpening(byte)) this.#depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return --this.#depth === 0;
    return false;
  }

  /** Keeps the beginning of a value, if one has begun; false: too large. */
  #keep(part: Bytes): boolean {
    if (this.#depth === 0) return true;
    this.#partBytes += part.length;
    if (this.#partBytes > this.#maxBytes) return false;
    // a copy: the chunk's memory may be used again
    this.#parts.push(Uint8Array.from(part));
    return true;
  }

  #take(last: Bytes): string | undefined {
    if (this.#partBytes + last.length > this.#maxBytes) return undefined;
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#partBytes = 0;
    return new TextDecoder().decode(bytes);
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}

function isOpening(byte: number): boolean {
  return byte === OPEN_OBJECT || byte === OPEN_ARRAY;
}
