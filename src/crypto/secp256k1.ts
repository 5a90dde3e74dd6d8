/**
 * ECDSA on secp256k1: public key recovery, signing, addresses. The native library (60-100 us for a recovery) runs after
 * a known-answer test at load, else WebAssembly (0.3 ms), else noble (1.3 ms). Bad input is answered with undefined where peers or users send it.
 */
import { type Bytes, bytesToBigInt, compareBytes } from "../primitives/bytes.ts";
import { type Address, bytesToAddress, hexToBytes } from "../primitives/hex.ts";
import { keccak256 } from "./keccak.ts";
import { type EcdsaBackend, loadFastestBackend } from "./secp256k1Backends.ts";

/** Order of the curve's group. */
export const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
/** Largest `s` from Homestead on. Source: EIP-2. */
export const SECP256K1_HALF_ORDER = SECP256K1_ORDER / 2n;

/** An ECDSA signature with what recovery needs. */
export interface EcdsaSignature {
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: 0 | 1;
}

const WORD_BYTES = 32;

const backend: EcdsaBackend = await loadFastestBackend();

/** The implementation of ECDSA in use. */
export const secp256k1Backend: EcdsaBackend["name"] = backend.name;

/**
 * Uncompressed public key (64 bytes, without the 0x04 prefix) that made the signature over the 32-byte `digest`, or
 * undefined if there is none. High `s` is accepted: whether it counts is the caller's rule.
 */
export function recoverPublicKey(
  digest: Bytes,
  r: bigint,
  s: bigint,
  yParity: 0 | 1,
): Bytes | undefined {
  if (digest.length !== WORD_BYTES || !isScalar(r) || !isScalar(s)) return undefined;
  const compact = Buffer.from(hexWord(r) + hexWord(s), "hex");
  return backend.recover(digest, { compact, recovery: yParity });
}

const HALF_ORDER_BYTES = hexToBytes(`0x${hexWord(SECP256K1_HALF_ORDER)}`);

/**
 * The same for a compact signature (r ‖ s, 64 bytes) as it stands in a transaction. Undefined also for a high `s`: whoever
 * accepts one asks `recoverPublicKey`.
 */
export function recoverCompact(digest: Bytes, compact: Bytes, yParity: 0 | 1): Bytes | undefined {
  if (compareBytes(compact.subarray(WORD_BYTES), HALF_ORDER_BYTES) > 0) return undefined;
  return backend.recover(digest, { compact, recovery: yParity });
}

/** Address of the account that made the signature over the 32-byte `digest`, or undefined if there is none. */
export function recoverAddress(
  digest: Bytes,
  r: bigint,
  s: bigint,
  yParity: 0 | 1,
): Address | undefined {
  const publicKey = recoverPublicKey(digest, r, s, yParity);
  return publicKey === undefined ? undefined : publicKeyToAddress(publicKey);
}

/** Deterministic signature (RFC 6979, low s) over a 32-byte digest. Throws RangeError on a key or digest that is none. */
export function signDigest(digest: Bytes, privateKey: Bytes): EcdsaSignature {
  requirePrivateKey(privateKey);
  if (digest.length !== WORD_BYTES) throw new RangeError(`a digest has ${digest.length} bytes`);
  const { compact, recovery } = backend.sign(digest, privateKey);
  return {
    r: bytesToBigInt(compact.subarray(0, WORD_BYTES)),
    s: bytesToBigInt(compact.subarray(WORD_BYTES)),
    yParity: recovery === 0 ? 0 : 1,
  };
}

/** Uncompressed public key (64 bytes) of a 32-byte private key. Throws RangeError on a key that is none. */
export function publicKeyOf(privateKey: Bytes): Bytes {
  requirePrivateKey(privateKey);
  return backend.publicKey(privateKey);
}

/** Address of a 32-byte private key. Throws RangeError on a key that is none. */
export function addressOf(privateKey: Bytes): Address {
  return publicKeyToAddress(publicKeyOf(privateKey));
}

/** Last 20 bytes of the keccak-256 of a 64-byte public key. */
export function publicKeyToAddress(publicKey: Bytes): Address {
  return bytesToAddress(keccak256(publicKey).subarray(12));
}

/** Whether `privateKey` is 32 bytes with a value from 1 to the group's order less 1. */
export function isPrivateKey(privateKey: Bytes): boolean {
  return privateKey.length === WORD_BYTES && isScalar(bytesToBigInt(privateKey));
}

/**
 * Recovery in the shape of `customCrypto.ecrecover` of @ethereumjs/common: `v` is 27 or 28, or 0 or 1, or, with a chain
 * id, EIP-155's. Returns the 64-byte public key and throws RangeError if there is none, as that interface demands.
 */
// biome-ignore lint/complexity/useMaxParams: the shape is that of @ethereumjs/common
export function ecrecoverForEvm(
  digest: Bytes,
  v: bigint,
  r: Bytes,
  s: Bytes,
  chainId?: bigint,
): Bytes {
  const yParity = parityOf(v, chainId);
  const publicKey =
    yParity === undefined
      ? undefined
      : recoverPublicKey(digest, bytesToBigInt(r), bytesToBigInt(s), yParity);
  if (publicKey === undefined) throw new RangeError("no public key makes this signature");
  return publicKey;
}

function parityOf(v: bigint, chainId: bigint | undefined): 0 | 1 | undefined {
  if (v === 0n || v === 1n) return v === 0n ? 0 : 1;
  const base = chainId === undefined ? 27n : chainId * 2n + 35n;
  if (v === base) return 0;
  return v === base + 1n ? 1 : undefined;
}

function isScalar(value: bigint): boolean {
  return value > 0n && value < SECP256K1_ORDER;
}

function hexWord(value: bigint): string {
  return value.toString(16).padStart(2 * WORD_BYTES, "0");
}

function requirePrivateKey(privateKey: Bytes): void {
  if (!isPrivateKey(privateKey)) throw new RangeError("not a private key of secp256k1");
}
