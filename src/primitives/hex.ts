/**
 * Hex text and its brands. `Address` and `Hash` are lower-case 0x-prefixed text, so that they work as map keys;
 * only the parsers and converters of this file create them.
 */
import type { Bytes } from "./bytes.ts";
import { NodeError } from "./errors.ts";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Text of the form 0x + an even number of lower-case digits. */
export type Hex = Brand<`0x${string}`, "Hex">;
/** 20 bytes in lower-case hex. */
export type Address = Brand<`0x${string}`, "Address">;
/** 32 bytes in lower-case hex. */
export type Hash = Brand<`0x${string}`, "Hash">;

export type HexErrorReason = {
  readonly code: "BAD_HEX";
  readonly expected: string;
  readonly got: string;
};

/** Text that should be hex and is not; `expected` says what was wanted. */
export class HexError extends NodeError<HexErrorReason> {}

const SHOWN_CHARACTERS = 80;
const DATA = /^0x(?:[0-9a-fA-F]{2})*$/;

function refuse(expected: string, text: string): never {
  throw new HexError({ code: "BAD_HEX", expected, got: text.slice(0, SHOWN_CHARACTERS) });
}

/** Bytes of 0x-prefixed hex text of even length. Throws HexError. */
export function hexToBytes(text: string): Bytes {
  if (!DATA.test(text)) refuse("0x + an even number of hex digits", text);
  return Uint8Array.from(Buffer.from(text.slice(2), "hex"));
}

/** Lower-case hex text of `bytes`. */
export function bytesToHex(bytes: Bytes): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}` as Hex;
}

/** Address from text in any case, 0x required. Throws HexError. */
export function parseAddress(text: string): Address {
  if (text.length !== 42 || !DATA.test(text)) refuse("0x + 40 hex digits", text);
  return text.toLowerCase() as Address;
}

/** Hash from text in any case, 0x required. Throws HexError. */
export function parseHash(text: string): Hash {
  if (text.length !== 66 || !DATA.test(text)) refuse("0x + 64 hex digits", text);
  return text.toLowerCase() as Hash;
}

/** Address from exactly 20 bytes. Throws HexError. */
export function bytesToAddress(bytes: Bytes): Address {
  if (bytes.length !== 20) refuse("20 bytes", bytesToHex(bytes));
  return bytesToHex(bytes) as string as Address;
}

/** Hash from exactly 32 bytes. Throws HexError. */
export function bytesToHash(bytes: Bytes): Hash {
  if (bytes.length !== 32) refuse("32 bytes", bytesToHex(bytes));
  return bytesToHex(bytes) as string as Hash;
}

/** 32-byte hex word of an unsigned integer below 2^256. */
export function bigIntToHash(value: bigint): Hash {
  if (value < 0n || value >> 256n !== 0n) refuse("an unsigned integer below 2^256", String(value));
  return `0x${value.toString(16).padStart(64, "0")}` as Hash;
}

/** JSON-RPC QUANTITY: minimal lower-case hex, zero is 0x0. */
export function formatQuantity(value: bigint | number): `0x${string}` {
  return `0x${value.toString(16)}`;
}

export const ZERO_ADDRESS = parseAddress(`0x${"00".repeat(20)}`);
export const ZERO_HASH = parseHash(`0x${"00".repeat(32)}`);
