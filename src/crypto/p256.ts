/**
 * ECDSA on P-256 over a digest. Node's `verify` hashes what it is given, so the equation is checked here, with the two
 * scalar multiplications left to OpenSSL: its ECDH gives the x coordinate of k·Q, its key generation k·G whole. What remains are
 * some multiplications modulo p. Sources: FIPS 186-5, section 6.4.2; SP 800-186, section 3.2.1.3.
 */
import { createECDH, ECDH } from "node:crypto";
import {
  type Bytes,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  padBytes,
} from "../primitives/bytes.ts";

/** Order of the group. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Order of the field. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const A = P - 3n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const CURVE = "prime256v1";
const SCALAR_BYTES = 32;
const UNCOMPRESSED = Uint8Array.of(4);
const COMPRESSED_EVEN = Uint8Array.of(2);

/** An affine point, not the one at infinity. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/**
 * Whether `signature` (r ‖ s, 64 bytes, s high or low) over the 32-byte `digest` is that of `publicKey` (x ‖ y, 64 bytes).
 * False, never an error, for values out of range and points off the curve. Source: EIP-7951.
 */
export function verifyP256(digest: Bytes, signature: Bytes, publicKey: Bytes): boolean {
  const [r, s] = halves(signature);
  const [x, y] = halves(publicKey);
  if (!isScalar(r) || !isScalar(s) || !isOnCurve({ x, y })) return false;
  const inverse = inverseModuloN(s);
  const ofBase = (bytesToBigInt(digest) * inverse) % N;
  const ofKey = (r * inverse) % N;
  const key = { x, y };
  const term = multiple(ofKey, key);
  if (term === undefined) return false;
  return hasSumWithX(timesBase(ofBase), term, r);
}

function halves(bytes: Bytes): [bigint, bigint] {
  return [
    bytesToBigInt(bytes.subarray(0, SCALAR_BYTES)),
    bytesToBigInt(bytes.subarray(SCALAR_BYTES)),
  ];
}

function isScalar(value: bigint): boolean {
  return value > 0n && value < N;
}

function isOnCurve({ x, y }: Point): boolean {
  return x < P && y < P && (y * y - cubic(x)) % P === 0n;
}

/** y² of a point with this x */
function cubic(x: bigint): bigint {
  return (x * x * x + A * x + B) % P;
}

/** k·G for k < n; undefined is the point at infinity. */
function timesBase(k: bigint): Point | undefined {
  if (k === 0n) return undefined;
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(scalarBytes(k));
  return pointOf(ecdh.getPublicKey());
}

/**
 * k·Q for 0 < k < n. OpenSSL gives its x coordinate, which leaves two points; the right one has the sum with Q whose x is
 * that of (k + 1)·Q.
 */
function multiple(k: bigint, key: Point): Point | undefined {
  if (k === N - 1n) return { x: key.x, y: P - key.y };
  const point = withEvenY(timesX(k, key));
  const other = { x: point.x, y: P - point.y };
  const next = timesX(k + 1n, key);
  return [point, other].find((candidate) => isXOfSum(next, candidate, key));
}

function timesX(k: bigint, { x, y }: Point): bigint {
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(scalarBytes(k));
  return bytesToBigInt(
    ecdh.computeSecret(concatBytes(UNCOMPRESSED, scalarBytes(x), scalarBytes(y))),
  );
}

function withEvenY(x: bigint): Point {
  const compressed = concatBytes(COMPRESSED_EVEN, scalarBytes(x));
  const point = ECDH.convertKey(compressed, CURVE, undefined, undefined, "uncompressed");
  return pointOf(typeof point === "string" ? Buffer.from(point, "hex") : point);
}

function pointOf(uncompressed: Bytes): Point {
  const [x, y] = halves(uncompressed.subarray(1));
  return { x, y };
}

/** Whether a + b has an x that is r modulo n; `a` undefined is the point at infinity. */
function hasSumWithX(a: Point | undefined, b: Point, r: bigint): boolean {
  const candidates = r + N < P ? [r, r + N] : [r];
  return candidates.some((x) => (a === undefined ? b.x === x : isXOfSum(x, a, b)));
}

/** Whether `x` is that of a + b; false where the sum is the point at infinity. */
function isXOfSum(x: bigint, a: Point, b: Point): boolean {
  if (a.x === b.x && (a.y + b.y) % P === 0n) return false;
  // the slope as a fraction: of the chord, or of the tangent where the points are the same
  const isSame = a.x === b.x;
  const numerator = isSame ? 3n * a.x * a.x + A : a.y - b.y;
  const denominator = isSame ? 2n * a.y : a.x - b.x;
  const square = (denominator * denominator) % P;
  return (numerator * numerator - (a.x + b.x + x) * square) % P === 0n;
}

/** By Euclid's algorithm; `value` is not 0. */
function inverseModuloN(value: bigint): bigint {
  let [a, b, x, y] = [value, N, 1n, 0n];
  while (a > 1n) {
    const quotient = b / a;
    [a, b] = [b - quotient * a, a];
    [x, y] = [y - quotient * x, x];
  }
  return x < 0n ? x + N : x;
}

function scalarBytes(value: bigint): Bytes {
  return padBytes(bigIntToBytes(value), SCALAR_BYTES);
}
