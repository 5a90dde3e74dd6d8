/**
 * A Merkle Patricia trie (Yellow Paper, appendix D), synchronous, hashed once per block.
 *
 * Nodes read from the store are decoded, immutable and shared through a NodeCache. A write copies the nodes on its path;
 * a copied node has no hash yet, belongs to this trie alone, and later writes change it in place. `rootHash` encodes and
 * hashes exactly those nodes, gives them to the buffer and the cache, and leaves a root reference behind. A node the
 * store lacks is always an error: an absent key and an absent node are different facts.
 */
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES, equalBytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import {
  compareToBound,
  endsWith,
  fromNibbles,
  sharedLength,
  startsWith,
  toNibbles,
} from "./nibbles.ts";
import { NodeBuffer, type NodeStore } from "./nodeBuffer.ts";
import { NodeCache } from "./nodeCache.ts";
import { StateError } from "./stateError.ts";
import {
  BRANCH,
  BranchNode,
  type Child,
  decodeNode,
  EXTENSION,
  ExtensionNode,
  emptyBranch,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  HASH_BYTES,
  LEAF,
  LeafNode,
  type NodeKey,
  nodeKey,
  nodeKeyBytes,
  prefixed,
  shortened,
  type TrieNode,
} from "./trieNode.ts";

const BRANCH_CHILDREN = 16;
/** An answer of `peek`. */
export const NOT_CACHED = Symbol("not cached");
const HEX_DIGITS = "0123456789abcdef";

type Entries = Generator<readonly [key: Bytes, value: Bytes]>;

/** A mutable trie over immutable stored nodes. Keys are used as given: a "secure" trie's caller hashes them. */
export class Trie {
  readonly #buffer: NodeBuffer;
  readonly #cache: NodeCache;
  #root: Child | undefined;
  /** Value that the leaf on the present path had, as far as the caller knows. */
  #before: Bytes | undefined;
  /** The last root known by hash: evidence for errors. */
  #opened: Hash;

  /** `store` may be a NodeBuffer, to be shared with other tries. Throws nothing: a missing root shows at the first access. */
  constructor(store: NodeStore | NodeBuffer, root: Hash, cache: NodeCache = new NodeCache()) {
    this.#buffer = store instanceof NodeBuffer ? store : new NodeBuffer(store);
    this.#cache = cache;
    this.#root = root === EMPTY_TRIE_ROOT ? undefined : nodeKey(hexToBytes(root));
    this.#opened = root;
  }

  /** Value under `key`, or undefined. Throws StateError MISSING_NODE. */
  get(key: Bytes): Bytes | undefined {
    const found = this.#find(key, true);
    return found === NOT_CACHED ? undefined : found;
  }

  /** As `get`, without reading the store: NOT_CACHED where that would be needed. */
  peek(key: Bytes): Bytes | undefined | typeof NOT_CACHED {
    return this.#find(key, false);
  }

  #find(key: Bytes, mayRead: boolean): Bytes | undefined | typeof NOT_CACHED {
    const path = toNibbles(key);
    let depth = 0;
    for (let child = this.#root; child !== undefined; ) {
      const node = this.#at(child, path, depth, mayRead);
      if (node === undefined) return NOT_CACHED;
      if (node.kind === LEAF) return leafValue(node, path, depth);
      if (node.kind === EXTENSION) {
        if (!startsWith(path, depth, node.path)) return undefined;
        depth += node.path.length;
        child = node.child;
      } else {
        if (depth === path.length) return node.value;
        child = node.children[path[depth++] ?? 0];
      }
    }
    return undefined;
  }

  /**
   * Sets the value under `key`; an empty value deletes. `value` is kept, not copied. `before`: what the caller believes to
   * be there; a leaf that has the hash of just that is not read from the store. Throws StateError MISSING_NODE.
   */
  put(key: Bytes, value: Bytes, before?: Bytes): void {
    const path = toNibbles(key);
    this.#before = before;
    const root = this.#root === undefined ? undefined : this.#load(this.#root, path, 0);
    if (value.length > 0) {
      const next: TrieNode =
        root === undefined ? new LeafNode(path, value, false) : this.#insert(root, path, 0, value);
      if (next !== root) this.#root = next;
    } else if (root !== undefined) {
      const next = this.#remove(root, path, 0);
      if (next !== root) this.#root = next;
    }
    this.#before = undefined;
  }

  /** Root hash of the present content; hashes every changed node once and makes it ready for `takeNodes`. */
  rootHash(): Hash {
    const root = this.#root;
    if (root === undefined) {
      this.#opened = EMPTY_TRIE_ROOT;
    } else if (typeof root !== "string") {
      const raw = this.#encode(root);
      const hash = keccak256(raw);
      const key = nodeKey(hash);
      this.#root = this.#store(root, key, raw);
      this.#opened = bytesToHash(hash);
    }
    return this.#opened;
  }

  /** New nodes since the last take, by hash in hex without 0x; call `rootHash` first. Roots in between are included. */
  takeNodes(): Map<string, Bytes> {
    return this.#buffer.take();
  }

  /**
   * Nodes on the path of `key` from the root, as `eth_getProof` lists them: those that are stored by hash. Shows the
   * value, or that there is none. As of the last `rootHash`. Throws StateError MISSING_NODE.
   */
  prove(key: Bytes): Bytes[] {
    const path = toNibbles(key);
    const proof: Bytes[] = [];
    let depth = 0;
    for (let child = this.#root; child !== undefined; ) {
      if (typeof child === "string") proof.push(this.#raw(child, path, depth));
      const node = this.#load(child, path, depth);
      if (node.kind === BRANCH) child = node.children[path[depth++] ?? BRANCH_CHILDREN];
      else if (node.kind === LEAF || !startsWith(path, depth, node.path)) return proof;
      else {
        depth += node.path.length;
        child = node.child;
      }
    }
    return proof;
  }

  /** Key and value pairs in key order, from the first key not below `from`. Keys are whole bytes. */
  *entries(from: Bytes = EMPTY_BYTES): Entries {
    if (this.#root === undefined) return;
    yield* this.#walk(this.#load(this.#root, toNibbles(from), 0), [], toNibbles(from));
  }

  /** `from`: the bound while the subtree may hold keys below it. */
  *#walk(node: TrieNode, prefix: readonly number[], from: Bytes | undefined): Entries {
    if (node.kind === BRANCH) {
      yield* this.#walkBranch(node, prefix, from);
      return;
    }
    const path = [...prefix, ...node.path];
    const side = from === undefined ? 1 : compareToBound(path, from);
    if (side < 0) return;
    const bound = side > 0 ? undefined : from;
    if (node.kind === EXTENSION) {
      const child = this.#load(node.child, Uint8Array.from(path), path.length);
      yield* this.#walk(child, path, bound);
    } else if (bound === undefined || path.length >= bound.length) {
      yield [fromNibbles(Uint8Array.from(path)), node.value];
    }
  }

  *#walkBranch(node: BranchNode, prefix: readonly number[], from: Bytes | undefined): Entries {
    const bound = from?.[prefix.length];
    if (node.value !== undefined && bound === undefined) {
      yield [fromNibbles(Uint8Array.from(prefix)), node.value];
    }
    for (let nibble = bound ?? 0; nibble < BRANCH_CHILDREN; nibble++) {
      const child = node.children[nibble];
      if (child === undefined) continue;
      const path = [...prefix, nibble];
      const loaded = this.#load(child, Uint8Array.from(path), path.length);
      yield* this.#walk(loaded, path, nibble === bound ? from : undefined);
    }
  }

  // -------------------------------------------------------------------------------------------- loading

  #load(child: Child, path: Bytes, depth: number): TrieNode {
    if (typeof child !== "string") return child;
    const cached = this.#cache.get(child);
    if (cached !== undefined) return cached;
    if (this.#before !== undefined && this.#before.length > 0) {
      const leaf = encodeLeaf(path.slice(depth), this.#before);
      if (nodeKey(keccak256(leaf)) === child)
        return new LeafNode(path.slice(depth), this.#before, true);
    }
    const node = decodeNode(this.#raw(child, path, depth), child);
    this.#cache.set(child, node);
    return node;
  }

  #at(child: Child, path: Bytes, depth: number, mayRead: boolean): TrieNode | undefined {
    if (mayRead) return this.#load(child, path, depth);
    return typeof child === "string" ? this.#cache.peek(child) : child;
  }

  #raw(key: NodeKey, path: Bytes, depth: number): Bytes {
    const raw = this.#buffer.get(key);
    if (raw !== undefined) return raw;
    let digits = "";
    for (let i = 0; i < depth; i++) digits += HEX_DIGITS.charAt(path[i] ?? 0);
    const hash = bytesToHash(nodeKeyBytes(key));
    throw new StateError({ code: "MISSING_NODE", root: this.#opened, path: digits, hash });
  }

  // -------------------------------------------------------------------------------------------- insertion

  /** The node that replaces `node`; the same object when nothing changed or `node` could change in place. */
  #insert(node: TrieNode, path: Bytes, depth: number, value: Bytes): TrieNode {
    if (node.kind === BRANCH) return this.#insertIntoBranch(node, path, depth, value);
    const shared = sharedLength(node.path, path, depth);
    if (shared === node.path.length) {
      if (node.kind === EXTENSION) return this.#insertBelow(node, path, depth + shared, value);
      if (depth + shared === path.length) return replaceValue(node, value);
    }
    return split(node, shared, path.slice(depth + shared), value);
  }

  #insertBelow(node: ExtensionNode, path: Bytes, depth: number, value: Bytes): ExtensionNode {
    const child = this.#load(node.child, path, depth);
    const next = this.#insert(child, path, depth, value);
    if (next === child) return node;
    if (node.clean) return new ExtensionNode(node.path, next, false);
    node.child = next;
    return node;
  }

  #insertIntoBranch(node: BranchNode, path: Bytes, depth: number, value: Bytes): BranchNode {
    const nibble = path[depth];
    if (nibble === undefined) {
      if (node.value !== undefined && equalBytes(node.value, value)) return node;
      const target = writable(node);
      target.value = value;
      return target;
    }
    const child = node.children[nibble];
    if (child === undefined) {
      const target = writable(node);
      target.children[nibble] = new LeafNode(path.slice(depth + 1), value, false);
      return target;
    }
    const loaded = this.#load(child, path, depth + 1);
    const next = this.#insert(loaded, path, depth + 1, value);
    if (next === loaded) return node;
    const target = writable(node);
    target.children[nibble] = next;
    return target;
  }

  // -------------------------------------------------------------------------------------------- removal

  /** As `#insert`; undefined when nothing is left. */
  #remove(node: TrieNode, path: Bytes, depth: number): TrieNode | undefined {
    if (node.kind === LEAF) return endsWith(path, depth, node.path) ? undefined : node;
    if (node.kind === BRANCH) return this.#removeFromBranch(node, path, depth);
    if (!startsWith(path, depth, node.path)) return node;
    const below = depth + node.path.length;
    const child = this.#load(node.child, path, below);
    const next = this.#remove(child, path, below);
    if (next === child) return node;
    return next === undefined ? undefined : prefixed(node.path, next);
  }

  #removeFromBranch(node: BranchNode, path: Bytes, depth: number): TrieNode | undefined {
    const nibble = path[depth];
    if (nibble === undefined) {
      if (node.value === undefined) return node;
      const target = writable(node);
      target.value = undefined;
      return this.#collapse(target, path, depth);
    }
    const child = node.children[nibble];
    if (child === undefined) return node;
    const loaded = this.#load(child, path, depth + 1);
    const next = this.#remove(loaded, path, depth + 1);
    if (next === loaded) return node;
    const target = writable(node);
    target.children[nibble] = next;
    return next === undefined ? this.#collapse(target, path, depth) : target;
  }

  /** A branch needs two entries: with one left it becomes a leaf or joins its only child. */
  #collapse(node: BranchNode, path: Bytes, depth: number): TrieNode | undefined {
    let only = -1;
    for (let i = 0; i < BRANCH_CHILDREN; i++) {
      if (node.children[i] === undefined) continue;
      if (only >= 0) return node;
      only = i;
    }
    if (only < 0) {
      return node.value === undefined ? undefined : new LeafNode(EMPTY_BYTES, node.value, false);
    }
    const child = node.children[only];
    if (node.value !== undefined || child === undefined) return node;
    const at = path.slice(0, depth + 1);
    if (depth < path.length) at[depth] = only;
    return prefixed(Uint8Array.of(only), this.#load(child, at, depth + 1), child);
  }

  // -------------------------------------------------------------------------------------------- hashing

  /** Encodes a node after all changed nodes below it, which it replaces by their references. */
  #encode(node: TrieNode): Bytes {
    if (node.kind === LEAF) return encodeLeaf(node.path, node.value);
    if (node.kind === EXTENSION) {
      const ref = this.#reference(node.child);
      if (typeof ref === "string" && node.child !== ref) node.child = ref;
      return encodeExtension(node.path, ref);
    }
    const { children } = node;
    let embedded: (Bytes | undefined)[] | undefined;
    for (let i = 0; i < BRANCH_CHILDREN; i++) {
      const child = children[i];
      if (child === undefined || typeof child === "string") continue;
      const ref = this.#reference(child);
      if (typeof ref === "string") children[i] = ref;
      else {
        embedded ??= new Array<Bytes | undefined>(BRANCH_CHILDREN).fill(undefined);
        embedded[i] = ref;
      }
    }
    return encodeBranch(children, embedded, node.value);
  }

  #reference(child: Child): NodeKey | Bytes {
    if (typeof child === "string") return child;
    const raw = this.#encode(child);
    if (raw.length < HASH_BYTES) {
      child.clean = true;
      return raw;
    }
    return this.#store(child, nodeKey(keccak256(raw)), raw);
  }

  #store(node: TrieNode, key: NodeKey, raw: Bytes): NodeKey {
    node.clean = true;
    this.#buffer.set(key, raw);
    this.#cache.set(key, node);
    return key;
  }
}

/** The node itself when this trie owns it, else a copy that it owns. */
function writable(node: BranchNode): BranchNode {
  return node.clean ? new BranchNode(node.children.slice(), node.value, false) : node;
}

function leafValue(node: LeafNode, path: Bytes, depth: number): Bytes | undefined {
  return endsWith(path, depth, node.path) ? node.value : undefined;
}

function replaceValue(node: LeafNode, value: Bytes): LeafNode {
  if (equalBytes(node.value, value)) return node;
  if (node.clean) return new LeafNode(node.path, value, false);
  node.value = value;
  return node;
}

/** A branch at the first difference between a leaf or extension and a new key, under an extension when they share a prefix. */
function split(
  node: LeafNode | ExtensionNode,
  shared: number,
  rest: Bytes,
  value: Bytes,
): TrieNode {
  const branch = emptyBranch();
  const nibble = node.path[shared];
  if (nibble !== undefined) branch.children[nibble] = shortened(node, shared + 1);
  else if (node.kind === LEAF) branch.value = node.value;
  const first = rest[0];
  if (first === undefined) branch.value = value;
  else branch.children[first] = new LeafNode(rest.slice(1), value, false);
  return shared === 0 ? branch : new ExtensionNode(node.path.slice(0, shared), branch, false);
}
