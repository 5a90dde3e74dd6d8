/** Bounded caches of the state: cheap to hit, and forgetting never changes a result. */
import type { Bytes } from "../primitives/bytes.ts";
import { BRANCH, LEAF, type NodeKey, type TrieNode } from "./trieNode.ts";

/**
 * A cache in two generations: when the young one is full it becomes the old one, and the old one is dropped; a hit in
 * the old one moves the entry. Against an LRU list this saves a deletion and an insertion per hit.
 */
export class GenerationalCache<K, V> {
  readonly #limit: number;
  readonly #weigh: (value: V) => number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  #weight = 0;

  /** `limit`: the greatest sum of weights held, by default a count of entries. */
  constructor(limit: number, weigh: (value: V) => number = one) {
    this.#limit = limit / 2;
    this.#weigh = weigh;
  }

  /** Entries held now. An entry of both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: K): V | undefined {
    const hit = this.#young.get(key);
    if (hit !== undefined) return hit;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.#weight >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#young.set(key, value);
    this.#weight += this.#weigh(value);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#weight = 0;
  }
}

function one(): number {
  return 1;
}

/** Estimated heap bytes of decoded nodes held by a NodeCache of default size. */
const DEFAULT_NODE_CACHE_BYTES = 160 * 1024 * 1024;
/** Measured, key and map entry included: the leaf of an account takes 800, a branch 350 and 48 a child. */
const LEAF_OVERHEAD_BYTES = 720;
const BRANCH_OVERHEAD_BYTES = 350;
const CHILD_BYTES = 48;
/** About 240 bytes each. */
const HASHED_KEYS = 65_536;
const CODE_CACHE_BYTES = 32 * 1024 * 1024;
const CODE_OVERHEAD_BYTES = 200;

/** Decoded trie nodes by hash, hashed keys and contract code: shared by all tries and states over one store, on one thread. */
export class NodeCache {
  readonly #nodes: GenerationalCache<NodeKey, TrieNode>;
  /** Nodes found and not found here, ever. */
  hits = 0;
  misses = 0;
  /** keccak256 of addresses and slots, by their hex text. */
  readonly hashedKeys = new GenerationalCache<string, Bytes>(HASHED_KEYS);
  /** Code by its hash. */
  readonly code = new GenerationalCache<string, Bytes>(
    CODE_CACHE_BYTES,
    (code) => code.length + CODE_OVERHEAD_BYTES,
  );

  /** `limitBytes`: estimated heap size of the nodes held. */
  constructor(limitBytes = DEFAULT_NODE_CACHE_BYTES) {
    this.#nodes = new GenerationalCache(limitBytes, nodeBytes);
  }

  /** Nodes held now. */
  get size(): number {
    return this.#nodes.size;
  }

  get(key: NodeKey): TrieNode | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) this.misses++;
    else this.hits++;
    return node;
  }

  /** As `get`, for whoever goes elsewhere when the node is not here: a miss is not counted. */
  peek(key: NodeKey): TrieNode | undefined {
    const node = this.#nodes.get(key);
    if (node !== undefined) this.hits++;
    return node;
  }

  set(key: NodeKey, node: TrieNode): void {
    this.#nodes.set(key, node);
  }

  clear(): void {
    this.#nodes.clear();
    this.hashedKeys.clear();
    this.code.clear();
  }
}

function nodeBytes(node: TrieNode): number {
  if (node.kind === LEAF) return LEAF_OVERHEAD_BYTES + node.value.length;
  if (node.kind !== BRANCH) return LEAF_OVERHEAD_BYTES;
  let bytes = BRANCH_OVERHEAD_BYTES;
  for (let i = 0; i < node.children.length; i++) {
    if (node.children[i] !== undefined) bytes += CHILD_BYTES;
  }
  return bytes;
}
