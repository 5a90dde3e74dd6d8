/** The 2048-bit filter of log addresses and topics. Source: Ethereum Yellow Paper, section 4.3.1. */
import { keccak256Shared } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../primitives/hex.ts";
import type { Log } from "./receipt.ts";

export const BLOOM_BYTES = 256;
const BITS_PER_VALUE = 3;
const BIT_MASK = BLOOM_BYTES * 8 - 1;
/** The filter of no logs: one for all receipts that have none, which are most. */
const EMPTY_BLOOM: Bytes = new Uint8Array(BLOOM_BYTES);

/** Bits of values met lately: the same contracts, events and holders come again in each block. */
const known = new Map<Address | Hash, BloomBits>();
const MAX_KNOWN = 16_384;

/** Filter of the logs' addresses and topics, 256 bytes, not to be modified. */
export function bloomOf(logs: readonly Log[]): Bytes {
  if (logs.length === 0) return EMPTY_BLOOM;
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { address, topics } of logs) {
    addToBloom(bloom, bitsOf(address));
    for (const topic of topics) addToBloom(bloom, bitsOf(topic));
  }
  return bloom;
}

function bitsOf(value: Address | Hash): BloomBits {
  const met = known.get(value);
  if (met !== undefined) return met;
  const bits = bloomBits(hexToBytes(value));
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(value, bits);
  return bits;
}

/** Puts an address or topic, by its bits, into the filter, in place. */
export function addToBloom(bloom: Bytes, bits: BloomBits): void {
  for (const bit of bits) {
    const at = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[at] = (bloom[at] ?? 0) | (1 << (bit & 7));
  }
}

/** Where an address or topic sets its bits: to be asked of many filters without hashing each time. */
export type BloomBits = readonly number[];

/** The bits of an address or topic. */
export function bloomBits(value: Bytes): BloomBits {
  const hash = keccak256Shared(value);
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
function bitOf(hash: Bytes, pair: number): number {
  return (((hash[2 * pair] ?? 0) << 8) | (hash[2 * pair + 1] ?? 0)) & BIT_MASK;
}
