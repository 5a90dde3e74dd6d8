/** Reading the JSON of keystore files, which come from anywhere: each helper refuses what it does not find by name. */
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import { bytesToHex, HexError, hexToBytes } from "../primitives/hex.ts";

export type KeystoreErrorReason =
  | { readonly code: "WRONG_PASSWORD" }
  | { readonly code: "BAD_KEYSTORE"; readonly problem: string };

/** A keystore that cannot be opened. */
export class KeystoreError extends NodeError<KeystoreErrorReason> {}

export type Json = Readonly<Record<string, unknown>>;

/** Throws KeystoreError BAD_KEYSTORE. */
export function refuse(problem: string): never {
  throw new KeystoreError({ code: "BAD_KEYSTORE", problem }, { message: `keystore: ${problem}` });
}

/** The object in a file. */
export function parseFile(file: Bytes): Json {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(file).toString("utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse("is not JSON");
  }
  if (!isObject(json)) refuse("is not a JSON object");
  return json;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object under the first of the names that is there. */
export function readObject(json: Json, names: readonly string[]): Json {
  const value = names.map((name) => json[name]).find((found) => found !== undefined);
  return isObject(value) ? value : refuse(`has no object "${names[0]}"`);
}

export function readText(json: Json, name: string): string {
  const value = json[name];
  return typeof value === "string" ? value : refuse(`has no text "${name}"`);
}

/** Bytes of hex, with or without 0x. */
export function readHex(json: Json, name: string, length: number): Bytes {
  const text = readText(json, name);
  try {
    const bytes = hexToBytes(text.startsWith("0x") ? text : `0x${text}`);
    return bytes.length === length ? bytes : refuse(`"${name}" is not ${length} bytes long`);
  } catch (error) {
    if (!(error instanceof HexError)) throw error;
    return refuse(`"${name}" is not hex`);
  }
}

export function readCount(json: Json, name: string, maximum: number): number {
  const value = json[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maximum) {
    return value;
  }
  return refuse(`"${name}" is not an integer from 1 to ${maximum}`);
}

/** Hex without 0x, as keystores write it. */
export function digits(bytes: Bytes): string {
  return bytesToHex(bytes).slice(2);
}
