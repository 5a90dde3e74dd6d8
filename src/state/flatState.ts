/**
 * The newest state without its trie: accounts and slots by hashed key, so that one read answers what a walk through the
 * trie would.
 *
 * It shows exactly one root, the head's, or two while a block is being stored: the one before and the one after. At any
 * other root it knows nothing and the trie is asked. Entries lie in layers: those of the batch under way (`pending`), those
 * not yet in the columns (`fresh`), read ones (a bounded cache), the columns. `begin` opens the first layer, `settle` closes
 * it; what lies in the columns is the caller's work. The trie stays the truth: this can be made from it at any time.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import { GenerationalCache } from "./nodeCache.ts";
import { nodeKey } from "./trieNode.ts";

/** Where flat entries lie: undefined when there is none. */
export interface FlatStore {
  /** `key`: keccak256 of an address, or that and keccak256 of a slot. */
  getFlat(key: Bytes): Bytes | undefined;
}

/** What a State asks before its trie. */
export interface FlatView {
  /**
   * The account or slot in the state of `root`, as its trie's leaf has it; empty: there is none. undefined: not known
   * here. Keys as `flatKey` makes them.
   */
  read(root: Hash, key: FlatKey): Bytes | undefined;
}

/** Key of an account (32) or of a slot (64 characters), one latin-1 character a byte. */
export type FlatKey = string;

/** Values by key; an empty value means that the entry is gone. */
export type FlatEntries = Map<FlatKey, Bytes>;

/** What a State changed of one account since the last take. */
export interface FlatAccountChange {
  /** As its leaf; empty: gone. */
  value: Bytes;
  /** All slots of before are gone; `slots` came after. */
  cleared: boolean;
  /** By the hashed slot, one latin-1 character a byte. */
  slots: Map<string, Bytes> | undefined;
}

/** Changed accounts by the key of the account. */
export type FlatChanges = ReadonlyMap<FlatKey, FlatAccountChange>;

const ABSENT: Bytes = new Uint8Array(0);
/** Heap bytes of entries kept after reading, estimated. */
const CACHE_BYTES = 32 * 1024 * 1024;
const ENTRY_OVERHEAD_BYTES = 200;

/** Key of an account from keccak256 of its address, and of a slot from that of both. */
export function flatKey(addressHash: Bytes, slotHash?: Bytes): FlatKey {
  const account = nodeKey(addressHash);
  return slotHash === undefined ? account : account + nodeKey(slotHash);
}

interface Pending {
  readonly root: Hash;
  readonly entries: FlatEntries;
}

/** The layers above the columns. One writer at a time. */
export class FlatState implements FlatView {
  readonly #store: FlatStore;
  readonly #cache: GenerationalCache<FlatKey, Bytes>;
  #root: Hash | undefined;
  #pending: Pending | undefined;
  #fresh: FlatEntries = new Map();

  /** `root`: of the state in the columns; undefined: they show none. */
  constructor(store: FlatStore, root: Hash | undefined, cacheBytes: number = CACHE_BYTES) {
    this.#store = store;
    this.#root = root;
    this.#cache = new GenerationalCache(cacheBytes, (value) => value.length + ENTRY_OVERHEAD_BYTES);
  }

  /** Of the state shown; undefined: none. */
  get root(): Hash | undefined {
    return this.#root;
  }

  /** Entries that the columns do not have yet. */
  get fresh(): ReadonlyMap<FlatKey, Bytes> {
    return this.#fresh;
  }

  read(root: Hash, key: FlatKey): Bytes | undefined {
    const pending = this.#pending;
    if (pending !== undefined) {
      const known = pending.entries.get(key);
      if (root === pending.root && known !== undefined) return known;
      // at the root before, what is being changed is the trie's to tell
      if (root !== pending.root && (root !== this.#root || known !== undefined)) return undefined;
    } else if (root !== this.#root) return undefined;
    return this.#fresh.get(key) ?? this.#cache.get(key) ?? this.#load(key);
  }

  /** A state is being stored: `settle` is due. */
  get isBegun(): boolean {
    return this.#pending !== undefined;
  }

  /** The state `root`, which differs by `entries`, is about to be stored: both can be read until `settle`. */
  begin(root: Hash, entries: FlatEntries): void {
    assert(this.#root !== undefined, "there is a state to go on from");
    assert(this.#pending === undefined, "one state is stored after the other");
    this.#pending = { root, entries };
  }

  /** The state of `begin` is stored. `written`: with it, the columns got all that is `fresh` and pending. */
  settle(written: boolean): void {
    const pending = this.#pending;
    assert(pending !== undefined, "a state was begun");
    this.#pending = undefined;
    this.#root = pending.root;
    for (const [key, value] of pending.entries) this.#fresh.set(key, value);
    if (written) this.#keepRead();
  }

  /** The columns were brought to `root` without layers; undefined: they show nothing any more. */
  reset(root: Hash | undefined): void {
    this.#root = root;
    this.#pending = undefined;
    this.#fresh = new Map();
    this.#cache.clear();
  }

  /** Fresh entries are in the columns now. */
  #keepRead(): void {
    for (const [key, value] of this.#fresh) this.#cache.set(key, value);
    this.#fresh = new Map();
  }

  #load(key: FlatKey): Bytes {
    const value = this.#store.getFlat(Buffer.from(key, "latin1")) ?? ABSENT;
    this.#cache.set(key, value);
    return value;
  }
}
