/**
 * Messages that only the holder of an account's key can read. The account's seed also gives an X-Wing key; its public half goes
 * out on a card that the account signs, since an address alone says nothing about keys. Who sealed a message, it does not say.
 *
 *     message = "QNETSEAL" ‖ version (1) ‖ KEM (1) ‖ recipient (20) ‖ KEM ciphertext (1,120) ‖ AES-256-GCM(content) ‖ tag (16)
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { type Bytes, concatBytes, equalBytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import {
  type Address,
  bytesToAddress,
  bytesToHex,
  HexError,
  hexToBytes,
} from "../primitives/hex.ts";
import { keccak256 } from "./keccak.ts";
import {
  PQ_ACCOUNT_ALGORITHMS,
  PQ_CONTEXTS,
  type PqAccountAlgorithm,
  type PqKey,
  pqAddress,
} from "./pqAccounts.ts";
import { pqAlgorithm } from "./pqAlgorithms.ts";
import type { PqVerifier } from "./pqVerifier.ts";
import {
  X_WING_CIPHERTEXT_BYTES,
  X_WING_PUBLIC_BYTES,
  X_WING_SEED_BYTES,
  type XWingKey,
  xWingEncapsulate,
  xWingKey,
} from "./xWing.ts";

export type SealErrorReason =
  | { readonly code: "BAD_CARD"; readonly problem: string }
  | { readonly code: "BAD_SEALED_MESSAGE"; readonly problem: string }
  | { readonly code: "OTHER_RECIPIENT"; readonly recipient: Address }
  | { readonly code: "CONTENT_TOO_LONG"; readonly bytes: number; readonly maximum: number };

/** A message that cannot be sealed or opened. */
export class SealError extends NodeError<SealErrorReason> {}

/** Longest content of one message. */
export const MAX_CONTENT_BYTES = 67_108_864;

const utf8 = new TextEncoder();
const MAGIC = utf8.encode("QNETSEAL");
const VERSION = 1;
/** X-Wing; other ways to encapsulate would have other numbers. */
const KEM_X_WING = 1;
const ADDRESS_BYTES = 20;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const HEADER_BYTES = MAGIC.length + 2 + ADDRESS_BYTES;
const SEED_LABEL = "QNet.xwing.fromSeed.v1";
const MESSAGE_LABEL = "QNet.sealedMessage.v1";
const CARD_LABEL = utf8.encode("QNet.encryptionCard.v1");
const CARD_CONTEXT = utf8.encode(PQ_CONTEXTS.message);

/** Bytes that sealing adds. */
export const SEAL_OVERHEAD_BYTES = HEADER_BYTES + X_WING_CIPHERTEXT_BYTES + TAG_BYTES;

/** To whom a message can be sealed: an account and its encryption key, proved to be its. */
export interface EncryptionCard {
  readonly address: Address;
  readonly encryptionKey: Bytes;
}

/** The X-Wing key of an account's 32-byte seed: HKDF-SHA256 with the label "QNet.xwing.fromSeed.v1". */
export function encryptionKeyOf(seed: Bytes): XWingKey {
  const derived = hkdfSync("sha256", seed, new Uint8Array(0), SEED_LABEL, X_WING_SEED_BYTES);
  return xWingKey(new Uint8Array(derived));
}

/** A JSON card with the account's encryption key, signed by the account. */
export async function makeEncryptionCard(key: PqKey, encryptionKey: Bytes): Promise<Bytes> {
  const signature = await key.sign(cardDigest(key.address, encryptionKey), CARD_CONTEXT);
  const card = {
    version: VERSION,
    address: key.address,
    keytype: key.algorithm.toLowerCase(),
    pubkey: bytesToHex(key.publicKey),
    kem: "x-wing",
    encryptionKey: bytesToHex(encryptionKey),
    signature: bytesToHex(signature),
  };
  return Buffer.from(`${JSON.stringify(card)}\n`, "utf8");
}

/** What a card says, once its signature is verified. Rejects with SealError BAD_CARD. */
export async function readEncryptionCard(
  card: Bytes,
  verifier: PqVerifier,
): Promise<EncryptionCard> {
  const json = parseCard(card);
  if (json["version"] !== VERSION || json["kem"] !== "x-wing") badCard("unknown version or KEM");
  const algorithm = readAlgorithm(json["keytype"]);
  const { publicKeyBytes, signatureBytes } = pqAlgorithm(algorithm);
  const publicKey = readBytes(json, "pubkey", publicKeyBytes);
  const encryptionKey = readBytes(json, "encryptionKey", X_WING_PUBLIC_BYTES);
  const signature = readBytes(json, "signature", signatureBytes);
  const address = pqAddress(algorithm, publicKey);
  if (json["address"] !== address) badCard('"address" is not that of "pubkey"');
  await verifier.prepare(algorithm);
  const digest = cardDigest(address, encryptionKey);
  if (!verifier.verify(algorithm, publicKey, digest, signature, CARD_CONTEXT))
    badCard("its account did not sign it");
  return { address, encryptionKey };
}

/** Seals content to a card's account; `ephemeral` are 32 fresh random bytes. Throws SealError. */
export function sealMessage(content: Bytes, card: EncryptionCard, ephemeral: Bytes): Bytes {
  if (content.length > MAX_CONTENT_BYTES) {
    const { length: bytes } = content;
    const message = `${bytes} bytes of content, at most ${MAX_CONTENT_BYTES} can be sealed`;
    throw new SealError(
      { code: "CONTENT_TOO_LONG", bytes, maximum: MAX_CONTENT_BYTES },
      { message },
    );
  }
  const encapsulated = xWingEncapsulate(card.encryptionKey, ephemeral);
  if (encapsulated === undefined) badCard("its encryption key is none");
  const recipient = hexToBytes(card.address);
  const header = concatBytes(MAGIC, Uint8Array.of(VERSION, KEM_X_WING), recipient);
  const opening = concatBytes(header, encapsulated.ciphertext);
  const { key, iv } = contentKey(encapsulated.secret);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(opening);
  const sealed = cipher.update(content);
  return concatBytes(opening, sealed, cipher.final(), cipher.getAuthTag());
}

/** Who can open a message. Throws SealError BAD_SEALED_MESSAGE. */
export function recipientOf(message: Bytes): Address {
  if (message.length < SEAL_OVERHEAD_BYTES || !equalBytes(message.subarray(0, 8), MAGIC))
    badMessage("is no sealed message");
  const [version, kem] = message.subarray(MAGIC.length);
  if (version !== VERSION || kem !== KEM_X_WING)
    badMessage(`version ${version} with KEM ${kem} is not supported`);
  if (message.length > SEAL_OVERHEAD_BYTES + MAX_CONTENT_BYTES)
    badMessage(`has ${message.length} bytes`);
  return bytesToAddress(message.subarray(HEADER_BYTES - ADDRESS_BYTES, HEADER_BYTES));
}

/** Content of a message to the account of this address and seed. Throws SealError. */
export function openMessage(message: Bytes, address: Address, seed: Bytes): Bytes {
  const recipient = recipientOf(message);
  if (recipient !== address) {
    const text = `the message is sealed to ${recipient}, not to ${address}`;
    throw new SealError({ code: "OTHER_RECIPIENT", recipient }, { message: text });
  }
  const opening = message.subarray(0, HEADER_BYTES + X_WING_CIPHERTEXT_BYTES);
  const secret = encryptionKeyOf(seed).decapsulate(opening.subarray(HEADER_BYTES));
  if (secret === undefined) return badMessage(DAMAGED);
  const { key, iv } = contentKey(secret);
  const cipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(opening);
  cipher.setAuthTag(message.subarray(message.length - TAG_BYTES));
  const content = cipher.update(message.subarray(opening.length, message.length - TAG_BYTES));
  try {
    cipher.final();
  } catch {
    return badMessage(DAMAGED);
  }
  return Uint8Array.from(content);
}

const DAMAGED = "is damaged, or sealed to another key of this address";

/** The secret of one encapsulation serves one message, so that key and nonce may both come out of it. */
function contentKey(secret: Bytes): { readonly key: Bytes; readonly iv: Bytes } {
  const length = KEY_BYTES + IV_BYTES;
  const derived = hkdfSync("sha256", secret, new Uint8Array(0), MESSAGE_LABEL, length);
  const bytes = new Uint8Array(derived);
  return { key: bytes.subarray(0, KEY_BYTES), iv: bytes.subarray(KEY_BYTES) };
}

/** No digest of EIP-191 or EIP-712 starts like this one's preimage, so no signed message is a card. */
function cardDigest(address: Address, encryptionKey: Bytes): Bytes {
  return keccak256(concatBytes(CARD_LABEL, hexToBytes(address), encryptionKey));
}

type Json = Readonly<Record<string, unknown>>;

function parseCard(card: Bytes): Json {
  try {
    const json: unknown = JSON.parse(Buffer.from(card).toString("utf8"));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return badCard("is not a JSON object");
}

function readAlgorithm(keytype: unknown): PqAccountAlgorithm {
  const found = PQ_ACCOUNT_ALGORITHMS.find((name) => name.toLowerCase() === keytype);
  return found ?? badCard("unknown keytype");
}

function readBytes(json: Json, name: string, length: number): Bytes {
  const text = json[name];
  try {
    const bytes = typeof text === "string" ? hexToBytes(text) : new Uint8Array(0);
    return bytes.length === length ? bytes : badCard(`"${name}" is not ${length} bytes of hex`);
  } catch (error) {
    if (!(error instanceof HexError)) throw error;
    return badCard(`"${name}" is not hex`);
  }
}

function badCard(problem: string): never {
  throw new SealError({ code: "BAD_CARD", problem }, { message: `encryption card: ${problem}` });
}

function badMessage(problem: string): never {
  const message = `the sealed message ${problem}`;
  throw new SealError({ code: "BAD_SEALED_MESSAGE", problem }, { message });
}
