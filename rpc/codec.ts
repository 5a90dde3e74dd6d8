/**
 * Two-way conversion between JSON and internal values, with the JSON schema of each form.
 * What comes in is judged strictly (QUANTITY and DATA of the Ethereum JSON-RPC specification); what goes out
 * is lower-case and minimal. Codecs of whole objects are built from these: `object` for parameters, `view` for results.
 */
import type { Bytes } from "../src/primitives/bytes.ts";
import { NodeError } from "../src/primitives/errors.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHex,
  formatQuantity,
  type Hash,
  hexToBytes,
  parseAddress,
  parseHash,
} from "../src/primitives/hex.ts";

/** A value that JSON.stringify writes as it is; keys holding undefined are left out. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json | undefined };
/** JSON Schema, 2019-09. */
export type JsonSchema = JsonObject;

/** Reads a parameter. `where` is the path told in errors, such as `filter.topics[1]`. */
export interface ParamCodec<T> {
  readonly schema: JsonSchema;
  /** Throws CodecError. */
  decode(json: unknown, where: string): T;
}

/** Writes a result. */
export interface ResultCodec<T> {
  readonly schema: JsonSchema;
  encode(value: T): Json;
}

/** Both directions. */
export interface Codec<T> extends ParamCodec<T>, ResultCodec<T> {}

export type CodecReason = {
  readonly code: "BAD_ARGUMENT";
  readonly where: string;
  readonly problem: string;
};

/** JSON of the wrong shape; the place and what was wrong with it. */
export class CodecError extends NodeError<CodecReason> {}

const SHOWN_CHARACTERS = 80;

/** Refuses a parameter: `where` is the path, `problem` the words shown to the caller. */
export function refuse(where: string, problem: string): never {
  throw new CodecError({ code: "BAD_ARGUMENT", where, problem });
}

/** Refuses `json` and shows a bounded part of it. */
export function refuseValue(where: string, expected: string, json: unknown): never {
  let shown: string;
  try {
    shown = JSON.stringify(json) ?? "nothing";
  } catch {
    shown = typeof json;
  }
  if (shown.length > SHOWN_CHARACTERS) shown = `${shown.slice(0, SHOWN_CHARACTERS)}…`;
  return refuse(where, `expected ${expected}, got ${shown}`);
}

const HEX_DIGITS = /^[0-9a-fA-F]*$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const HASH = /^0x[0-9a-fA-F]{64}$/;

function digitsOf(json: unknown, where: string, expected: string): string {
  if (typeof json !== "string") return refuseValue(where, expected, json);
  if (!json.startsWith("0x") && !json.startsWith("0X"))
    refuse(where, "hex string without 0x prefix");
  const digits = json.slice(2);
  if (!HEX_DIGITS.test(digits)) refuse(where, "invalid hex string");
  return digits;
}

/** Minimal hex number of at most `maxBits` bits. */
function quantityOf(maxBits: number): Codec<bigint> {
  return {
    schema: {
      title: "hex encoded unsigned integer",
      type: "string",
      pattern: "^0x(0|[1-9a-f][0-9a-f]*)$",
    },
    decode(json, where) {
      const digits = digitsOf(json, where, "a hex number");
      if (digits === "") refuse(where, 'hex string "0x"');
      if (digits.length > 1 && digits.startsWith("0"))
        refuse(where, "hex number with leading zero digits");
      if (digits.length * 4 > maxBits + 3) refuse(where, `hex number > ${maxBits} bits`);
      const value = BigInt(`0x${digits}`);
      if (value >> BigInt(maxBits) !== 0n) refuse(where, `hex number > ${maxBits} bits`);
      return value;
    },
    encode: formatQuantity,
  };
}

/** QUANTITY of at most 256 bits. */
export const quantity: Codec<bigint> = quantityOf(256);
/** QUANTITY of at most 64 bits: gas, nonces, block numbers, times. */
export const quantity64: Codec<bigint> = quantityOf(64);

/** QUANTITY that the program counts: an index, a length. */
export const count: Codec<number> = {
  schema: quantity.schema,
  decode(json, where) {
    const value = quantityOf(53).decode(json, where);
    return Number(value);
  },
  encode: formatQuantity,
};

/** QUANTITY, decimal text or JSON number, as the development methods and eth_feeHistory accept. */
export const looseQuantity: Codec<bigint> = {
  schema: {
    title: "unsigned integer, hex or decimal",
    oneOf: [
      { type: "string", pattern: "^(0x[0-9a-fA-F]+|[0-9]+)$" },
      { type: "integer", minimum: 0 },
    ],
  },
  decode(json, where) {
    if (typeof json === "number" && Number.isSafeInteger(json) && json >= 0) return BigInt(json);
    if (
      typeof json === "string" &&
      json.length <= 66 &&
      /^(0x[0-9a-fA-F]{1,64}|[0-9]{1,64})$/.test(json)
    ) {
      return BigInt(json);
    }
    return refuseValue(where, "an unsigned integer", json);
  },
  encode: formatQuantity,
};

/** `looseQuantity` of at most 64 bits: nonces. */
export const looseQuantity64: Codec<bigint> = {
  ...looseQuantity,
  decode(json, where) {
    const value = looseQuantity.decode(json, where);
    return value >> 64n === 0n ? value : refuse(where, "number > 64 bits");
  },
};

/** Bytes of any length up to the request's own limit. */
export const data: Codec<Bytes> = {
  schema: { title: "hex encoded bytes", type: "string", pattern: "^0x([0-9a-f]{2})*$" },
  decode(json, where) {
    const digits = digitsOf(json, where, "hex encoded bytes");
    if (digits.length % 2 !== 0) refuse(where, "hex string of odd length");
    return hexToBytes(`0x${digits}`);
  },
  encode: bytesToHex,
};

/** Exactly `length` bytes. */
export function dataOf(length: number): Codec<Bytes> {
  return {
    schema: {
      title: `${length} hex encoded bytes`,
      type: "string",
      pattern: `^0x[0-9a-f]{${length * 2}}$`,
    },
    decode(json, where) {
      const bytes = data.decode(json, where);
      if (bytes.length !== length) refuse(where, `expected ${length} bytes, got ${bytes.length}`);
      return bytes;
    },
    encode: bytesToHex,
  };
}

/** Account address; any case in, lower case out. */
export const address: Codec<Address> = {
  schema: { title: "hex encoded address", type: "string", pattern: "^0x[0-9a-fA-F]{40}$" },
  decode(json, where) {
    if (typeof json !== "string" || !ADDRESS.test(json))
      return refuseValue(where, "0x + 40 hex digits", json);
    return parseAddress(json);
  },
  encode: (value) => value,
};

/** 32-byte hash. */
export const hash: Codec<Hash> = {
  schema: { title: "32 byte hex value", type: "string", pattern: "^0x[0-9a-f]{64}$" },
  decode(json, where) {
    if (typeof json !== "string" || !HASH.test(json))
      return refuseValue(where, "0x + 64 hex digits", json);
    return parseHash(json);
  },
  encode: (value) => value,
};

/** 256-bit number written as a 32-byte word. */
export const word: ResultCodec<bigint> = { schema: hash.schema, encode: bigIntToHash };

export const boolean: Codec<boolean> = {
  schema: { type: "boolean" },
  decode(json, where) {
    return typeof json === "boolean" ? json : refuseValue(where, "true or false", json);
  },
  encode: (value) => value,
};

export const text: Codec<string> = {
  schema: { type: "string" },
  decode(json, where) {
    return typeof json === "string" ? json : refuseValue(where, "a string", json);
  },
  encode: (value) => value,
};

/** JSON number without a fraction, at least `minimum`. */
export const integer: Codec<number> = {
  schema: { type: "integer", minimum: 0 },
  decode(json, where) {
    if (typeof json === "number" && Number.isSafeInteger(json) && json >= 0) return json;
    return refuseValue(where, "a whole number", json);
  },
  encode: (value) => value,
};

/** JSON number, fractions allowed. */
export const decimal: Codec<number> = {
  schema: { type: "number" },
  decode(json, where) {
    if (typeof json === "number" && Number.isFinite(json)) return json;
    return refuseValue(where, "a number", json);
  },
  encode: (value) => value,
};

/** Any JSON, untouched. */
export const json: Codec<Json> = {
  schema: {},
  decode: (value, where) => fromUnknown(value, where, 0),
  encode: (value) => value,
};

/** Nesting of JSON that is passed on: the walk below is recursive. */
const MAX_JSON_DEPTH = 64;

function fromUnknown(value: unknown, where: string, depth: number): Json {
  if (depth > MAX_JSON_DEPTH) return refuse(where, `nested deeper than ${MAX_JSON_DEPTH} levels`);
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
  ) {
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => fromUnknown(item, where, depth + 1));
  if (typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fromUnknown(item, where, depth + 1)]),
    );
  }
  return null;
}

/** `null` in JSON, undefined inside. */
export function nullable<T>(inner: Codec<T>): Codec<T | undefined>;
export function nullable<T>(inner: ResultCodec<T>): ResultCodec<T | undefined>;
export function nullable<T>(inner: ParamCodec<T>): ParamCodec<T | undefined>;
export function nullable<T>(
  inner: ParamCodec<T> | ResultCodec<T>,
): ParamCodec<T | undefined> & ResultCodec<T | undefined> {
  return {
    schema: { oneOf: [{ type: "null" }, inner.schema] },
    decode(value, where) {
      if (value === null || value === undefined) return undefined;
      return "decode" in inner ? inner.decode(value, where) : refuse(where, "not a parameter");
    },
    encode(value) {
      return value === undefined || !("encode" in inner) ? null : inner.encode(value);
    },
  };
}

/** Largest list taken as a parameter unless the caller sets another limit. */
const MAX_LIST_ITEMS = 10_000;

/** Array of one kind of item, at most `maxItems` when read. */
export function list<T>(inner: Codec<T>, maxItems?: number): Codec<readonly T[]>;
export function list<T>(inner: ResultCodec<T>): ResultCodec<readonly T[]>;
export function list<T>(inner: ParamCodec<T>, maxItems?: number): ParamCodec<readonly T[]>;
export function list<T>(
  inner: ParamCodec<T> | ResultCodec<T>,
  maxItems = MAX_LIST_ITEMS,
): ParamCodec<readonly T[]> & ResultCodec<readonly T[]> {
  return {
    schema: { type: "array", items: inner.schema },
    decode(value, where) {
      if (!Array.isArray(value)) return refuseValue(where, "an array", value);
      if (value.length > maxItems) refuse(where, `at most ${maxItems} items, got ${value.length}`);
      if (!("decode" in inner)) return refuse(where, "not a parameter");
      return value.map((item, index) => inner.decode(item, `${where}[${index}]`));
    },
    encode(value) {
      return "encode" in inner ? value.map((item) => inner.encode(item)) : null;
    },
  };
}

/** Object with the values of one codec under free keys. */
export function record<T>(inner: ResultCodec<T>): ResultCodec<ReadonlyMap<string, T>> {
  return {
    schema: { type: "object", additionalProperties: inner.schema },
    encode(map) {
      return Object.fromEntries([...map].map(([key, value]) => [key, inner.encode(value)]));
    },
  };
}
