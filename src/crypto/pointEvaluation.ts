/**
 * Verification of one KZG opening, for the precompile at 0x0a: whether the polynomial behind a commitment has the value y at z. With
 * mcl it is two sums of points and two pairings whose points of G2 are fixed, so that their part of the work is done once;
 * no trusted setup is loaded but the one point of it. Source: EIP-4844; consensus-specs, deneb/polynomial-commitments.md.
 */
import { type Bytes, bigIntToBytes, compareBytes } from "../primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../primitives/hex.ts";
import { BLS12381_G1, BLS12381_G2, loadBls12381, pointOf } from "./bls12381.ts";
import { loadKzg } from "./kzg.ts";
import { CurveError, ELEMENT_BYTES, type Pointer } from "./mcl.ts";
import { G1_BYTES, G2_BYTES, GT_BYTES, type PairingCurve, SCALAR_BYTES } from "./pairingCurve.ts";

/** Commitment and proof are compressed points of G1, 48 bytes; z and y are field elements, 32 bytes. */
export interface Opening {
  readonly commitment: Bytes;
  readonly z: Bytes;
  readonly y: Bytes;
  readonly proof: Bytes;
}

/** False, never an error, on bytes that are no point, no field element or not of the length. */
export type VerifyOpening = (opening: Opening) => boolean;

/** Order of the group: scalars are below it. */
const ORDER = bigIntToBytes(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n);
const POINT_BYTES = 48;
const WORD_BYTES = 64;
/** The first bits of a compressed point. Source: draft-irtf-cfrg-bls-signature-05, appendix A. */
const COMPRESSED = 0x80;
const INFINITY = 0x40;
const LARGER_Y = 0x20;
const NO_FLAGS = 0x1f;

/** τ·G2 of the KZG ceremony. Source: consensus-specs, presets/mainnet/trusted_setups/trusted_setup_4096.json. */
const SECRET_G2 = pointOf(
  "0x185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2",
  "0x15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72",
  "0x014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99",
  "0x1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f",
);

let loading: Promise<VerifyOpening> | undefined;
let loaded: VerifyOpening | undefined;

/** The fastest that this machine has; loads it at the first call. */
export function loadPointEvaluation(): Promise<VerifyOpening> {
  loading ??= load().then((verify) => {
    loaded = verify;
    return verify;
  });
  return loading;
}

/** What `loadPointEvaluation` gave if it has finished. */
export function loadedPointEvaluation(): VerifyOpening | undefined {
  return loaded;
}

async function load(): Promise<VerifyOpening> {
  const bls = await loadBls12381();
  if (bls !== undefined) {
    const verify = openingsOn(bls.curve);
    if (passesSelfTest(verify)) return verify;
  }
  const kzg = await loadKzg();
  return ({ commitment, z, y, proof }) =>
    kzg.verifyProof(bytesToHex(commitment), bytesToHex(z), bytesToHex(y), bytesToHex(proof));
}

/** Where the work is done. */
interface Places {
  readonly curve: PairingCurve;
  /** Two points of G1 and their factors */
  readonly points: Pointer;
  readonly scalars: Pointer;
  readonly commitment: Pointer;
  readonly sum: Pointer;
  /** The coefficient 4 of the curve y² = x³ + 4 */
  readonly four: Pointer;
  readonly product: Pointer;
  /** G2 and τ·G2 as the Miller loop wants them */
  readonly prepared: Pointer;
  readonly preparedSecret: Pointer;
}

function openingsOn(curve: PairingCurve): VerifyOpening {
  const { memory, module, g1, g2 } = curve;
  const preparedBytes = 8 * module._mclBn_getUint64NumToPrecompute();
  const places: Places = {
    curve,
    points: memory.allocate(2 * G1_BYTES),
    scalars: memory.allocate(2 * SCALAR_BYTES),
    commitment: memory.allocate(G1_BYTES),
    sum: memory.allocate(G1_BYTES),
    four: memory.allocate(ELEMENT_BYTES),
    product: memory.allocate(GT_BYTES),
    prepared: memory.allocate(preparedBytes),
    preparedSecret: memory.allocate(preparedBytes),
  };
  module._mclBnFp_setInt32(places.four, 4);
  const q = memory.allocate(G2_BYTES);
  g2.read(q, BLS12381_G2);
  module._mclBn_precomputeG2(places.prepared, q);
  g2.read(q, SECRET_G2);
  module._mclBn_precomputeG2(places.preparedSecret, q);
  return ({ commitment, z, y, proof }) => {
    if (!isScalar(z) || !isScalar(y)) return false;
    try {
      decompress(places, places.commitment, commitment);
      decompress(places, places.points + G1_BYTES, proof);
    } catch (error) {
      if (error instanceof CurveError) return false;
      throw error;
    }
    g1.read(places.points, BLS12381_G1);
    return isOpening(places, z, y);
  };
}

/**
 * e(C - y·G1, G2) = e(π, (τ - z)·G2), with z moved to the other side, so that both points of G2 are fixed:
 * e(C - y·G1 + z·π, G2) · e(-π, τ·G2) = 1.
 */
function isOpening({ curve, points, scalars, sum, ...at }: Places, z: Bytes, y: Bytes): boolean {
  const { memory, module, g1 } = curve;
  const proof = points + G1_BYTES;
  const isProofZero = g1.code.isZero(proof) === 1;
  memory.scalar(scalars, y);
  module._mclBnFr_neg(scalars, scalars);
  memory.scalar(scalars + SCALAR_BYTES, z);
  g1.code.mulVec(sum, points, scalars, isProofZero ? 1 : 2);
  g1.code.add(sum, sum, at.commitment);
  const isSumZero = g1.code.isZero(sum) === 1;
  // a pairing with the point at infinity is one, and with no other
  if (isProofZero || isSumZero) return isProofZero && isSumZero;
  g1.code.neg(proof, proof);
  const { product, prepared, preparedSecret } = at;
  module._mclBn_precomputedMillerLoop2(product, sum, prepared, proof, preparedSecret);
  return curve.isOne(product);
}

/** Puts a compressed point of the subgroup into memory. Throws CurveError. */
function decompress({ curve, four }: Places, target: Pointer, bytes: Bytes): void {
  const { memory, module, g1 } = curve;
  if (bytes.length !== POINT_BYTES)
    throw new CurveError({ code: "WRONG_LENGTH", length: bytes.length });
  const flags = bytes[0] ?? 0;
  if ((flags & COMPRESSED) === 0) throw new CurveError({ code: "NOT_IN_FIELD" });
  if ((flags & INFINITY) !== 0) {
    if (!isInfinity(bytes)) throw new CurveError({ code: "NOT_IN_FIELD" });
    g1.code.clear(target);
    return;
  }
  const x = new Uint8Array(WORD_BYTES);
  x.set(bytes, WORD_BYTES - POINT_BYTES);
  x[WORD_BYTES - POINT_BYTES] = flags & NO_FLAGS;
  memory.elements(target, x);
  const y = target + ELEMENT_BYTES;
  module._mclBnFp_sqr(y, target);
  module._mclBnFp_mul(y, y, target);
  module._mclBnFp_add(y, y, four);
  if (module._mclBnFp_squareRoot(y, y) !== 0) throw new CurveError({ code: "NOT_ON_CURVE" });
  const isLarger = module._mclBnFp_isNegative(y) === 1;
  if (isLarger !== ((flags & LARGER_Y) !== 0)) module._mclBnFp_neg(y, y);
  memory.one(y + ELEMENT_BYTES, ELEMENT_BYTES);
  g1.demandSubgroup(target);
}

function isInfinity(bytes: Bytes): boolean {
  return bytes.every((byte, i) => byte === (i === 0 ? COMPRESSED | INFINITY : 0));
}

function isScalar(bytes: Bytes): boolean {
  return bytes.length === SCALAR_BYTES && compareBytes(bytes, ORDER) < 0;
}

/** The polynomial x, whose commitment is τ·G1, has the value 7 at 7, with G1 as the proof; a point of order 3 proves nothing. */
function passesSelfTest(verify: VerifyOpening): boolean {
  const commitment = hexToBytes(
    "0xad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81",
  );
  const proof = BLS12381_G1.slice(WORD_BYTES - POINT_BYTES, WORD_BYTES);
  proof[0] = (proof[0] ?? 0) | COMPRESSED;
  const seven = new Uint8Array(SCALAR_BYTES).with(SCALAR_BYTES - 1, 7);
  const eight = new Uint8Array(SCALAR_BYTES).with(SCALAR_BYTES - 1, 8);
  const outside = new Uint8Array(POINT_BYTES).with(0, COMPRESSED);
  return (
    verify({ commitment, z: seven, y: seven, proof }) &&
    !verify({ commitment, z: seven, y: eight, proof }) &&
    !verify({ commitment: outside, z: seven, y: seven, proof })
  );
}
