/** The states of a chain: opening them, handing the newest one on from block to block, storing what a block changed. */
import type { Address, Hash } from "../primitives/hex.ts";
import { systemClock } from "../runtime/clock.ts";
import { NodeCache } from "../state/nodeCache.ts";
import { type AccountProof, accountProof } from "../state/proof.ts";
import { State, type StateChanges } from "../state/state.ts";
import type { WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { databaseStateStore } from "../storage/stateStore.ts";
import type { BlockStore } from "./blockStore.ts";
import { stateUnavailable } from "./chainError.ts";
import type { ChainObserver } from "./chainEvents.ts";
import { hasStateRoot } from "./repair.ts";
import { type HistoryDependencies, type PruneReport, StateHistory } from "./stateHistory.ts";

export interface StatesDependencies extends HistoryDependencies {
  readonly store: BlockStore;
  readonly observer?: ChainObserver | undefined;
}

/** All states over one database. */
export class ChainStates {
  readonly #database: Database;
  readonly #store: BlockStore;
  readonly #nodes = new NodeCache();
  readonly #history: StateHistory;
  readonly #observer: ChainObserver | undefined;
  /** The State at some root, with what it read before still at hand: for the next child. */
  #warm: { readonly root: Hash; readonly state: State } | undefined;

  constructor(dependencies: StatesDependencies, history: bigint | undefined) {
    this.#database = dependencies.database;
    this.#store = dependencies.store;
    this.#observer = dependencies.observer;
    this.#history = new StateHistory(dependencies, history);
  }

  /** A State of its own at `root`, which belongs to the block `hash`. Throws ChainError UNKNOWN_BLOCK, STATE_UNAVAILABLE. */
  open(hash: Hash, root: Hash): State {
    this.demand(hash, root);
    return new State(databaseStateStore(this.#database), root, this.#nodes);
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

  proof(
    block: { readonly hash: Hash; readonly root: Hash },
    address: Address,
    slots: readonly Hash[],
  ): AccountProof {
    this.demand(block.hash, block.root);
    return accountProof(databaseStateStore(this.#database), block.root, address, slots);
  }

  /** One durable batch that holds new state. */
  async write(operations: readonly WriteOp[], changes: StateChanges): Promise<void> {
    this.#history.writing(changes.nodes);
    const startMs = systemClock.nowMs();
    await this.#database.batch(operations, { sync: true });
    this.#observer?.stored({ elapsedMs: systemClock.nowMs() - startMs, nodes: changes.nodes.size });
    this.#history.written();
  }

  /** Removes states beyond the history now; undefined: there are none, or all are kept. Throws StorageError. */
  prune(): Promise<PruneReport | undefined> {
    return this.#history.prune();
  }

  /** The cache of trie nodes, for the metrics. */
  get cache(): { readonly hits: number; readonly misses: number; readonly size: number } {
    return this.#nodes;
  }

  close(): Promise<void> {
    return this.#history.close();
  }
}
