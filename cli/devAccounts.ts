/** Accounts of a development chain, from a BIP-39 mnemonic. */
import { createHmac, pbkdf2Sync } from "node:crypto";
import { HDKey } from "@scure/bip32";
import { validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { MlDsaKey } from "../src/crypto/mlDsaKey.ts";
import { derivePqSeed, pqAddress } from "../src/crypto/pqAccounts.ts";
import { mlDsaPublicKey } from "../src/crypto/pqKeys.ts";
import { addressOf } from "../src/crypto/secp256k1.ts";
import type { DevPqAccount } from "../src/node/devSigner.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import type { Address } from "../src/primitives/hex.ts";
import { UsageError } from "./exit.ts";
import { TEST_MNEMONIC } from "./options.ts";

/** An account with its key. */
export interface DevAccount {
  readonly address: Address;
  /** 32 bytes */
  readonly privateKey: Bytes;
}

/** Algorithm of the accounts that need no secp256k1 key. */
const PQ_ALGORITHM = "ML-DSA-44";
const SEED_ROUNDS = 2048;
const SEED_BYTES = 64;

/** Throws UsageError unless the words are a BIP-39 mnemonic with a right checksum. */
export function demandMnemonic(mnemonic: string): void {
  if (validateMnemonic(mnemonic, wordlist)) return;
  throw new UsageError(
    "--mnemonic: not a BIP-39 mnemonic (12 to 24 English words with a checksum)",
  );
}

/** BIP-39 seed of a mnemonic; OpenSSL's PBKDF2 takes 2 ms where JavaScript's takes 40. */
export function seedOf(mnemonic: string): Bytes {
  const words = mnemonic.normalize("NFKD");
  return pbkdf2Sync(words, "mnemonic", SEED_ROUNDS, SEED_BYTES, "sha512");
}

/** The first `count` accounts below `path`, which ends in a slash. Throws UsageError. */
export function deriveAccounts(seed: Bytes, path: string, count: number): DevAccount[] {
  if (!/^m(\/\d+'?)*\/$/.test(path)) {
    throw new UsageError(`--derivation-path: expected a path as m/44'/60'/0'/0/, got "${path}"`);
  }
  const parent = HDKey.fromMasterSeed(seed).derive(path.slice(0, -1));
  return Array.from({ length: count }, (_, index) => {
    const { privateKey } = parent.deriveChild(index);
    if (privateKey === null) throw new UsageError(`--derivation-path: no key at ${path}${index}`);
    return { address: addressOf(privateKey), privateKey };
  });
}

/** The first `count` ML-DSA-44 accounts of a BIP-39 seed. */
export function derivePqAccounts(seed: Bytes, count: number): DevPqAccount[] {
  return Array.from({ length: count }, (_, index) => {
    const own = derivePqSeed(PQ_ALGORITHM, seed, index);
    const address = pqAddress(PQ_ALGORITHM, mlDsaPublicKey(PQ_ALGORITHM, own));
    return { address, algorithm: PQ_ALGORITHM, seed: own };
  });
}

/** Keys of the validators in genesis/devnet.json, which are public: everybody has the mnemonic. */
export function devValidatorKeys(): readonly MlDsaKey[] {
  return [new MlDsaKey(validatorSeed(seedOf(TEST_MNEMONIC), 0))];
}

/** Seed of the ML-DSA-44 validator key number `index`: HMAC-SHA256 of a label under the BIP-39 seed. */
export function validatorSeed(seed: Bytes, index: number): Bytes {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, index);
  return createHmac("sha256", seed).update("QNet.validator.v1").update(number).digest();
}
