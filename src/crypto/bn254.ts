/**
 * BN254 for the precompiles at 0x06 to 0x08: mcl compiled to WebAssembly, a tenth and a third of the time that noble takes
 * in JavaScript to multiply and to pair. It is loaded at the first use (0.1 s) and used if it answers as noble does. Points are affine coordinates of 32
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
import { type PairingCurve, startCurve } from "./pairingCurve.ts";

/** All throw where a point is not on the curve, and in its subgroup, or a coordinate not below the prime. */
export interface Bn254 {
  readonly name: "wasm" | "noble";
  /** P + Q of `P ‖ Q`, 128 bytes, as 64 bytes. */
  add(input: Bytes): Bytes;
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
const FORM = {
  id: 4,
  prime: Fp.ORDER,
  fieldBytes: FIELD_BYTES,
  wordBytes: FIELD_BYTES,
  firstPart: "imaginary",
  hasCofactor1: false,
} as const;

export const nobleBn254: Bn254 = {
  name: "noble",
  add(input) {
    const sum = noblePoint(input)
      .add(noblePoint(input.subarray(G1_BYTES)))
      .toAffine();
    return concatBytes(fieldBytes(sum.x), fieldBytes(sum.y));
  },
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

/** mcl's implementation, or undefined where WebAssembly does not run or answers otherwise than noble. */
export async function loadWasmBn254(): Promise<Bn254 | undefined> {
  try {
    const backend = onCurve(await startCurve(FORM));
    return passesSelfTest(backend) ? backend : undefined;
  } catch {
    return undefined; // no WebAssembly here
  }
}

function onCurve(curve: PairingCurve): Bn254 {
  const { g1 } = curve;
  return {
    name: "wasm",
    add: (input) => curve.add(g1, input),
    multiply: (input) => curve.sumOfProducts(g1, input),
    pairing: (input) => curve.isProductOne(input),
  };
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

/** Known answers: a sum, a product, e(G1, G2) · e(-G1, G2) = 1, e(G1, G2) ≠ 1, and no answer to a point that is none. */
function passesSelfTest({ add, multiply, pairing }: Bn254): boolean {
  const scalar = new Uint8Array(FIELD_BYTES).fill(0xa7);
  const input = concatBytes(G1, scalar);
  const minus = concatBytes(G1.subarray(0, FIELD_BYTES), fieldBytes(Fp.ORDER - 2n));
  return (
    equalBytes(add(concatBytes(G1, G1)), nobleBn254.add(concatBytes(G1, G1))) &&
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
