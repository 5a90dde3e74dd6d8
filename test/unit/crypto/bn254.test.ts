import assert from "node:assert/strict";
import { NobleBN254 } from "@ethereumjs/evm";
import { bn254 } from "@noble/curves/bn254.js";
import fc from "fast-check";
import { multiplyBn254 } from "../../../src/crypto/bn254.ts";
import { concatBytes } from "../../../src/primitives/bytes.ts";
import { bigIntToHash, hexToBytes } from "../../../src/primitives/hex.ts";

const ORDER = bn254.fields.Fr.ORDER;
const PRIME = bn254.fields.Fp.ORDER;
const input = (...words: readonly bigint[]) =>
  concatBytes(...words.map((word) => hexToBytes(bigIntToHash(word))));

describe("multiplyBn254", () => {
  it("agrees with the library", () => {
    const library = new NobleBN254();
    const scalar = fc.oneof(
      fc.constantFrom(0n, 1n, 2n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n),
      fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    );
    const property = fc.property(scalar, fc.bigInt({ min: 1n, max: ORDER - 1n }), (k, base) => {
      const { x, y } = bn254.G1.Point.BASE.multiply(base).toAffine();
      for (const bytes of [input(x, y, k), input(0n, 0n, k)]) {
        assert.deepEqual(multiplyBn254(bytes), library.mul(bytes));
      }
    });
    fc.assert(property, { numRuns: 12 });
  });

  it("throws where the point is none of the curve", () => {
    for (const [x, y] of [
      [1n, 1n],
      [0n, 1n],
      [PRIME, 2n],
      [1n, PRIME + 2n],
    ] as const) {
      assert.throws(() => multiplyBn254(input(x, y, 3n)));
    }
  });
});
