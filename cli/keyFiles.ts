/** The folder of encrypted keys: reading, listing, and writing files that only their owner can read. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { KeystoreError } from "../src/crypto/keystoreJson.ts";
import {
  addressOfKey,
  describeKey,
  encryptKey,
  type KeyDescription,
  type KeyStrength,
  type StoredKey,
} from "../src/crypto/storedKey.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { CommandError } from "./exit.ts";

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** A keystore has 500 to 6,000 bytes; anything much larger in the folder is none. */
const MAX_FILE_BYTES = 65_536;

export interface KeyFile extends KeyDescription {
  readonly file: string;
}

/** How a key is encrypted. */
export interface KeyLock {
  readonly password: string;
  readonly strength: KeyStrength;
}

/** Encrypts a key into a new file of `folder`. Throws CommandError when the address is there already. */
export async function writeKeyFile(
  folder: string,
  key: StoredKey,
  { password, strength }: KeyLock,
): Promise<KeyFile> {
  const address = await addressOfKey(key);
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  const existing = (await listKeyFiles(folder)).find((other) => other.address === address);
  if (existing !== undefined) {
    const problem = `${address} is already in ${existing.file}`;
    throw new CommandError({ code: "FAILED", problem });
  }
  const content = await encryptKey(key, password, keyRandomness(), strength);
  const time = new Date(Date.now()).toISOString().replaceAll(":", "-");
  const file = join(folder, `UTC--${time}--${address.slice(2)}`);
  await writeSecretFile(file, content);
  return { address, type: key.type, file };
}

/** Encrypts a key anew into the file that has it. */
export async function rewriteKeyFile(
  file: string,
  key: StoredKey,
  { password, strength }: KeyLock,
): Promise<void> {
  await writeSecretFile(file, await encryptKey(key, password, keyRandomness(), strength));
}

/** The file of an address, with or without 0x, in any case. Throws CommandError. */
export async function findKeyFile(folder: string, text: string): Promise<KeyFile> {
  const wanted = text.toLowerCase().replace(/^(0x)?/, "0x");
  const found = (await listKeyFiles(folder)).find(({ address }) => address === wanted);
  if (found !== undefined) return found;
  throw new CommandError({ code: "FAILED", problem: `no key of ${text} in ${folder}` });
}

function keyRandomness() {
  return { salt: randomBytes(32), iv: randomBytes(16), id: randomUUID() };
}

/** Writes a file that only its owner can read, whole or not at all. */
export async function writeSecretFile(file: string, content: Bytes): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, "wx", OWNER_ONLY);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await unlink(temporary);
    throw error;
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

/** The keys of a folder, oldest first by name; files that are no keystores are passed over. */
export async function listKeyFiles(folder: string): Promise<KeyFile[]> {
  const found: KeyFile[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    const file = join(folder, name);
    const key = keyIn(await readFile(file));
    if (key !== undefined) found.push({ ...key, file });
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function keyIn(content: Bytes): KeyDescription | undefined {
  if (content.length > MAX_FILE_BYTES) return undefined;
  try {
    return describeKey(content);
  } catch (error) {
    if (error instanceof KeystoreError) return undefined;
    throw error;
  }
}
