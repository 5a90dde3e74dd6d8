/** ML-DSA-44 (FIPS 204) over Node's OpenSSL. Keys are raw bytes; signing is hedged, so signatures differ each time. */
import { createPublicKey, verify } from "node:crypto";
import type { Bytes } from "../primitives/bytes.ts";

/** Bytes of an ML-DSA-44 public key and signature. */
export const ML_DSA_44 = { publicKeyBytes: 1312, signatureBytes: 2420 } as const;

/** Whether `signature` is `publicKey`'s over `message` with an empty context; false for any malformed input. */
export function verifyMlDsa44(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (publicKey.length !== ML_DSA_44.publicKeyBytes) return false;
  if (signature.length !== ML_DSA_44.signatureBytes) return false;
  const key = createPublicKey({
    key: Buffer.from(publicKey),
    format: "raw-public",
    asymmetricKeyType: "ml-dsa-44",
  });
  return verify(null, message, key, signature);
}
