/**
 * Changes above the tries, and their journal. `AccountCell` is what a State knows of one account, `StorageArea` the
 * storage it has had since it was last cleared; the journal undoes writes in O(number of writes).
 */

import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { Account } from "../types/account.ts";
import type { Trie } from "./trie.ts";

/** Storage of one account from one root on: a clear replaces the whole area, so that undoing it is one assignment. */
export class StorageArea {
  /** Root of the trie that `written` goes on top of. */
  root: Hash;
  /** The trie at `root`, once it has been opened. */
  trie: Trie | undefined;
  /** Slots as the trie at `root` has them: a cache. */
  readonly read = new Map<Hash, Bytes>();
  /** Slots set since `root`; the empty string is zero. */
  written = new Map<Hash, Bytes>();
  /** Slots as they were when transaction `originalsOf` began, for those it has written. */
  readonly originals = new Map<Hash, Bytes>();
  originalsOf = -1;

  constructor(root: Hash) {
    this.root = root;
  }
}

/** One account: present value, storage, and its key in the trie. */
export class AccountCell {
  readonly address: Address;
  readonly trieKey: Bytes;
  /** undefined: there is no such account. `storageRoot` is that of the last `root()`. */
  account: Account | undefined;
  storage: StorageArea;
  /** Is in the list of cells to flush. */
  listed = false;

  constructor(address: Address, trieKey: Bytes, seed: Pick<AccountCell, "account" | "storage">) {
    this.address = address;
    this.trieKey = trieKey;
    this.account = seed.account;
    this.storage = seed.storage;
  }
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
    area.written.set(key, value);
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
      if (entry.value === undefined) entry.area.written.delete(entry.key);
      else entry.area.written.set(entry.key, entry.value);
      return;
  }
}
