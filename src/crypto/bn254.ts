/** Scalar multiplication on BN254 for the precompile at 0x07. Source: EIP-196. */
import { bn254 } from "@noble/curves/bn254.js";
import {
  type Bytes,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  padBytes,
} from "../primitives/bytes.ts";

const FIELD_BYTES = 32;

/**
 * k·(x, y) of `x ‖ y ‖ k`, 96 bytes, as 64 bytes; zeros are the point at infinity. Throws where the point is not on the curve.
 * Nothing here is secret, so the multiplication need not take the same time for all scalars: that halves it.
 */
export function multiplyBn254(input: Bytes): Bytes {
  const { Point } = bn254.G1;
  const x = bytesToBigInt(input.subarray(0, FIELD_BYTES));
  const y = bytesToBigInt(input.subarray(FIELD_BYTES, 2 * FIELD_BYTES));
  const scalar = bytesToBigInt(input.subarray(2 * FIELD_BYTES, 3 * FIELD_BYTES));
  const point = x === 0n && y === 0n ? Point.ZERO : Point.fromAffine({ x, y });
  if (x !== 0n || y !== 0n) point.assertValidity();
  const product = point.multiplyUnsafe(bn254.fields.Fr.create(scalar)).toAffine();
  return concatBytes(fieldBytes(product.x), fieldBytes(product.y));
}

function fieldBytes(value: bigint): Bytes {
  return padBytes(bigIntToBytes(value), FIELD_BYTES);
}
