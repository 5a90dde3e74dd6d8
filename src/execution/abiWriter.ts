/** Writes ABI-encoded arguments. Source: Solidity's contract ABI specification, "Formal specification of the encoding". */
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { bigIntToHash, hexToBytes } from "../primitives/hex.ts";

/** A number (address, bytes32, bool: its word), `bytes`, a tuple, or an array of unknown length. */
export type AbiArgument =
  | bigint
  | Bytes
  | { readonly tuple: readonly AbiArgument[] }
  | { readonly list: readonly AbiArgument[] };

const WORD = 32;

/** Arguments of a function or constructor, without selector. Numbers are below 2^256. */
export function encodeArguments(values: readonly AbiArgument[]): Bytes {
  const heads: (Bytes | undefined)[] = [];
  const tails: Bytes[] = [];
  for (const value of values) {
    const body = encodeBody(value);
    heads.push(isDynamic(value) ? undefined : body);
    tails.push(isDynamic(value) ? body : new Uint8Array(0));
  }
  let offset = heads.reduce((total, head) => total + (head?.length ?? WORD), 0);
  const parts: Bytes[] = [];
  for (const [index, head] of heads.entries()) {
    parts.push(head ?? word(BigInt(offset)));
    offset += tails[index]?.length ?? 0;
  }
  return concatBytes(...parts, ...tails);
}

function isDynamic(value: AbiArgument): boolean {
  if (typeof value === "bigint") return false;
  if (value instanceof Uint8Array || "list" in value) return true;
  return value.tuple.some(isDynamic);
}

function encodeBody(value: AbiArgument): Bytes {
  if (typeof value === "bigint") return word(value);
  if (value instanceof Uint8Array) {
    const padding = new Uint8Array((WORD - (value.length % WORD)) % WORD);
    return concatBytes(word(BigInt(value.length)), value, padding);
  }
  if ("tuple" in value) return encodeArguments(value.tuple);
  return concatBytes(word(BigInt(value.list.length)), encodeArguments(value.list));
}

function word(value: bigint): Bytes {
  return hexToBytes(bigIntToHash(value));
}
