/** Keys from randomness, or from what a user has: hex digits, a keystore, the words of a mnemonic. */
import { randomBytes } from "node:crypto";
import { validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { derivePqSeed } from "../src/crypto/pqAccounts.ts";
import { isPrivateKey } from "../src/crypto/secp256k1.ts";
import { decryptKey, type KeyTypeName, type StoredKey } from "../src/crypto/storedKey.ts";
import { hexToBytes } from "../src/primitives/hex.ts";
import { deriveAccounts, seedOf } from "./devAccounts.ts";
import { CommandError } from "./exit.ts";

const SECRET_BYTES = 32;

/** A fresh key. */
export function randomKey(type: KeyTypeName): StoredKey {
  let secret = randomBytes(SECRET_BYTES);
  while (type === "secp256k1" && !isPrivateKey(secret)) secret = randomBytes(SECRET_BYTES);
  return { type, secret };
}

/** How to read a file that does not say by itself what it holds. */
export interface ImportOptions {
  readonly type: KeyTypeName;
  /** Number of the account below a mnemonic */
  readonly index: number;
  /** Of secp256k1 keys below a mnemonic, ending in a slash */
  readonly derivationPath: string;
  /** Asked for when the file is a keystore */
  readonly password: () => Promise<string>;
}

/** The key in a file's text. Throws CommandError, and KeystoreError for a keystore that cannot be opened. */
export async function importedKey(content: string, options: ImportOptions): Promise<StoredKey> {
  const text = content.trim();
  if (text.startsWith("{")) {
    return decryptKey(Buffer.from(text, "utf8"), await options.password());
  }
  const words = text.toLowerCase().split(/\s+/).join(" ");
  if (validateMnemonic(words, wordlist)) return derivedKey(words, options);
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  if (/^[0-9a-fA-F]{64}$/.test(digits)) {
    const secret = hexToBytes(`0x${digits}`);
    if (options.type !== "secp256k1" || isPrivateKey(secret)) return { type: options.type, secret };
  }
  const problem =
    "the file holds neither 64 hex digits of a key or seed, nor a keystore, nor a BIP-39 mnemonic";
  throw new CommandError({ code: "FAILED", problem });
}

function derivedKey(words: string, { type, index, derivationPath }: ImportOptions): StoredKey {
  const seed = seedOf(words);
  if (type !== "secp256k1") return { type, secret: derivePqSeed(type, seed, index) };
  const account = deriveAccounts(seed, derivationPath, index + 1).at(-1);
  if (account === undefined) throw new RangeError(`no account ${index}`);
  return { type, secret: account.privateKey };
}
