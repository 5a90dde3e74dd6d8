/** Arithmetic of words beside the same arithmetic on bigints alone. */
import assert from "node:assert/strict";
import fc from "fast-check";
import * as arithmetic from "../../../../src/execution/fastEvm/arithmetic.ts";
import * as bits from "../../../../src/execution/fastEvm/bits.ts";
import {
  bytesToWord,
  readWord,
  toBig,
  toWord,
  type Word,
  wordAt,
  wordToAddress,
  wordToBytes,
  wordToHash,
  writeWord,
} from "../../../../src/execution/fastEvm/word.ts";

const LIMIT = 2n ** 256n;
const wrap = (value: bigint) => BigInt.asUintN(256, value);
const signed = (value: bigint) => BigInt.asIntN(256, value);
const bool = (value: boolean) => (value ? 1n : 0n);

/** Powers of two and their neighbours, where words change their form or their sign, and anything else. */
const value = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 256 }), fc.integer({ min: -2, max: 2 }))
    .map(([power, offset]) => wrap(2n ** BigInt(power) + BigInt(offset))),
  fc.bigInt({ min: 0n, max: LIMIT - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 53n + 5n }),
  fc.bigInt({ min: 0n, max: 300n }),
);

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let left = exponent, square = base; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = wrap(result * square);
    square = wrap(square * square);
  }
  return result;
}

type Binary = readonly [
  name: string,
  words: (a: Word, b: Word) => Word | boolean,
  bigints: (a: bigint, b: bigint) => bigint,
];

const BINARY: readonly Binary[] = [
  ["add", arithmetic.add, (a, b) => wrap(a + b)],
  ["subtract", arithmetic.subtract, (a, b) => wrap(a - b)],
  ["multiply", arithmetic.multiply, (a, b) => wrap(a * b)],
  ["divide", arithmetic.divide, (a, b) => (b === 0n ? 0n : a / b)],
  [
    "divideSigned",
    arithmetic.divideSigned,
    (a, b) => (b === 0n ? 0n : wrap(signed(a) / signed(b))),
  ],
  ["modulo", arithmetic.modulo, (a, b) => (b === 0n ? 0n : a % b)],
  [
    "moduloSigned",
    arithmetic.moduloSigned,
    (a, b) => (b === 0n ? 0n : wrap(signed(a) % signed(b))),
  ],
  ["power", arithmetic.power, power],
  [
    "signExtend",
    arithmetic.signExtend,
    (index, word) => (index >= 31n ? word : wrap(BigInt.asIntN(8 * (Number(index) + 1), word))),
  ],
  ["isLess", bits.isLess, (a, b) => bool(a < b)],
  ["isLessSigned", bits.isLessSigned, (a, b) => bool(signed(a) < signed(b))],
  ["and", bits.and, (a, b) => a & b],
  ["or", bits.or, (a, b) => a | b],
  ["xor", bits.xor, (a, b) => a ^ b],
  [
    "byteAt",
    bits.byteAt,
    (index, word) => (index >= 32n ? 0n : (word >> (8n * (31n - index))) & 255n),
  ],
  ["shiftLeft", bits.shiftLeft, (count, word) => (count >= 256n ? 0n : wrap(word << count))],
  ["shiftRight", bits.shiftRight, (count, word) => (count >= 256n ? 0n : word >> count)],
  [
    "shiftRightSigned",
    bits.shiftRightSigned,
    (count, word) => wrap(signed(word) >> (count >= 256n ? 256n : count)),
  ],
];

/** The word's value, once it is shown to have the one form it may have. */
function checked(word: Word | boolean): bigint {
  if (typeof word === "boolean") return bool(word);
  assert.equal(word, toWord(toBig(word)), "a number up to 2^53 - 1, else a bigint");
  return toBig(word);
}

describe("words", () => {
  for (const [name, words, bigints] of BINARY) {
    it(`${name} gives what bigints give`, () => {
      const property = fc.property(value, value, (a, b) => {
        assert.equal(checked(words(toWord(a), toWord(b))), bigints(a, b));
      });
      fc.assert(property, { numRuns: 1_000 });
    });
  }

  it("addModulo and multiplyModulo do not wrap", () => {
    const property = fc.property(value, value, value, (a, b, n) => {
      const [x, y, z] = [toWord(a), toWord(b), toWord(n)];
      assert.equal(checked(arithmetic.addModulo(x, y, z)), n === 0n ? 0n : (a + b) % n);
      assert.equal(checked(arithmetic.multiplyModulo(x, y, z)), n === 0n ? 0n : (a * b) % n);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("not and countLeadingZeros look at all 256 bits", () => {
    const property = fc.property(value, (a) => {
      assert.equal(checked(bits.not(toWord(a))), LIMIT - 1n - a);
      const zeros = a === 0n ? 256 : 256 - a.toString(2).length;
      assert.equal(bits.countLeadingZeros(toWord(a)), zeros);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("come back from bytes, hashes and addresses", () => {
    const property = fc.property(value, fc.integer({ min: 0, max: 40 }), (a, offset) => {
      const word = toWord(a);
      const view = new DataView(new ArrayBuffer(72));
      writeWord(view, offset, word);
      assert.equal(readWord(view, offset), word);
      assert.equal(bytesToWord(wordToBytes(word)), word);
      const bytes = new Uint8Array(view.buffer);
      assert.equal(wordAt(bytes, offset), word);
      // bytes after the end are zeros
      assert.equal(wordAt(bytes.slice(0, offset + 20), offset), toWord((a >> 96n) << 96n));
      assert.equal(BigInt(wordToHash(word)), a);
      assert.equal(BigInt(wordToAddress(word)), a % 2n ** 160n);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});
