/** The flat state against the trie: its root is made anew from its entries alone, in one pass over both columns. */
import { type Bytes, equalBytes } from "../primitives/bytes.ts";
import { bytesToHex, type Hash } from "../primitives/hex.ts";
import { decodeAccount } from "../state/accountCodec.ts";
import { SortedTrie } from "../state/sortedTrie.ts";
import { StateError } from "../state/stateError.ts";
import { Trie } from "../state/trie.ts";
import { columns } from "./columns.ts";
import type { Database } from "./database.ts";
import { flatValue, openFlat, readFlatRoot } from "./flatColumns.ts";
import { uncheckedStateStore } from "./stateStore.ts";
import { errorText, StorageError } from "./storageError.ts";

/** What the flat columns hold. */
export interface FlatReport {
  /** State they are marked as, which may be some blocks behind the head after a crash. */
  readonly root: Hash;
  /** Root made from the entries. */
  readonly rebuilt: Hash;
  readonly accounts: number;
  readonly slots: number;
}

export interface FlatCheck {
  note(problem: string): void;
  /** Waited for after each entry. */
  turn(): Promise<void>;
}

/** Differences named one by one; the roots tell that there are more. */
const MOST_NAMED = 20;
const ADDRESS_HASH_BYTES = 32;

/** Rebuilds the root and compares; undefined when the columns show no state (they are made at the next start). */
export async function verifyFlat(
  database: Database,
  check: FlatCheck,
): Promise<FlatReport | undefined> {
  const root = readFlatRoot(database);
  if (root === undefined) return undefined;
  const slots = new SlotReader(database, check);
  const trie = new SortedTrie();
  let accounts = 0;
  for await (const [key, raw] of database.iterate(columns.flatAccounts)) {
    const value = checkedValue(database, [key, raw], check);
    accounts++;
    trie.add(key, value);
    const storageRoot = await slots.rootOf(key);
    const expected = expectedStorage(value);
    if (storageRoot !== expected) {
      const got = `flat slots give storage root ${storageRoot}`;
      check.note(`flat account ${bytesToHex(key)}: ${got}, the account has ${expected}`);
    }
    await check.turn();
  }
  await slots.end();
  const rebuilt = trie.root();
  if (rebuilt !== root) {
    check.note(`flat state: its entries give root ${rebuilt}, it is marked as ${root}`);
    await nameDifferences(database, root, check);
  }
  return { root, rebuilt, accounts, slots: slots.count };
}

function checkedValue(
  database: Database,
  [key, raw]: readonly [Bytes, Bytes],
  check: FlatCheck,
): Bytes {
  try {
    return openFlat(database, key, raw);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    check.note(errorText(error));
    return raw;
  }
}

function expectedStorage(account: Bytes): Hash | undefined {
  try {
    return decodeAccount(account).storageRoot;
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}

/** The slots beside the accounts, both in order of the hashed address. */
class SlotReader {
  readonly #database: Database;
  readonly #check: FlatCheck;
  readonly #entries: AsyncGenerator<readonly [Bytes, Bytes]>;
  #next: IteratorResult<readonly [Bytes, Bytes], unknown> | undefined;
  count = 0;

  constructor(database: Database, check: FlatCheck) {
    this.#database = database;
    this.#check = check;
    this.#entries = database.iterate(columns.flatSlots);
  }

  /** Root of the slots of this account; slots of accounts before it belong to none. */
  async rootOf(account: Bytes): Promise<Hash> {
    const trie = new SortedTrie();
    for (;;) {
      this.#next ??= await this.#entries.next();
      if (this.#next.done === true) return trie.root();
      const [key, raw] = this.#next.value;
      const side = Buffer.compare(key.subarray(0, ADDRESS_HASH_BYTES), account);
      if (side > 0) return trie.root();
      if (side < 0) this.#orphan(key);
      else
        trie.add(
          key.subarray(ADDRESS_HASH_BYTES),
          checkedValue(this.#database, [key, raw], this.#check),
        );
      await this.#take();
    }
  }

  /** What is left belongs to no account. */
  async end(): Promise<void> {
    for (;;) {
      this.#next ??= await this.#entries.next();
      if (this.#next.done === true) return;
      this.#orphan(this.#next.value[0]);
      await this.#take();
    }
  }

  async #take(): Promise<void> {
    this.count++;
    this.#next = undefined;
    await this.#check.turn();
  }

  #orphan(key: Bytes): void {
    this.#check.note(`flat slot ${bytesToHex(key)} belongs to no account`);
  }
}

/** Accounts that the trie has otherwise, the first ones in key order. */
async function nameDifferences(database: Database, root: Hash, check: FlatCheck): Promise<void> {
  const trie = new Trie(uncheckedStateStore(database), root);
  let left = MOST_NAMED;
  const name = (key: Bytes, what: string) => {
    left--;
    check.note(`flat account ${bytesToHex(key)} ${what}`);
  };
  try {
    for (const [key, value] of trie.entries()) {
      if (left === 0) return;
      const flat = database.get(columns.flatAccounts, key);
      if (flat === undefined) name(key, "is missing, the trie has it");
      else if (!equalBytes(flatValue(flat), value)) name(key, "has another value than in the trie");
      await check.turn();
    }
    for await (const [key] of database.iterate(columns.flatAccounts)) {
      if (left === 0) return;
      if (trie.get(key) === undefined) name(key, "is not in the trie");
      await check.turn();
    }
  } catch (error) {
    // the walk over the trie itself reports what is damaged there
    if (!(error instanceof StateError)) throw error;
  }
}
