/** What contracts print with Hardhat's console.sol: calls to an address without code, one signature per line. */
import { format } from "node:util";
import { keccak256 } from "../crypto/keccak.ts";
import { type AbiType, readAbi } from "../execution/abiReader.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, bytesToHex, parseAddress } from "../primitives/hex.ts";

/** "console.log" in ASCII. */
export const CONSOLE_ADDRESS: Address = parseAddress("0x000000000000000000636F6e736F6c652e6c6f67");

const SELECTOR = 4;
const MAX_ARGUMENTS = 4;
const combined = ["uint256", "string", "bool", "address"] as const;

/** Every list of up to four of the combined types, and the single types that exist alone. */
function signatures(): readonly (readonly AbiType[])[] {
  const all: (readonly AbiType[])[] = [[], ["int256"], ["bytes"]];
  for (let length = 1; length <= 32; length++) all.push([`bytes${length}`]);
  let longest: readonly (readonly AbiType[])[] = [[]];
  for (let count = 1; count <= MAX_ARGUMENTS; count++) {
    longest = longest.flatMap((types) => combined.map((type) => [...types, type]));
    all.push(...longest);
  }
  return all;
}

function selectorOf(types: readonly string[]): string {
  const signature = new TextEncoder().encode(`log(${types.join(",")})`);
  return bytesToHex(keccak256(signature).subarray(0, SELECTOR));
}

let bySelector: ReadonlyMap<string, readonly AbiType[]> | undefined;

/** Selectors of today's console.sol and of its first releases, which hashed `uint` and `int`. */
function selectors(): ReadonlyMap<string, readonly AbiType[]> {
  if (bySelector !== undefined) return bySelector;
  const found = new Map<string, readonly AbiType[]>();
  for (const types of signatures()) {
    found.set(selectorOf(types.map((type) => type.replace(/^(u?int)256$/, "$1"))), types);
    found.set(selectorOf(types), types);
  }
  bySelector = found;
  return found;
}

/** The line that a call to CONSOLE_ADDRESS prints; undefined when `input` is none of its signatures. */
export function consoleLine(input: Bytes): string | undefined {
  if (input.length < SELECTOR) return undefined;
  const types = selectors().get(bytesToHex(input.subarray(0, SELECTOR)));
  if (types === undefined) return undefined;
  const values = readAbi(types, input.subarray(SELECTOR));
  if (values === undefined) return undefined;
  // bigints as text: console.log of Node would append an n
  return format(...values.map((value) => (typeof value === "bigint" ? String(value) : value)));
}
