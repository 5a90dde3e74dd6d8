/** The 2048-bit filter of log addresses and topics. Source: Ethereum Yellow Paper, section 4.3.1. */
import { keccak256 } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { hexToBytes } from "../primitives/hex.ts";
import type { Log } from "./receipt.ts";

export const BLOOM_BYTES = 256;
const BITS_PER_VALUE = 3;
const BIT_MASK = BLOOM_BYTES * 8 - 1;
/** The filter of no logs: one for all receipts that have none, which are most. */
const EMPTY_BLOOM: Bytes = new Uint8Array(BLOOM_BYTES);

/** Filter of the logs' addresses and topics, 256 bytes, not to be modified. */
export function bloomOf(logs: readonly Log[]): Bytes {
  if (logs.length === 0) return EMPTY_BLOOM;
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { address, topics } of logs) {
    addToBloom(bloom, hexToBytes(address));
    for (const topic of topics) addToBloom(bloom, hexToBytes(topic));
  }
  return bloom;
}

/** Puts an address or topic into the filter, in place. */
export function addToBloom(bloom: Bytes, value: Bytes): void {
  const hash = keccak256(value);
  for (let i = 0; i < BITS_PER_VALUE; i++) {
    const at = byteOf(hash, i);
    bloom[at] = (bloom[at] ?? 0) | maskOf(hash, i);
  }
}

/** Where an address or topic sets its bits: to be asked of many filters without hashing each time. */
export type BloomBits = readonly number[];

/** The bits of an address or topic. */
export function bloomBits(value: Bytes): BloomBits {
  const hash = keccak256(value);
  return Array.from({ length: BITS_PER_VALUE }, (_, pair) => bitOf(hash, pair));
}

/** Whether what has these bits may be in the filter: false is certain, true is not. */
export function bloomMayContain(bloom: Bytes, bits: BloomBits): boolean {
  for (const bit of bits) {
    if (((bloom[BLOOM_BYTES - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Filter of everything in any of the filters. */
export function orBlooms(blooms: Iterable<Bytes>): Bytes {
  const joined = new Uint8Array(BLOOM_BYTES);
  for (const bloom of blooms) {
    if (bloom === EMPTY_BLOOM) continue;
    for (let i = 0; i < BLOOM_BYTES; i++) joined[i] = (joined[i] ?? 0) | (bloom[i] ?? 0);
  }
  return joined;
}

/** The filter counts bits from its end. */
function byteOf(hash: Bytes, pair: number): number {
  return BLOOM_BYTES - 1 - (bitOf(hash, pair) >> 3);
}

function maskOf(hash: Bytes, pair: number): number {
  return 1 << (bitOf(hash, pair) & 7);
}

function bitOf(hash: Bytes, pair: number): number {
  return (((hash[2 * pair] ?? 0) << 8) | (hash[2 * pair + 1] ?? 0)) & BIT_MASK;
}
