/**
 * Post-quantum keys of accounts: from a 32-byte seed, which is all that is ever stored, to public key, address and
 * signatures. OpenSSL signs, hedged; JavaScript only expands an SLH-DSA seed, once per opened key.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { type Address, bytesToAddress } from "../primitives/hex.ts";
import { keccak256 } from "./keccak.ts";
import { type PqAlgorithmName, pqAlgorithm } from "./pqAlgorithms.ts";
import { KEY_TYPES } from "./pqBackends.ts";
import type { MlDsaName } from "./pqKeys.ts";

/** Algorithms of which an account may have a key. */
export const PQ_ACCOUNT_ALGORITHMS = [
  "ML-DSA-44",
  "ML-DSA-65",
  "ML-DSA-87",
  "SLH-DSA-SHA2-128s",
] as const;

export type PqAccountAlgorithm = (typeof PQ_ACCOUNT_ALGORITHMS)[number];

/** Bytes of a stored seed, of every algorithm. */
export const PQ_SEED_BYTES = 32;

/** What a wallet signs with; each context is a domain of its own. A user's key never signs with the empty one. */
export const PQ_CONTEXTS = {
  transaction: "QNet/tx/1",
  /** EIP-191 and EIP-712 digests */
  message: "QNet/msg/1",
} as const;

/** A key that is ready to sign. */
export interface PqKey {
  readonly algorithm: PqAccountAlgorithm;
  readonly publicKey: Bytes;
  readonly address: Address;
  /** Hedged signature, another one at every call; ML-DSA takes 0.5 ms, SLH-DSA 0.3 s, off the main thread. */
  sign(message: Bytes, context: Bytes): Promise<Bytes>;
}

/** ML-DSA-44's is that of ox, so that wallets of the viem family find the same key. */
const DERIVATION_LABELS: Readonly<Record<PqAccountAlgorithm, string>> = {
  "ML-DSA-44": "ox.mldsa44.fromSeed.v1",
  "ML-DSA-65": "QNet.mldsa65.fromSeed.v1",
  "ML-DSA-87": "QNet.mldsa87.fromSeed.v1",
  "SLH-DSA-SHA2-128s": "QNet.slhdsasha2128s.fromSeed.v1",
};

/** Label under which a stored seed becomes FIPS 205's SK.seed ‖ SK.prf ‖ PK.seed. */
const SLH_EXPANSION = "QNet.slhdsasha2128s.expand.v1";
const SLH_SEED_BYTES = 48;

/** Seed of account number `index`: HMAC-SHA256 of label ‖ be32(index) under the 64-byte seed of a BIP-39 mnemonic. */
export function derivePqSeed(
  algorithm: PqAccountAlgorithm,
  bip39Seed: Bytes,
  index: number,
): Bytes {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, index);
  const label = DERIVATION_LABELS[algorithm];
  return createHmac("sha256", bip39Seed).update(label).update(number).digest();
}

/** Address of a key: the last 20 bytes of keccak256(algorithm's id ‖ public key). Source: EIP-7932. */
export function pqAddress(algorithm: PqAlgorithmName, publicKey: Bytes): Address {
  // no key here has 63 bytes, where EIP-7932 wants a gap lest the two look like a secp256k1 key
  const id = Uint8Array.of(pqAlgorithm(algorithm).id);
  return bytesToAddress(keccak256(concatBytes(id, publicKey)).subarray(12));
}

/** The key of a 32-byte seed. Throws RangeError on a seed of another length. */
export async function openPqKey(algorithm: PqAccountAlgorithm, seed: Bytes): Promise<PqKey> {
  if (seed.length !== PQ_SEED_BYTES) throw new RangeError(`a seed has ${seed.length} bytes`);
  const privateKey =
    algorithm === "SLH-DSA-SHA2-128s" ? await slhDsaKey(seed) : mlDsaKey(algorithm, seed);
  const publicKey = Uint8Array.from(createPublicKey(privateKey).export({ format: "raw-public" }));
  return {
    algorithm,
    publicKey,
    address: pqAddress(algorithm, publicKey),
    sign: (message, context) => signInBackground(privateKey, message, context),
  };
}

function mlDsaKey(algorithm: MlDsaName, seed: Bytes): KeyObject {
  return createPrivateKey({
    key: Buffer.from(seed),
    format: "raw-seed",
    asymmetricKeyType: KEY_TYPES[algorithm],
  });
}

/** OpenSSL takes no seed of SLH-DSA, only the expanded key with the root of its tree, which noble computes (0.2 s). */
async function slhDsaKey(seed: Bytes): Promise<KeyObject> {
  const { slh_dsa_sha2_128s: scheme } = await import("@noble/post-quantum/slh-dsa.js");
  const expanded = hkdfSync("sha256", seed, new Uint8Array(0), SLH_EXPANSION, SLH_SEED_BYTES);
  return createPrivateKey({
    key: Buffer.from(scheme.keygen(new Uint8Array(expanded)).secretKey),
    format: "raw-private",
    asymmetricKeyType: KEY_TYPES["SLH-DSA-SHA2-128s"],
  });
}

function signInBackground(key: KeyObject, message: Bytes, context: Bytes): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    sign(null, message, { key, context }, (error, signature) =>
      error === null ? resolve(Uint8Array.from(signature)) : reject(error),
    );
  });
}
