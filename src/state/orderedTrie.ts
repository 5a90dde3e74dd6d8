/**
 * Roots of tries whose content is known at once: a block's transactions, receipts and withdrawals, keyed by the RLP of
 * their position. Built from the sorted keys bottom up: every node is encoded and hashed once and nothing is kept.
 */
import { keccak256 } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash } from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import { toNibbles } from "./nibbles.ts";
import {
  type Child,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  HASH_BYTES,
  type NodeKey,
  nodeKey,
} from "./trieNode.ts";

const BRANCH_CHILDREN = 16;
const FIRST_LONG_INDEX = 128;
const MAX_INDEX = 0xff_ffff;

/** Root of the trie of rlp(0) → values[0], rlp(1) → values[1], … Source: Yellow Paper, section 4.3. */
export function orderedTrieRoot(values: readonly Bytes[]): Hash {
  if (values.length === 0) return EMPTY_TRIE_ROOT;
  const items = itemsOf(values);
  return bytesToHash(keccak256(encode(items, { from: 0, to: items.length }, 0)));
}

/** Nodes from the root to the value at `index`, for `verifyOrderedProof`. Throws RangeError when there is none. */
export function orderedTrieProof(values: readonly Bytes[], index: number): readonly Bytes[] {
  if (values[index] === undefined) throw new RangeError(`no value ${index} of ${values.length}`);
  const items = itemsOf(values);
  const path = toNibbles(indexKey(index));
  const proof: Bytes[] = [];
  let run: Run = { from: 0, to: items.length };
  for (let depth = 0; ; ) {
    const raw = encode(items, run, depth);
    // a node of less than 32 bytes is part of the node above it
    if (depth === 0 || raw.length >= HASH_BYTES) proof.push(raw);
    if (run.to - run.from === 1) return proof;
    const shared = sharedDepth(items, run, depth);
    if (shared > depth) depth = shared;
    else {
      run = narrowed(items, run, { depth, nibble: path[depth] ?? 0 });
      depth++;
    }
  }
}

function narrowed(
  items: readonly Item[],
  run: Run,
  { depth, nibble }: { readonly depth: number; readonly nibble: number },
): Run {
  let from = run.from;
  while (items[from]?.path[depth] !== nibble) from++;
  let to = from;
  while (to < run.to && items[to]?.path[depth] === nibble) to++;
  return { from, to };
}

/** Nibbles that all paths of the run share; more than one item, so it ends. */
function sharedDepth(items: readonly Item[], { from, to }: Run, depth: number): number {
  let shared = depth;
  while (items[from]?.path[shared] === items[to - 1]?.path[shared]) shared++;
  return shared;
}

/** Values by the byte order of rlp(index). */
function itemsOf(values: readonly Bytes[]): readonly Item[] {
  if (values.length > MAX_INDEX) throw new RangeError(`${values.length} values`);
  const items: Item[] = [];
  // byte order of rlp(index): 01 … 7f, then 80 which is zero, then 81 80 and on
  for (let i = 1; i < values.length && i < FIRST_LONG_INDEX; i++) pushItem(items, values, i);
  pushItem(items, values, 0);
  for (let i = FIRST_LONG_INDEX; i < values.length; i++) pushItem(items, values, i);
  return items;
}

interface Item {
  readonly path: Bytes;
  readonly value: Bytes;
}

/** A run of sorted items, `to` excluded. */
interface Run {
  readonly from: number;
  readonly to: number;
}

function pushItem(items: Item[], values: readonly Bytes[], index: number): void {
  const value = values[index];
  if (value !== undefined) items.push({ path: toNibbles(indexKey(index)), value });
}

/** rlp(index): the key of a value. */
export function indexKey(index: number): Bytes {
  if (index === 0) return Uint8Array.of(0x80);
  if (index < FIRST_LONG_INDEX) return Uint8Array.of(index);
  if (index < 0x100) return Uint8Array.of(0x81, index);
  if (index < 0x1_0000) return Uint8Array.of(0x82, index >> 8, index);
  return Uint8Array.of(0x83, index >> 16, index >> 8, index);
}

/** Bytes of the node above a run of items that share their first `depth` nibbles. No key is a prefix of another. */
function encode(items: readonly Item[], run: Run, depth: number): Bytes {
  const first = items[run.from];
  const last = items[run.to - 1];
  if (first === undefined || last === undefined) throw new RangeError("an empty run");
  if (first === last) return encodeLeaf(first.path.slice(depth), first.value);
  const shared = sharedDepth(items, run, depth);
  if (shared > depth) {
    return encodeExtension(first.path.slice(depth, shared), reference(items, run, shared));
  }
  return encodeBranchOf(items, run, depth);
}

function encodeBranchOf(items: readonly Item[], run: Run, depth: number): Bytes {
  const children = new Array<Child | undefined>(BRANCH_CHILDREN).fill(undefined);
  const embedded = new Array<Bytes | undefined>(BRANCH_CHILDREN).fill(undefined);
  for (let from = run.from; from < run.to; ) {
    const nibble = items[from]?.path[depth] ?? 0;
    let to = from + 1;
    while (to < run.to && items[to]?.path[depth] === nibble) to++;
    const ref = reference(items, { from, to }, depth + 1);
    if (typeof ref === "string") children[nibble] = ref;
    else embedded[nibble] = ref;
    from = to;
  }
  return encodeBranch(children, embedded, undefined);
}

function reference(items: readonly Item[], run: Run, depth: number): NodeKey | Bytes {
  const raw = encode(items, run, depth);
  return raw.length < HASH_BYTES ? raw : nodeKey(keccak256(raw));
}
