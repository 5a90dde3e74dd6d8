import assert from "node:assert/strict";
import { NobleBN254 } from "@ethereumjs/evm";
import { bn254 } from "@noble/curves/bn254.js";
import fc from "fast-check";
import { type Bn254, loadBn254, loadWasmBn254, nobleBn254 } from "../../../src/crypto/bn254.ts";
import { type Bytes, concatBytes } from "../../../src/primitives/bytes.ts";
import { bigIntToHash, hexToBytes } from "../../../src/primitives/hex.ts";

const { Fp, Fp2, Fr } = bn254.fields;
const PRIME = Fp.ORDER;
const ORDER = Fr.ORDER;
const library = new NobleBN254();
const wasm = await loadWasmBn254();

const words = (...values: readonly bigint[]): Bytes =>
  concatBytes(...values.map((value) => hexToBytes(bigIntToHash(value))));
const g1 = (factor: bigint): Bytes => {
  if (factor === 0n) return new Uint8Array(64);
  const { x, y } = bn254.G1.Point.BASE.multiply(factor).toAffine();
  return words(x, y);
};
const twist = ({ x, y }: { x: Fp2; y: Fp2 }): Bytes => words(x.c1, x.c0, y.c1, y.c0);
type Fp2 = ReturnType<typeof Fp2.create>;
const g2 = (factor: bigint): Bytes => {
  if (factor === 0n) return new Uint8Array(128);
  return twist(bn254.G2.Point.BASE.multiply(factor).toAffine());
};
const factors = fc.oneof(fc.constantFrom(0n, 1n, ORDER - 1n), fc.bigInt(1n, ORDER - 1n));
const anyWord = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, ORDER - 1n, ORDER, ORDER + 1n, PRIME, 2n ** 256n - 1n),
  fc.bigInt(0n, 2n ** 256n - 1n),
);

/** The sixth power of e(G1, G2) */
const SIXTH = concatBytes(g1(2n), g2(3n));

/** A point of the twist that is in no multiple of the generator. */
function outsideSubgroup(): Bytes {
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.create({ c0, c1: 1n });
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b);
    try {
      return twist({ x, y: Fp2.sqrt(square) });
    } catch {
      // no square: the next one
    }
  }
}

function suite(backend: Bn254): void {
  it("multiplies as the library does", () => {
    fc.assert(
      fc.property(anyWord, factors, (scalar, factor) => {
        const input = concatBytes(g1(factor), words(scalar));
        assert.deepEqual(backend.multiply(input), library.mul(input));
      }),
      { numRuns: 25, seed: 20814 },
    );
  });

  it("adds as the library does, equal and opposite points and the one at infinity among them", () => {
    fc.assert(
      fc.property(factors, factors, (a, b) => {
        for (const other of [b, a, Fr.neg(a), 0n]) {
          const input = concatBytes(g1(a), g1(other));
          assert.deepEqual(backend.add(input), library.add(input));
        }
      }),
      { numRuns: 25, seed: 20814 },
    );
  });

  it("multiplies many pairings, more than go at once", () => {
    for (const pairs of [16, 17]) {
      const most = concatBytes(...Array.from({ length: pairs }, () => SIXTH));
      const last = (by: bigint) => concatBytes(g1(ORDER - 6n * BigInt(pairs) + by), g2(1n));
      assert.equal(backend.pairing(concatBytes(most, last(0n))), true);
      assert.equal(backend.pairing(concatBytes(most, last(1n))), false);
    }
  });

  it("finds the pairings that cancel, the point at infinity among them", () => {
    fc.assert(
      fc.property(factors, factors, fc.boolean(), (a, b, isOne) => {
        const product = Fr.create(a * b + (isOne ? 0n : 1n));
        const input = concatBytes(g1(a), g2(b), g1(Fr.neg(product)), g2(1n), g1(0n), g2(a));
        assert.equal(backend.pairing(input), isOne);
        assert.equal(library.pairing(input)[31], isOne ? 1 : 0);
      }),
      { numRuns: 10, seed: 20814 },
    );
    assert.equal(backend.pairing(new Uint8Array(0)), true);
    assert.equal(backend.pairing(concatBytes(g1(1n), g2(1n))), false);
  });

  it("throws where a point is none of the curve or a coordinate not below the prime", () => {
    for (const [x, y] of [
      [1n, 1n],
      [0n, 1n],
      [PRIME, 2n],
      [1n, PRIME + 2n],
      [PRIME + 1n, 2n],
      [0n, PRIME],
    ] as const) {
      assert.throws(() => library.mul(words(x, y, 3n)));
      assert.throws(() => backend.multiply(words(x, y, 3n)));
      assert.throws(() => backend.multiply(words(x, y, 0n)));
      assert.throws(() => backend.pairing(concatBytes(words(x, y), g2(0n))));
      assert.throws(() => library.add(concatBytes(words(x, y), g1(0n))));
      assert.throws(() => backend.add(concatBytes(words(x, y), g1(0n))));
      assert.throws(() => backend.add(concatBytes(g1(1n), words(x, y))));
    }
  });

  it("throws where a point is none of the twist or not in its subgroup, also beside infinity", () => {
    const good = g2(7n);
    const tooLarge = [0, 1, 2, 3].map((at) => {
      const bytes = good.slice();
      const word = bytes.subarray(32 * at, 32 * at + 32);
      word.set(words(BigInt(`0x${Buffer.from(word).toString("hex")}`) + PRIME));
      return bytes;
    });
    const off = good.with(127, (good[127] ?? 0) ^ 1);
    for (const point of [...tooLarge, off, outsideSubgroup(), new Uint8Array(128).with(127, 1)])
      for (const factor of [0n, 5n]) {
        const input = concatBytes(g1(factor), point);
        assert.throws(() => library.pairing(input));
        assert.throws(() => backend.pairing(input));
      }
    assert.throws(() => backend.pairing(new Uint8Array(191)));
  });
}

describe("nobleBn254", () => suite(nobleBn254));

describe("loadWasmBn254", () => {
  it("starts where WebAssembly runs", () => assert.equal(wasm?.name, "wasm"));
  if (wasm !== undefined) suite(wasm);
});

describe("loadBn254", () => {
  it("takes the fastest", async () => assert.equal((await loadBn254()).name, "wasm"));
});
