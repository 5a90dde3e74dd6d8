/**
 * The fast way through plain transactions: types 0, 1 and 2 without access list, which are nearly all. Their payload is one
 * list of byte strings, so the fields are read where they stand and what was signed is cut out of the bytes: no items, no
 * encoding (decoding 4 us, not 13). Whatever is not exactly such a transaction gives undefined; then transactionCodec reads
 * it item by item and says what is wrong. Both must agree: test/unit/types/flatTransaction.test.ts compares them.
 */
import { keccak256, keccakHash } from "../crypto/keccak.ts";
import { recoverCompact } from "../crypto/secp256k1.ts";
import { type Bytes, bytesToBigInt, EMPTY_BYTES } from "../primitives/bytes.ts";
import { bytesToAddress } from "../primitives/hex.ts";
import type { Signature, Transaction } from "./transaction.ts";
import { NO_ENTRIES } from "./transactionFields.ts";
import { ACCESS_LIST_TYPE, DYNAMIC_FEE_TYPE, LEGACY_TYPE } from "./transactionTypes.ts";

/** Where the fields of a type stand in its payload; -1: it has none. */
interface Layout {
  readonly type: number;
  readonly chainId: number;
  readonly nonce: number;
  readonly tip: number;
  readonly fee: number;
  readonly gasLimit: number;
  readonly to: number;
  readonly accessList: number;
  /** v or yParity; r and s follow. */
  readonly v: number;
}

/** `to`, value and data follow each other in all of them. */
const LEGACY: Layout = {
  type: LEGACY_TYPE,
  chainId: -1,
  nonce: 0,
  tip: 1,
  fee: 1,
  gasLimit: 2,
  to: 3,
  accessList: -1,
  v: 6,
};
/** EIP-2930 */
const ACCESS_LIST: Layout = {
  type: ACCESS_LIST_TYPE,
  chainId: 0,
  nonce: 1,
  tip: 2,
  fee: 2,
  gasLimit: 3,
  to: 4,
  accessList: 7,
  v: 8,
};
/** EIP-1559 */
const DYNAMIC_FEE: Layout = {
  type: DYNAMIC_FEE_TYPE,
  chainId: 0,
  nonce: 1,
  tip: 2,
  fee: 3,
  gasLimit: 4,
  to: 5,
  accessList: 8,
  v: 9,
};

const FIRST_LIST_BYTE = 0xc0;
const STRING_BYTE = 0x80;
const SHORT_LIMIT = 55;
/** The longest length of a length that is read here: 24 bits are above any limit of the pool and of blocks. */
const MAX_LENGTH_BYTES = 3;
const U64_BYTES = 8;
const U256_BYTES = 32;
const ADDRESS_BYTES = 20;
const SMALL_BYTES = 6;
const MAX_ITEMS = 12;
/** `v` of a legacy signature without and with a chain id. Source: EIP-155 */
const UNPROTECTED_V = 27n;
const PROTECTED_V = 35n;

/** Where the items of the payload scanned last begin and end: nothing is called between a scan and its use. */
const starts = new Int32Array(MAX_ITEMS);
const ends = new Int32Array(MAX_ITEMS);
/** Where its first item begins. */
let payloadAt = 0;

/** The transaction in `raw`, or undefined when it is none of the plain ones. */
export function decodeFlat(raw: Bytes): Transaction | undefined {
  const layout = scan(raw);
  if (layout === undefined) return undefined;
  const { to } = layout;
  if (!areFields(raw, layout)) return undefined;
  const signature = readSignature(raw, layout);
  if (signature === undefined) return undefined;
  const maxFeePerGas = readUint(raw, layout.fee);
  return {
    type: layout.type,
    chainId: layout.type === LEGACY_TYPE ? chainIdOf(signature.v) : readUint(raw, layout.chainId),
    nonce: readUint(raw, layout.nonce),
    maxFeePerGas,
    maxPriorityFeePerGas: layout.tip === layout.fee ? maxFeePerGas : readUint(raw, layout.tip),
    gasLimit: readUint(raw, layout.gasLimit),
    to: length(to) === 0 ? undefined : bytesToAddress(cut(raw, to)),
    value: readUint(raw, to + 1),
    data: length(to + 2) === 0 ? EMPTY_BYTES : cut(raw, to + 2).slice(),
    accessList: NO_ENTRIES,
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: NO_ENTRIES,
    authorizationList: NO_ENTRIES,
    signature,
    raw,
    hash: keccakHash(raw),
  };
}

/**
 * The 20-byte sender of the plain transaction in `raw`, without decoding it; undefined when it is none of those, or when
 * its signature has no sender or a high `s`: then `senderOf` says what is wrong.
 */
export function recoverFlatSender(raw: Bytes): Bytes | undefined {
  const layout = scan(raw);
  if (layout === undefined || !areFields(raw, layout)) return undefined;
  const { v } = layout;
  const signature = readSignature(raw, layout);
  if (signature === undefined) return undefined;
  const compact = new Uint8Array(2 * U256_BYTES);
  compact.set(cut(raw, v + 1), U256_BYTES - length(v + 1));
  compact.set(cut(raw, v + 2), 2 * U256_BYTES - length(v + 2));
  const digest = keccak256(signedBytes(raw, layout, signature.v));
  const publicKey = recoverCompact(digest, compact, signature.yParity);
  return publicKey && keccak256(publicKey).subarray(U256_BYTES - ADDRESS_BYTES);
}

/** What was signed: the payload's items before the signature under a list head of their own. */
function signedBytes(raw: Bytes, layout: Layout, v: bigint): Bytes {
  const from = payloadAt;
  const to = itemHead(raw, layout.v);
  const tail = layout.type === LEGACY_TYPE ? chainIdTail(v) : EMPTY_BYTES;
  const body = to - from + tail.length;
  const extra = body <= SHORT_LIMIT ? 0 : lengthBytes(body);
  const typed = layout.type === LEGACY_TYPE ? 0 : 1;
  const signed = new Uint8Array(typed + 1 + extra + body);
  if (typed === 1) signed[0] = layout.type;
  signed[typed] = extra === 0 ? FIRST_LIST_BYTE + body : FIRST_LIST_BYTE + SHORT_LIMIT + extra;
  for (let i = 0; i < extra; i++) signed[typed + 1 + i] = body >>> (8 * (extra - 1 - i));
  const at = typed + 1 + extra;
  signed.set(raw.subarray(from, to), at);
  signed.set(tail, at + to - from);
  return signed;
}

/** chainId, 0, 0 behind the fields of a protected legacy transaction. Source: EIP-155 */
function chainIdTail(v: bigint): Bytes {
  const chainId = chainIdOf(v);
  if (chainId === undefined) return EMPTY_BYTES;
  const hex = chainId.toString(16);
  const bytes =
    chainId === 0n
      ? EMPTY_BYTES
      : Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  const own = bytes.length === 1 && (bytes[0] ?? 0) < STRING_BYTE;
  const tail = new Uint8Array((own ? 1 : 1 + bytes.length) + 2);
  if (!own) tail[0] = STRING_BYTE + bytes.length;
  tail.set(bytes, own ? 0 : 1);
  tail.fill(STRING_BYTE, tail.length - 2);
  return tail;
}

function chainIdOf(v: bigint): bigint | undefined {
  return v < PROTECTED_V ? undefined : (v - PROTECTED_V) / 2n;
}

function readSignature(raw: Bytes, { type, v: at }: Layout): Signature | undefined {
  const v = readUint(raw, at);
  const [r, s] = [readUint(raw, at + 1), readUint(raw, at + 2)];
  if (type !== LEGACY_TYPE) return v > 1n ? undefined : { v, r, s, yParity: v === 0n ? 0 : 1 };
  if (v !== UNPROTECTED_V && v !== UNPROTECTED_V + 1n && v < PROTECTED_V) return undefined;
  return { v, r, s, yParity: v % 2n === 1n ? 0 : 1 };
}

/** Finds the items of the payload; undefined unless `raw` is one canonical list of exactly the type's byte strings. */
function scan(raw: Bytes): Layout | undefined {
  const first = raw[0] ?? 0;
  const layout =
    first >= FIRST_LIST_BYTE
      ? LEGACY
      : first === 2
        ? DYNAMIC_FEE
        : first === 1
          ? ACCESS_LIST
          : undefined;
  if (layout === undefined) return undefined;
  let at = headEnd(raw, layout === LEGACY ? 0 : 1);
  if (at < 0) return undefined;
  payloadAt = at;
  const count = layout.v + 3;
  for (let i = 0; i < count; i++) {
    at = scanItem(raw, at, i, i === layout.accessList);
    if (at < 0) return undefined;
  }
  return at === raw.length ? layout : undefined;
}

/** End of the head of the list that begins at `at` and fills the rest of `raw`; -1 if there is none. */
function headEnd(raw: Bytes, at: number): number {
  const first = raw[at] ?? 0;
  if (first < FIRST_LIST_BYTE) return -1;
  const short = first - FIRST_LIST_BYTE;
  if (short <= SHORT_LIMIT) return at + 1 + short === raw.length ? at + 1 : -1;
  const end = at + 1 + short - SHORT_LIMIT;
  const size = longLength(raw, at + 1, end);
  return size >= 0 && end + size === raw.length ? end : -1;
}

/** Notes one item and returns where the next begins; -1 for what is not canonical or should not be here. */
function scanItem(raw: Bytes, at: number, index: number, isList: boolean): number {
  const first = raw[at] ?? 0xff;
  if (isList) return first === FIRST_LIST_BYTE ? at + 1 : -1;
  if (first >= FIRST_LIST_BYTE) return -1;
  if (first < STRING_BYTE) return noteItem(raw, index, at, at + 1);
  const short = first - STRING_BYTE;
  if (short > SHORT_LIMIT) {
    const start = at + 1 + short - SHORT_LIMIT;
    const size = longLength(raw, at + 1, start);
    return size < 0 ? -1 : noteItem(raw, index, start, start + size);
  }
  // one small byte is its own code
  if (short === 1 && (raw[at + 1] ?? 0) < STRING_BYTE) return -1;
  return noteItem(raw, index, at + 1, at + 1 + short);
}

function noteItem(raw: Bytes, index: number, start: number, end: number): number {
  starts[index] = start;
  ends[index] = end;
  return end <= raw.length ? end : -1;
}

/** The length that stands in [from, to): -1 when a shorter head would do, or none so long is read here. */
function longLength(raw: Bytes, from: number, to: number): number {
  if (to - from > MAX_LENGTH_BYTES || raw[from] === 0) return -1;
  let size = 0;
  for (let i = from; i < to; i++) size = size * 256 + (raw[i] ?? 0);
  return size > SHORT_LIMIT ? size : -1;
}

/** Where the head of an item begins that is no list: its payload if that is its own code. */
function itemHead(raw: Bytes, index: number): number {
  const start = starts[index] ?? 0;
  const own = length(index) === 1 && (raw[start] ?? 0) < STRING_BYTE;
  return own ? start : start - 1;
}

/** The numbers are within their bounds and without leading zeros, `to` is an address or empty, r and s are not zero. */
function areFields(raw: Bytes, { chainId, nonce, tip, fee, gasLimit, to, v }: Layout): boolean {
  return (
    (chainId < 0 || isUint(raw, chainId, U256_BYTES)) &&
    isUint(raw, nonce, U64_BYTES) &&
    isUint(raw, tip, U256_BYTES) &&
    isUint(raw, fee, U256_BYTES) &&
    isUint(raw, gasLimit, U64_BYTES) &&
    isUint(raw, to + 1, U256_BYTES) &&
    (length(to) === 0 || length(to) === ADDRESS_BYTES) &&
    isUint(raw, v, U256_BYTES) &&
    length(v + 1) > 0 &&
    isUint(raw, v + 1, U256_BYTES) &&
    length(v + 2) > 0 &&
    isUint(raw, v + 2, U256_BYTES)
  );
}

function isUint(raw: Bytes, index: number, maxBytes: number): boolean {
  const size = length(index);
  return size === 0 || (size <= maxBytes && raw[starts[index] ?? 0] !== 0);
}

function length(index: number): number {
  return (ends[index] ?? 0) - (starts[index] ?? 0);
}

function cut(raw: Bytes, index: number): Bytes {
  return raw.subarray(starts[index], ends[index]);
}

function lengthBytes(size: number): number {
  return size > 0xffff ? 3 : size > 0xff ? 2 : 1;
}

function readUint(raw: Bytes, index: number): bigint {
  const start = starts[index] ?? 0;
  const size = length(index);
  if (size > SMALL_BYTES) return bytesToBigInt(raw.subarray(start, start + size));
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (raw[start + i] ?? 0);
  return BigInt(value);
}
