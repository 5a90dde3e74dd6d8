/**
 * How far back states can be read, and the removal of older ones (`--gcmode full`).
 *
 * Kept are the states of every stored block, canonical or not, above `head - history`, on chains with finality back to the
 * finalized block, since all above may be gone back to; and those of the genesis, the safe and the finalized block. Nodes of
 * other states go when enough has been written since the last time: one walk over what is kept (`markStates`), then the
 * removal of what it did not meet (`sweepNodes`), in turns with other work. The roots are taken while no block is being
 * stored; what is written from then on is young and stays, and no block goes on from a state behind the horizon any more.
 * The horizon is on disk before the first node goes, so that a state that is half gone is never read: after a crash the next
 * round finishes the work.
 */
import { type Bytes, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import type { NodeMarks } from "../storage/nodeMarks.ts";
import { markStates, sweepNodes } from "../storage/pruneNodes.ts";
import type { ChainConfig } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";
import type { Pointers } from "./chainEvents.ts";
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
  readonly pinned: () => PinnedBlocks;
}

/** The head, and blocks whose states stay whatever their height: genesis, safe, finalized. */
export interface PinnedBlocks {
  readonly head: Header;
  readonly others: readonly PinnedBlock[];
  /** The horizon stays at or below this number; undefined: there is no finality to wait for. */
  readonly finalNumber: bigint | undefined;
}

export interface PinnedBlock {
  readonly hash: Hash;
  readonly header: Header;
}

/** What pruning must leave of a chain. */
export function pinnedBlocks(
  { head, safe, finalized }: Pointers,
  genesis: PinnedBlock,
  config: ChainConfig,
): PinnedBlocks {
  const hasFinality = config.qnet?.consensus !== undefined || finalized.hash !== genesis.hash;
  const finalNumber = hasFinality ? finalized.header.number : undefined;
  return { head: head.header, others: [genesis, safe, finalized], finalNumber };
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

/** How far back states are promised. */
interface Reach {
  readonly horizon: bigint;
  /**
   * Blocks behind it that were pinned when it was set: what is pinned later may be gone already. undefined: written by an
   * older version, which did not note them.
   */
  readonly exempt: ReadonlySet<Hash> | undefined;
}

function readReach(database: Database): Reach {
  const raw = database.get(columns.meta, HORIZON_KEY) ?? EMPTY_BYTES;
  const exempt = new Set<Hash>();
  for (let at = NUMBER_BYTES; at < raw.length; at += HASH_BYTES)
    exempt.add(bytesToHash(raw.subarray(at, at + HASH_BYTES)));
  return { horizon: readHorizon(database), exempt: exempt.size > 0 ? exempt : undefined };
}

/** 8 bytes of number, and the hashes of the exempt blocks. */
function putReach({ horizon, exempt }: Reach): WriteOp {
  const number = new Uint8Array(NUMBER_BYTES);
  writeNumber(number, 0, horizon);
  return put(
    columns.meta,
    HORIZON_KEY,
    concatBytes(number, ...[...(exempt ?? [])].map(hexToBytes)),
  );
}

/** What a round did. */
export interface PruneReport {
  readonly kept: number;
  readonly removed: number;
  readonly horizon: bigint;
}

interface Round {
  readonly roots: ReadonlySet<Hash>;
  readonly reach: Reach;
  readonly before: Reach;
}

/** Keeps the states of the last `history` blocks; undefined keeps all there still are. */
export class StateHistory {
  readonly #deps: HistoryDependencies;
  readonly #history: bigint | undefined;
  #reach: Reach;
  #written = 0;
  #threshold = LEAST_WRITTEN;
  /** Nodes written while a round is under way, by hash in hex. */
  #young: Set<string> | undefined;
  #round: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(dependencies: HistoryDependencies, history: bigint | undefined) {
    this.#deps = dependencies;
    this.#history = history === undefined || history > LEAST_HISTORY ? history : LEAST_HISTORY;
    this.#reach = readReach(dependencies.database);
  }

  /** Whether the state of this block may have been removed. */
  isGone({ hash, header }: PinnedBlock): boolean {
    if (!this.isBehind(header.number)) return false;
    const { exempt = hashesOf(this.#deps.pinned().others) } = this.#reach;
    return !exempt.has(hash);
  }

  /** Whether states at this height are not kept: no new one is begun there, pinned ones are islands. */
  isBehind(number: bigint): boolean {
    return number < this.#reach.horizon;
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
    const round = await exclusive(() => this.#begin());
    if (round === undefined) return undefined;
    const { reach } = round;
    try {
      const marks = await this.#mark(round);
      const removed = await sweepNodes(database, {
        marks,
        signal,
        exclusive,
        isYoung: (hash) => this.#young?.has(Buffer.from(hash).toString("hex")) === true,
      });
      this.#threshold = Math.max(LEAST_WRITTEN, GROWTH * marks.size);
      return { kept: marks.size, removed, horizon: reach.horizon };
    } finally {
      this.#young = undefined;
    }
  }

  /** Finds what the round keeps and makes its horizon durable; without that all states are as they were. */
  async #mark({ roots, reach, before }: Round): Promise<NodeMarks> {
    const { database, exclusive } = this.#deps;
    try {
      const marks = await markStates(database, roots, this.#stop.signal);
      await exclusive(() => this.#raise(reach));
      return marks;
    } catch (error) {
      this.#reach = before;
      throw error;
    }
  }

  /** Ends the round under way; the next one finishes its work. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#round;
  }

  async #begin(): Promise<Round | undefined> {
    const history = this.#history;
    const { head, others, finalNumber = head.number } = this.#deps.pinned();
    if (history === undefined) return undefined;
    const before = this.#reach;
    const wanted = least(head.number - history + 1n, finalNumber);
    // what a shorter history has removed does not come back with a longer one
    const horizon = greatest(wanted, before.horizon);
    if (horizon <= 0n) return undefined;
    this.#written = 0;
    this.#young = new Set();
    const kept = others.filter((block) => !this.isGone(block));
    const roots = new Set(kept.map(({ header }) => header.stateRoot));
    const { database } = this.#deps;
    const edited = (hash: Hash) => {
      const { editedStateRoot, preStateRoot } = readOverride(database, hash);
      for (const root of [editedStateRoot, preStateRoot]) if (root !== undefined) roots.add(root);
    };
    for (const { hash } of kept) edited(hash);
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
    const reach = { horizon, exempt: hashesOf(kept) };
    // from here on no block goes on from a state that is not walked over
    this.#reach = reach;
    return { roots, reach, before };
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

  async #raise(reach: Reach): Promise<void> {
    const { database } = this.#deps;
    const operations = [putReach(reach)];
    const range = { lt: heightKey(reach.horizon, undefined) };
    for await (const [key] of database.iterate(columns.stateRoots, range))
      operations.push(del(columns.stateRoots, key));
    await database.batch(operations, { sync: true });
  }
}

function hashesOf(blocks: readonly PinnedBlock[]): ReadonlySet<Hash> {
  return new Set(blocks.map(({ hash }) => hash));
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}
