/**
 * X-Wing, a key encapsulation that holds as long as X25519 or ML-KEM-768 does. OpenSSL does both halves; what is ours is the
 * combiner. Source: draft-connolly-cfrg-xwing-kem, sections 5.2 to 5.5.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  type KeyObject,
} from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";

export const X_WING_SEED_BYTES = 32;
export const X_WING_PUBLIC_BYTES = 1_216;
export const X_WING_CIPHERTEXT_BYTES = 1_120;

const KEM_PUBLIC_BYTES = 1_184;
const KEM_CIPHERTEXT_BYTES = 1_088;
const KEM_SEED_BYTES = 64;
const CURVE_BYTES = 32;
/** The letters `\.//^\`. */
const LABEL = Uint8Array.from(Buffer.from("5c2e2f2f5e5c", "hex"));

/** What a seed opens. */
export interface XWingKey {
  /** 1,216 bytes */
  readonly publicKey: Bytes;
  /** Shared secret (32 bytes) in a ciphertext of 1,120 bytes; another secret, or undefined, for one made for somebody else. */
  readonly decapsulate: (ciphertext: Bytes) => Bytes | undefined;
}

/** The key of a 32-byte seed. Throws RangeError on a seed of another length. */
export function xWingKey(seed: Bytes): XWingKey {
  if (seed.length !== X_WING_SEED_BYTES) throw new RangeError(`a seed has ${seed.length} bytes`);
  const expanded = createHash("shake256", { outputLength: KEM_SEED_BYTES + CURVE_BYTES })
    .update(seed)
    .digest();
  const kem = createPrivateKey({
    key: expanded.subarray(0, KEM_SEED_BYTES),
    format: "raw-seed",
    asymmetricKeyType: "ml-kem-768",
  });
  const curve = curvePrivate(expanded.subarray(KEM_SEED_BYTES));
  const curvePublicKey = rawPublic(curve);
  return {
    publicKey: concatBytes(rawPublic(kem), curvePublicKey),
    decapsulate: (ciphertext) => {
      if (ciphertext.length !== X_WING_CIPHERTEXT_BYTES) return undefined;
      const ephemeral = ciphertext.subarray(KEM_CIPHERTEXT_BYTES);
      const shared = agree(curve, ephemeral);
      if (shared === undefined) return undefined;
      const kemSecret = decapsulate(kem, Buffer.from(ciphertext.subarray(0, KEM_CIPHERTEXT_BYTES)));
      return combine(kemSecret, shared, ephemeral, curvePublicKey);
    },
  };
}

/**
 * A fresh secret (32 bytes) and the ciphertext that carries it to the holder of `publicKey`; `ephemeral` are 32 random bytes,
 * ML-KEM's own randomness is OpenSSL's. Undefined for bytes that are no public key.
 */
export function xWingEncapsulate(
  publicKey: Bytes,
  ephemeral: Bytes,
): { readonly secret: Bytes; readonly ciphertext: Bytes } | undefined {
  if (publicKey.length !== X_WING_PUBLIC_BYTES) return undefined;
  const receiver = publicKey.subarray(KEM_PUBLIC_BYTES);
  const own = curvePrivate(ephemeral);
  const shared = agree(own, receiver);
  const kem = encapsulateFor(publicKey.subarray(0, KEM_PUBLIC_BYTES));
  if (shared === undefined || kem === undefined) return undefined;
  const ephemeralPublic = rawPublic(own);
  return {
    secret: combine(kem.sharedKey, shared, ephemeralPublic, receiver),
    ciphertext: concatBytes(kem.ciphertext, ephemeralPublic),
  };
}

function combine(kemSecret: Bytes, curveSecret: Bytes, ephemeral: Bytes, receiver: Bytes): Bytes {
  const parts = concatBytes(kemSecret, curveSecret, ephemeral, receiver, LABEL);
  return Uint8Array.from(createHash("sha3-256").update(parts).digest());
}

function curvePrivate(bytes: Bytes): KeyObject {
  return createPrivateKey({
    key: Buffer.from(bytes),
    format: "raw-private",
    asymmetricKeyType: "x25519",
  });
}

function rawPublic(privateKey: KeyObject): Bytes {
  return Uint8Array.from(createPublicKey(privateKey).export({ format: "raw-public" }));
}

/** Undefined for a point of small order, with which every agreement is zero. */
function agree(privateKey: KeyObject, other: Bytes): Bytes | undefined {
  try {
    const publicKey = createPublicKey({
      key: Buffer.from(other),
      format: "raw-public",
      asymmetricKeyType: "x25519",
    });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    return undefined; // the answer for bytes that are no point to agree with
  }
}

function encapsulateFor(publicKey: Bytes) {
  try {
    return encapsulate(
      createPublicKey({
        key: Buffer.from(publicKey),
        format: "raw-public",
        asymmetricKeyType: "ml-kem-768",
      }),
    );
  } catch {
    return undefined; // the answer for bytes that are no key: a coefficient is out of range
  }
}
