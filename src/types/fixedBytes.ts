/**
 * Fixed layouts of big-endian integers and hashes: bodies of signed messages and the epoch summary, which Solidity
 * slices. Counters (slot, epoch, number, id) are safe integers in this program; a u64 beyond 2^53 - 1 is refused, since no
 * such slot or epoch can exist on a chain. Amounts are bigint.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, writeHex } from "../primitives/hex.ts";
import { fail, type RlpItem, readUint, uintItem } from "./rlp.ts";

const U32 = 0x1_0000_0000;
const MAX_U64 = 2n ** 64n - 1n;

/** Writes fields one after the other into a string of exactly `length` bytes. */
export class FixedWriter {
  readonly bytes: Bytes;
  readonly #where: string;
  #at = 0;

  constructor(length: number, where: string) {
    this.bytes = new Uint8Array(length);
    this.#where = where;
  }

  u8(value: number): this {
    this.bytes[this.#take(1)] = this.#checked(value, 0xff);
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.bytes[at] = this.#checked(value, 0xffff) >>> 8;
    this.bytes[at + 1] = value;
    return this;
  }

  u32(value: number): this {
    this.#put32(this.#take(4), this.#checked(value, U32 - 1));
    return this;
  }

  /** A counter as u64. */
  u64(value: number): this {
    const at = this.#take(8);
    this.#checked(value, Number.MAX_SAFE_INTEGER);
    this.#put32(at, Math.floor(value / U32));
    this.#put32(at + 4, value % U32);
    return this;
  }

  /** An amount as u64. */
  amount(value: bigint): this {
    if (value < 0n || value > MAX_U64) this.#refuse("an amount below 2^64", String(value));
    const at = this.#take(8);
    this.#put32(at, Number(value >> 32n));
    this.#put32(at + 4, Number(value & 0xffff_ffffn));
    return this;
  }

  hash(value: Hash): this {
    writeHex(value, this.bytes, this.#take(32));
    return this;
  }

  /** A DataView to write with would cost more than all fields together. */
  #put32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  #checked(value: number, most: number): number {
    if (!Number.isSafeInteger(value) || value < 0 || value > most)
      this.#refuse(`an integer from 0 to ${most}`, String(value));
    return value;
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.bytes.length)
      this.#refuse(`${this.bytes.length} bytes`, `${this.#at} or more`);
    return at;
  }

  #refuse(expected: string, got: string): never {
    fail("BAD_FIELD", { where: this.#where, expected, got });
  }
}

/** Reads fields one after the other; throws DecodeError where the bytes end or hold what cannot be. */
export class FixedReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #where: string;
  #at = 0;

  /** `length`: what the bytes must have, if it is known beforehand. */
  constructor(bytes: Bytes, where: string, length?: number) {
    if (length !== undefined && bytes.length !== length)
      fail("BAD_FIELD", { where, expected: `${length} bytes`, got: `${bytes.length} bytes` });
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#where = where;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** A counter of 8 bytes. */
  u64(): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at) * U32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) this.#refuse("a counter below 2^53", `about ${value}`);
    return value;
  }

  /** An amount of 8 bytes. */
  amount(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  hash(): Hash {
    const at = this.#take(32);
    return bytesToHash(this.#bytes.subarray(at, at + 32));
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Refuses bytes after the last field. */
  end(): void {
    if (this.left > 0) this.#refuse("no bytes after the last field", `${this.left} bytes more`);
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length)
      this.#refuse(`at least ${this.#at} bytes`, `${this.#bytes.length} bytes`);
    return at;
  }

  #refuse(expected: string, got: string): never {
    fail("BAD_FIELD", { where: this.#where, expected, got });
  }
}

/** The RLP item as a counter of at most `maxBits` bits (a multiple of 8, at most 64). Throws DecodeError. */
export function readCounter(item: RlpItem | undefined, where: string, maxBits: number): number {
  const value = readUint(item, where, maxBits);
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    fail("BAD_FIELD", { where, expected: "a counter below 2^53", got: String(value) });
  return Number(value);
}

/** RLP form of a counter. Throws DecodeError on anything but a safe integer from 0 on. */
export function counterItem(value: number, where: string): Bytes {
  if (!Number.isSafeInteger(value))
    fail("BAD_FIELD", { where, expected: "a counter below 2^53", got: String(value) });
  return uintItem(BigInt(value), where);
}
