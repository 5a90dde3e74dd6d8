/**
 * ECDSA on P-256 over a digest. Node's `verify` hashes what it is given, so the equation is checked here, with both scalar
 * multiplications left to OpenSSL: its key generation gives k·G, its ECDH the x coordinate of k·Q. One x is enough, since
 * (e/s)·G + (r/s)·Q = (r/s)·(Q + (e/r)·G): what remains is one sum of points. Sources: FIPS 186-5, section 6.4.2; SP 800-186,
 * section 3.2.1.3.
 */
import { createECDH } from "node:crypto";
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
  const inverse = inverseModulo(r * s, N);
  const factor = (((r * r) % N) * inverse) % N;
  const ofBase = (((bytesToBigInt(digest) * s) % N) * inverse) % N;
  const base = sum({ x, y }, timesBase(ofBase));
  if (base === undefined) return false;
  const found = timesX(factor, base);
  return found === r || found === r + N;
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

/** The x coordinate of k·Q, 0 < k < n. */
function timesX(k: bigint, { x, y }: Point): bigint {
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(scalarBytes(k));
  return bytesToBigInt(
    ecdh.computeSecret(concatBytes(UNCOMPRESSED, scalarBytes(x), scalarBytes(y))),
  );
}

function pointOf(uncompressed: Bytes): Point {
  const [x, y] = halves(uncompressed.subarray(1));
  return { x, y };
}

/** a + b; undefined is the point at infinity. */
function sum(a: Point, b: Point | undefined): Point | undefined {
  if (b === undefined) return a;
  const isSame = a.x === b.x;
  if (isSame && a.y !== b.y) return undefined;
  // the slope of the chord, or of the tangent where the points are the same
  const numerator = isSame ? 3n * a.x * a.x + A : b.y - a.y;
  const denominator = isSame ? 2n * a.y : b.x - a.x;
  const slope = modulo(numerator * inverseModulo(denominator, P), P);
  const x = modulo(slope * slope - a.x - b.x, P);
  return { x, y: modulo(slope * (a.x - x) - a.y, P) };
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** By Euclid's algorithm; the modulus is prime, and `value` no multiple of it. */
function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [modulo(value, modulus), modulus, 1n, 0n];
  while (a > 1n) {
    const quotient = b / a;
    [a, b] = [b - quotient * a, a];
    [x, y] = [y - quotient * x, x];
  }
  return modulo(x, modulus);
}

function scalarBytes(value: bigint): Bytes {
  return padBytes(bigIntToBytes(value), SCALAR_BYTES);
}
