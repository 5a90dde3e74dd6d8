/** Where things are kept on disk. */
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "./exit.ts";

/** Data directory of a network when none is given. */
export function defaultDataFolder(network: string): string {
  return join(homedir(), ".qnet", network);
}

/** The data directory given, for commands that write to a certain one. Throws UsageError. */
export function requireDataFolder(datadir: string | undefined): string {
  if (datadir === undefined) throw new UsageError("--datadir is needed");
  return datadir;
}

/** Folder of the database inside a data directory. */
export function chainFolder(datadir: string): string {
  return join(datadir, "chain");
}

/** File that keeps local transactions over a restart. */
export function journalFile(datadir: string): string {
  return join(datadir, "transactions.rlp");
}

/** Folder of encrypted keys: below the data directory, else the user's own. */
export function keystoreFolder(datadir: string | undefined): string {
  return join(datadir ?? join(homedir(), ".qnet"), "keystore");
}

/** Folder of the encrypted keys of validators. */
export function validatorKeysFolder(datadir: string): string {
  return join(datadir, "validator-keys");
}

/** Folder of what validators need: one folder for each key. */
export function validatorsFolder(datadir: string): string {
  return join(datadir, "validators");
}

/** Database of what the key with this hash has signed. */
export function signingRecordsFolder(datadir: string, keyHash: string): string {
  return join(validatorsFolder(datadir), keyHash);
}

/** Secret of the Engine API. */
export function jwtSecretFile(datadir: string): string {
  return join(datadir, "jwtsecret");
}
