/** Byte strings and their conversion to unsigned big-endian integers. Nothing here knows what the bytes mean. */

/** A byte string. Buffers from LevelDB or Node are Uint8Arrays too: never rely on `slice` copying. */
export type Bytes = Uint8Array;

/** The empty byte string. */
export const EMPTY_BYTES: Bytes = new Uint8Array(0);

/** Joins byte strings into a new one. */
export function concatBytes(...parts: readonly Bytes[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Up to this length a loop is faster than Node's own comparison. */
const LOOPED_BYTES = 64;

/** Same length and same content. */
export function equalBytes(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  if (a.length > LOOPED_BYTES) return Buffer.compare(a, b) === 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order, a shorter prefix first: negative, zero or positive as for `Array.sort`. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const MAX_SAFE_BYTES = 6;
const WORD_BYTES = 32;
/** A Buffer made for each word would cost as much as its conversion. */
const word = Buffer.alloc(WORD_BYTES);

/** Unsigned big-endian value; the empty string is zero. */
export function bytesToBigInt(bytes: Bytes): bigint {
  if (bytes.length <= MAX_SAFE_BYTES) {
    let small = 0;
    for (let i = 0; i < bytes.length; i++) small = small * 256 + (bytes[i] ?? 0);
    return BigInt(small);
  }
  if (bytes.length > WORD_BYTES)
    return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`);
  word.set(bytes);
  return BigInt(`0x${word.toString("hex", 0, bytes.length)}`);
}

const LANE_BYTES = 8;
const LANE_BITS = 64n;
const lanes = new Uint8Array(WORD_BYTES);
const lanesView = new DataView(lanes.buffer);

/** Minimal big-endian form as RLP wants it: zero is the empty string, no leading zero byte. */
export function bigIntToBytes(value: bigint): Bytes {
  if (value === 0n) return EMPTY_BYTES;
  let at = WORD_BYTES;
  let rest = value;
  for (; rest > 0n && at > 0; rest >>= LANE_BITS) {
    at -= LANE_BYTES;
    lanesView.setBigUint64(at, rest);
  }
  if (rest !== 0n) return longToBytes(value);
  while (lanes[at] === 0) at++;
  return lanes.slice(at);
}

/** The same for what does not fit into a word. */
function longToBytes(value: bigint): Bytes {
  const hex = value.toString(16);
  return Uint8Array.from(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex"));
}

/** Left-pads with zero bytes to `length`; a longer input is a caller's mistake and throws RangeError. */
export function padBytes(bytes: Bytes, length: number): Bytes {
  if (bytes.length === length) return bytes;
  if (bytes.length > length)
    throw new RangeError(`${bytes.length} bytes do not fit into ${length}`);
  const padded = new Uint8Array(length);
  padded.set(bytes, length - bytes.length);
  return padded;
}

/** The same number without leading zero bytes (a view, not a copy). */
export function stripZeros(bytes: Bytes): Bytes {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  return start === 0 ? bytes : bytes.subarray(start);
}
