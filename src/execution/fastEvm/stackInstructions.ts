/** Instructions that work on the stack alone: constants, order, arithmetic, comparisons, bits. */
import {
  add,
  addModulo,
  divide,
  divideSigned,
  modulo,
  moduloSigned,
  multiply,
  multiplyModulo,
  power,
  signExtend,
  subtract,
} from "./arithmetic.ts";
import {
  and,
  byteAt,
  countLeadingZeros,
  isLess,
  isLessSigned,
  not,
  or,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  xor,
} from "./bits.ts";
import { NEXT } from "./frame.ts";
import type { Prices } from "./prices.ts";
import type { Handler } from "./program.ts";
import type { Word } from "./word.ts";

type Unary = (a: Word) => Word;
type Binary = (a: Word, b: Word) => Word;
type Ternary = (a: Word, b: Word, c: Word) => Word;

const EXP_GAS_DIGITS = 2;

export const push: Handler = (frame, word) => {
  frame.stack[frame.height++] = word;
  return NEXT;
};

export const pushZero: Handler = (frame) => {
  frame.stack[frame.height++] = 0;
  return NEXT;
};

export const pop: Handler = (frame) => {
  frame.height--;
  return NEXT;
};

/** Copies the word `depth` below the top, 1 being the top. */
export function dup(depth: number): Handler {
  return (frame) => {
    const { stack, height } = frame;
    stack[height] = stack[height - depth] ?? 0;
    frame.height = height + 1;
    return NEXT;
  };
}

/** Exchanges the top with the word `depth` below it. */
export function swap(depth: number): Handler {
  return (frame) => {
    const { stack, height } = frame;
    const top = stack[height - 1] ?? 0;
    stack[height - 1] = stack[height - 1 - depth] ?? 0;
    stack[height - 1 - depth] = top;
    return NEXT;
  };
}

// The five most frequent have a handler of their own: through `binary` the function would be called indirectly.

export const addTop: Handler = (frame) => {
  const { stack } = frame;
  const height = --frame.height;
  stack[height - 1] = add(stack[height] ?? 0, stack[height - 1] ?? 0);
  return NEXT;
};

export const subtractTop: Handler = (frame) => {
  const { stack } = frame;
  const height = --frame.height;
  stack[height - 1] = subtract(stack[height] ?? 0, stack[height - 1] ?? 0);
  return NEXT;
};

export const andTop: Handler = (frame) => {
  const { stack } = frame;
  const height = --frame.height;
  stack[height - 1] = and(stack[height] ?? 0, stack[height - 1] ?? 0);
  return NEXT;
};

export const isTopZero: Handler = (frame) => {
  const { stack, height } = frame;
  stack[height - 1] = stack[height - 1] === 0 ? 1 : 0;
  return NEXT;
};

export const areTopEqual: Handler = (frame) => {
  const { stack } = frame;
  const height = --frame.height;
  stack[height - 1] = stack[height] === stack[height - 1] ? 1 : 0;
  return NEXT;
};

/** EXP pays for the bytes of its exponent. */
export function powerTop({ expByte }: Prices): Handler {
  return (frame) => {
    const base = frame.pop();
    const exponent = frame.pop();
    const digits = exponent === 0 ? 0 : exponent.toString(16).length;
    if (!frame.pay(expByte * Math.ceil(digits / EXP_GAS_DIGITS))) return frame.fail("out of gas");
    frame.push(power(base, exponent));
    return NEXT;
  };
}

export const multiplyTop = binary(multiply);
export const divideTop = binary(divide);
export const divideSignedTop = binary(divideSigned);
export const moduloTop = binary(modulo);
export const moduloSignedTop = binary(moduloSigned);
export const addModuloTop = ternary(addModulo);
export const multiplyModuloTop = ternary(multiplyModulo);
export const signExtendTop = binary(signExtend);
export const isLessTop = comparison(isLess);
export const isGreaterTop = comparison((a, b) => isLess(b, a));
export const isLessSignedTop = comparison(isLessSigned);
export const isGreaterSignedTop = comparison((a, b) => isLessSigned(b, a));
export const orTop = binary(or);
export const xorTop = binary(xor);
export const notTop = unary(not);
export const byteTop = binary(byteAt);
export const shiftLeftTop = binary(shiftLeft);
export const shiftRightTop = binary(shiftRight);
export const shiftRightSignedTop = binary(shiftRightSigned);
export const countLeadingZerosTop = unary(countLeadingZeros);

function unary(operation: Unary): Handler {
  return (frame) => {
    const { stack, height } = frame;
    stack[height - 1] = operation(stack[height - 1] ?? 0);
    return NEXT;
  };
}

function binary(operation: Binary): Handler {
  return (frame) => {
    const { stack } = frame;
    const height = --frame.height;
    stack[height - 1] = operation(stack[height] ?? 0, stack[height - 1] ?? 0);
    return NEXT;
  };
}

function ternary(operation: Ternary): Handler {
  return (frame) => {
    const a = frame.pop();
    const b = frame.pop();
    frame.push(operation(a, b, frame.pop()));
    return NEXT;
  };
}

function comparison(compare: (a: Word, b: Word) => boolean): Handler {
  return (frame) => {
    const { stack } = frame;
    const height = --frame.height;
    stack[height - 1] = compare(stack[height] ?? 0, stack[height - 1] ?? 0) ? 1 : 0;
    return NEXT;
  };
}
