/**
 * Recursive Length Prefix: the one door to @ethereumjs/rlp, strict and limited, with typed errors. Decoding scans the
 * input first (depth, number of items, canonical form), so that hostile bytes cost no more than their length; only
 * then does the library build the items. Encoding measures first and writes once: no list is too long for it.
 * Source: Ethereum Yellow Paper, appendix B.
 */
import { decode } from "@ethereumjs/rlp";
import { type Bytes, bigIntToBytes, bytesToBigInt, EMPTY_BYTES } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import {
  type Address,
  bytesToAddress,
  bytesToHash,
  bytesToHex,
  type Hash,
  hexToBytes,
} from "../primitives/hex.ts";

/** A decoded byte string or list. */
export type RlpItem = Bytes | readonly RlpItem[];

/** Bytes that already are RLP, put into a list as they are. */
export interface EncodedRlp {
  readonly encoded: Bytes;
}

/** What can be encoded. */
export type RlpInput = Bytes | EncodedRlp | readonly RlpInput[];

export interface DecodeErrorReason {
  readonly code:
    | "BAD_RLP"
    | "RLP_LIMIT"
    | "BAD_FIELD"
    | "BAD_TRANSACTION"
    | "BAD_SIGNATURE"
    | "UNKNOWN_TYPE";
  /** Which part of the input, for example `transaction.nonce`. */
  readonly where: string;
  readonly expected: string;
  readonly got: string;
}

/** Bytes that do not say what they should. The only error that decoding throws. */
export class DecodeError extends NodeError<DecodeErrorReason> {}

export interface RlpLimits {
  /** Lists within lists. */
  readonly maxDepth: number;
  /** Byte strings and lists in all: each costs a hundred bytes of memory, whatever its length. */
  readonly maxItems: number;
}

/** Deepest legal value: access list keys of a transaction in a block, 6. An 8 MiB block of legacy transfers has 840,000 items. */
export const DEFAULT_RLP_LIMITS: RlpLimits = { maxDepth: 16, maxItems: 1_048_576 };

/** Head of an item: its own length and that of the whole item, in bytes. */
export interface RlpItemLength {
  readonly headLength: number;
  readonly totalLength: number;
}

const SHORT_LIMIT = 55;
const STRING_OFFSET = 0x80;
const LIST_OFFSET = 0xc0;
const SHOWN_BYTES = 32;

/** The items of one canonical RLP value that fills `raw`. Throws DecodeError. */
export function decodeRlp(
  raw: Bytes,
  where = "rlp",
  limits: RlpLimits = DEFAULT_RLP_LIMITS,
): RlpItem {
  scan(raw, where, limits);
  // A Buffer would make the library share memory with its input instead of copying.
  const plain = Buffer.isBuffer(raw) ? new Uint8Array(raw.buffer, raw.byteOffset, raw.length) : raw;
  try {
    return decode(plain);
  } catch (cause) {
    throw new DecodeError(
      { code: "BAD_RLP", where, expected: "canonical RLP", got: showBytes(raw) },
      { cause },
    );
  }
}

/** RLP of bytes, of values already encoded, or of lists of both. */
export function encodeRlp(input: RlpInput): Bytes {
  const output = new Uint8Array(lengthOf(input));
  write(input, output, 0);
  return output;
}

/** Length in bytes of `encodeRlp(input)`. */
export function encodedRlpLength(input: RlpInput): number {
  return lengthOf(input);
}

/** Lengths of the item that starts at `offset`, or undefined while its head is incomplete; the body may reach beyond `buffer`. */
export function rlpItemLength(buffer: Bytes, offset: number): RlpItemLength | undefined {
  const head = readHead(buffer, offset);
  if (head === undefined) return undefined;
  return { headLength: head.headLength, totalLength: head.headLength + head.bodyLength };
}

/** The item as a list, of exactly `length` items if given. Throws DecodeError. */
export function readList(
  item: RlpItem | undefined,
  where: string,
  length?: number,
): readonly RlpItem[] {
  if (item === undefined || !isList(item)) refuse(where, "a list", item);
  if (length !== undefined && item.length !== length)
    fail("BAD_FIELD", {
      where,
      expected: `a list of ${length} items`,
      got: `${item.length} items`,
    });
  return item;
}

/** The item as bytes, of exactly `length` bytes if given. Throws DecodeError. */
export function readBytes(item: RlpItem | undefined, where: string, length?: number): Bytes {
  if (item === undefined || isList(item)) refuse(where, "a byte string", item);
  if (length !== undefined && item.length !== length) refuse(where, `${length} bytes`, item);
  return item;
}

/** The item as an unsigned integer below 2^maxBits (a multiple of 8), without leading zero bytes. Throws DecodeError. */
export function readUint(item: RlpItem | undefined, where: string, maxBits: number): bigint {
  const bytes = readBytes(item, where);
  if (bytes.length * 8 > maxBits) refuse(where, `an integer below 2^${maxBits}`, item);
  if (bytes[0] === 0) refuse(where, "an integer without leading zeros", item);
  return bytesToBigInt(bytes);
}

/** The item as an address of 20 bytes. Throws DecodeError. */
export function readAddress(item: RlpItem | undefined, where: string): Address {
  return bytesToAddress(readBytes(item, where, 20));
}

/** The item as a hash of 32 bytes. Throws DecodeError. */
export function readHash(item: RlpItem | undefined, where: string): Hash {
  return bytesToHash(readBytes(item, where, 32));
}

/** RLP form of an unsigned integer. Throws DecodeError on a negative one. */
export function uintItem(value: bigint, where = "integer"): Bytes {
  if (value < 0n) fail("BAD_FIELD", { where, expected: "an unsigned integer", got: String(value) });
  return bigIntToBytes(value);
}

/** RLP form of an address or hash; undefined is the empty string. */
export function hexItem(text: Address | Hash | undefined): Bytes {
  return text === undefined ? EMPTY_BYTES : hexToBytes(text);
}

/** Throws DecodeError with this evidence. */
export function fail(
  code: DecodeErrorReason["code"],
  evidence: Omit<DecodeErrorReason, "code">,
): never {
  throw new DecodeError({ code, ...evidence });
}

/** Bytes for an error's evidence, cut to a readable length. */
export function showBytes(bytes: Bytes): string {
  const shown = bytesToHex(bytes.subarray(0, SHOWN_BYTES));
  return bytes.length > SHOWN_BYTES ? `${shown}… (${bytes.length} bytes)` : shown;
}

function refuse(where: string, expected: string, item: RlpItem | undefined): never {
  fail("BAD_FIELD", { where, expected, got: showItem(item) });
}

function showItem(item: RlpItem | undefined): string {
  if (item === undefined) return "nothing";
  return isList(item) ? `a list of ${item.length} items` : showBytes(item);
}

function isList(item: RlpItem): item is readonly RlpItem[] {
  return Array.isArray(item);
}

interface Head {
  readonly isList: boolean;
  readonly headLength: number;
  readonly bodyLength: number;
}

/** The head at `offset` as it stands, canonical or not; undefined if it reaches beyond the buffer. */
function readHead(buffer: Bytes, offset: number): Head | undefined {
  const first = buffer[offset];
  if (first === undefined) return undefined;
  if (first < STRING_OFFSET) return { isList: false, headLength: 0, bodyLength: 1 };
  const inList = first >= LIST_OFFSET;
  const short = first - (inList ? LIST_OFFSET : STRING_OFFSET);
  if (short <= SHORT_LIMIT) return { isList: inList, headLength: 1, bodyLength: short };
  const headLength = 1 + short - SHORT_LIMIT;
  if (offset + headLength > buffer.length) return undefined;
  let bodyLength = 0; // may round above 2^53, where it is far beyond any buffer
  for (let i = offset + 1; i < offset + headLength; i++)
    bodyLength = bodyLength * 256 + (buffer[i] ?? 0);
  return { isList: inList, headLength, bodyLength };
}

/** Walks over the whole input without building anything. Throws DecodeError. */
function scan(raw: Bytes, where: string, limits: RlpLimits): void {
  const ends: number[] = []; // where each open list ends
  let end = raw.length;
  let at = 0;
  let items = 0;
  do {
    const head = canonicalHead(raw, at, end, where);
    if (++items > limits.maxItems)
      fail("RLP_LIMIT", { where, expected: `at most ${limits.maxItems} items`, got: "more" });
    at += head.headLength;
    if (head.isList) {
      if (ends.length >= limits.maxDepth)
        fail("RLP_LIMIT", {
          where,
          expected: `at most ${limits.maxDepth} nested lists`,
          got: "more",
        });
      ends.push(end);
      end = at + head.bodyLength;
    } else at += head.bodyLength;
    while (at === end && ends.length > 0) end = ends.pop() ?? end;
  } while (ends.length > 0);
  if (at !== raw.length)
    fail("BAD_RLP", {
      where,
      expected: "no bytes after the value",
      got: `${raw.length - at} bytes more`,
    });
}

function canonicalHead(raw: Bytes, at: number, end: number, where: string): Head {
  const head = at < end ? readHead(raw, at) : undefined;
  if (head === undefined || at + head.headLength + head.bodyLength > end)
    fail("BAD_RLP", {
      where,
      expected: "a complete item",
      got: `only ${end - at} bytes at offset ${at}`,
    });
  const { headLength, bodyLength, isList: inList } = head;
  const wasteful =
    headLength > 1
      ? bodyLength <= SHORT_LIMIT || raw[at + 1] === 0
      : !inList && headLength === 1 && bodyLength === 1 && (raw[at + 1] ?? 0) < STRING_OFFSET;
  if (wasteful)
    fail("BAD_RLP", {
      where,
      expected: "the shortest head",
      got: showBytes(raw.subarray(at, at + 9)),
    });
  return head;
}

function lengthOf(input: RlpInput): number {
  if (input instanceof Uint8Array) {
    const isOwnCode = input.length === 1 && (input[0] ?? 0) < STRING_OFFSET;
    return isOwnCode ? 1 : headSize(input.length) + input.length;
  }
  if ("encoded" in input) return input.encoded.length;
  const body = bodyLength(input);
  return headSize(body) + body;
}

function bodyLength(items: readonly RlpInput[]): number {
  let length = 0;
  for (const item of items) length += lengthOf(item);
  return length;
}

function headSize(length: number): number {
  if (length <= SHORT_LIMIT) return 1;
  let size = 2;
  for (let rest = length; rest > 0xff; rest = Math.floor(rest / 256)) size++;
  return size;
}

/** Writes the item at `at` and returns where the next one goes. */
function write(input: RlpInput, output: Bytes, at: number): number {
  if (input instanceof Uint8Array) {
    const isOwnCode = input.length === 1 && (input[0] ?? 0) < STRING_OFFSET;
    const start = isOwnCode ? at : writeHead(input.length, STRING_OFFSET, output, at);
    output.set(input, start);
    return start + input.length;
  }
  if ("encoded" in input) {
    output.set(input.encoded, at);
    return at + input.encoded.length;
  }
  let next = writeHead(bodyLength(input), LIST_OFFSET, output, at);
  for (const item of input) next = write(item, output, next);
  return next;
}

function writeHead(length: number, offset: number, output: Bytes, at: number): number {
  if (length <= SHORT_LIMIT) {
    output[at] = offset + length;
    return at + 1;
  }
  const size = headSize(length);
  output[at] = offset + SHORT_LIMIT + size - 1;
  let rest = length;
  for (let i = at + size - 1; i > at; i--) {
    output[i] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  return at + size;
}
