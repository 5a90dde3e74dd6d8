/**
 * Seeds of ML-DSA accounts from a BIP-39 mnemonic: HMAC-SHA256 under the 64-byte BIP-39 seed, of a label and the account's index. For
 * ML-DSA-44 and index 0 it is ox's `MlDsa44.fromMnemonic`, so that wallets built on ox find the same account.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { mnemonicToSeedSync, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { algorithmRow, type MlDsaAlgorithm } from "./algorithms.ts";

const MAX_INDEX = 2 ** 32 - 1;
const BIP39_SEED_BYTES = 64;

export interface DerivationOptions {
  /** Default: ML-DSA-44 */
  readonly algorithm?: MlDsaAlgorithm | undefined;
  /** Number of the account, from 0. */
  readonly index?: number | undefined;
  /** BIP-39 passphrase ("25th word"). */
  readonly passphrase?: string | undefined;
}

/** The 32-byte seed of an account of a BIP-39 mnemonic. Throws RangeError for words without a right checksum. */
export function seedFromMnemonic(mnemonic: string, options: DerivationOptions = {}): Uint8Array {
  const words = mnemonic.normalize("NFKD").trim().split(/\s+/).join(" ");
  // the words themselves are secret: say nothing of them
  if (!validateMnemonic(words, wordlist))
    throw new RangeError("expected a BIP-39 mnemonic: 12 to 24 English words with a checksum");
  return seedFromBip39Seed(mnemonicToSeedSync(words, options.passphrase), options);
}

/** The 32-byte seed of an account, from the 64-byte BIP-39 seed. Throws RangeError. */
export function seedFromBip39Seed(
  bip39Seed: Uint8Array,
  { algorithm = "ML-DSA-44", index = 0 }: Omit<DerivationOptions, "passphrase"> = {},
): Uint8Array {
  if (bip39Seed.length !== BIP39_SEED_BYTES)
    throw new RangeError(`expected a BIP-39 seed of 64 bytes, got ${bip39Seed.length}`);
  if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX)
    throw new RangeError(`expected an account index from 0 to ${MAX_INDEX}, got ${index}`);
  const label = new TextEncoder().encode(algorithmRow(algorithm).seedLabel);
  const message = new Uint8Array(label.length + 4);
  message.set(label);
  new DataView(message.buffer).setUint32(label.length, index);
  return hmac(sha256, bip39Seed, message);
}
