/**
 * Hash functions of the chain, synchronous. Keccak-256 runs in a WebAssembly module of our own (0.6 us for 64 bytes where
 * hash-wasm needs 0.95 and noble 4) after a known-answer test at load, else in JavaScript; SHA-256 is OpenSSL's.
 */
import { hash } from "node:crypto";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash, bytesToHex, type Hash } from "../primitives/hex.ts";
import {
  INPUT_OFFSET,
  type KeccakModule,
  MAX_BLOCKS,
  RATE_BYTES,
  startKeccakModule,
} from "./keccakWasm.ts";

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

/** The sponge in WebAssembly: hashes into memory of its own. */
interface Sponge {
  /** The digest is the first 32 bytes until the next call. */
  readonly digest: Bytes;
  absorb(data: Bytes): void;
}

const DIGEST_BYTES = 32;
const STATE_BYTES = 200;
const CHUNK_BYTES = MAX_BLOCKS * RATE_BYTES;

const sponge = startSponge();

/** The implementation of keccak-256 in use. */
export const keccakBackend: "wasm" | "noble" = sponge === undefined ? "noble" : "wasm";

/** Keccak-256 of `data`, 32 bytes. */
export function keccak256(data: Bytes): Bytes {
  return keccak256Shared(data).slice();
}

/** Keccak-256 of `data` in 32 bytes that the next hash overwrites, for those who read them at once. */
export function keccak256Shared(data: Bytes): Bytes {
  if (sponge === undefined) return keccak_256(data);
  sponge.absorb(data);
  return sponge.digest;
}

/** Keccak-256 of `data` as a Hash. */
export function keccakHash(data: Bytes): Hash {
  return bytesToHash(keccak256Shared(data));
}

/** SHA-256 of `data`, 32 bytes. */
export function sha256(data: Bytes): Bytes {
  return Uint8Array.from(hash("sha256", data, "buffer"));
}

/** The WebAssembly sponge, or undefined where it cannot be made or answers wrongly. */
function startSponge(): Sponge | undefined {
  try {
    const made = makeSponge(startKeccakModule());
    const digestOf = (input: Bytes) => {
      made.absorb(input);
      return bytesToHex(made.digest);
    };
    return KNOWN_ANSWERS.every(([input, answer]) => digestOf(input) === answer) ? made : undefined;
  } catch {
    return undefined; // no WebAssembly here: keccakBackend says so
  }
}

function makeSponge({ memory, absorb }: KeccakModule): Sponge {
  return {
    digest: memory.subarray(0, DIGEST_BYTES),
    absorb(data) {
      memory.fill(0, 0, STATE_BYTES);
      let at = 0;
      for (; data.length - at >= CHUNK_BYTES; at += CHUNK_BYTES) {
        memory.set(data.subarray(at, at + CHUNK_BYTES), INPUT_OFFSET);
        absorb(MAX_BLOCKS);
      }
      const left = data.length - at;
      memory.set(at === 0 ? data : data.subarray(at), INPUT_OFFSET);
      const blocks = Math.floor(left / RATE_BYTES) + 1;
      const end = INPUT_OFFSET + blocks * RATE_BYTES;
      memory.fill(0, INPUT_OFFSET + left, end);
      // Keccak's padding, which is not SHA-3's: a one bit, zeros, a one bit
      memory[INPUT_OFFSET + left] = 0x01;
      memory[end - 1] = (memory[end - 1] ?? 0) | 0x80;
      absorb(blocks);
    },
  };
}
