/** `qnet account card`, `encrypt` and `decrypt`: files that only the holder of an account's key can read. */
import { randomBytes } from "node:crypto";
import { access, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openPqKey } from "../src/crypto/pqAccounts.ts";
import { PqVerifier } from "../src/crypto/pqVerifier.ts";
import {
  encryptionKeyOf,
  MAX_CONTENT_BYTES,
  makeEncryptionCard,
  openMessage,
  readEncryptionCard,
  recipientOf,
  SEAL_OVERHEAD_BYTES,
  sealMessage,
} from "../src/crypto/sealedMessage.ts";
import type { StoredKey } from "../src/crypto/storedKey.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { type AccountRequest, operandAt, unlockFirst } from "./accountRequest.ts";
import { CommandError } from "./exit.ts";
import { printLine } from "./io.ts";
import { writeSecretFile } from "./keyFiles.ts";

const SUFFIX = ".sealed";
/** A card has some 10 kB. */
const MAX_CARD_BYTES = 65_536;

/** Prints the card of an account: what others need to seal files to it. */
export async function printCard(request: AccountRequest): Promise<void> {
  const { key } = await unlockFirst(request);
  const { type, secret } = demandPostQuantum(key);
  const { publicKey } = encryptionKeyOf(secret);
  const card = await makeEncryptionCard(await openPqKey(type, secret), publicKey);
  printLine(request.io, Buffer.from(card).toString("utf8").trim());
}

/** Seals a file to the account of a card; writes FILE.sealed. */
export async function encryptFile(request: AccountRequest): Promise<void> {
  const [wanted, cardFile, file] = [0, 1, 2].map((at) => operandAt(request, at));
  const content = await readAtMost(cardFile ?? "", MAX_CARD_BYTES);
  const card = await readEncryptionCard(content, new PqVerifier());
  if (card.address !== wanted?.toLowerCase()) {
    fail(`${cardFile} is the card of ${card.address}, not of ${wanted}`);
  }
  const plain = await readAtMost(file ?? "", MAX_CONTENT_BYTES);
  const sealed = sealMessage(plain, card, randomBytes(32));
  await writeBeside(request, `${file}${SUFFIX}`, sealed);
}

/** Opens a sealed file; writes it without its suffix. */
export async function decryptFile(request: AccountRequest): Promise<void> {
  const file = operandAt(request, 1);
  if (!file.endsWith(SUFFIX)) fail(`expected a file whose name ends in ${SUFFIX}, got ${file}`);
  const sealed = await readAtMost(file, MAX_CONTENT_BYTES + SEAL_OVERHEAD_BYTES);
  recipientOf(sealed); // before anybody is asked for a password
  const { found, key } = await unlockFirst(request);
  const { secret } = demandPostQuantum(key);
  const content = openMessage(sealed, found.address, secret);
  await writeBeside(request, file.slice(0, -SUFFIX.length), content);
}

type PostQuantumKey = StoredKey & { readonly type: Exclude<StoredKey["type"], "secp256k1"> };

/** A key that a quantum computer finds from its public half would seal nothing for long. */
function demandPostQuantum(key: StoredKey): PostQuantumKey {
  const { type, secret } = key;
  if (type === "secp256k1") fail("files are sealed to post-quantum accounts only");
  return { type, secret };
}

async function readAtMost(file: string, maximum: number): Promise<Bytes> {
  const { size } = await stat(file);
  if (size > maximum) fail(`${file} has ${size} bytes, more than ${maximum}`);
  return readFile(file);
}

async function writeBeside(request: AccountRequest, file: string, content: Bytes): Promise<void> {
  const { out } = request.values;
  const target = join(out ?? dirname(file), basename(file));
  if (await exists(target)) fail(`${target} exists already`);
  await writeSecretFile(target, content);
  printLine(request.io, target);
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false; // or not to be seen: writing will tell
  }
}

function fail(problem: string): never {
  throw new CommandError({ code: "FAILED", problem });
}
