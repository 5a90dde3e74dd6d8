/** Arithmetic on words, modulo 2^256. Sources: Yellow Paper, appendix H (0s and 10s); EIP-145, EIP-7939 are in bits.ts. */
import { MAX_NUMBER, toBig, toSigned, toWord, WORD_BITS, type Word, wrap } from "./word.ts";

const WORD_BYTE_LIMIT = 31;

export function add(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum <= MAX_NUMBER) return sum;
  }
  return wrap(toBig(a) + toBig(b));
}

export function subtract(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number" && a >= b) return a - b;
  return wrap(toBig(a) - toBig(b));
}

export function multiply(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (product <= MAX_NUMBER) return product;
  }
  return wrap(toBig(a) * toBig(b));
}

/** 0 where `b` is 0. */
export function divide(a: Word, b: Word): Word {
  if (b === 0) return 0;
  // exact: the quotient of two integers below 2^53 is nearer to its own floor than rounding can move it
  if (typeof a === "number") return typeof b === "number" ? Math.floor(a / b) : 0;
  return toWord(a / toBig(b));
}

/** 0 where `b` is 0; rounds towards zero. */
export function divideSigned(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number") return divide(a, b);
  return b === 0 ? 0 : wrap(toSigned(a) / toSigned(b));
}

/** 0 where `b` is 0. */
export function modulo(a: Word, b: Word): Word {
  if (b === 0) return 0;
  if (typeof a === "number") return typeof b === "number" ? a % b : a;
  return toWord(a % toBig(b));
}

/** 0 where `b` is 0; takes the sign of `a`. */
export function moduloSigned(a: Word, b: Word): Word {
  if (typeof a === "number" && typeof b === "number") return modulo(a, b);
  return b === 0 ? 0 : wrap(toSigned(a) % toSigned(b));
}

/** (a + b) mod n without wrapping; 0 where `n` is 0. */
export function addModulo(a: Word, b: Word, n: Word): Word {
  if (n === 0) return 0;
  if (typeof a === "number" && typeof b === "number" && typeof n === "number") {
    const sum = a + b;
    if (sum <= MAX_NUMBER) return sum % n;
  }
  return toWord((toBig(a) + toBig(b)) % toBig(n));
}

/** (a * b) mod n without wrapping; 0 where `n` is 0. */
export function multiplyModulo(a: Word, b: Word, n: Word): Word {
  if (n === 0) return 0;
  if (typeof a === "number" && typeof b === "number" && typeof n === "number") {
    const product = a * b;
    if (product <= MAX_NUMBER) return product % n;
  }
  return toWord((toBig(a) * toBig(b)) % toBig(n));
}

/** base ** exponent */
export function power(base: Word, exponent: Word): Word {
  if (base === 2) {
    return typeof exponent === "number" && exponent < WORD_BITS
      ? toWord(1n << BigInt(exponent))
      : 0;
  }
  let result: Word = 1;
  let square = base;
  for (let left = toBig(exponent); left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = multiply(result, square);
    if (left > 1n) square = multiply(square, square);
  }
  return result;
}

/** Takes the bit above byte `index` (0 is the last) for the sign. */
export function signExtend(index: Word, word: Word): Word {
  if (typeof index !== "number" || index >= WORD_BYTE_LIMIT) return word;
  return wrap(BigInt.asIntN(8 * (index + 1), toBig(word)));
}
