/** Keys as files keep them, whatever their type: the one place that knows which format belongs to which. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Address } from "../primitives/hex.ts";
import { decryptKeystore, encryptKeystore, keystoreAddress, LIGHT_SCRYPT } from "./keystore.ts";
import { parseFile } from "./keystoreJson.ts";
import { openPqKey, PQ_ACCOUNT_ALGORITHMS, type PqAccountAlgorithm } from "./pqAccounts.ts";
import { addressOf } from "./secp256k1.ts";
import {
  decryptSeed,
  encryptSeed,
  LIGHT_ARGON2,
  parseSeedKeystore,
  SEED_KEYSTORE_VERSION,
} from "./seedKeystore.ts";

/** Types of keys, as `--type` spells them in lower case. */
export const KEY_TYPE_NAMES = ["secp256k1", ...PQ_ACCOUNT_ALGORITHMS] as const;

export type KeyTypeName = "secp256k1" | PqAccountAlgorithm;

/** An opened key: the private key of secp256k1, or a seed; 32 bytes either way. */
export interface StoredKey {
  readonly type: KeyTypeName;
  readonly secret: Bytes;
}

/** What a file says without a password. */
export interface KeyDescription {
  readonly type: KeyTypeName;
  readonly address: Address;
}

/** Fresh randomness for one file, of either format. */
export interface StoredKeyRandomness {
  /** 32 bytes */
  readonly salt: Bytes;
  /** 16 bytes, of which a seed's file takes 12 */
  readonly iv: Bytes;
  /** UUID, version 4 */
  readonly id: string;
}

/** Address of a key. Throws RangeError on a secret that is none. */
export async function addressOfKey({ type, secret }: StoredKey): Promise<Address> {
  return type === "secp256k1" ? addressOf(secret) : (await openPqKey(type, secret)).address;
}

/** What guessing a password shall cost: the half second of a strong machine, or what a small one can afford. */
export type KeyStrength = "standard" | "light";

/** Encrypts a key under a password: Web3 Secret Storage for secp256k1, seedKeystore.ts' format for the others. */
export async function encryptKey(
  { type, secret }: StoredKey,
  password: string,
  randomness: StoredKeyRandomness,
  strength: KeyStrength = "standard",
): Promise<Bytes> {
  const light = strength === "light";
  if (type === "secp256k1")
    return encryptKeystore(secret, password, randomness, light ? LIGHT_SCRYPT : undefined);
  const { publicKey } = await openPqKey(type, secret);
  const iv = randomness.iv.subarray(0, 12);
  const header = { algorithm: type, publicKey, seed: secret };
  return encryptSeed(header, password, { ...randomness, iv }, light ? LIGHT_ARGON2 : undefined);
}

/** Opens a file of either format. Throws KeystoreError. */
export async function decryptKey(file: Bytes, password: string): Promise<StoredKey> {
  if (parseFile(file)["version"] !== SEED_KEYSTORE_VERSION) {
    return { type: "secp256k1", secret: await decryptKeystore(file, password) };
  }
  const parsed = parseSeedKeystore(file);
  return { type: parsed.algorithm, secret: await decryptSeed(parsed, password) };
}

/** Type and address of a file, unproved until it is decrypted; undefined if it names no address. Throws KeystoreError. */
export function describeKey(file: Bytes): KeyDescription | undefined {
  if (parseFile(file)["version"] === SEED_KEYSTORE_VERSION) {
    const { algorithm, address } = parseSeedKeystore(file);
    return { type: algorithm, address };
  }
  const address = keystoreAddress(file);
  return address === undefined ? undefined : { type: "secp256k1", address };
}
