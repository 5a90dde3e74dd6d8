/** Keys of validators: one encrypted ML-DSA-44 seed per file, and the proofs that register them. */
import { readFile } from "node:fs/promises";
import { keccakHash } from "../src/crypto/keccak.ts";
import { MlDsaKey } from "../src/crypto/mlDsaKey.ts";
import { openPqKey, type PqKey } from "../src/crypto/pqAccounts.ts";
import { parseSeedKeystore } from "../src/crypto/seedKeystore.ts";
import type { StoredKey } from "../src/crypto/storedKey.ts";
import { type Bytes, EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { type Address, bytesToHex, type Hash } from "../src/primitives/hex.ts";
import {
  consensusMessage,
  keyProofBody,
  MESSAGE_KIND,
  type MessageDomain,
} from "../src/types/consensusMessage.ts";
import { validatorKeysFolder } from "./dataFolder.ts";
import { CommandError } from "./exit.ts";
import { unlockKey } from "./keyAccess.ts";
import { type KeyLock, listKeyFiles, writeKeyFile } from "./keyFiles.ts";
import { randomKey } from "./keySources.ts";

const KEY_TYPE = "ML-DSA-44";

/** A validator key on disk; its hash is what the staking contract and consensus know it by. */
export interface ValidatorKeyFile {
  readonly file: string;
  readonly keyHash: Hash;
}

/** Makes a key in the data directory. */
export async function createValidatorKey(
  datadir: string,
  lock: KeyLock,
): Promise<ValidatorKeyFile & { readonly key: PqKey }> {
  const stored = randomKey(KEY_TYPE);
  const { file } = await writeKeyFile(validatorKeysFolder(datadir), stored, lock);
  const key = await openPqKey(KEY_TYPE, stored.secret);
  return { file, keyHash: keccakHash(key.publicKey), key };
}

/** Keys of a data directory, oldest first. */
export async function listValidatorKeys(datadir: string): Promise<ValidatorKeyFile[]> {
  const files = await listKeyFiles(validatorKeysFolder(datadir));
  const keys: ValidatorKeyFile[] = [];
  for (const { file, type } of files) {
    if (type !== KEY_TYPE) continue;
    const { publicKey } = parseSeedKeystore(await readFile(file));
    keys.push({ file, keyHash: keccakHash(publicKey) });
  }
  return keys;
}

/** The newest key of a data directory. Throws CommandError when there is none. */
export async function newestValidatorKey(datadir: string): Promise<ValidatorKeyFile> {
  const newest = (await listValidatorKeys(datadir)).at(-1);
  if (newest !== undefined) return newest;
  const problem = `no validator key in ${datadir}: run qnet validator keygen`;
  throw new CommandError({ code: "FAILED", problem });
}

/** Opens a key file. Throws KeystoreError for a wrong password. */
export async function openValidatorKey(
  file: string,
  password: () => Promise<string>,
): Promise<PqKey> {
  return openPqKey(KEY_TYPE, await readSeed(file, password));
}

/** Opens all keys of a data directory for consensus: after a rotation both are needed. Throws as openValidatorKey does. */
export async function openSigningKeys(
  datadir: string,
  password: () => Promise<string>,
): Promise<MlDsaKey[]> {
  await newestValidatorKey(datadir);
  const keys: MlDsaKey[] = [];
  for (const { file } of await listValidatorKeys(datadir))
    keys.push(new MlDsaKey(await readSeed(file, password)));
  return keys;
}

async function readSeed(file: string, password: () => Promise<string>): Promise<Bytes> {
  const stored: StoredKey = await unlockKey(await readFile(file), { module: undefined, password });
  if (stored.type === KEY_TYPE) return stored.secret;
  const problem = `${file} holds a ${stored.type} key: validators sign with ${KEY_TYPE}`;
  throw new CommandError({ code: "FAILED", problem });
}

/** Proof for a staking contract that whoever registers as `owner` holds the key. */
export function proveKey(
  key: PqKey,
  owner: Address,
  place: { readonly domain: MessageDomain; readonly staking: Address },
): Promise<Bytes> {
  const body = keyProofBody(place.staking, owner, key.publicKey);
  return key.sign(consensusMessage(place.domain, MESSAGE_KIND.keyProof, body), EMPTY_BYTES);
}

/** An entry of `validators` in a genesis file. */
export interface ValidatorEntry {
  readonly owner: Address;
  readonly withdrawal: Address;
  readonly feeRecipient: Address;
  /** gwei */
  readonly stake: string;
  readonly publicKey: string;
  readonly keyProof: string;
}

/** The entry of a key in a genesis with this chain id, salt and staking contract. */
export async function validatorEntry(
  key: PqKey,
  accounts: Pick<ValidatorEntry, "owner" | "withdrawal" | "feeRecipient">,
  terms: { readonly domain: MessageDomain; readonly staking: Address; readonly stakeGwei: bigint },
): Promise<ValidatorEntry> {
  return {
    ...accounts,
    stake: String(terms.stakeGwei),
    publicKey: bytesToHex(key.publicKey),
    keyProof: bytesToHex(await proveKey(key, accounts.owner, terms)),
  };
}
