/**
 * Plain values as bytes: what consensus remembers, for the node's own disk alone (nothing here is hashed or sent).
 * JSON with tags for what JSON lacks: bigint, bytes, Map, Set, undefined.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../primitives/hex.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Bytes of a value made of records, arrays, Maps, Sets, numbers, bigints, texts, bytes and undefined. Throws TypeError on others. */
export function encodePlain(value: unknown): Bytes {
  return new TextEncoder().encode(JSON.stringify(pack(value)));
}

/** The value that was encoded; what it is, only whoever wrote it knows. */
export function decodePlain<T>(bytes: Bytes): T {
  return unpack(JSON.parse(new TextDecoder().decode(bytes))) as T;
}

function pack(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return { $: "i", v: value.toString() };
    case "undefined":
      return { $: "u" };
    case "object":
      return packObject(value);
    default:
      throw new TypeError(`a ${typeof value} cannot be stored`);
  }
}

function packObject(value: object | null): Json {
  if (value === null) throw new TypeError("null cannot be stored");
  if (Array.isArray(value)) return value.map(pack);
  if (value instanceof Uint8Array) return { $: "b", v: bytesToHex(value) };
  if (value instanceof Map) return { $: "m", v: [...value].map(([k, v]) => [pack(k), pack(v)]) };
  if (value instanceof Set) return { $: "s", v: [...value].map(pack) };
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, pack(field)]));
}

function unpack(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(unpack);
  if (typeof json !== "object" || json === null) return json;
  if ("$" in json) return unpackTagged(json);
  return Object.fromEntries(Object.entries(json).map(([key, field]) => [key, unpack(field)]));
}

function unpackTagged(json: { readonly $: unknown; readonly v?: unknown }): unknown {
  const { $: tag, v } = json;
  if (tag === "u") return undefined;
  if (tag === "i" && typeof v === "string") return BigInt(v);
  if (tag === "b" && typeof v === "string") return hexToBytes(v);
  if (tag === "s" && Array.isArray(v)) return new Set(v.map(unpack));
  if (tag === "m" && Array.isArray(v))
    return new Map(v.map((pair: readonly unknown[]) => [unpack(pair[0]), unpack(pair[1])]));
  throw new TypeError("not a stored value");
}
