/** Keys and values of columns as bytes. Keys keep the order of what they stand for. */
import { type Bytes, bigIntToBytes, bytesToBigInt } from "../primitives/bytes.ts";
import { bytesToHash, bytesToHex, type Hash, hexToBytes } from "../primitives/hex.ts";

/** A two-way conversion. `decode` may throw anything on bytes `encode` never made; Database turns it into DAMAGED. */
export interface Codec<T> {
  encode(value: T): Bytes;
  decode(bytes: Bytes): T;
}

const NUMBER_BYTES = 8;
const MAX_NUMBER = (1n << 64n) - 1n;

/** As they are, not copied. */
export const bytesCodec: Codec<Bytes> = {
  encode: (value) => value,
  decode: (bytes) => bytes,
};

/** 32 bytes. */
export const hashCodec: Codec<Hash> = { encode: hexToBytes, decode: bytesToHash };

/** UTF-8 text. */
export const textCodec: Codec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
};

/** Block numbers and other integers below 2^64: 8 bytes big-endian, so that byte order is number order. */
export const numberCodec: Codec<bigint> = { encode: encodeNumber, decode: decodeNumber };

/** Integers without bound: minimal big-endian. Not for keys. */
export const bigIntCodec: Codec<bigint> = { encode: bigIntToBytes, decode: bytesToBigInt };

function encodeNumber(value: bigint): Bytes {
  if (value < 0n || value > MAX_NUMBER) throw new RangeError(`${value} is not below 2^64`);
  const bytes = new Uint8Array(NUMBER_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function decodeNumber(bytes: Bytes): bigint {
  if (bytes.length !== NUMBER_BYTES) throw new RangeError(`${bytesToHex(bytes)} is not 8 bytes`);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}

/** Bytes and the time they are of. */
export interface Dated {
  /** ms since 1970 */
  readonly atMs: bigint;
  readonly bytes: Bytes;
}

/** The time as numberCodec has it, then the bytes. */
export const datedCodec: Codec<Dated> = {
  encode({ atMs, bytes }) {
    const encoded = new Uint8Array(NUMBER_BYTES + bytes.length);
    encoded.set(encodeNumber(atMs));
    encoded.set(bytes, NUMBER_BYTES);
    return encoded;
  },
  decode: (raw) => ({
    atMs: decodeNumber(raw.subarray(0, NUMBER_BYTES)),
    bytes: raw.subarray(NUMBER_BYTES),
  }),
};

/** Where a transaction of the canonical chain is. */
export interface TransactionLocation {
  readonly blockNumber: bigint;
  /** Position in the block, from 0. */
  readonly index: number;
}

const INDEX_BYTES = 4;
const WORD_BYTES = 4;
const WORD_BITS = 32n;
const WORD_MASK = 0xffff_ffffn;

function writeUint32(target: Bytes, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** 8 bytes of block number, 4 of index. */
export const locationCodec: Codec<TransactionLocation> = {
  encode: ({ blockNumber, index }) => {
    const bytes = new Uint8Array(NUMBER_BYTES + INDEX_BYTES);
    // in place: one of these is written for each transaction, and a DataView for each costs four times as much
    writeUint32(bytes, 0, Number(blockNumber >> WORD_BITS));
    writeUint32(bytes, WORD_BYTES, Number(blockNumber & WORD_MASK));
    writeUint32(bytes, NUMBER_BYTES, index);
    return bytes;
  },
  decode: (bytes) => {
    if (bytes.length !== NUMBER_BYTES + INDEX_BYTES) throw new RangeError("not 12 bytes");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return { blockNumber: view.getBigUint64(0), index: view.getUint32(NUMBER_BYTES) };
  },
};
