import assert from "node:assert/strict";
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { verifyP256 } from "../../../src/crypto/p256.ts";
import { concatBytes } from "../../../src/primitives/bytes.ts";
import { bigIntToHash, hexToBytes } from "../../../src/primitives/hex.ts";

const N = p256.Point.Fn.ORDER;
const P = p256.Point.Fp.ORDER;
const { BASE } = p256.Point;

const bytes = (value: bigint) => hexToBytes(bigIntToHash(value));
const pair = (a: bigint, b: bigint) => concatBytes(bytes(a), bytes(b));
const scalar = fc.bigInt({ min: 2n, max: N - 2n });

function mod(value: bigint): bigint {
  return ((value % N) + N) % N;
}

function inverse(value: bigint): bigint {
  return p256.Point.Fn.inv(value);
}

/** x ‖ y of k·G */
function keyOf(k: bigint): Uint8Array {
  const { x, y } = BASE.multiply(mod(k)).toAffine();
  return pair(x, y);
}

function xOf(k: bigint): bigint {
  return mod(BASE.multiply(mod(k)).toAffine().x);
}

/** What noble says of it. */
function verdict(digest: Uint8Array, signature: Uint8Array, key: Uint8Array): boolean {
  const encoded = concatBytes(Uint8Array.of(4), key);
  return p256.verify(signature, digest, encoded, { prehash: false, lowS: false });
}

/** The point with the first x above the order that is on the curve. */
function aboveOrder(): typeof BASE {
  for (let x = N + 1n; ; x++) {
    try {
      return p256.Point.fromBytes(concatBytes(Uint8Array.of(2), bytes(x)));
    } catch {
      // no square: the next one
    }
  }
}

describe("verifyP256", () => {
  it("agrees with noble on good signatures, changed ones and the negated key", () => {
    const drawn = fc.tuple(scalar, fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(511));
    const property = fc.property(drawn, ([secret, digest, bit]) => {
      const signature = p256.sign(digest, bytes(secret), { prehash: false, lowS: false });
      const key = keyOf(secret);
      assert.equal(verifyP256(digest, signature, key), true);
      assert.equal(verifyP256(digest, signature, keyOf(-secret)), false);
      const changed = Uint8Array.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(verifyP256(digest, changed, key), verdict(digest, changed, key));
    });
    fc.assert(property, { numRuns: 12 });
  });

  it("takes the special cases of adding points", () => {
    const property = fc.property(scalar, scalar, (k, t) => {
      const r = xOf(k);
      // u2 = -1: s = -r, and the key is (u1 - k)·G
      const opposite = mod(-r);
      const digest = bytes(t);
      assert.ok(
        verifyP256(digest, pair(r, opposite), keyOf(t * inverse(opposite) - k)),
        "u2 = n - 1",
      );
      assert.ok(verifyP256(digest, pair(r, r), keyOf(k - t * inverse(r))), "u2 = 1");
      // both terms are t·G
      const double = xOf(2n * t);
      const s = mod(double * k * inverse(t));
      assert.ok(verifyP256(bytes(mod(double * k)), pair(double, s), keyOf(k)), "a tangent");
      // the terms cancel
      assert.ok(!verifyP256(bytes(mod(-r * k)), pair(r, t), keyOf(k)), "the point at infinity");
      // u1 = 0: the sum is u2·Q alone
      const alone = mod(r * inverse(t) * k);
      assert.equal(
        verifyP256(bytes(0n), pair(r, t), keyOf(k)),
        xOf(alone) === r,
        "a digest of zero",
      );
    });
    fc.assert(property, { numRuns: 8 });
  });

  it("takes an x of the sum from the group's order up to the field's", () => {
    // the sum is a chosen point R with x = n + r: the key is (s·R - e·G) / r
    const point = aboveOrder();
    const r = point.toAffine().x - N;
    assert.ok(r > 0n && r < P - N);
    for (const [e, s] of [
      [5n, 7n],
      [N - 1n, N - 2n],
      [0n, 1n],
    ] as const) {
      const base = e === 0n ? p256.Point.ZERO : BASE.multiply(e);
      const { x, y } = point.multiply(s).subtract(base).multiply(inverse(r)).toAffine();
      assert.equal(verifyP256(bytes(e), pair(r, s), pair(x, y)), true);
      assert.equal(verdict(bytes(e), pair(r, s), pair(x, y)), true);
      assert.equal(verifyP256(bytes(e), pair(r + 1n, s), pair(x, y)), false);
    }
  });

  it("answers false to values out of range and points off the curve", () => {
    const digest = bytes(5n);
    const signature = p256.sign(digest, bytes(7n), { prehash: false, lowS: false });
    const [r, s] = [signature.slice(0, 32), signature.slice(32)];
    const key = keyOf(7n);
    const x = BigInt(`0x${Buffer.from(key.subarray(0, 32)).toString("hex")}`);
    for (const bad of [bytes(0n), bytes(N), bytes(N + 1n), bytes(2n ** 256n - 1n)]) {
      assert.equal(verifyP256(digest, concatBytes(bad, s), key), false);
      assert.equal(verifyP256(digest, concatBytes(r, bad), key), false);
    }
    for (const off of [pair(0n, 0n), pair(x, 1n), pair(P, 0n), pair(x, P), pair(x + 1n, x)]) {
      assert.equal(verifyP256(digest, signature, off), false);
    }
  });
});
