/** Field types of genesis files: integers as number, decimal or hex text, and hex strings, each with its JSON schema. */
import { z } from "zod";
import type { Bytes } from "../primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  type Hash,
  HexError,
  hexToBytes,
  parseAddress,
  parseHash,
} from "../primitives/hex.ts";

const SHOWN_CHARACTERS = 80;

/** Unsigned integer of at most `bits` bits: a JSON integer, decimal text, or 0x and hex digits. */
export function quantity(bits: number, description: string) {
  return z
    .unknown()
    .transform((value, context) => {
      const parsed = parseQuantity(value);
      const problem = typeof parsed === "string" ? parsed : rangeProblem(parsed, bits);
      if (problem === undefined && typeof parsed === "bigint") return parsed;
      context.addIssue({ code: "custom", message: problem ?? "is not an integer" });
      return z.NEVER;
    })
    .meta({
      description,
      anyOf: [
        { type: "integer", minimum: 0 },
        { type: "string", pattern: "^(0x[0-9a-fA-F]+|[0-9]+)$" },
      ],
    });
}

function parseQuantity(value: unknown): bigint | string {
  if (value === undefined) return "is required";
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return BigInt(value);
    return Number.isInteger(value)
      ? `${value} is beyond 2^53 and has lost digits: write it as text`
      : `expected an integer, got ${value}`;
  }
  if (typeof value === "string" && /^(0x[0-9a-fA-F]+|[0-9]+)$/.test(value)) return BigInt(value);
  return `expected an integer, decimal text or 0x and hex digits, got ${shown(value)}`;
}

function rangeProblem(value: bigint, bits: number): string | undefined {
  if (value < 0n) return `${value} is negative`;
  return value >> BigInt(bits) === 0n ? undefined : `${value} does not fit into ${bits} bits`;
}

/** JSON integer within bounds, for what the program counts. */
export function count(minimum: number, maximum: number, description: string) {
  return z.int().min(minimum).max(maximum).meta({ description });
}

/** 20 bytes in hex; `0x` may be left out, as geth allows in `alloc`. */
export function addressField(description: string) {
  return hexField<Address>((text) => parseAddress(withPrefix(text)), description, 20);
}

/** 32 bytes in hex. */
export function hashField(description: string) {
  return hexField<Hash>(parseHash, description, 32);
}

/** Hex string; of exactly `length` bytes when given. */
export function bytesField(description: string, length?: number) {
  return hexField<Bytes>(
    (text) => {
      const bytes = hexToBytes(withPrefix(text));
      if (length === undefined || bytes.length === length) return bytes;
      throw new HexError({
        code: "BAD_HEX",
        expected: `${length} bytes`,
        got: `${bytes.length} bytes`,
      });
    },
    description,
    length,
  );
}

/** Storage word: up to 32 bytes of hex, padded on the left as geth does. */
export function parseStorageWord(text: string): Hash {
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  if (!/^[0-9a-fA-F]{0,64}$/.test(digits)) {
    throw new HexError({ code: "BAD_HEX", expected: "up to 64 hex digits", got: shown(text) });
  }
  return bigIntToHash(digits === "" ? 0n : BigInt(`0x${digits}`));
}

/** Header nonce (8 bytes) of an unsigned 64-bit integer. */
export function nonceBytes(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** Field that `parse` turns from text into a value; its HexError becomes the issue. */
export function hexField<T>(parse: (text: string) => T, description: string, length?: number) {
  const digits = length === undefined ? "([0-9a-fA-F]{2})*" : `[0-9a-fA-F]{${2 * length}}`;
  return z
    .unknown()
    .transform((value, context): T => {
      try {
        if (typeof value === "string") return parse(value);
        context.addIssue({ code: "custom", message: expectedText(value) });
      } catch (error) {
        if (!(error instanceof HexError)) throw error;
        const { expected, got } = error.reason;
        context.addIssue({ code: "custom", message: `expected ${expected}, got ${got}` });
      }
      return z.NEVER;
    })
    .meta({ description, type: "string", pattern: `^(0x)?${digits}$` });
}

function expectedText(value: unknown): string {
  return value === undefined ? "is required" : `expected hex text, got ${shown(value)}`;
}

function withPrefix(text: string): string {
  return text.startsWith("0x") ? text : `0x${text}`;
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.slice(0, SHOWN_CHARACTERS);
}
