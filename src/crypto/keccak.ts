/**
 * Hash functions of the chain, synchronous. Keccak-256 runs in WebAssembly (about 1 us for a trie node, noble needs 8)
 * after a known-answer test at load, else in JavaScript; SHA-256 is OpenSSL's.
 */
import { hash } from "node:crypto";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak, type IHasher } from "hash-wasm";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash, bytesToHex, type Hash } from "../primitives/hex.ts";

const KNOWN_ANSWERS: readonly (readonly [input: Bytes, digest: string])[] = [
  [new Uint8Array(0), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"],
  [
    new TextEncoder().encode("abc"),
    "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
  ],
  // one byte over the sponge's rate of 136
  [
    new Uint8Array(137).fill(0xa5),
    "0x171c6f03b55a0672ff99dbca84110b6bc3b8f75e1b31b5979cca100ba74f520a",
  ],
];

const wasm = await startWasm();

/** The implementation of keccak-256 in use. */
export const keccakBackend: "hash-wasm" | "noble" = wasm === undefined ? "noble" : "hash-wasm";

/** Keccak-256 of `data`, 32 bytes. */
export function keccak256(data: Bytes): Bytes {
  return wasm === undefined ? keccak_256(data) : wasm.init().update(data).digest("binary");
}

/** Keccak-256 of `data` as a Hash. */
export function keccakHash(data: Bytes): Hash {
  return bytesToHash(keccak256(data));
}

/** SHA-256 of `data`, 32 bytes. */
export function sha256(data: Bytes): Bytes {
  return Uint8Array.from(hash("sha256", data, "buffer"));
}

/** The WebAssembly hasher, or undefined where it cannot be built or answers wrongly. */
async function startWasm(): Promise<IHasher | undefined> {
  try {
    const hasher = await createKeccak(256);
    const digest = (input: Bytes) => bytesToHex(hasher.init().update(input).digest("binary"));
    return KNOWN_ANSWERS.every(([input, answer]) => digest(input) === answer) ? hasher : undefined;
  } catch {
    return undefined; // no WebAssembly here: keccakBackend says so
  }
}
