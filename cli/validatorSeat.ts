/** Data directories of validators that a command makes as a whole: password, owner's key, validator's key. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { addressOfKey } from "../src/crypto/storedKey.ts";
import type { Address } from "../src/primitives/hex.ts";
import { keystoreFolder } from "./dataFolder.ts";
import { CommandError } from "./exit.ts";
import { type KeyLock, writeKeyFile, writeSecretFile } from "./keyFiles.ts";
import { randomKey } from "./keySources.ts";
import { createValidatorKey, type ValidatorEntry, validatorEntry } from "./validatorKeys.ts";

const PASSWORD_BYTES = 24;

/** A validator of a network to be: its folder, and its entry for the genesis. */
export interface Seat {
  readonly folder: string;
  readonly owner: Address;
  readonly entry: ValidatorEntry;
}

/** File with the password of the folder's keys. */
export function passwordFile(folder: string): string {
  return join(folder, "password.txt");
}

/** Makes a folder with password, owner's key and validator's key, which together make an entry of the genesis. Throws CommandError when the folder is there. */
export async function prepareSeat(
  folder: string,
  terms: Parameters<typeof validatorEntry>[2],
): Promise<Seat> {
  if (existsSync(folder)) {
    const problem = `${folder} is there already: remove it, or give another --out`;
    throw new CommandError({ code: "FAILED", problem });
  }
  await mkdir(folder, { recursive: true });
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  await writeSecretFile(passwordFile(folder), Buffer.from(`${password}\n`));
  // nobody guesses 192 random bits: the costly derivation for what people remember adds nothing
  const lock: KeyLock = { password, strength: "light" };
  const ownerKey = randomKey("secp256k1");
  await writeKeyFile(keystoreFolder(folder), ownerKey, lock);
  const owner = await addressOfKey(ownerKey);
  const { key } = await createValidatorKey(folder, lock);
  const accounts = { owner, withdrawal: owner, feeRecipient: owner };
  return { folder, owner, entry: await validatorEntry(key, accounts, terms) };
}
