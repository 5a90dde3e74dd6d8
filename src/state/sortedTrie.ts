/** The root of a trie of any size from its entries in key order, in the memory of one path: nothing is stored or kept. */
import { keccak256 } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { bytesToHash, type Hash } from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import { sharedLength, toNibbles } from "./nibbles.ts";
import {
  type Child,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  HASH_BYTES,
  nodeKey,
} from "./trieNode.ts";

const BRANCH_CHILDREN = 16;

/** A branch on the path of the last key, whose children before that path are done. */
class OpenBranch {
  readonly depth: number;
  readonly children = new Array<Child | undefined>(BRANCH_CHILDREN).fill(undefined);
  readonly embedded = new Array<Bytes | undefined>(BRANCH_CHILDREN).fill(undefined);

  constructor(depth: number) {
    this.depth = depth;
  }

  set(nibble: number, raw: Bytes): void {
    if (raw.length < HASH_BYTES) this.embedded[nibble] = raw;
    else this.children[nibble] = nodeKey(keccak256(raw));
  }

  encode(): Bytes {
    return encodeBranch(this.children, this.embedded, undefined);
  }
}

/** Takes entries whose keys rise and are of one length. */
export class SortedTrie {
  readonly #open: OpenBranch[] = [];
  #path: Bytes | undefined;
  #value: Bytes | undefined;

  /** `value` is not empty. Asserts the order of keys. */
  add(key: Bytes, value: Bytes): void {
    const path = toNibbles(key);
    if (this.#path !== undefined) {
      const shared = sharedLength(this.#path, path, 0);
      assert((this.#path[shared] ?? -1) < (path[shared] ?? -1), "keys come in order");
      this.#close(this.#path, shared);
    }
    this.#path = path;
    this.#value = value;
  }

  /** Root of all entries; nothing may be added afterwards. */
  root(): Hash {
    const path = this.#path;
    if (path === undefined) return EMPTY_TRIE_ROOT;
    const first = this.#open[0];
    if (first === undefined) return bytesToHash(keccak256(this.#leaf(path, 0)));
    this.#close(path, first.depth);
    const raw = first.encode();
    const whole = first.depth === 0 ? raw : extension(path.slice(0, first.depth), raw);
    return bytesToHash(keccak256(whole));
  }

  /** Finishes everything on the path of the last key below its first `shared` nibbles, where a branch is or comes to be. */
  #close(path: Bytes, shared: number): void {
    let raw = this.#leaf(path, this.#below(shared));
    for (;;) {
      const parent = this.#branchFrom(shared);
      parent.set(path[parent.depth] ?? 0, raw);
      if (parent.depth === shared) return;
      this.#open.pop();
      const start = this.#below(shared);
      raw = parent.encode();
      if (parent.depth > start) raw = extension(path.slice(start, parent.depth), raw);
    }
  }

  /** The deepest open branch, made at `shared` when all are above. */
  #branchFrom(shared: number): OpenBranch {
    const last = this.#open.at(-1);
    if (last !== undefined && last.depth >= shared) return last;
    const made = new OpenBranch(shared);
    this.#open.push(made);
    return made;
  }

  /** Where the path of a child of that branch begins. */
  #below(shared: number): number {
    return Math.max(this.#open.at(-1)?.depth ?? -1, shared) + 1;
  }

  #leaf(path: Bytes, start: number): Bytes {
    assert(this.#value !== undefined, "a path has its value");
    return encodeLeaf(path.slice(start), this.#value);
  }
}

function extension(path: Bytes, child: Bytes): Bytes {
  return encodeExtension(path, child.length < HASH_BYTES ? child : nodeKey(keccak256(child)));
}
