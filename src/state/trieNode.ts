/**
 * Nodes of the Merkle Patricia trie and their bytes (Yellow Paper, appendix D).
 *
 * A reference to a stored node is its hash as a latin-1 string of 32 characters: a third of the memory of a
 * Uint8Array, and a map key as it is. Encoding and decoding are written out here rather than done with a general RLP
 * library because they are the hottest loop of block production after hashing itself.
 */
import { Arena } from "../primitives/arena.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash } from "../primitives/hex.ts";
import { toNibbles } from "./nibbles.ts";
import { StateError } from "./stateError.ts";

/** Hash of a stored node, one latin-1 character per byte. */
export type NodeKey = string;
/** A stored node by its key, or a node held in memory: unhashed, or embedded in its parent. */
export type Child = NodeKey | TrieNode;

export const LEAF = 0;
export const EXTENSION = 1;
export const BRANCH = 2;
/** Length of a node reference, and the size from which a node is stored by hash instead of embedded. */
export const HASH_BYTES = 32;
const BRANCH_CHILDREN = 16;

/** `path` is one nibble a byte. Once `clean`, a node is shared and must not change. */
export class LeafNode {
  readonly kind = LEAF;
  path: Bytes;
  value: Bytes;
  clean: boolean;
  constructor(path: Bytes, value: Bytes, clean: boolean) {
    this.path = path;
    this.value = value;
    this.clean = clean;
  }
}

export class ExtensionNode {
  readonly kind = EXTENSION;
  path: Bytes;
  child: Child;
  clean: boolean;
  constructor(path: Bytes, child: Child, clean: boolean) {
    this.path = path;
    this.child = child;
    this.clean = clean;
  }
}

export class BranchNode {
  readonly kind = BRANCH;
  readonly children: (Child | undefined)[];
  value: Bytes | undefined;
  clean: boolean;
  constructor(children: (Child | undefined)[], value: Bytes | undefined, clean: boolean) {
    this.children = children;
    this.value = value;
    this.clean = clean;
  }
}

export type TrieNode = LeafNode | ExtensionNode | BranchNode;

/** A branch without children. */
export function emptyBranch(): BranchNode {
  return new BranchNode(
    new Array<Child | undefined>(BRANCH_CHILDREN).fill(undefined),
    undefined,
    false,
  );
}

/** What is left of a leaf or extension below its first `count` nibbles. */
export function shortened(node: LeafNode | ExtensionNode, count: number): Child {
  const path = node.path.slice(count);
  if (node.kind === LEAF) return new LeafNode(path, node.value, false);
  return path.length === 0 ? node.child : new ExtensionNode(path, node.child, false);
}

/** `node` below `prefix`: leaves and extensions take it into their path; `ref` is how the parent of a branch knows it. */
export function prefixed(prefix: Bytes, node: TrieNode, ref: Child = node): TrieNode {
  if (node.kind === BRANCH) return new ExtensionNode(prefix, ref, false);
  const path = new Uint8Array(prefix.length + node.path.length);
  path.set(prefix);
  path.set(node.path, prefix.length);
  return node.kind === LEAF
    ? new LeafNode(path, node.value, false)
    : new ExtensionNode(path, node.child, false);
}

/** A Buffer made for each hash would cost twice the conversion. */
const hashBuffer = Buffer.alloc(HASH_BYTES);

/** Key of a node from its 32-byte hash. */
export function nodeKey(hash: Bytes): NodeKey {
  hashBuffer.set(hash);
  return hashBuffer.toString("latin1");
}

/** 32-byte hash of a node from its key. */
export function nodeKeyBytes(key: NodeKey): Bytes {
  const hash = new Uint8Array(HASH_BYTES);
  writeKey(hash, 0, key);
  return hash;
}

// ---------------------------------------------------------------------------------------------- encoding

/** Encodings are cut from shared chunks: one allocation for about a hundred nodes. */
const arena = new Arena();

function writeKey(out: Bytes, at: number, key: NodeKey): number {
  for (let i = 0; i < HASH_BYTES; i++) out[at + i] = key.charCodeAt(i);
  return at + HASH_BYTES;
}

function lengthBytes(length: number): number {
  if (length < 56) return 0;
  if (length < 0x100) return 1;
  if (length < 0x1_0000) return 2;
  return length < 0x100_0000 ? 3 : 4;
}

/** `base`: 0x80 for a string, 0xc0 for a list. */
function writeHeader(out: Bytes, at: number, base: number, length: number): number {
  const extra = lengthBytes(length);
  if (extra === 0) {
    out[at] = base + length;
    return at + 1;
  }
  out[at] = base + 55 + extra;
  for (let i = 0; i < extra; i++) out[at + 1 + i] = length >>> (8 * (extra - 1 - i));
  return at + 1 + extra;
}

function isSingleByte(value: Bytes): boolean {
  return value.length === 1 && (value[0] ?? 0) < 0x80;
}

function stringSize(value: Bytes): number {
  return isSingleByte(value) ? 1 : 1 + lengthBytes(value.length) + value.length;
}

function writeString(out: Bytes, at: number, value: Bytes): number {
  const start = isSingleByte(value) ? at : writeHeader(out, at, 0x80, value.length);
  out.set(value, start);
  return start + value.length;
}

/** Hex-prefix form of a path, as an RLP string. */
function writePath(out: Bytes, start: number, path: Bytes, isLeaf: boolean): number {
  const odd = path.length & 1;
  let at = start;
  if (path.length > 1) out[at++] = 0x80 + (path.length >> 1) + 1;
  out[at++] = (isLeaf ? 0x20 : 0) | (odd === 1 ? 0x10 | (path[0] ?? 0) : 0);
  for (let i = odd; i < path.length; i += 2) out[at++] = ((path[i] ?? 0) << 4) | (path[i + 1] ?? 0);
  return at;
}

function pathSize(path: Bytes): number {
  return path.length > 1 ? 2 + (path.length >> 1) : 1;
}

/** Bytes of a leaf. */
export function encodeLeaf(path: Bytes, value: Bytes): Bytes {
  const payload = pathSize(path) + stringSize(value);
  const out = arena.take(1 + lengthBytes(payload) + payload);
  writeString(out, writePath(out, writeHeader(out, 0, 0xc0, payload), path, true), value);
  return out;
}

/** Bytes of an extension; `child` is a key, or the encoding of an embedded node. */
export function encodeExtension(path: Bytes, child: NodeKey | Bytes): Bytes {
  const payload = pathSize(path) + refSize(child);
  const out = arena.take(1 + lengthBytes(payload) + payload);
  writeRef(out, writePath(out, writeHeader(out, 0, 0xc0, payload), path, false), child);
  return out;
}

function refSize(ref: NodeKey | Bytes): number {
  return typeof ref === "string" ? 1 + HASH_BYTES : ref.length;
}

function writeRef(out: Bytes, at: number, ref: NodeKey | Bytes): number {
  if (typeof ref === "string") {
    out[at] = 0x80 + HASH_BYTES;
    return writeKey(out, at + 1, ref);
  }
  out.set(ref, at);
  return at + ref.length;
}

/** Bytes of a branch; `embedded` has the encodings of the children that are nodes and not keys. */
export function encodeBranch(
  children: readonly (Child | undefined)[],
  embedded: readonly (Bytes | undefined)[] | undefined,
  value: Bytes | undefined,
): Bytes {
  let payload = value === undefined ? 1 : stringSize(value);
  for (let i = 0; i < BRANCH_CHILDREN; i++) payload += refSize(refAt(children, embedded, i));
  const out = arena.take(1 + lengthBytes(payload) + payload);
  let at = writeHeader(out, 0, 0xc0, payload);
  for (let i = 0; i < BRANCH_CHILDREN; i++) at = writeRef(out, at, refAt(children, embedded, i));
  if (value === undefined) out[at] = 0x80;
  else writeString(out, at, value);
  return out;
}

const NO_CHILD = Uint8Array.of(0x80);

function refAt(
  children: readonly (Child | undefined)[],
  embedded: readonly (Bytes | undefined)[] | undefined,
  index: number,
): NodeKey | Bytes {
  const child = children[index];
  return typeof child === "string" ? child : (embedded?.[index] ?? NO_CHILD);
}

// ---------------------------------------------------------------------------------------------- decoding

/** Walks over the RLP items of one buffer. */
class ItemReader {
  readonly #bytes: Buffer;
  readonly #key: NodeKey;
  readonly #end: number;
  /** Where the next item begins. */
  next: number;
  /** The item read last: from its header, and its payload. */
  head = 0;
  start = 0;
  stop = 0;
  isList = false;

  constructor(bytes: Buffer, key: NodeKey, range: readonly [number, number]) {
    this.#bytes = bytes;
    this.#key = key;
    this.next = range[0];
    this.#end = range[1];
  }

  get done(): boolean {
    return this.next >= this.#end;
  }

  fail(detail: string): never {
    throw new StateError({ code: "BAD_NODE", hash: bytesToHash(nodeKeyBytes(this.#key)), detail });
  }

  read(): void {
    if (this.done) this.fail("too few items");
    const first = this.#bytes[this.next] ?? 0;
    this.head = this.next;
    this.isList = first >= 0xc0;
    if (first < 0x80) {
      this.start = this.next;
      this.stop = this.next + 1;
    } else this.#readHeader(first - (this.isList ? 0xc0 : 0x80));
    if (this.stop > this.#end) this.fail("an item exceeds its list");
    this.next = this.stop;
  }

  #readHeader(short: number): void {
    if (short < 56) {
      this.start = this.next + 1;
      this.stop = this.start + short;
      return;
    }
    const extra = short - 55;
    if (extra > 4) this.fail("length of a length above 4");
    let length = 0;
    for (let i = 1; i <= extra; i++) length = length * 256 + (this.#bytes[this.next + i] ?? 0);
    this.start = this.next + 1 + extra;
    this.stop = this.start + length;
  }

  /** A copy of the payload. */
  payload(): Bytes {
    return copyRange(this.#bytes, this.start, this.stop);
  }

  /** The item as a reference to a child of a branch or extension. */
  child(): Child | undefined {
    if (this.isList) return decodeRange(this.#bytes, this.#key, [this.head, this.stop]);
    const length = this.stop - this.start;
    if (length === 0) return undefined;
    if (length !== HASH_BYTES) this.fail(`a reference of ${length} bytes`);
    return this.#bytes.toString("latin1", this.start, this.stop);
  }
}

function copyRange(bytes: Bytes, start: number, stop: number): Bytes {
  const copy = new Uint8Array(stop - start);
  for (let i = start; i < stop; i++) copy[i - start] = bytes[i] ?? 0;
  return copy;
}

/** Node from its bytes; copies what it keeps. Throws StateError BAD_NODE that names `key`. */
export function decodeNode(raw: Bytes, key: NodeKey): TrieNode {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  return decodeRange(bytes, key, [0, bytes.length]);
}

function decodeRange(bytes: Buffer, key: NodeKey, range: readonly [number, number]): TrieNode {
  const outer = new ItemReader(bytes, key, range);
  outer.read();
  if (!outer.isList || !outer.done) outer.fail("not one list");
  const items = new ItemReader(bytes, key, [outer.start, outer.stop]);
  items.read();
  const first = new ItemReader(bytes, key, [items.head, items.stop]);
  items.read();
  if (items.done) return decodeShort(first, items);
  return decodeBranch(first, items);
}

function decodeShort(first: ItemReader, second: ItemReader): TrieNode {
  first.read();
  const packed = first.payload();
  const flag = packed[0] ?? 0xff;
  if (first.isList || flag > 0x3f) first.fail("not a hex-prefix path");
  const nibbles = toNibbles(packed).slice((flag & 0x10) === 0 ? 2 : 1);
  if ((flag & 0x20) !== 0) {
    if (second.isList) second.fail("a leaf whose value is a list");
    return new LeafNode(nibbles, second.payload(), true);
  }
  const child = second.child();
  if (child === undefined) second.fail("an extension without a child");
  return new ExtensionNode(nibbles, child, true);
}

function decodeBranch(first: ItemReader, items: ItemReader): BranchNode {
  first.read();
  const children: (Child | undefined)[] = [first.child(), items.child()];
  for (let i = children.length; i < BRANCH_CHILDREN; i++) {
    items.read();
    children.push(items.child());
  }
  items.read();
  if (items.isList || !items.done) items.fail("not 2 or 17 items");
  const value = items.stop === items.start ? undefined : items.payload();
  return new BranchNode(children, value, true);
}
