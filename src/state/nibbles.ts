/** Trie paths: one nibble (0 to 15) a byte. */
import type { Bytes } from "../primitives/bytes.ts";

/** One nibble a byte, high nibble first. */
export function toNibbles(key: Bytes): Bytes {
  const nibbles = new Uint8Array(key.length * 2);
  for (let i = 0; i < key.length; i++) {
    const byte = key[i] ?? 0;
    nibbles[2 * i] = byte >> 4;
    nibbles[2 * i + 1] = byte & 15;
  }
  return nibbles;
}

/** Inverse of `toNibbles` for an even number of nibbles. */
export function fromNibbles(nibbles: Bytes): Bytes {
  const key = new Uint8Array(nibbles.length >> 1);
  for (let i = 0; i < key.length; i++) {
    key[i] = ((nibbles[2 * i] ?? 0) << 4) | (nibbles[2 * i + 1] ?? 0);
  }
  return key;
}

/** How many nibbles of `part` equal those of `path` from `depth`. */
export function sharedLength(part: Bytes, path: Bytes, depth: number): number {
  const limit = Math.min(part.length, path.length - depth);
  let i = 0;
  while (i < limit && part[i] === path[depth + i]) i++;
  return i;
}

/** True when `part` is what `path` has from `depth` on, and perhaps more follows. */
export function startsWith(path: Bytes, depth: number, part: Bytes): boolean {
  return sharedLength(part, path, depth) === part.length;
}

/** True when `part` is exactly the rest of `path` from `depth`. */
export function endsWith(path: Bytes, depth: number, part: Bytes): boolean {
  return depth + part.length === path.length && startsWith(path, depth, part);
}

/** -1, 0, 1: everything below `path` is before the bound, is or may be at it, is after it. */
export function compareToBound(path: readonly number[], bound: Bytes): number {
  const shared = Math.min(path.length, bound.length);
  for (let i = 0; i < shared; i++) {
    const difference = (path[i] ?? 0) - (bound[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
