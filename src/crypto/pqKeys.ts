/** Keys and signatures of ML-DSA over OpenSSL. Of a private key only the 32-byte seed is ever kept. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import type { Bytes } from "../primitives/bytes.ts";

/** Parameter sets of FIPS 204. */
export type MlDsaName = "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87";

/** Bytes of a seed, FIPS 204's xi. */
const ML_DSA_SEED_BYTES = 32;

const KEY_TYPES = {
  "ML-DSA-44": "ml-dsa-44",
  "ML-DSA-65": "ml-dsa-65",
  "ML-DSA-87": "ml-dsa-87",
} as const;

/** Public key of a seed, in the raw form. Throws RangeError on a seed of another length. */
export function mlDsaPublicKey(name: MlDsaName, seed: Bytes): Bytes {
  return Uint8Array.from(
    createPublicKey(privateKeyOf(name, seed)).export({ format: "raw-public" }),
  );
}

/** Hedged signature over `message` in `context`: another one at every call. Throws RangeError on a seed of another length. */
export function signMlDsa(name: MlDsaName, seed: Bytes, message: Bytes, context: Bytes): Bytes {
  return Uint8Array.from(sign(null, message, { key: privateKeyOf(name, seed), context }));
}

function privateKeyOf(name: MlDsaName, seed: Bytes): KeyObject {
  if (seed.length !== ML_DSA_SEED_BYTES) throw new RangeError(`a seed has ${seed.length} bytes`);
  return createPrivateKey({
    key: Buffer.from(seed),
    format: "raw-seed",
    asymmetricKeyType: KEY_TYPES[name],
  });
}
