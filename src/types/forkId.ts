/** Fork identifiers: which chain and which rules, in four bytes. Source: EIP-2124, EIP-6122. */
import type { Bytes } from "../primitives/bytes.ts";
import { type Hash, hexToBytes } from "../primitives/hex.ts";

/** `hash` covers the genesis and all passed forks; `next` is the block or time of the coming fork, 0 if none is known. */
export interface ForkId {
  /** 4 bytes in hex */
  readonly hash: `0x${string}`;
  readonly next: bigint;
}

/** Points at which rules change, ascending and without repetition; the genesis' own rules are not among them. */
export interface ForkPoints {
  readonly blocks: readonly bigint[];
  /** seconds */
  readonly times: readonly bigint[];
}

/** Fork identifier of a chain whose head is `head`. */
export function computeForkId(
  genesisHash: Hash,
  points: ForkPoints,
  head: { readonly number: bigint; readonly timestamp: bigint },
): ForkId {
  const bytes = [...hexToBytes(genesisHash)];
  for (const block of points.blocks) {
    if (head.number < block) return { hash: checksum(bytes), next: block };
    pushUint64(bytes, block);
  }
  for (const time of points.times) {
    if (head.timestamp < time) return { hash: checksum(bytes), next: time };
    pushUint64(bytes, time);
  }
  return { hash: checksum(bytes), next: 0n };
}

function pushUint64(bytes: number[], value: bigint): void {
  for (let shift = 56n; shift >= 0n; shift -= 8n) bytes.push(Number((value >> shift) & 0xffn));
}

function checksum(bytes: readonly number[]): `0x${string}` {
  return `0x${crc32(Uint8Array.from(bytes)).toString(16).padStart(8, "0")}`;
}

/** CRC-32 (IEEE 802.3, reflected). Bit by bit: the input is some 200 bytes and `node:zlib` is not for the core. */
export function crc32(data: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
