/** Reads ABI-encoded values of elementary types. Source: Solidity's contract ABI specification. */
import { type Bytes, bytesToBigInt } from "../primitives/bytes.ts";
import { type Address, bytesToAddress, bytesToHex, type Hex } from "../primitives/hex.ts";

/** `bytesN` is written with its length. */
export type AbiType =
  | "uint256"
  | "int256"
  | "bool"
  | "address"
  | "string"
  | "bytes"
  | `bytes${number}`;
/** Numbers as bigint, bytes and addresses as hex text. */
export type AbiValue = bigint | boolean | string | Hex | Address;

const WORD = 32;
const text = new TextDecoder();

function wordAt(data: Bytes, at: number): Bytes | undefined {
  return at + WORD <= data.length ? data.subarray(at, at + WORD) : undefined;
}

function numberAt(data: Bytes, at: number): number | undefined {
  const found = wordAt(data, at);
  if (found === undefined) return undefined;
  const value = bytesToBigInt(found);
  return value <= BigInt(data.length) ? Number(value) : undefined;
}

function dynamicAt(data: Bytes, at: number): Bytes | undefined {
  const offset = numberAt(data, at);
  if (offset === undefined) return undefined;
  const length = numberAt(data, offset);
  if (length === undefined) return undefined;
  const start = offset + WORD;
  return start + length <= data.length ? data.subarray(start, start + length) : undefined;
}

function staticValue(type: AbiType, found: Bytes): AbiValue {
  switch (type) {
    case "uint256":
      return bytesToBigInt(found);
    case "int256":
      return BigInt.asIntN(256, bytesToBigInt(found));
    case "bool":
      return bytesToBigInt(found) !== 0n;
    case "address":
      return bytesToAddress(found.subarray(12));
    default:
      return bytesToHex(found.subarray(0, Number(type.slice("bytes".length))));
  }
}

function valueAt(type: AbiType, data: Bytes, at: number): AbiValue | undefined {
  if (type === "string" || type === "bytes") {
    const found = dynamicAt(data, at);
    if (found === undefined) return undefined;
    return type === "string" ? text.decode(found) : bytesToHex(found);
  }
  const found = wordAt(data, at);
  return found === undefined ? undefined : staticValue(type, found);
}

/** The values that `data` (without selector) encodes, or undefined when it does not hold that many. */
export function readAbi(types: readonly AbiType[], data: Bytes): readonly AbiValue[] | undefined {
  const values: AbiValue[] = [];
  for (const [index, type] of types.entries()) {
    const value = valueAt(type, data, index * WORD);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
