/**
 * BN254 for the precompiles at 0x07 and 0x08: mcl compiled to WebAssembly, a tenth and a third of the time that noble takes
 * in JavaScript. It is loaded at the first use (0.1 s) and used if it answers as noble does. Points are affine coordinates of 32
 * bytes each, zeros are the point at infinity. Nothing here is secret. Sources: EIP-196, EIP-197.
 */
import { bn254 } from "@noble/curves/bn254.js";
import {
  type Bytes,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  equalBytes,
  padBytes,
} from "../primitives/bytes.ts";
import { hexToBytes } from "../primitives/hex.ts";

/** Both functions throw where a point is not on the curve, and in its subgroup, or a coordinate not below the prime. */
export interface Bn254 {
  readonly name: "wasm" | "noble";
  /** k·P of `P ‖ k`, 96 bytes, as 64 bytes. */
  multiply(input: Bytes): Bytes;
  /** Whether the product of the pairings of `G1 ‖ G2` is one, 192 bytes each; imaginary parts come first. */
  pairing(input: Bytes): boolean;
}

const FIELD_BYTES = 32;
const G1_BYTES = 2 * FIELD_BYTES;
const G2_BYTES = 4 * FIELD_BYTES;
const PAIR_BYTES = G1_BYTES + G2_BYTES;
const { Fp, Fp2, Fr } = bn254.fields;
const PRIME = fieldBytes(Fp.ORDER);

export const nobleBn254: Bn254 = {
  name: "noble",
  multiply(input) {
    const scalar = bytesToBigInt(input.subarray(G1_BYTES, G1_BYTES + FIELD_BYTES));
    // the multiplication need not take the same time for all scalars: that halves it
    const product = noblePoint(input).multiplyUnsafe(Fr.create(scalar)).toAffine();
    return concatBytes(fieldBytes(product.x), fieldBytes(product.y));
  },
  pairing(input) {
    const pairs = pairsOf(input).map((pair) => {
      const g2 = nobleTwist(pair.subarray(G1_BYTES));
      return { g1: noblePoint(pair), g2 };
    });
    const held = pairs.filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
    const { Fp12 } = bn254.fields;
    return Fp12.eql(bn254.pairingBatch(held), Fp12.ONE);
  },
};

function noblePoint(input: Bytes) {
  const { Point } = bn254.G1;
  if (isZero(input.subarray(0, G1_BYTES))) return Point.ZERO;
  const [x = 0n, y = 0n] = [0, 1].map((at) => bytesToBigInt(wordAt(input, at)));
  const point = Point.fromAffine({ x, y });
  point.assertValidity();
  return point;
}

function nobleTwist(input: Bytes) {
  const { Point } = bn254.G2;
  if (isZero(input.subarray(0, G2_BYTES))) return Point.ZERO;
  const [xi = 0n, xr = 0n, yi = 0n, yr = 0n] = [0, 1, 2, 3].map((at) =>
    bytesToBigInt(demandField(wordAt(input, at))),
  );
  const point = Point.fromAffine({
    x: Fp2.create({ c0: xr, c1: xi }),
    y: Fp2.create({ c0: yr, c1: yi }),
  });
  point.assertValidity();
  return point;
}

type Mcl = typeof import("mcl-wasm");
type MclPoint = InstanceType<Mcl["G1"]>;

/** mcl's implementation, or undefined where WebAssembly does not run or answers otherwise than noble. */
export async function loadWasmBn254(): Promise<Bn254 | undefined> {
  try {
    const { default: mcl } = await import("mcl-wasm");
    await mcl.init(mcl.BN_SNARK1);
    const backend = wasmBn254(mcl);
    return passesSelfTest(backend) ? backend : undefined;
  } catch {
    return undefined; // no WebAssembly here
  }
}

function wasmBn254(mcl: Mcl): Bn254 {
  const field = (word: Bytes) => {
    const element = new mcl.Fp();
    // it reduces what is above the prime, which must not count as a coordinate
    element.setBigEndianMod(demandField(word));
    return element;
  };
  const one = new mcl.Fp();
  one.setInt(1);
  const quadratic = (imaginary: Bytes, real: Bytes) => {
    const element = new mcl.Fp2();
    element.set_a(field(real));
    element.set_b(field(imaginary));
    return element;
  };
  const one2 = new mcl.Fp2();
  one2.setInt(1, 0);
  const g1 = (input: Bytes): MclPoint => {
    const point = new mcl.G1();
    if (isZero(input.subarray(0, G1_BYTES))) return point;
    point.setX(field(wordAt(input, 0)));
    point.setY(field(wordAt(input, 1)));
    point.setZ(one);
    if (!point.isValid()) throw new RangeError("not a point of BN254");
    return point;
  };
  const g2 = (input: Bytes) => {
    const point = new mcl.G2();
    if (isZero(input.subarray(0, G2_BYTES))) return point;
    point.setX(quadratic(wordAt(input, 0), wordAt(input, 1)));
    point.setY(quadratic(wordAt(input, 2), wordAt(input, 3)));
    point.setZ(one2);
    if (!point.isValid() || !point.isValidOrder())
      throw new RangeError("not a point of BN254's G2");
    return point;
  };
  return {
    name: "wasm",
    multiply(input) {
      const scalar = new mcl.Fr();
      scalar.setBigEndianMod(input.subarray(G1_BYTES, G1_BYTES + FIELD_BYTES));
      return affine(mcl.mul(g1(input), scalar));
    },
    pairing(input) {
      const pairs = pairsOf(input).map((pair) => ({ p: g1(pair), q: g2(pair.subarray(G1_BYTES)) }));
      const held = pairs.filter(({ p, q }) => !p.isZero() && !q.isZero());
      if (held.length === 0) return true;
      const product = held.map(({ p, q }) => mcl.millerLoop(p, q)).reduce((a, b) => mcl.mul(a, b));
      return mcl.finalExp(product).isOne();
    },
  };
}

/** x ‖ y; mcl writes numbers with the least byte first. */
function affine(point: MclPoint): Bytes {
  if (point.isZero()) return new Uint8Array(G1_BYTES);
  point.normalize();
  return concatBytes(point.getX().serialize().reverse(), point.getY().serialize().reverse());
}

let loading: Promise<Bn254> | undefined;
let loaded: Bn254 | undefined;

/** The fastest implementation that this machine has; loads it at the first call. */
export function loadBn254(): Promise<Bn254> {
  loading ??= loadWasmBn254().then((wasm) => {
    loaded = wasm ?? nobleBn254;
    return loaded;
  });
  return loading;
}

/** The implementation if `loadBn254` has finished. */
export function loadedBn254(): Bn254 | undefined {
  return loaded;
}

/** The generators. Source: EIP-197. */
const G1 = concatBytes(
  padBytes(Uint8Array.of(1), FIELD_BYTES),
  padBytes(Uint8Array.of(2), FIELD_BYTES),
);
const G2 = hexToBytes(
  "0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
);

/** Known answers: a product, e(G1, G2) · e(-G1, G2) = 1, e(G1, G2) ≠ 1, and no answer to a point that is none. */
function passesSelfTest({ multiply, pairing }: Bn254): boolean {
  const scalar = new Uint8Array(FIELD_BYTES).fill(0xa7);
  const input = concatBytes(G1, scalar);
  const minus = concatBytes(G1.subarray(0, FIELD_BYTES), fieldBytes(Fp.ORDER - 2n));
  return (
    equalBytes(multiply(input), nobleBn254.multiply(input)) &&
    pairing(concatBytes(G1, G2, minus, G2)) &&
    !pairing(concatBytes(G1, G2)) &&
    throws(() => multiply(concatBytes(G1.subarray(FIELD_BYTES), G1)))
  );
}

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

function pairsOf(input: Bytes): Bytes[] {
  if (input.length % PAIR_BYTES !== 0) throw new RangeError("pairs of another length");
  return Array.from({ length: input.length / PAIR_BYTES }, (_, i) =>
    input.subarray(i * PAIR_BYTES, (i + 1) * PAIR_BYTES),
  );
}

function wordAt(input: Bytes, index: number): Bytes {
  return input.subarray(index * FIELD_BYTES, (index + 1) * FIELD_BYTES);
}

function isZero(bytes: Bytes): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The word if it is below the prime; throws RangeError. */
function demandField(word: Bytes): Bytes {
  for (let i = 0; i < FIELD_BYTES; i++) {
    const difference = (word[i] ?? 0) - (PRIME[i] ?? 0);
    if (difference < 0) return word;
    if (difference > 0) break;
  }
  throw new RangeError("not an element of BN254's field");
}

function fieldBytes(value: bigint): Bytes {
  return padBytes(bigIntToBytes(value), FIELD_BYTES);
}
