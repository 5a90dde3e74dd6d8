/** Parts of index keys: numbers in big-endian order, so that keys sort by block. */
import type { Bytes } from "../primitives/bytes.ts";

/** Length of a block number in a key. */
export const NUMBER_BYTES = 8;
/** Length of a position within a block in a key. */
export const POSITION_BYTES = 4;

/** Writes `number` as 8 bytes, big-endian. */
export function writeNumber(target: Bytes, offset: number, number: bigint): void {
  viewOf(target).setBigUint64(offset, number);
}

/** Reads 8 bytes, big-endian. */
export function readNumber(source: Bytes, offset: number): bigint {
  return viewOf(source).getBigUint64(offset);
}

/** Writes `position` as 4 bytes, big-endian. */
export function writePosition(target: Bytes, offset: number, position: number): void {
  target[offset] = position >>> 24;
  target[offset + 1] = position >>> 16;
  target[offset + 2] = position >>> 8;
  target[offset + 3] = position;
}

/** Reads 4 bytes, big-endian. */
export function readPosition(source: Bytes, offset: number): number {
  return viewOf(source).getUint32(offset);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
