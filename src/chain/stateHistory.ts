/**
 * How far back states can be read, and the removal of older ones (`--gcmode full`).
 *
 * Kept are the states of every stored block, canonical or not, above `head - history`, and those of the genesis, the safe
 * and the finalized block. Nodes of other states go when enough has been written since the last time: one walk over what
 * is kept (`markStates`), then the removal of what it did not meet (`sweepNodes`), in turns with other work. The roots are
 * taken while no block is being stored; what is written from then on is young and stays. The horizon is on disk before the
 * first node goes, so that a state that is half gone is never read: after a crash the next round finishes the work.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { markStates, sweepNodes } from "../storage/pruneNodes.ts";
import type { Header } from "../types/header.ts";
import { readNumber, writeNumber } from "./indexKeys.ts";
import { readOverride } from "./overrides.ts";

/** Fewest blocks whose states are kept: as far as a repair goes back by itself. */
export const LEAST_HISTORY = 128n;
const NUMBER_BYTES = 8;
const HASH_BYTES = 32;
/** A round begins when this many nodes were written, and as many times the nodes kept in the round before. */
const LEAST_WRITTEN = 50_000;
const GROWTH = 2;
const HORIZON_KEY = "statesFrom";

export interface HistoryDependencies {
  readonly database: Database;
  readonly log: Logger;
  /** Runs a task while no block is being stored. */
  readonly exclusive: <T>(task: () => T | Promise<T>) => Promise<T>;
  /** The head, and blocks whose states stay whatever their height: genesis, safe, finalized. */
  readonly pinned: () => { readonly head: Header; readonly others: readonly PinnedBlock[] };
}

export interface PinnedBlock {
  readonly hash: Hash;
  readonly header: Header;
}

/** Notes the state root of a block under its height, so that all of one height are found, side branches too. */
export function putStateRoot(hash: Hash, { number, stateRoot }: Header): WriteOp {
  return put(columns.stateRoots, heightKey(number, hash), hexToBytes(stateRoot));
}

function heightKey(number: bigint, hash: Hash | undefined): Bytes {
  const key = new Uint8Array(NUMBER_BYTES + HASH_BYTES);
  writeNumber(key, 0, number);
  if (hash !== undefined) key.set(hexToBytes(hash), NUMBER_BYTES);
  return key;
}

/** Number of the first block whose state is promised; 0: nothing was ever removed. */
export function readHorizon(database: Database): bigint {
  const raw = database.get(columns.meta, HORIZON_KEY);
  return raw === undefined ? 0n : readNumber(raw, 0);
}

function putHorizon(number: bigint): WriteOp {
  const raw = new Uint8Array(NUMBER_BYTES);
  writeNumber(raw, 0, number);
  return put(columns.meta, HORIZON_KEY, raw);
}

/** What a round did. */
export interface PruneReport {
  readonly kept: number;
  readonly removed: number;
  readonly horizon: bigint;
}

interface Round {
  readonly roots: ReadonlySet<Hash>;
  readonly horizon: bigint;
  readonly exempt: ReadonlySet<Hash>;
}

/** Keeps the states of the last `history` blocks; undefined keeps all there still are. */
export class StateHistory {
  readonly #deps: HistoryDependencies;
  readonly #history: bigint | undefined;
  #horizon: bigint;
  #written = 0;
  #threshold = LEAST_WRITTEN;
  /** Pinned blocks of the last round; what is pinned later may be gone already. */
  #exempt: ReadonlySet<Hash> | undefined;
  /** Nodes written while a round is under way, by hash in hex. */
  #young: Set<string> | undefined;
  #round: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(dependencies: HistoryDependencies, history: bigint | undefined) {
    this.#deps = dependencies;
    this.#history = history === undefined || history > LEAST_HISTORY ? history : LEAST_HISTORY;
    this.#horizon = readHorizon(dependencies.database);
  }

  /** Whether the state of this block may have been removed. */
  isGone({ hash, header }: PinnedBlock): boolean {
    if (header.number >= this.#horizon) return false;
    this.#exempt ??= new Set(this.#deps.pinned().others.map((block) => block.hash));
    return !this.#exempt.has(hash);
  }

  /** Notes nodes that are about to be written: called before their batch. */
  writing(nodes: ReadonlyMap<string, Bytes>): void {
    if (this.#history === undefined) return;
    this.#written += nodes.size;
    if (this.#young === undefined) return;
    for (const key of nodes.keys()) this.#young.add(key);
  }

  /** Begins a round when enough was written; called after a batch. */
  written(): void {
    if (this.#history === undefined || this.#round !== undefined) return;
    if (this.#written < this.#threshold) return;
    this.#round = this.prune()
      .then((report) => {
        if (report !== undefined) this.#deps.log.info("Removed old states", { ...report });
      })
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#deps.log.error("Old states could not be removed", { error });
      })
      .finally(() => {
        this.#round = undefined;
      });
  }

  /** One round; undefined when there is nothing behind the horizon. Throws StorageError. */
  async prune(): Promise<PruneReport | undefined> {
    const { database, exclusive } = this.#deps;
    const { signal } = this.#stop;
    const taken = await exclusive(() => this.#begin());
    if (taken === undefined) return undefined;
    const { roots, horizon, exempt } = taken;
    try {
      const marks = await markStates(database, roots, signal);
      await exclusive(() => this.#raise(horizon, exempt));
      const removed = await sweepNodes(database, {
        marks,
        signal,
        exclusive,
        isYoung: (hash) => this.#young?.has(Buffer.from(hash).toString("hex")) === true,
      });
      this.#threshold = Math.max(LEAST_WRITTEN, GROWTH * marks.size);
      return { kept: marks.size, removed, horizon };
    } finally {
      this.#young = undefined;
    }
  }

  /** Ends the round under way; the next one finishes its work. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#round;
  }

  async #begin(): Promise<Round | undefined> {
    const history = this.#history;
    const { head, others } = this.#deps.pinned();
    if (history === undefined || head.number < history) return undefined;
    this.#written = 0;
    this.#young = new Set();
    const horizon = head.number - history + 1n;
    const roots = new Set(others.map(({ header }) => header.stateRoot));
    const { database } = this.#deps;
    const edited = (hash: Hash) => {
      const { editedStateRoot, preStateRoot } = readOverride(database, hash);
      for (const root of [editedStateRoot, preStateRoot]) if (root !== undefined) roots.add(root);
    };
    for (const { hash } of others) edited(hash);
    for (let number = horizon; number <= head.number; number++) {
      const hash = database.get(columns.canonical, number);
      const header = hash && database.get(columns.headers, hash);
      if (hash === undefined || header === undefined) continue;
      roots.add(header.stateRoot);
      edited(hash);
    }
    for (const { hash, root } of await this.#stateRootsFrom(horizon)) {
      roots.add(root);
      edited(hash);
    }
    return { roots, horizon, exempt: new Set(others.map(({ hash }) => hash)) };
  }

  /** Roots of all blocks at these heights; those of an older version's blocks are known by the canonical numbers alone. */
  async #stateRootsFrom(number: bigint): Promise<{ hash: Hash; root: Hash }[]> {
    const found: { hash: Hash; root: Hash }[] = [];
    const range = { gte: heightKey(number, undefined) };
    for await (const [key, root] of this.#deps.database.iterate(columns.stateRoots, range))
      found.push({
        hash: bytesToHash(key.subarray(NUMBER_BYTES)),
        root: bytesToHash(root),
      });
    return found;
  }

  async #raise(horizon: bigint, exempt: ReadonlySet<Hash>): Promise<void> {
    const { database } = this.#deps;
    const operations = [putHorizon(horizon)];
    const range = { lt: heightKey(horizon, undefined) };
    for await (const [key] of database.iterate(columns.stateRoots, range))
      operations.push(del(columns.stateRoots, key));
    await database.batch(operations, { sync: true });
    this.#horizon = horizon;
    this.#exempt = exempt;
  }
}
