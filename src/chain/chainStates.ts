/** The states of a chain: opening them, handing the newest one on from block to block, storing what a block changed. */
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { NodeCache } from "../state/nodeCache.ts";
import { type AccountProof, accountProof } from "../state/proof.ts";
import { State, type StateChanges, type StateStore } from "../state/state.ts";
import type { WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { FlatMoves } from "../storage/flatMoves.ts";
import { databaseStateStore } from "../storage/stateStore.ts";
import type { Header } from "../types/header.ts";
import type { BlockStore } from "./blockStore.ts";
import { stateUnavailable } from "./chainError.ts";
import type { ChainObserver } from "./chainEvents.ts";
import { OverrideRecords } from "./overrides.ts";
import { hasStateRoot } from "./repair.ts";
import { type HistoryDependencies, type PruneReport, StateHistory } from "./stateHistory.ts";

export interface StatesDependencies extends HistoryDependencies {
  readonly store: BlockStore;
  readonly observer?: ChainObserver | undefined;
}

/** All states over one database. */
export class ChainStates {
  /** What was edited by hand, on chains that allow it */
  readonly overrides: OverrideRecords;
  readonly #database: Database;
  readonly #store: BlockStore;
  readonly #stateStore: StateStore;
  readonly #nodes = new NodeCache();
  /** On disk only: in memory a flat entry costs as much as the nodes it saves. */
  readonly #flat: FlatMoves | undefined;
  readonly #history: StateHistory;
  readonly #observer: ChainObserver | undefined;
  readonly #log: Logger;
  /** The State at some root, with what it read before still at hand: for the next child. */
  #warm: { readonly root: Hash; readonly state: State } | undefined;

  constructor(dependencies: StatesDependencies, history: bigint | undefined) {
    this.#database = dependencies.database;
    this.overrides = new OverrideRecords(this.#database);
    this.#store = dependencies.store;
    this.#observer = dependencies.observer;
    this.#log = dependencies.log;
    this.#history = new StateHistory(dependencies, history);
    const tries = databaseStateStore(this.#database);
    if (this.#database.onDisk) this.#flat = new FlatMoves(this.#database, tries);
    this.#stateStore = this.#flat === undefined ? tries : { ...tries, flat: this.#flat.view };
  }

  /** Brings the flat entries to the state at the head; without them reads go through the trie. */
  async prepareFlat(root: Hash): Promise<void> {
    if (this.#flat === undefined || this.#flat.view.root === root) return;
    const startMs = systemClock.nowMs();
    if (this.#flat.view.root === undefined) this.#log.info("Making flat state from the trie");
    try {
      const how = await this.#flat.catchUp(root);
      this.#log.info("Brought flat state to the head", {
        how,
        elapsedMs: systemClock.nowMs() - startMs,
      });
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      this.#flat.fail();
      this.#log.warn("Flat state cannot be made, reads go through the trie", { error });
    }
  }

  /** A State of its own at `root`, which belongs to the block `hash`. Throws ChainError UNKNOWN_BLOCK, STATE_UNAVAILABLE. */
  open(hash: Hash, root: Hash): State {
    this.demand(hash, root);
    return new State(this.#stateStore, root, this.#nodes);
  }

  /** The same, but the warm one if it fits, and then nobody else's. */
  take(hash: Hash, root: Hash): State {
    const warm = this.#warm;
    if (warm?.root !== root) return this.open(hash, root);
    this.#warm = undefined;
    return warm.state;
  }

  /** Keeps the State at `root` for whoever takes it next. */
  keep(root: Hash, state: State): void {
    this.#warm = { root, state };
  }

  /** Throws ChainError STATE_UNAVAILABLE unless the state at `root` of this block can be read. */
  demand(hash: Hash, root: Hash): void {
    const gone = this.#history.isGone({ hash, header: this.#store.demandHeader(hash) });
    if (gone || !hasStateRoot(this.#database, root)) throw stateUnavailable(hash, root);
  }

  /** The same of a block that is to be head: the states of its children must be kept as well. Throws ChainError. */
  demandHead(hash: Hash, { number, stateRoot }: Header): void {
    if (this.#history.isBehind(number)) throw stateUnavailable(hash, stateRoot);
    this.demand(hash, stateRoot);
  }

  /** Throws ChainError STATE_UNAVAILABLE for a block that goes on from a state which has gone, or whose own would not be kept. */
  demandParent({ parentHash, number }: Header): void {
    const header = this.#store.header(parentHash);
    if (header === undefined) return;
    if (this.#history.isBehind(number) || this.#history.isGone({ hash: parentHash, header }))
      throw stateUnavailable(parentHash, header.stateRoot);
  }

  proof(
    block: { readonly hash: Hash; readonly root: Hash },
    address: Address,
    slots: readonly Hash[],
  ): AccountProof {
    this.demand(block.hash, block.root);
    return accountProof(this.#stateStore, block.root, address, slots);
  }

  /** One durable batch that holds new state; `headRoot`: the state at the head once it is there, if the head moves. */
  async write(
    operations: readonly WriteOp[],
    changes: StateChanges,
    headRoot: Hash | undefined,
  ): Promise<void> {
    this.#history.writing(changes.nodes);
    const startMs = systemClock.nowMs();
    await this.#batch(operations, headRoot, changes);
    this.#observer?.stored({ elapsedMs: systemClock.nowMs() - startMs, nodes: changes.nodes.size });
    this.#history.written();
  }

  /** One durable batch that moves the head to a stored block, whose state is `headRoot`. */
  moveHead(operations: readonly WriteOp[], headRoot: Hash): Promise<void> {
    return this.#batch(operations, headRoot);
  }

  async #batch(
    operations: readonly WriteOp[],
    headRoot: Hash | undefined,
    changes?: StateChanges,
  ): Promise<void> {
    try {
      await this.#batchWithFlat(operations, headRoot, changes);
    } finally {
      this.overrides.written();
    }
  }

  async #batchWithFlat(
    operations: readonly WriteOp[],
    headRoot: Hash | undefined,
    changes: StateChanges | undefined,
  ): Promise<void> {
    if (this.#flat === undefined || headRoot === undefined) {
      await this.#database.batch(operations, { sync: true });
      return;
    }
    const flatOps = await this.#flat.prepare(headRoot, changes);
    try {
      await this.#database.batch([...operations, ...flatOps], { sync: true });
    } catch (error) {
      this.#flat.fail();
      throw error;
    }
    this.#flat.settle();
  }

  /** Removes states beyond the history now; undefined: there are none, or all are kept. Throws StorageError. */
  prune(): Promise<PruneReport | undefined> {
    return this.#history.prune();
  }

  /** The cache of trie nodes, for the metrics. */
  get cache(): { readonly hits: number; readonly misses: number; readonly size: number } {
    return this.#nodes;
  }

  /** Ends the round of pruning under way; `ended`: no block is being stored any more. */
  async close(ended: Promise<void>): Promise<void> {
    await Promise.all([this.#history.close(), ended]);
    await this.#flat?.flush();
  }
}
