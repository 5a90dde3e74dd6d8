/**
 * Encrypted seeds of post-quantum keys: JSON in the shape of EIP-2335 (version 4) with a `keytype`. The seed is sealed by
 * AES-256-GCM, under a key that argon2id makes of a password or that a hardware token keeps; type and public key are
 * sealed with it, so that neither can be swapped. Bytes in, bytes out: files, salts and tokens are the caller's.
 */
import { argon2, createCipheriv, createDecipheriv } from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { type Address, bytesToAddress } from "../primitives/hex.ts";
import {
  digits,
  type Json,
  KeystoreError,
  parseFile,
  readCount,
  readHex,
  readObject,
  readText,
  refuse,
} from "./keystoreJson.ts";
import {
  PQ_ACCOUNT_ALGORITHMS,
  PQ_SEED_BYTES,
  type PqAccountAlgorithm,
  pqAddress,
} from "./pqAccounts.ts";
import { pqAlgorithm } from "./pqAlgorithms.ts";

export const SEED_KEYSTORE_VERSION = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 32;
const KEY_BYTES = 32;

/** What a file says openly about its key. */
export interface SeedHeader {
  readonly algorithm: PqAccountAlgorithm;
  readonly publicKey: Bytes;
}

/** A seed as AES-256-GCM leaves it. */
export interface SealedSeed {
  /** 12 bytes */
  readonly iv: Bytes;
  /** 32 bytes of ciphertext and 16 of tag */
  readonly sealed: Bytes;
}

/** Where the key of the seal comes from. */
export type SeedLock =
  | { readonly kind: "argon2id"; readonly cost: Argon2Cost; readonly salt: Bytes }
  | {
      readonly kind: "pkcs11";
      /** Labels of the token and of the key in it */
      readonly token: string;
      readonly key: string;
    };

/** Cost of argon2id. Source: RFC 9106, section 3.1. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** A file taken apart. */
export interface SeedKeystore extends SeedHeader, SealedSeed {
  readonly address: Address;
  readonly lock: SeedLock;
}

/** Fresh randomness for one file; never use it twice. */
export interface SeedRandomness {
  /** 32 bytes */
  readonly salt: Bytes;
  /** 12 bytes */
  readonly iv: Bytes;
  /** UUID, version 4 */
  readonly id: string;
}

/** As much memory as geth's scrypt: 256 MiB, 0.5 s. */
const STANDARD_COST: Argon2Cost = { memoryKib: 262_144, passes: 3, lanes: 4 };
/** For small machines, as geth's `--lightkdf`: 19 MiB. */
export const LIGHT_ARGON2: Argon2Cost = { memoryKib: 19_456, passes: 2, lanes: 1 };
/** Bounds on what a foreign file may demand. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_PASSES = 64;
const MAX_LANES = 64;

/** Encrypts a 32-byte seed under a password; returns the JSON file. */
export async function encryptSeed(
  header: SeedHeader & { readonly seed: Bytes },
  password: string,
  { salt, iv, id }: SeedRandomness,
  cost: Argon2Cost = STANDARD_COST,
): Promise<Bytes> {
  const cipher = createCipheriv("aes-256-gcm", await derive(password, salt, cost), iv);
  cipher.setAAD(seedAad(header));
  const ciphertext = concatBytes(cipher.update(header.seed), cipher.final());
  const sealed = concatBytes(ciphertext, cipher.getAuthTag());
  return encodeSeedKeystore(header, { iv, sealed }, { kind: "argon2id", cost, salt }, id);
}

/** Seed (32 bytes) of a parsed file that a password locks. Throws KeystoreError. */
export async function decryptSeed(file: SeedKeystore, password: string): Promise<Bytes> {
  const { lock, iv, sealed } = file;
  if (lock.kind !== "argon2id") refuse(`is sealed by the token "${lock.token}", not by a password`);
  const key = await derive(password, lock.salt, lock.cost);
  const cipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(seedAad(file));
  cipher.setAuthTag(sealed.subarray(PQ_SEED_BYTES));
  const seed = cipher.update(sealed.subarray(0, PQ_SEED_BYTES));
  try {
    cipher.final();
  } catch (cause) {
    throw new KeystoreError({ code: "WRONG_PASSWORD" }, { message: "wrong password", cause });
  }
  return Uint8Array.from(seed);
}

/** What AES-GCM authenticates beside the seed: the format's name, the type and the public key. */
export function seedAad({ algorithm, publicKey }: SeedHeader): Bytes {
  const label = `QNet.keystore.v${SEED_KEYSTORE_VERSION} ${algorithm.toLowerCase()} `;
  return concatBytes(new TextEncoder().encode(label), publicKey);
}

/** The JSON file of a sealed seed. */
export function encodeSeedKeystore(
  { algorithm, publicKey }: SeedHeader,
  { iv, sealed }: SealedSeed,
  lock: SeedLock,
  id: string,
): Bytes {
  const file = {
    address: pqAddress(algorithm, publicKey).slice(2),
    crypto: {
      kdf: formatLock(lock),
      checksum: {
        function: "aes-256-gcm",
        params: {},
        message: digits(sealed.subarray(PQ_SEED_BYTES)),
      },
      cipher: {
        function: "aes-256-gcm",
        params: { iv: digits(iv) },
        message: digits(sealed.subarray(0, PQ_SEED_BYTES)),
      },
    },
    keytype: algorithm.toLowerCase(),
    pubkey: digits(publicKey),
    uuid: id,
    version: SEED_KEYSTORE_VERSION,
  };
  return Buffer.from(`${JSON.stringify(file)}\n`, "utf8");
}

/** Takes a file apart; nothing of it is proved before it is decrypted. Throws KeystoreError. */
export function parseSeedKeystore(file: Bytes): SeedKeystore {
  const json = parseFile(file);
  const version = json["version"];
  if (version !== SEED_KEYSTORE_VERSION) refuse(`version ${String(version)} is not supported`);
  const keytype = readText(json, "keytype");
  const algorithm = PQ_ACCOUNT_ALGORITHMS.find((name) => name.toLowerCase() === keytype);
  if (algorithm === undefined) refuse(`keytype ${keytype} is not supported`);
  const publicKey = readHex(json, "pubkey", pqAlgorithm(algorithm).publicKeyBytes);
  const address = pqAddress(algorithm, publicKey);
  if (bytesToAddress(readHex(json, "address", 20)) !== address)
    refuse('"address" is not that of "pubkey"');
  const crypto = readObject(json, ["crypto"]);
  const cipher = readObject(crypto, ["cipher"]);
  const checksum = readObject(crypto, ["checksum"]);
  for (const part of [cipher, checksum]) {
    const name = readText(part, "function");
    if (name !== "aes-256-gcm") refuse(`cipher ${name} is not supported`);
  }
  const ciphertext = readHex(cipher, "message", PQ_SEED_BYTES);
  const tag = readHex(checksum, "message", TAG_BYTES);
  return {
    algorithm,
    publicKey,
    address,
    lock: readLock(readObject(crypto, ["kdf"])),
    iv: readHex(readObject(cipher, ["params"]), "iv", IV_BYTES),
    sealed: concatBytes(ciphertext, tag),
  };
}

function formatLock(lock: SeedLock): Json {
  if (lock.kind === "pkcs11") {
    return { function: "pkcs11", params: { token: lock.token, key: lock.key }, message: "" };
  }
  const { memoryKib: memory, passes, lanes: parallelism } = lock.cost;
  const params = { dklen: KEY_BYTES, memory, passes, parallelism, salt: digits(lock.salt) };
  return { function: "argon2id", params, message: "" };
}

function readLock(kdf: Json): SeedLock {
  const name = readText(kdf, "function");
  const params = readObject(kdf, ["params"]);
  if (name === "pkcs11") {
    return { kind: name, token: readText(params, "token"), key: readText(params, "key") };
  }
  if (name !== "argon2id") refuse(`key derivation ${name} is not supported`);
  if (params["dklen"] !== KEY_BYTES) refuse(`"dklen" is not ${KEY_BYTES}`);
  const lanes = readCount(params, "parallelism", MAX_LANES);
  const memoryKib = readCount(params, "memory", MAX_MEMORY_KIB);
  // RFC 9106: eight blocks of 1 KiB for each lane
  if (memoryKib < 8 * lanes) refuse(`"memory" is less than 8 KiB for each of ${lanes} lanes`);
  const cost = { memoryKib, passes: readCount(params, "passes", MAX_PASSES), lanes };
  return { kind: name, cost, salt: readHex(params, "salt", SALT_BYTES) };
}

function derive(password: string, salt: Bytes, cost: Argon2Cost): Promise<Bytes> {
  const parameters = {
    message: normalized(password),
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: KEY_BYTES,
    memory: cost.memoryKib,
    passes: cost.passes,
  };
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** The same bytes for one password on every keyboard. Source: EIP-2335, "Password requirements". */
function normalized(password: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what the EIP wants removed
  return password.normalize("NFKD").replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
}
