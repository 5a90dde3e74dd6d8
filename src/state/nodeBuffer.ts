/** New trie nodes on their way to the store: readable at once, handed out as one set per block. */
import type { Bytes } from "../primitives/bytes.ts";
import { type NodeKey, nodeKeyBytes } from "./trieNode.ts";

/** Where trie nodes come from; undefined when the node is absent. Returned bytes are not modified. */
export interface NodeStore {
  getNode(hash: Bytes): Bytes | undefined;
}

/**
 * New nodes above a NodeStore. Nodes handed out last stay readable until the next hand-out, so that the next block can
 * be executed while they are written.
 */
export class NodeBuffer {
  readonly #store: NodeStore;
  #fresh: Map<NodeKey, Bytes>;
  #taken: ReadonlyMap<NodeKey, Bytes>;
  /** #fresh is also held by a copy: clone before writing. */
  #shared = false;

  constructor(store: NodeStore) {
    this.#store = store;
    this.#fresh = new Map();
    this.#taken = new Map();
  }

  get(key: NodeKey): Bytes | undefined {
    return this.#fresh.get(key) ?? this.#taken.get(key) ?? this.#store.getNode(nodeKeyBytes(key));
  }

  set(key: NodeKey, raw: Bytes): void {
    if (this.#shared) {
      this.#fresh = new Map(this.#fresh);
      this.#shared = false;
    }
    this.#fresh.set(key, raw);
  }

  /** New nodes since the last take, by hash in hex without 0x. */
  take(): Map<string, Bytes> {
    const nodes = new Map<string, Bytes>();
    for (const [key, raw] of this.#fresh)
      nodes.set(Buffer.from(key, "latin1").toString("hex"), raw);
    this.#taken = this.#fresh;
    this.#fresh = new Map();
    this.#shared = false;
    return nodes;
  }

  /** An independent buffer that holds the same nodes; costs nothing until either is written. */
  copy(): NodeBuffer {
    const copy = new NodeBuffer(this.#store);
    copy.#fresh = this.#fresh;
    copy.#taken = this.#taken;
    copy.#shared = true;
    this.#shared = true;
    return copy;
  }
}
