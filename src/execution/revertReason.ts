/** The words inside the return data of a reverted call. */
import { type Bytes, equalBytes } from "../primitives/bytes.ts";
import { readAbi } from "./abiReader.ts";

const SELECTOR = 4;
/** Error(string) */
const ERROR = Uint8Array.of(0x08, 0xc3, 0x79, 0xa0);
/** Panic(uint256) */
const PANIC = Uint8Array.of(0x4e, 0x48, 0x7b, 0x71);

/** Solidity's panic codes in the words geth uses. */
const panics: ReadonlyMap<bigint, string> = new Map([
  [0x00n, "generic panic"],
  [0x01n, "assert(false)"],
  [0x11n, "arithmetic underflow or overflow"],
  [0x12n, "division or modulo by zero"],
  [0x21n, "enum overflow"],
  [0x22n, "invalid encoded storage byte array accessed"],
  [0x31n, "out-of-bounds array access; popping on an empty array"],
  [0x32n, "out-of-bounds access of an array or bytesN"],
  [0x41n, "out of memory"],
  [0x51n, "uninitialized function"],
]);

/** Text of `Error(string)` or `Panic(uint256)`; undefined for custom errors and anything else. */
export function revertReason(returnData: Bytes): string | undefined {
  if (returnData.length < SELECTOR) return undefined;
  const selector = returnData.subarray(0, SELECTOR);
  const rest = returnData.subarray(SELECTOR);
  if (equalBytes(selector, ERROR)) {
    const reason = readAbi(["string"], rest)?.[0];
    return typeof reason === "string" ? reason : undefined;
  }
  if (equalBytes(selector, PANIC)) {
    const code = readAbi(["uint256"], rest)?.[0];
    if (typeof code !== "bigint") return undefined;
    return panics.get(code) ?? `unknown panic code: 0x${code.toString(16)}`;
  }
  return undefined;
}
