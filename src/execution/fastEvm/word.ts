/**
 * 256-bit words of the fast EVM: a `number` where the value is at most 2^53 - 1, else a `bigint`, never the other way
 * round. So most words cost no allocation, equal words are `===`, and a number is below every bigint.
 */
import type { Bytes } from "../../primitives/bytes.ts";
import { type Address, bigIntToHash, type Hash, parseAddress } from "../../primitives/hex.ts";

/** An unsigned integer below 2^256, in the one form described above. */
export type Word = number | bigint;

/** Greatest word that is a number. */
export const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
/** Bits of `MAX_NUMBER`. */
export const NUMBER_BITS = 53;
export const WORD_BITS = 256;
export const WORD_BYTES = 32;
/** 2^256 - 1 */
export const MAX_WORD = 2n ** 256n - 1n;

const MAX_NUMBER_BIG = BigInt(MAX_NUMBER);
const ADDRESS_BITS = 160;
const ADDRESS_DIGITS = 40;
const HALF = 2 ** 32;
/** What the upper half of a 64-bit number may be for the whole to be a `number`. */
const UPPER_LIMIT = 2 ** (NUMBER_BITS - 32);

/** The word of an integer below 2^256. */
export function toWord(value: bigint): Word {
  return value <= MAX_NUMBER_BIG ? Number(value) : value;
}

/** The word of any integer, modulo 2^256. */
export function wrap(value: bigint): Word {
  return toWord(BigInt.asUintN(WORD_BITS, value));
}

/** The word as a bigint. */
export function toBig(word: Word): bigint {
  return typeof word === "bigint" ? word : BigInt(word);
}

/** The word as a two's-complement integer. */
export function toSigned(word: Word): bigint {
  return typeof word === "bigint" ? BigInt.asIntN(WORD_BITS, word) : BigInt(word);
}

/** The 32 bytes at `offset`; the view must reach that far. */
export function readWord(view: DataView, offset: number): Word {
  const upper = view.getUint32(offset + 24);
  const rest =
    view.getUint32(offset) |
    view.getUint32(offset + 4) |
    view.getUint32(offset + 8) |
    view.getUint32(offset + 12) |
    view.getUint32(offset + 16) |
    view.getUint32(offset + 20);
  if (rest === 0 && upper < UPPER_LIMIT) return upper * HALF + view.getUint32(offset + 28);
  const first = (view.getBigUint64(offset) << 64n) | view.getBigUint64(offset + 8);
  const third = (first << 64n) | view.getBigUint64(offset + 16);
  return toWord((third << 64n) | view.getBigUint64(offset + 24));
}

/** Writes 32 bytes at `offset`; the view must reach that far. */
export function writeWord(view: DataView, offset: number, word: Word): void {
  if (typeof word === "number") {
    view.setFloat64(offset, 0);
    view.setFloat64(offset + 8, 0);
    view.setFloat64(offset + 16, 0);
    const upper = Math.floor(word / HALF);
    view.setUint32(offset + 24, upper);
    view.setUint32(offset + 28, word - upper * HALF);
    return;
  }
  view.setBigUint64(offset + 24, BigInt.asUintN(64, word));
  view.setBigUint64(offset + 16, BigInt.asUintN(64, word >> 64n));
  view.setBigUint64(offset + 8, BigInt.asUintN(64, word >> 128n));
  view.setBigUint64(offset, BigInt.asUintN(64, word >> 192n));
}

const scratch = new Uint8Array(WORD_BYTES);
const scratchView = new DataView(scratch.buffer);

/** The big-endian number in at most 32 bytes. */
export function bytesToWord(bytes: Bytes): Word {
  if (bytes.length === 0) return 0;
  scratch.fill(0, 0, WORD_BYTES - bytes.length);
  scratch.set(bytes, WORD_BYTES - bytes.length);
  return readWord(scratchView, 0);
}

/** The 32 bytes at `offset`, zeros after the end. Small arrays get a buffer, and a view on it, for 1 us each; this takes less. */
export function wordAt(bytes: Bytes, offset: number): Word {
  for (let i = 0; i < WORD_BYTES; i++) scratch[i] = bytes[offset + i] ?? 0;
  return readWord(scratchView, 0);
}

/** The word of an address or hash. */
export function hexToWord(hex: Address | Hash): Word {
  return toWord(BigInt(hex));
}

/** The word as a storage key or topic. */
export function wordToHash(word: Word): Hash {
  return bigIntToHash(toBig(word));
}

/** The address in the lower 20 bytes. */
export function wordToAddress(word: Word): Address {
  const lower = typeof word === "number" ? word : BigInt.asUintN(ADDRESS_BITS, word);
  return parseAddress(`0x${lower.toString(16).padStart(ADDRESS_DIGITS, "0")}`);
}

/** 32 new bytes. */
export function wordToBytes(word: Word): Bytes {
  writeWord(scratchView, 0, word);
  return scratch.slice();
}
