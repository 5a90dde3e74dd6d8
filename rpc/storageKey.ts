/** Storage keys as callers write them: up to 32 bytes, odd digits and a missing prefix allowed. */
import { bigIntToHash, formatQuantity, type Hash } from "../src/primitives/hex.ts";
import { type ParamCodec, refuseValue } from "./codec.ts";
import { RpcError } from "./errors.ts";

/** A key of 32 bytes, and the form in which eth_getProof names it again. */
export interface StorageKey {
  readonly key: Hash;
  /** 32-byte keys as they are, shorter ones as QUANTITY. */
  readonly echo: string;
}

const DIGITS = 64;
const SHOWN_CHARACTERS = 80;

function refuse(problem: string, json: string): never {
  const text = `${problem}: ${JSON.stringify(json.slice(0, SHOWN_CHARACTERS))}`;
  throw new RpcError({ code: "INVALID_PARAMS", text });
}

/** A storage key. Throws INVALID_PARAMS with the texts of rpc.md. */
export const storageKey: ParamCodec<StorageKey> = {
  schema: { title: "storage key", type: "string", pattern: "^(0x)?[0-9a-fA-F]{0,64}$" },
  decode(json, where) {
    if (typeof json !== "string") return refuseValue(where, "a storage key", json);
    const digits = /^0x/i.test(json) ? json.slice(2) : json;
    if (digits.length > DIGITS) refuse("storage key too long (want at most 32 bytes)", json);
    if (!/^[0-9a-fA-F]*$/.test(digits)) refuse("invalid hex in storage key", json);
    const value = digits === "" ? 0n : BigInt(`0x${digits}`);
    const key = bigIntToHash(value);
    return { key, echo: digits.length === DIGITS ? key : formatQuantity(value) };
  },
};
