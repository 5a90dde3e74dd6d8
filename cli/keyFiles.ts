/** The folder of encrypted keys: reading, listing, and writing files that only their owner can read. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { encryptKeystore, KeystoreError, keystoreAddress } from "../src/crypto/keystore.ts";
import { addressOf } from "../src/crypto/secp256k1.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import type { Address } from "../src/primitives/hex.ts";
import { CommandError } from "./exit.ts";

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** A keystore has some 500 bytes; anything much larger in the folder is none. */
const MAX_FILE_BYTES = 65_536;

export interface KeyFile {
  readonly address: Address;
  readonly file: string;
}

/** Encrypts `privateKey` into a new file of `folder`. Throws CommandError when the address is there already. */
export async function writeKeyFile(
  folder: string,
  privateKey: Bytes,
  password: string,
): Promise<KeyFile> {
  const address = addressOf(privateKey);
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  const existing = (await listKeyFiles(folder)).find((key) => key.address === address);
  if (existing !== undefined) {
    const problem = `${address} is already in ${existing.file}`;
    throw new CommandError({ code: "FAILED", problem });
  }
  const randomness = { salt: randomBytes(32), iv: randomBytes(16), id: randomUUID() };
  const content = await encryptKeystore(privateKey, password, randomness);
  const time = new Date(Date.now()).toISOString().replaceAll(":", "-");
  const file = join(folder, `UTC--${time}--${address.slice(2)}`);
  await writeSecretFile(file, content);
  return { address, file };
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
    const address = addressIn(await readFile(file));
    if (address !== undefined) found.push({ address, file });
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

function addressIn(content: Bytes): Address | undefined {
  if (content.length > MAX_FILE_BYTES) return undefined;
  try {
    return keystoreAddress(content);
  } catch (error) {
    if (error instanceof KeystoreError) return undefined;
    throw error;
  }
}
