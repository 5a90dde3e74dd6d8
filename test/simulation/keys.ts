/** Consensus keys of a simulation: stubs that nobody can forge by mistake, or real ML-DSA-44. */
import {
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import { keccak256, keccakHash } from "../../src/crypto/keccak.ts";
import { type Bytes, concatBytes, equalBytes } from "../../src/primitives/bytes.ts";
import type { Hash } from "../../src/primitives/hex.ts";

export interface SimKey {
  /** What `keyHash` is the hash of; a stub's is its secret. */
  readonly publicKey: Bytes;
  readonly keyHash: Hash;
  sign(message: Bytes): Bytes;
  verify(message: Bytes, signature: Bytes): boolean;
}

const SIGNATURE_BYTES = 2420;

/** A key whose signatures are 32 bytes of keccak, padded: a run costs no lattice arithmetic. */
export function stubKey(run: number, index: number): SimKey {
  const secret = keccak256(new TextEncoder().encode(`secret ${run} ${index}`));
  const digest = (message: Bytes) => keccak256(concatBytes(secret, message));
  return {
    publicKey: secret,
    keyHash: keccakHash(secret),
    sign: (message) => {
      const signature = new Uint8Array(SIGNATURE_BYTES);
      signature.set(digest(message));
      return signature;
    },
    verify: (message, signature) =>
      signature.length === SIGNATURE_BYTES &&
      equalBytes(signature.subarray(0, 32), digest(message)),
  };
}

/** A real key. Its signatures are hedged: the only randomness of a run that no seed governs. */
export function mlDsaKey(): SimKey {
  const { publicKey, privateKey } = generateKeyPairSync("ml-dsa-44" as never) as unknown as {
    publicKey: KeyObject;
    privateKey: KeyObject;
  };
  const raw = Uint8Array.from(publicKey.export({ format: "der", type: "spki" }).subarray(-1312));
  return {
    publicKey: raw,
    keyHash: keccakHash(raw),
    sign: (message) => Uint8Array.from(nodeSign(null, message, privateKey)),
    verify: (message, signature) => nodeVerify(null, message, publicKey, signature),
  };
}
