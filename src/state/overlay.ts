/**
 * Changes above the tries, and their journal. `AccountCell` is what a State knows of one account, `StorageArea` the
 * storage it has had since it was last cleared; the journal undoes writes in O(number of writes).
 */

import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { type Account, EMPTY_TRIE_ROOT } from "../types/account.ts";
import type { Trie } from "./trie.ts";

type Slots = ReadonlyMap<Hash, Bytes>;
const NO_SLOTS: Slots = new Map();

/**
 * Storage of one account from one root on: a clear replaces the whole area, so that undoing it is one assignment.
 * Its maps are made when first written, since most accounts have no storage.
 */
export class StorageArea {
  /** Root of the trie that the written slots go on top of. */
  root: Hash;
  /** The trie at `root`, once it has been opened. */
  trie: Trie | undefined;
  #read: Map<Hash, Bytes> | undefined;
  #written: Map<Hash, Bytes> | undefined;
  #originals: Map<Hash, Bytes> | undefined;
  /** The transaction that #originals are of. */
  #originalsOf = -1;
  /** Emptied since the last take of changes: what the state before has of this account is no ground to read on. */
  isCleared = false;
  /** Its trie has had an entry at some root, perhaps at the one that the flat entries show. */
  #hadSlots: boolean;

  constructor(root: Hash, written?: Slots) {
    this.root = root;
    this.#hadSlots = root !== EMPTY_TRIE_ROOT;
    if (written !== undefined && written.size > 0) this.#written = new Map(written);
  }

  /** The area after a clear. */
  emptied(): StorageArea {
    const next = new StorageArea(EMPTY_TRIE_ROOT);
    next.isCleared = this.isCleared || this.#hadSlots;
    return next;
  }

  /** The same root and written slots, for another State whose ground is the trie as it is now. */
  copy(): StorageArea {
    const copy = new StorageArea(this.root, this.written);
    copy.isCleared = this.isCleared;
    return copy;
  }

  /** Slots as the trie at `root` has them: a cache. */
  get read(): Slots {
    return this.#read ?? NO_SLOTS;
  }

  /** Slots set since `root`; the empty string is zero. */
  get written(): Slots {
    return this.#written ?? NO_SLOTS;
  }

  /** The slot as far as it is known here. */
  known(key: Hash): Bytes | undefined {
    return this.#written?.get(key) ?? this.#read?.get(key);
  }

  /** Caches a slot of the trie. */
  remember(key: Hash, value: Bytes): void {
    this.#read ??= new Map();
    this.#read.set(key, value);
  }

  /** Sets a slot; undefined takes it from the written ones. */
  write(key: Hash, value: Bytes | undefined): void {
    this.#written ??= new Map();
    if (value === undefined) this.#written.delete(key);
    else this.#written.set(key, value);
  }

  /** The written slots are in the trie now, whose root is `root`. */
  settle(root: Hash): void {
    this.root = root;
    this.#hadSlots ||= root !== EMPTY_TRIE_ROOT;
    for (const [key, value] of this.written) this.remember(key, value);
    this.#written = undefined;
  }

  /** The slot when `transaction` began, if that transaction has written it. */
  original(transaction: number, key: Hash): Bytes | undefined {
    return this.#originalsOf === transaction ? this.#originals?.get(key) : undefined;
  }

  /** Notes a slot before `transaction` writes it for the first time. */
  noteOriginal(transaction: number, key: Hash, value: Bytes): void {
    if (this.#originalsOf !== transaction || this.#originals === undefined) {
      this.#originals = new Map();
      this.#originalsOf = transaction;
    }
    this.#originals.set(key, value);
  }
}

/** One account: present value, storage, and its key in the trie. */
export class AccountCell {
  readonly address: Address;
  readonly trieKey: Bytes;
  /** undefined: there is no such account. `storageRoot` is that of the last `root()`. */
  account: Account | undefined;
  storage: StorageArea;
  /** The account as its trie's leaf had it last, undefined or empty when it had none. */
  leaf: Bytes | undefined;
  /** Is in the list of cells to flush. */
  listed = false;

  constructor(address: Address, trieKey: Bytes, seed: Pick<AccountCell, "account" | "storage">) {
    this.address = address;
    this.trieKey = trieKey;
    this.account = seed.account;
    this.storage = seed.storage;
  }
}

/** Order in which cells go into the trie. */
export function byTrieKey(a: AccountCell, b: AccountCell): number {
  for (let i = 0; i < a.trieKey.length; i++) {
    const difference = (a.trieKey[i] ?? 0) - (b.trieKey[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

interface AccountUndo {
  readonly kind: "account";
  readonly cell: AccountCell;
  readonly account: Account | undefined;
}
interface StorageUndo {
  readonly kind: "storage";
  readonly cell: AccountCell;
  readonly storage: StorageArea;
}
interface SlotUndo {
  readonly kind: "slot";
  readonly area: StorageArea;
  readonly key: Hash;
  /** undefined: the slot was not among the written ones. */
  readonly value: Bytes | undefined;
}
type Undo = AccountUndo | StorageUndo | SlotUndo;

/** Undo log with nested checkpoints. Outside of every checkpoint nothing is recorded: such writes are final. */
export class Journal {
  readonly #undos: Undo[] = [];
  readonly #marks: number[] = [];

  /** Open checkpoints. */
  get depth(): number {
    return this.#marks.length;
  }

  checkpoint(): void {
    this.#marks.push(this.#undos.length);
  }

  commit(): void {
    assert(this.#marks.pop() !== undefined, "a commit closes an open checkpoint");
    if (this.#marks.length === 0) this.#undos.length = 0;
  }

  revert(): void {
    const mark = this.#marks.pop();
    assert(mark !== undefined, "a revert closes an open checkpoint");
    for (let i = this.#undos.length; i > mark; i--) {
      const entry = this.#undos.pop();
      assert(entry !== undefined, "the log holds all entries above the mark");
      undo(entry);
    }
  }

  setAccount(cell: AccountCell, account: Account | undefined): void {
    if (this.depth > 0) this.#undos.push({ kind: "account", cell, account: cell.account });
    cell.account = account;
  }

  setStorage(cell: AccountCell, storage: StorageArea): void {
    if (this.depth > 0) this.#undos.push({ kind: "storage", cell, storage: cell.storage });
    cell.storage = storage;
  }

  setSlot(area: StorageArea, key: Hash, value: Bytes): void {
    if (this.depth > 0) {
      this.#undos.push({ kind: "slot", area, key, value: area.written.get(key) });
    }
    area.write(key, value);
  }
}

function undo(entry: Undo): void {
  switch (entry.kind) {
    case "account":
      entry.cell.account = entry.account;
      return;
    case "storage":
      entry.cell.storage = entry.storage;
      return;
    case "slot":
      entry.area.write(entry.key, entry.value);
      return;
  }
}
