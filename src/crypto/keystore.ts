/**
 * Encrypted secp256k1 keys in the Web3 Secret Storage format, version 3: bytes in, bytes out. Reading and writing files,
 * and random salts, are the caller's. Source: ethereum.org, "Web3 Secret Storage Definition".
 */
import { createCipheriv, createDecipheriv, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { type Address, bytesToAddress } from "../primitives/hex.ts";
import { keccak256 } from "./keccak.ts";
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
import { addressOf, isPrivateKey } from "./secp256k1.ts";

/** Fresh randomness for one keystore; never use it twice. */
export interface KeystoreRandomness {
  /** 32 bytes */
  readonly salt: Bytes;
  /** 16 bytes */
  readonly iv: Bytes;
  /** UUID, version 4 */
  readonly id: string;
}

/** Cost of the key derivation. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** geth's "standard": 256 MiB, 0.6 s. */
const STANDARD_COST: ScryptCost = { n: 262_144, r: 8, p: 1 };
/** geth's "light" (`--lightkdf`): 4 MiB. */
export const LIGHT_SCRYPT: ScryptCost = { n: 4_096, r: 8, p: 6 };
/** Bounds on what a foreign file may demand. */
const MAX_SCRYPT_BYTES = 1_073_741_824;
const MAX_SCRYPT_PARALLEL = 64;
const MAX_PBKDF2_ROUNDS = 10_000_000;
const DERIVED_BYTES = 32;

/** Encrypts a private key (32 bytes) under a password; returns the JSON file. */
export async function encryptKeystore(
  privateKey: Bytes,
  password: string,
  randomness: KeystoreRandomness,
  cost: ScryptCost = STANDARD_COST,
): Promise<Bytes> {
  const { salt, iv, id } = randomness;
  const derived = await deriveByScrypt(password, salt, cost);
  const cipher = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const ciphertext = concatBytes(cipher.update(privateKey), cipher.final());
  const file = {
    address: addressOf(privateKey).slice(2),
    crypto: {
      cipher: "aes-128-ctr",
      ciphertext: digits(ciphertext),
      cipherparams: { iv: digits(iv) },
      kdf: "scrypt",
      kdfparams: { dklen: DERIVED_BYTES, ...cost, salt: digits(salt) },
      mac: digits(keccak256(concatBytes(derived.subarray(16, 32), ciphertext))),
    },
    id,
    version: 3,
  };
  return Buffer.from(`${JSON.stringify(file)}\n`, "utf8");
}

/** Private key (32 bytes) of a keystore file. Throws KeystoreError. */
export async function decryptKeystore(file: Bytes, password: string): Promise<Bytes> {
  const crypto = readObject(parseVersion3(file), ["crypto", "Crypto"]);
  const cipherName = readText(crypto, "cipher");
  if (cipherName !== "aes-128-ctr") refuse(`cipher ${cipherName} is not supported`);
  const ciphertext = readHex(crypto, "ciphertext", 32);
  const iv = readHex(readObject(crypto, ["cipherparams"]), "iv", 16);
  const derived = await derive(crypto, password);
  const mac = keccak256(concatBytes(derived.subarray(16, 32), ciphertext));
  if (!timingSafeEqual(mac, readHex(crypto, "mac", 32))) {
    throw new KeystoreError({ code: "WRONG_PASSWORD" }, { message: "wrong password" });
  }
  const cipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const privateKey = concatBytes(cipher.update(ciphertext), cipher.final());
  if (!isPrivateKey(privateKey)) refuse("holds no secp256k1 key");
  return privateKey;
}

/** Address that a keystore file names, unproved until it is decrypted; undefined if it names none. Throws KeystoreError. */
export function keystoreAddress(file: Bytes): Address | undefined {
  const json = parseVersion3(file);
  return typeof json["address"] === "string" && json["address"] !== ""
    ? bytesToAddress(readHex(json, "address", 20))
    : undefined;
}

function parseVersion3(file: Bytes): Json {
  const json = parseFile(file);
  if (json["version"] !== 3) refuse(`version ${String(json["version"])} is not supported, only 3`);
  return json;
}

function derive(crypto: Json, password: string): Promise<Bytes> {
  const parameters = readObject(crypto, ["kdfparams"]);
  const saltText = readText(parameters, "salt");
  const salt = readHex(parameters, "salt", Math.floor(saltText.replace(/^0x/, "").length / 2));
  if (parameters["dklen"] !== DERIVED_BYTES) refuse(`"dklen" is not ${DERIVED_BYTES}`);
  const kdf = readText(crypto, "kdf");
  if (kdf === "scrypt") {
    const n = readCount(parameters, "n", 2 ** 22);
    const r = readCount(parameters, "r", 64);
    const p = readCount(parameters, "p", MAX_SCRYPT_PARALLEL);
    if ((n & (n - 1)) !== 0) refuse('"n" is not a power of two');
    if (128 * n * r > MAX_SCRYPT_BYTES) refuse("scrypt would need more than 1 GiB of memory");
    return deriveByScrypt(password, salt, { n, r, p });
  }
  if (kdf !== "pbkdf2") refuse(`key derivation ${kdf} is not supported`);
  if (readText(parameters, "prf") !== "hmac-sha256") refuse("only hmac-sha256 is supported");
  return deriveByPbkdf2(password, salt, readCount(parameters, "c", MAX_PBKDF2_ROUNDS));
}

function deriveByScrypt(password: string, salt: Bytes, cost: ScryptCost): Promise<Bytes> {
  const { n: N, r, p } = cost;
  const maxmem = 128 * r * (N + p + 2);
  return new Promise((resolve, reject) => {
    scrypt(password, salt, DERIVED_BYTES, { N, r, p, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function deriveByPbkdf2(password: string, salt: Bytes, rounds: number): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, rounds, DERIVED_BYTES, "sha256", (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
