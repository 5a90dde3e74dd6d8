/** Comparisons, bitwise operations and shifts of words. Sources: Yellow Paper, appendix H (10s); EIP-145, EIP-7939. */
import {
  MAX_NUMBER,
  MAX_WORD,
  NUMBER_BITS,
  toBig,
  toSigned,
  toWord,
  WORD_BITS,
  WORD_BYTES,
  type Word,
  wrap,
} from "./word.ts";

const SIGN_BIT = 1n << 255n;
const INT_LIMIT = 2 ** 31;
const HALF = 2 ** 32;
const BYTE = 256;
/** Bytes that a `number` can have. */
const NUMBER_BYTES = 7;

export function isLess(a: Word, b: Word): boolean {
  if (typeof a === "number") return typeof b === "number" ? a < b : true;
  return typeof b === "number" ? false : a < b;
}

export function isLessSigned(a: Word, b: Word): boolean {
  const negative = isNegative(a);
  return negative === isNegative(b) ? isLess(a, b) : negative;
}

function isNegative(word: Word): boolean {
  return typeof word === "bigint" && word >= SIGN_BIT;
}

export function and(a: Word, b: Word): Word {
  if (typeof a === "number") return andNumber(a, typeof b === "number" ? b : lowerBits(b));
  return typeof b === "number" ? andNumber(lowerBits(a), b) : toWord(a & b);
}

function lowerBits(word: bigint): number {
  return Number(BigInt.asUintN(NUMBER_BITS, word));
}

function andNumber(a: number, b: number): number {
  if (a < INT_LIMIT && b < INT_LIMIT) return a & b;
  const upperA = Math.floor(a / HALF);
  const upperB = Math.floor(b / HALF);
  const lower = (a - upperA * HALF) & (b - upperB * HALF);
  return (upperA & upperB) * HALF + (lower >>> 0);
}

export function or(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number" && a < INT_LIMIT && b < INT_LIMIT)
    return a | b;
  return toWord(toBig(a) | toBig(b));
}

export function xor(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number" && a < INT_LIMIT && b < INT_LIMIT)
    return a ^ b;
  return toWord(toBig(a) ^ toBig(b));
}

export function not(word: Word): Word {
  return toWord(MAX_WORD - toBig(word));
}

/** Byte `index` of the word, 0 is the first of 32; 0 beyond. */
export function byteAt(index: Word, word: Word): Word {
  if (typeof index !== "number" || index >= WORD_BYTES) return 0;
  const fromEnd = WORD_BYTES - 1 - index;
  if (typeof word === "number") {
    return fromEnd >= NUMBER_BYTES ? 0 : Math.floor(word / BYTE ** fromEnd) % BYTE;
  }
  return Number(BigInt.asUintN(8, word >> BigInt(8 * fromEnd)));
}

export function shiftLeft(count: Word, word: Word): Word {
  if (word === 0 || typeof count !== "number" || count >= WORD_BITS) return 0;
  if (typeof word === "number" && count < NUMBER_BITS) {
    const shifted = word * 2 ** count;
    if (shifted <= MAX_NUMBER) return shifted;
  }
  return wrap(toBig(word) << BigInt(count));
}

export function shiftRight(count: Word, word: Word): Word {
  if (typeof count !== "number" || count >= WORD_BITS) return 0;
  if (typeof word === "number") return count >= NUMBER_BITS ? 0 : Math.floor(word / 2 ** count);
  return toWord(word >> BigInt(count));
}

export function shiftRightSigned(count: Word, word: Word): Word {
  if (!isNegative(word)) return shiftRight(count, word);
  if (typeof count !== "number" || count >= WORD_BITS) return MAX_WORD;
  return wrap(toSigned(word) >> BigInt(count));
}

/** 256 for the word 0. */
export function countLeadingZeros(word: Word): Word {
  if (word === 0) return WORD_BITS;
  const hex = word.toString(16);
  return WORD_BITS - 4 * hex.length + Math.clz32(Number.parseInt(hex.slice(0, 1), 16)) - 28;
}
