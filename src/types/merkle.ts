/**
 * Binary keccak Merkle trees of consensus: block hashes of a macroblock, members of a validator set. Leaves are 32 bytes,
 * padded with zero leaves to a power of two; a node is keccak256(left ‖ right); one leaf is its own root.
 */
import { keccak256 } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";

const ZERO_LEAF: Bytes = new Uint8Array(32);

/** Root over `leaves`, 32 bytes each; without leaves the zero hash. */
export function merkleRoot(leaves: readonly Bytes[]): Hash {
  let level = padded(leaves);
  while (level.length > 1) level = parents(level);
  return bytesToHash(level[0] ?? ZERO_LEAF);
}

/** Siblings from the leaf at `index` up to the root; for 90 leaves these are 7 hashes. */
export function merkleProof(leaves: readonly Bytes[], index: number): readonly Hash[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length)
    throw new RangeError(`no leaf ${index} among ${leaves.length}`);
  const proof: Hash[] = [];
  let level = padded(leaves);
  for (let at = index; level.length > 1; at >>= 1) {
    proof.push(bytesToHash(level[at ^ 1] ?? ZERO_LEAF));
    level = parents(level);
  }
  return proof;
}

/** Root that `leaf` at `index` has with these siblings; undefined if the index does not fit their number. */
export function rootFromProof(
  leaf: Hash,
  index: number,
  siblings: readonly Hash[],
): Hash | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** siblings.length) return undefined;
  let node = hexToBytes(leaf);
  let at = index;
  for (const sibling of siblings) {
    const other = hexToBytes(sibling);
    node = at % 2 === 0 ? hashPair(node, other) : hashPair(other, node);
    at = Math.floor(at / 2);
  }
  return bytesToHash(node);
}

function padded(leaves: readonly Bytes[]): Bytes[] {
  let width = 1;
  while (width < leaves.length) width *= 2;
  return Array.from({ length: width }, (_, index) => leaves[index] ?? ZERO_LEAF);
}

function parents(level: readonly Bytes[]): Bytes[] {
  const above: Bytes[] = [];
  for (let i = 0; i < level.length; i += 2)
    above.push(hashPair(level[i] ?? ZERO_LEAF, level[i + 1] ?? ZERO_LEAF));
  return above;
}

function hashPair(left: Bytes, right: Bytes): Bytes {
  const pair = new Uint8Array(64);
  pair.set(left);
  pair.set(right, 32);
  return keccak256(pair);
}
