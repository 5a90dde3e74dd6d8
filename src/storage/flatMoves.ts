/**
 * Keeps the flat entries at the head's state.
 *
 * `prepare` makes what one batch must write so that the entries go with the head: the changes of the block that was
 * executed on it, or the difference of two tries when the head goes elsewhere. Small changes stay in memory and reach the
 * columns together (hot accounts change in every block), always inside the batch of a block and with the mark of its root.
 * So what lies on disk is exactly the state of its mark, at most `freshBlocks` behind the head; `catchUp` brings it on
 * when the chain opens. Whatever is larger than memory should hold is written in pieces, without a mark while it lasts.
 */
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import { Turns } from "../runtime/turns.ts";
import { decodeAccount } from "../state/accountCodec.ts";
import {
  type FlatAccountChange,
  type FlatEntries,
  type FlatKey,
  FlatState,
  flatKey,
} from "../state/flatState.ts";
import type { NodeStore } from "../state/nodeBuffer.ts";
import type { StateChanges } from "../state/state.ts";
import { StateError } from "../state/stateError.ts";
import { Trie } from "../state/trie.ts";
import { diffTries } from "../state/trieDiff.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import type { WriteOp } from "./columns.ts";
import type { Database } from "./database.ts";
import { clearFlat, flatOps, flatStore, markFlatRoot, readFlatRoot } from "./flatColumns.ts";

/** How much of the state is ahead of the columns. */
export interface FlatLimits {
  /** Entries that wait in memory for the columns. */
  readonly fresh: number;
  /** Blocks after which they are written however few they are: well within the fewest states that are kept. */
  readonly freshBlocks: number;
  /** Entries of one change that are held in memory; above it they are written in pieces of that many. */
  readonly atOnce: number;
}

/** At most 4 MB wait, and 16 MB are held for one change. */
const LIMITS: FlatLimits = { fresh: 16_384, freshBlocks: 64, atOnce: 65_536 };
/** Entries between two looks at the clock. */
const STEPS = 256;

type Entry = readonly [key: FlatKey, value: Bytes];

/** What brought the columns to a root when a chain was opened. */
export type CatchUp = "current" | "difference" | "rebuilt";

/** The flat entries of one database. */
export class FlatMoves {
  readonly view: FlatState;
  readonly #database: Database;
  readonly #nodes: NodeStore;
  readonly #limits: FlatLimits;
  #freshBlocks = 0;
  /** The batch under way brings everything fresh into the columns. */
  #writesAll = false;

  constructor(database: Database, nodes: NodeStore, limits: FlatLimits = LIMITS) {
    this.#database = database;
    this.#nodes = nodes;
    this.#limits = limits;
    this.view = new FlatState(flatStore(database), readFlatRoot(database));
  }

  /**
   * Writes for the batch with which the head's state becomes `root`; `settle` or `fail` must follow when it is done.
   * `changes`: the state that the batch stores, if it does. Throws StateError, StorageError.
   */
  async prepare(root: Hash, changes?: StateChanges): Promise<WriteOp[]> {
    const { view } = this;
    if (view.root === undefined || (view.root === root && view.fresh.size === 0)) return [];
    const entries = await this.#collect(this.#entriesTo(view.root, root, changes), root);
    if (entries === undefined) return [];
    view.begin(root, entries);
    this.#freshBlocks++;
    this.#writesAll =
      view.fresh.size + entries.size > this.#limits.fresh ||
      this.#freshBlocks >= this.#limits.freshBlocks;
    if (!this.#writesAll) return [];
    return [...flatOps(view.fresh), ...flatOps(entries), markFlatRoot(root)];
  }

  /** The batch of `prepare` is durable. */
  settle(): void {
    if (!this.view.isBegun) return;
    this.view.settle(this.#writesAll);
    if (this.#writesAll) this.#freshBlocks = 0;
  }

  /** The batch of `prepare` failed: what is on disk is not known any more, and the trie answers. */
  fail(): void {
    this.view.reset(undefined);
  }

  /** Brings what is only in memory into the columns. */
  async flush(): Promise<void> {
    const { root, fresh } = this.view;
    if (root === undefined || fresh.size === 0) return;
    await this.#database.batch([...flatOps(fresh), markFlatRoot(root)]);
    this.view.reset(root);
    this.#freshBlocks = 0;
  }

  /** Makes the columns show `root`, from whatever they are. Throws StateError and StorageError when its trie is damaged. */
  async catchUp(root: Hash): Promise<CatchUp> {
    const { view } = this;
    if (view.root === root) return "current";
    if (view.root !== undefined) {
      try {
        await this.#move(view.root, root);
        return "difference";
      } catch (error) {
        // the state of the mark has been removed meanwhile
        if (!(error instanceof StateError && error.reason.code === "MISSING_NODE")) throw error;
      }
    }
    view.reset(undefined);
    await clearFlat(this.#database);
    await this.#move(EMPTY_TRIE_ROOT, root);
    return "rebuilt";
  }

  async #move(from: Hash, to: Hash): Promise<void> {
    const entries = await this.#collect(diffStates(this.#nodes, from, to), to);
    if (entries === undefined) return;
    await this.#database.batch([...flatOps(entries), markFlatRoot(to)]);
    this.view.reset(to);
  }

  #entriesTo(from: Hash, to: Hash, changes: StateChanges | undefined): Iterable<Entry> {
    if (from === to) return [];
    if (changes === undefined) return diffStates(this.#nodes, from, to);
    if (changes.base === from && changes.root === to) return this.#entriesOf(changes);
    return diffStates(withNew(this.#nodes, changes.nodes), from, to);
  }

  *#entriesOf({ base, flat }: StateChanges): Generator<Entry, void> {
    for (const [account, change] of flat) {
      if (change.cleared) yield* this.#cleared(base, account);
      yield* changeEntries(account, change);
    }
  }

  /** Slots that the account had before. */
  *#cleared(base: Hash, account: FlatKey): Generator<Entry, void> {
    // once a piece is written the view shows nothing, and the trie answers
    const before =
      this.view.read(base, account) ??
      new Trie(this.#nodes, base).get(Buffer.from(account, "latin1"));
    if (before === undefined || before.length === 0) return;
    yield* diffSlots(this.#nodes, account, [decodeAccount(before).storageRoot, EMPTY_TRIE_ROOT]);
  }

  /** The entries as one set; undefined: they were too many, and are written to the columns, which show `root`. */
  async #collect(source: Iterable<Entry>, root: Hash): Promise<FlatEntries | undefined> {
    const turns = new Turns();
    let entries: FlatEntries = new Map();
    let steps = 0;
    let written = false;
    for (const [key, value] of source) {
      entries.set(key, value);
      if (++steps % STEPS === 0) await turns.next();
      if (entries.size < this.#limits.atOnce) continue;
      await this.#writePiece(entries, !written);
      written = true;
      entries = new Map();
    }
    if (!written) return entries;
    await this.#database.batch([...flatOps(entries), markFlatRoot(root)], { sync: true });
    this.view.reset(root);
    this.#freshBlocks = 0;
    return undefined;
  }

  /** Part of a large change; the first one takes the mark away and brings what was only in memory. */
  async #writePiece(entries: FlatEntries, isFirst: boolean): Promise<void> {
    const ops = flatOps(entries);
    if (isFirst) {
      const fresh = flatOps(this.view.fresh);
      this.view.reset(undefined);
      await this.#database.batch([markFlatRoot(undefined), ...fresh, ...ops], { sync: true });
    } else await this.#database.batch(ops, { sync: false });
  }
}

function* changeEntries(account: FlatKey, change: FlatAccountChange): Generator<Entry, void> {
  yield [account, change.value];
  for (const [slot, value] of change.slots ?? []) yield [account + slot, value];
}

/** Entries that differ between two states, as the later one has them. */
function* diffStates(nodes: NodeStore, from: Hash, to: Hash): Generator<Entry, void> {
  for (const { key, before, after } of diffTries(nodes, from, to)) {
    const account = flatKey(key);
    yield [account, after];
    yield* diffSlots(nodes, account, [storageRootOf(before), storageRootOf(after)]);
  }
}

function* diffSlots(
  nodes: NodeStore,
  account: FlatKey,
  [from, to]: readonly [from: Hash, to: Hash],
): Generator<Entry, void> {
  if (from === to) return;
  for (const { key, after } of diffTries(nodes, from, to)) yield [account + flatKey(key), after];
}

function storageRootOf(leaf: Bytes): Hash {
  return leaf.length === 0 ? EMPTY_TRIE_ROOT : decodeAccount(leaf).storageRoot;
}

/** The store, and new nodes that it does not have yet. */
function withNew(store: NodeStore, nodes: ReadonlyMap<string, Bytes>): NodeStore {
  return {
    getNode: (hash) => nodes.get(Buffer.from(hash).toString("hex")) ?? store.getNode(hash),
  };
}
