import assert from "node:assert/strict";
import { NobleBLS } from "@ethereumjs/evm";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import fc from "fast-check";
import { loadBls12381, loadedBls12381 } from "../../../src/crypto/bls12381.ts";
import { CurveError } from "../../../src/crypto/mcl.ts";
import { type Bytes, bigIntToBytes, concatBytes, padBytes } from "../../../src/primitives/bytes.ts";

const { Fp, Fp2, Fr } = bls12_381.fields;
const PRIME = Fp.ORDER;
const ORDER = Fr.ORDER;
const G1 = bls12_381.G1.Point;
const G2 = bls12_381.G2.Point;
/** The prime factors of the cofactors: points outside the subgroup may have any of them as their order. */
const COFACTOR_1 = [3n, 11n, 10177n, 859267n, 52437899n];
const COFACTOR_2 = [13n, 23n, 2713n, 11953n, 262069n];
const SEED = 20814;
const library = new NobleBLS();
const before = loadedBls12381();
const bls = await loadBls12381();
assert.ok(bls !== undefined, "WebAssembly runs here");

const word = (value: bigint) => padBytes(bigIntToBytes(value), 64);
const scalar = (value: bigint) => padBytes(bigIntToBytes(value), 32);
const bytes1 = (point: InstanceType<typeof G1>): Bytes => {
  const { x, y } = point.toAffine();
  return concatBytes(word(x), word(y));
};
const bytes2 = (point: InstanceType<typeof G2>): Bytes => {
  const { x, y } = point.toAffine();
  return concatBytes(word(x.c0), word(x.c1), word(y.c0), word(y.c1));
};
const g1 = (factor: bigint) => bytes1(factor === 0n ? G1.ZERO : G1.BASE.multiply(factor));
const g2 = (factor: bigint) => bytes2(factor === 0n ? G2.ZERO : G2.BASE.multiply(factor));
const FEW = [0n, 1n, 2n, 3n, 4n, 5n, 6n];
const few1 = FEW.map(g1);
const few2 = FEW.map(g2);

/** The point of the curve with the first x from `start` on; almost none is in the subgroup. */
function anyG1(start: bigint): InstanceType<typeof G1> {
  for (let x = start; ; x++) {
    try {
      return G1.fromAffine({ x, y: Fp.sqrt(Fp.add(Fp.mul(Fp.sqr(x), x), 4n)) });
    } catch {
      // no square: the next one
    }
  }
}

function anyG2(start: bigint): InstanceType<typeof G2> {
  for (let c0 = start; ; c0++) {
    const x = Fp2.create({ c0, c1: start });
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), Fp2.create({ c0: 4n, c1: 4n }));
    try {
      return G2.fromAffine({ x, y: Fp2.sqrt(square) });
    } catch {
      // no square: the next one
    }
  }
}

const factors = fc.oneof(fc.constantFrom(0n, 1n, 2n, ORDER - 1n), fc.bigInt(1n, ORDER - 1n));
const elements = fc.oneof(fc.constantFrom(0n, 1n, PRIME - 1n), fc.bigInt(0n, PRIME - 1n));
const scalars = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 255n, 2n ** 256n - 1n),
  fc.bigInt(0n, 2n ** 256n - 1n),
);
const points1 = fc.oneof(
  factors.map(g1),
  elements.map((x) => bytes1(anyG1(x % (PRIME - 1_000n)))),
);
const points2 = fc.oneof(
  factors.map(g2),
  elements.map((x) => bytes2(anyG2(x % (PRIME - 1_000n)))),
);
const runs = (numRuns: number) => ({ numRuns, seed: SEED });

/** Points of no group, beside a good one: an element too large, a point off the curve, a coordinate of infinity, bits above the element. */
function noPoints(good: Bytes): Bytes[] {
  const words = Array.from({ length: good.length / 64 }, (_, i) => i);
  const changed = (at: number, change: (value: bigint) => bigint) => {
    const bytes = good.slice();
    const value = BigInt(`0x${Buffer.from(good.subarray(64 * at, 64 * at + 64)).toString("hex")}`);
    bytes.set(word(change(value)), 64 * at);
    return bytes;
  };
  return [
    ...words.map((at) => changed(at, (value) => value + PRIME)),
    ...words.map((at) => changed(at, (value) => value + 2n ** 384n)),
    ...words.map((at) => changed(at, (value) => value + 2n ** 511n)),
    ...words.map((at) => changed(at, (value) => value ^ 1n)),
    ...words.map((at) => new Uint8Array(good.length).with(64 * at + 63, 1)),
    ...words.map((at) => changed(at, () => PRIME)),
  ];
}

describe("loadBls12381", () => {
  it("loads nothing before it is called, and once only", async () => {
    assert.equal(before, undefined);
    assert.equal(await loadBls12381(), loadedBls12381());
  });
});

describe("addG1 and addG2", () => {
  it("add as the library does, outside the subgroups too", () => {
    fc.assert(
      fc.property(points1, points1, (a, b) => {
        assert.deepEqual(bls.addG1(concatBytes(a, b)), library.addG1(concatBytes(a, b)));
        assert.deepEqual(bls.addG1(concatBytes(a, a)), library.addG1(concatBytes(a, a)));
      }),
      runs(40),
    );
    fc.assert(
      fc.property(points2, points2, (a, b) => {
        assert.deepEqual(bls.addG2(concatBytes(a, b)), library.addG2(concatBytes(a, b)));
        assert.deepEqual(bls.addG2(concatBytes(b, b)), library.addG2(concatBytes(b, b)));
      }),
      runs(25),
    );
  });

  it("give the point at infinity for opposite points, and the other one beside infinity", () => {
    for (const point of [G1.BASE, anyG1(5n)]) {
      const both = concatBytes(bytes1(point), bytes1(point.negate()));
      assert.deepEqual(bls.addG1(both), new Uint8Array(128));
      assert.deepEqual(bls.addG1(concatBytes(g1(0n), bytes1(point))), bytes1(point));
      assert.deepEqual(bls.addG1(concatBytes(bytes1(point), g1(0n))), bytes1(point));
    }
    for (const point of [G2.BASE, anyG2(5n)]) {
      const both = concatBytes(bytes2(point), bytes2(point.negate()));
      assert.deepEqual(bls.addG2(both), new Uint8Array(256));
      assert.deepEqual(bls.addG2(concatBytes(g2(0n), bytes2(point))), bytes2(point));
    }
    assert.deepEqual(bls.addG1(new Uint8Array(256)), new Uint8Array(128));
    assert.deepEqual(bls.addG2(new Uint8Array(512)), new Uint8Array(256));
  });

  it("refuse what is no point of the curve, and other lengths", () => {
    for (const bad of noPoints(g1(7n))) {
      assert.throws(() => bls.addG1(concatBytes(bad, g1(1n))), CurveError);
      assert.throws(() => bls.addG1(concatBytes(g1(0n), bad)), CurveError);
    }
    for (const bad of noPoints(g2(7n))) {
      assert.throws(() => bls.addG2(concatBytes(bad, g2(1n))), CurveError);
      assert.throws(() => bls.addG2(concatBytes(g2(0n), bad)), CurveError);
    }
    for (const length of [0, 128, 255, 257]) {
      assert.throws(() => bls.addG1(new Uint8Array(length)), CurveError);
      assert.throws(() => bls.addG2(new Uint8Array(2 * length)), CurveError);
    }
  });
});

describe("msmG1 and msmG2", () => {
  it("sum products as the library does, infinity, equal and opposite points among them", () => {
    const terms = fc.array(fc.tuple(factors, scalars), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(terms, fc.boolean(), (pairs, isDoubled) => {
        const all = isDoubled
          ? [...pairs, ...pairs, ...pairs.map(([f, k]) => [ORDER - f, k] as const)]
          : pairs;
        const of = (group: (factor: bigint) => Bytes) =>
          concatBytes(...all.flatMap(([f, k]) => [group(f % ORDER), scalar(k)]));
        assert.deepEqual(bls.msmG1(of(g1)), library.msmG1(of(g1)));
        assert.deepEqual(bls.msmG2(of(g2)), library.msmG2(of(g2)));
      }),
      runs(6),
    );
  });

  it("sum many products, more than go at once", () => {
    // k·(i·G) summed is a multiple of G
    for (const count of [17, 256, 257, 520]) {
      const k = (i: number) => (BigInt(i) * 0x9e3779b97f4a7c15f39cc0605cedc835n ** 2n) % 2n ** 256n;
      const indices = Array.from({ length: count }, (_, i) => i);
      const sum = indices.reduce((total, i) => (total + BigInt(i % 7) * k(i)) % ORDER, 0n);
      const of = (points: readonly Bytes[]) =>
        concatBytes(...indices.flatMap((i) => [at(points, i % 7), scalar(k(i))]));
      assert.deepEqual(bls.msmG1(of(few1)), g1(sum), `${count} of G1`);
      assert.deepEqual(bls.msmG2(of(few2)), g2(sum), `${count} of G2`);
    }
  });

  it("refuse points outside the subgroup, of every small order too, whatever the scalar", () => {
    const outside1 = [anyG1(5n), anyG1(77n), anyG1(PRIME / 2n)];
    const outside2 = [anyG2(5n), anyG2(77n), anyG2(PRIME / 2n)];
    // multiples by the subgroup's order are of the cofactor's order alone
    const pure1 = outside1.map((point) => point.multiplyUnsafe(ORDER - 1n).add(point));
    const pure2 = outside2.map((point) => point.multiplyUnsafe(ORDER - 1n).add(point));
    const without1 = COFACTOR_1.map((q) => without(q, G1.CURVE().h));
    const without2 = COFACTOR_2.map((q) => without(q, G2.CURVE().h));
    const small1 = without1.flatMap((factor) => pure1.map((point) => times(point, factor)));
    const small2 = without2.flatMap((factor) => pure2.map((point) => times(point, factor)));
    const all1 = [...outside1, ...pure1, ...small1].filter((point) => !point.is0());
    const all2 = [...outside2, ...pure2, ...small2].filter((point) => !point.is0());
    assert.ok(all1.length > 15 && all2.length > 15);
    for (const [points, bytes, msm] of [
      [all1, (at: number) => bytes1(all1[at] ?? G1.ZERO), bls.msmG1],
      [all2, (at: number) => bytes2(all2[at] ?? G2.ZERO), bls.msmG2],
    ] as const)
      for (const at of points.keys())
        for (const k of [0n, 1n, ORDER]) {
          const run = () => msm(concatBytes(bytes(at), scalar(k)));
          assert.throws(run, (error) => isReason(error, "NOT_IN_SUBGROUP"));
        }
    // a point of the subgroup plus one of small order
    const mixed = G1.BASE.add(small1.find((point) => !point.is0()) ?? G1.ZERO);
    assert.throws(() => bls.msmG1(concatBytes(bytes1(mixed), scalar(1n))), CurveError);
  });

  it("refuse what is no point of the curve, and other lengths", () => {
    for (const bad of noPoints(g1(7n))) {
      const input = concatBytes(g1(1n), scalar(5n), bad, scalar(0n));
      assert.throws(() => bls.msmG1(input), CurveError);
    }
    for (const bad of noPoints(g2(7n)))
      assert.throws(() => bls.msmG2(concatBytes(bad, scalar(0n))), CurveError);
    for (const length of [159, 161, 128]) {
      assert.throws(() => bls.msmG1(new Uint8Array(length)), CurveError);
      assert.throws(() => bls.msmG2(new Uint8Array(length + 128)), CurveError);
    }
  });
});

describe("pairing", () => {
  it("finds the pairings that cancel, the point at infinity among them", () => {
    fc.assert(
      fc.property(factors, factors, fc.boolean(), (a, b, isOne) => {
        const product = Fr.create(a * b + (isOne ? 0n : 1n));
        const input = concatBytes(g1(a), g2(b), g1(Fr.neg(product)), g2(1n), g1(0n), g2(a));
        assert.equal(bls.pairing(input), isOne);
        assert.equal(library.pairingCheck(input)[31], isOne ? 1 : 0);
      }),
      runs(6),
    );
    assert.equal(bls.pairing(new Uint8Array(384)), true);
    assert.equal(bls.pairing(concatBytes(g1(1n), g2(1n))), false);
    assert.equal(bls.pairing(concatBytes(g1(1n), g2(0n))), true);
  });

  it("multiplies many pairings, more than go at once", () => {
    for (const pairs of [15, 16, 17, 33]) {
      const indices = Array.from({ length: pairs }, (_, i) => i % 5);
      const sum = BigInt(indices.reduce((total, i) => total + i * (i + 1), 0));
      const most = concatBytes(...indices.flatMap((i) => [at(few1, i), at(few2, i + 1)]));
      const last = (by: bigint) => concatBytes(most, g1(ORDER - sum + by), g2(1n));
      assert.equal(bls.pairing(last(0n)), true, `${pairs} pairs`);
      assert.equal(bls.pairing(last(1n)), false, `${pairs} pairs`);
      assert.equal(bls.pairing(concatBytes(last(0n), g1(0n), g2(3n))), true, `${pairs} pairs`);
    }
  });

  it("refuses points off the curve and outside the subgroups, also beside infinity", () => {
    for (const bad of [...noPoints(g1(7n)), bytes1(anyG1(5n)), concatBytes(word(0n), word(2n))])
      for (const other of [g2(0n), g2(3n)]) {
        assert.throws(() => bls.pairing(concatBytes(bad, other)), CurveError);
      }
    for (const bad of [...noPoints(g2(7n)), bytes2(anyG2(5n))])
      for (const other of [g1(0n), g1(3n)])
        assert.throws(() => bls.pairing(concatBytes(other, bad)), CurveError);
    assert.throws(() => bls.pairing(new Uint8Array(383)), CurveError);
  });
});

describe("mapToG1 and mapToG2", () => {
  it("map as the library does", () => {
    fc.assert(
      fc.property(elements, elements, (a, b) => {
        assert.deepEqual(bls.mapToG1(word(a)), library.mapFPtoG1(word(a)));
        const two = concatBytes(word(a), word(b));
        assert.deepEqual(bls.mapToG2(two), library.mapFP2toG2(two));
      }),
      runs(40),
    );
  });

  it("refuse what is no element of the field, and other lengths", () => {
    for (const bad of [PRIME, PRIME + 1n, 2n ** 384n, 2n ** 512n - 1n]) {
      assert.throws(
        () => bls.mapToG1(word(bad)),
        (error) => isReason(error, "NOT_IN_FIELD"),
      );
      assert.throws(() => bls.mapToG2(concatBytes(word(1n), word(bad))), CurveError);
      assert.throws(() => bls.mapToG2(concatBytes(word(bad), word(1n))), CurveError);
    }
    for (const length of [0, 63, 65]) {
      assert.throws(() => bls.mapToG1(new Uint8Array(length)), CurveError);
      assert.throws(() => bls.mapToG2(new Uint8Array(2 * length)), CurveError);
    }
  });
});

function times<P extends { add(other: P): P; double(): P }>(point: P, factor: bigint): P {
  // noble's own multiplication takes factors below the subgroup's order only
  let result = point;
  for (const bit of factor.toString(2).slice(1)) {
    result = result.double();
    if (bit === "1") result = result.add(point);
  }
  return result;
}

function at(points: readonly Bytes[], index: number): Bytes {
  const point = points[index];
  assert.ok(point !== undefined);
  return point;
}

function without(prime: bigint, value: bigint): bigint {
  return value % prime === 0n ? without(prime, value / prime) : value;
}

function isReason(error: unknown, code: string): boolean {
  return error instanceof CurveError && error.reason.code === code;
}
