/** What differs between two tries, found without looking below what they share. */
import { type Bytes, EMPTY_BYTES, equalBytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import { fromNibbles } from "./nibbles.ts";
import type { NodeStore } from "./nodeBuffer.ts";
import { StateError } from "./stateError.ts";
import {
  BRANCH,
  type Child,
  decodeNode,
  LEAF,
  type LeafNode,
  nodeKey,
  nodeKeyBytes,
  shortened,
  type TrieNode,
} from "./trieNode.ts";

/** A key whose value differs; an empty value: it has none on that side. */
export interface TrieDifference {
  readonly key: Bytes;
  readonly before: Bytes;
  readonly after: Bytes;
}

interface Pair {
  readonly before: Child | undefined;
  readonly after: Child | undefined;
  /** One nibble a byte. */
  readonly path: Bytes;
}

const BRANCH_CHILDREN = 16;

/**
 * Every key with another value under `after` than under `before`, in no order to rely on. All keys must be of one length,
 * as hashed ones are. Costs as much as the tries differ. Throws StateError MISSING_NODE, BAD_NODE.
 */
export function* diffTries(
  store: NodeStore,
  before: Hash,
  after: Hash,
): Generator<TrieDifference, void> {
  const stack: Pair[] = [{ before: rootOf(before), after: rootOf(after), path: EMPTY_BYTES }];
  const load = (child: Child | undefined, path: Bytes) =>
    typeof child === "string" ? loaded(store, child, { root: after, path }) : child;
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    if (pair.before === pair.after) continue;
    const left = load(pair.before, pair.path);
    const right = load(pair.after, pair.path);
    if (isValue(left) && isValue(right)) yield* compareLeaves(left, right, pair.path);
    else descend(stack, { left, right }, pair.path);
  }
}

function rootOf(root: Hash): Child | undefined {
  return root === EMPTY_TRIE_ROOT ? undefined : nodeKey(hexToBytes(root));
}

function loaded(
  store: NodeStore,
  key: string,
  { root, path }: { readonly root: Hash; readonly path: Bytes },
): TrieNode {
  const hash = nodeKeyBytes(key);
  const raw = store.getNode(hash);
  if (raw !== undefined) return decodeNode(raw, key);
  const digits = Array.from(path, (nibble) => nibble.toString(16)).join("");
  throw new StateError({ code: "MISSING_NODE", root, path: digits, hash: bytesToHash(hash) });
}

/** A leaf, or nothing: no more than one key. */
function isValue(node: TrieNode | undefined): node is LeafNode | undefined {
  return node === undefined || node.kind === LEAF;
}

function* compareLeaves(
  before: LeafNode | undefined,
  after: LeafNode | undefined,
  path: Bytes,
): Generator<TrieDifference, void> {
  if (before !== undefined && after !== undefined && equalBytes(before.path, after.path)) {
    if (equalBytes(before.value, after.value)) return;
    yield { key: keyOf(path, before), before: before.value, after: after.value };
    return;
  }
  if (before !== undefined)
    yield { key: keyOf(path, before), before: before.value, after: EMPTY_BYTES };
  if (after !== undefined)
    yield { key: keyOf(path, after), before: EMPTY_BYTES, after: after.value };
}

function keyOf(path: Bytes, leaf: LeafNode): Bytes {
  return fromNibbles(joined(path, leaf.path));
}

function joined(path: Bytes, rest: Bytes): Bytes {
  const all = new Uint8Array(path.length + rest.length);
  all.set(path);
  all.set(rest, path.length);
  return all;
}

/** One nibble further on both sides. */
function descend(
  stack: Pair[],
  nodes: { readonly left: TrieNode | undefined; readonly right: TrieNode | undefined },
  path: Bytes,
): void {
  for (let nibble = BRANCH_CHILDREN - 1; nibble >= 0; nibble--) {
    const before = below(nodes.left, nibble);
    const after = below(nodes.right, nibble);
    if (before === after) continue;
    stack.push({ before, after, path: joined(path, Uint8Array.of(nibble)) });
  }
}

/** What `node` has below this nibble, as if it were a branch. */
function below(node: TrieNode | undefined, nibble: number): Child | undefined {
  if (node === undefined) return undefined;
  if (node.kind === BRANCH) return node.children[nibble];
  return node.path[0] === nibble ? shortened(node, 1) : undefined;
}
