/**
 * Roots of tries whose content is known at once: a block's transactions, receipts and withdrawals, keyed by the RLP of
 * their position. Built from the sorted keys bottom up: every node is encoded and hashed once and nothing is kept. Keys
 * are never made: a digit of a path is computed from the position. Branches are written into one buffer for each depth.
 */
import { keccak256, keccak256Shared } from "../crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { bytesToHash, type Hash } from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import { encodeExtension, encodeLeaf, HASH_BYTES } from "./trieNode.ts";

const BRANCH_CHILDREN = 16;
const FIRST_LONG_INDEX = 128;
const MAX_INDEX = 0xff_ffff;
/** RLP of a 32-byte string begins with this. */
const HASH_HEAD = 0x80 + HASH_BYTES;
const EMPTY_ITEM = 0x80;
/** Room for the head of a branch before its items. */
const BRANCH_HEAD_BYTES = 3;
const BRANCH_BYTES = BRANCH_HEAD_BYTES + BRANCH_CHILDREN * (1 + HASH_BYTES) + 1;
/** Digits of the longest key. */
const MAX_DEPTH = 8;
const branches = Array.from({ length: MAX_DEPTH }, () => new Uint8Array(BRANCH_BYTES));

/** Root of the trie of rlp(0) → values[0], rlp(1) → values[1], … Source: Yellow Paper, section 4.3. */
export function orderedTrieRoot(values: readonly Bytes[]): Hash {
  if (values.length === 0) return EMPTY_TRIE_ROOT;
  const items = itemsOf(values);
  return bytesToHash(keccak256(encode(items, { from: 0, to: values.length }, 0)));
}

/** Nodes from the root to the value at `index`, for `verifyOrderedProof`. Throws RangeError when there is none. */
export function orderedTrieProof(values: readonly Bytes[], index: number): readonly Bytes[] {
  if (values[index] === undefined) throw new RangeError(`no value ${index} of ${values.length}`);
  const items = itemsOf(values);
  const proof: Bytes[] = [];
  let run: Run = { from: 0, to: values.length };
  for (let depth = 0; ; ) {
    const raw = encode(items, run, depth);
    // a node of less than 32 bytes is part of the node above it
    if (depth === 0 || raw.length >= HASH_BYTES) proof.push(raw.slice());
    if (run.to - run.from === 1) return proof;
    const shared = sharedDepth(items, run, depth);
    if (shared > depth) depth = shared;
    else {
      run = narrowed(items, run, { depth, nibble: nibbleOf(index, depth) });
      depth++;
    }
  }
}

function narrowed(
  items: Items,
  run: Run,
  { depth, nibble }: { readonly depth: number; readonly nibble: number },
): Run {
  let from = run.from;
  while (nibbleAt(items, from, depth) !== nibble) from++;
  return { from, to: endOfNibble(items, { from, to: run.to }, depth) };
}

/** Values and the order of their keys. */
interface Items {
  readonly values: readonly Bytes[];
  /** Positions of the values by the byte order of rlp(position). */
  readonly order: Uint32Array;
}

/** A run of items in their order, `to` excluded. */
interface Run {
  readonly from: number;
  readonly to: number;
}

function itemsOf(values: readonly Bytes[]): Items {
  if (values.length > MAX_INDEX) throw new RangeError(`${values.length} values`);
  const order = new Uint32Array(values.length);
  // byte order of rlp(index): 01 … 7f, then 80 which is zero, then 81 80 and on
  const short = Math.min(values.length, FIRST_LONG_INDEX);
  for (let i = 1; i < short; i++) order[i - 1] = i;
  for (let i = short; i < values.length; i++) order[i] = i;
  return { values, order };
}

/** rlp(index): the key of a value. */
export function indexKey(index: number): Bytes {
  const key = new Uint8Array(nibblesOf(index) / 2);
  for (let i = 0; i < key.length; i++)
    key[i] = (nibbleOf(index, 2 * i) << 4) | nibbleOf(index, 2 * i + 1);
  return key;
}

/** Length of the path of a value. */
function nibblesOf(index: number): number {
  if (index < FIRST_LONG_INDEX) return 2;
  if (index < 0x100) return 4;
  return index < 0x1_0000 ? 6 : 8;
}

/** A digit of rlp(index); -1 behind its end, where no other key goes on. */
function nibbleOf(index: number, depth: number): number {
  const nibbles = nibblesOf(index);
  if (depth >= nibbles) return -1;
  return (keyNumber(index, nibbles) >>> (4 * (nibbles - 1 - depth))) & 15;
}

/** rlp(index) as a number. */
function keyNumber(index: number, nibbles: number): number {
  if (nibbles === 2) return index === 0 ? EMPTY_ITEM : index;
  // 81 and a byte, 82 and two, 83 and three
  return index + (EMPTY_ITEM + nibbles / 2 - 1) * 0x100 ** (nibbles / 2 - 1);
}

function nibbleAt({ order }: Items, place: number, depth: number): number {
  return nibbleOf(order[place] ?? 0, depth);
}

/** Nibbles that all paths of the run share; more than one item, so it ends. */
function sharedDepth(items: Items, { from, to }: Run, depth: number): number {
  let shared = depth;
  while (nibbleAt(items, from, shared) === nibbleAt(items, to - 1, shared)) shared++;
  return shared;
}

/** Where the items end that have the first one's nibble. */
function endOfNibble(items: Items, { from, to }: Run, depth: number): number {
  const nibble = nibbleAt(items, from, depth);
  let end = from + 1;
  while (end < to && nibbleAt(items, end, depth) === nibble) end++;
  return end;
}

/** Digits `from` to `to` of rlp(index). */
function pathOf(index: number, from: number, to: number): Bytes {
  if (from >= to) return EMPTY_BYTES;
  const path = new Uint8Array(to - from);
  for (let i = 0; i < path.length; i++) path[i] = nibbleOf(index, from + i);
  return path;
}

/**
 * Bytes of the node above a run of items that share their first `depth` nibbles, good until the next node of that depth
 * is encoded. No key is a prefix of another.
 */
function encode(items: Items, run: Run, depth: number): Bytes {
  const first = items.order[run.from] ?? 0;
  if (run.to - run.from === 1) {
    const value = items.values[first];
    if (value === undefined) throw new RangeError("an empty run");
    return encodeLeaf(pathOf(first, depth, nibblesOf(first)), value);
  }
  const shared = sharedDepth(items, run, depth);
  if (shared === depth) return encodeBranchOf(items, run, depth);
  const child = new Uint8Array(1 + HASH_BYTES);
  const length = writeReference(child, 0, encodeBranchOf(items, run, shared));
  return encodeExtension(pathOf(first, depth, shared), child.subarray(0, length));
}

function encodeBranchOf(items: Items, run: Run, depth: number): Bytes {
  const out = branches[depth];
  if (out === undefined) throw new RangeError("no key is so long");
  let at = BRANCH_HEAD_BYTES;
  let from = run.from;
  for (let nibble = 0; nibble < BRANCH_CHILDREN; nibble++) {
    if (from < run.to && nibbleAt(items, from, depth) === nibble) {
      const to = endOfNibble(items, { from, to: run.to }, depth);
      at = writeReference(out, at, encode(items, { from, to }, depth + 1));
      from = to;
    } else out[at++] = EMPTY_ITEM;
  }
  out[at++] = EMPTY_ITEM; // no key ends here
  return withHead(out, at);
}

/** Writes how a parent holds a node, and returns where the next item goes. */
function writeReference(out: Bytes, at: number, raw: Bytes): number {
  if (raw.length < HASH_BYTES) {
    out.set(raw, at);
    return at + raw.length;
  }
  out[at] = HASH_HEAD;
  out.set(keccak256Shared(raw), at + 1);
  return at + 1 + HASH_BYTES;
}

/** Puts the head of a list before the items that end at `end`. */
function withHead(out: Bytes, end: number): Bytes {
  const length = end - BRANCH_HEAD_BYTES;
  if (length < 56) {
    out[2] = 0xc0 + length;
    return out.subarray(2, end);
  }
  out[2] = length;
  if (length < 0x100) {
    out[1] = 0xf8;
    return out.subarray(1, end);
  }
  out[1] = length >> 8;
  out[0] = 0xf9;
  return out.subarray(0, end);
}
