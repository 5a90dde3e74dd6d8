/**
 * Block production of a development chain, in place of the consensus engine: on arrival of transactions (instant), by the
 * clock (interval), both (mixed) or on demand only (manual). Blocks are plain Ethereum blocks.
 *
 * One queue owns the head while a block is made: production, state edits and snapshots (`exclusive`) take turns. An arrival
 * only wakes the producer; whoever sent the transaction never waits for it, and what arrives meanwhile goes into the next
 * block together. Who reads may wait until what arrived before was tried (`settled`), so that a test which writes and then
 * reads finds what it wrote. A transaction that cannot run leaves the pool with its reason.
 */
import { type BlockDraft, buildBlock } from "../chain/buildBlock.ts";
import type { Chain } from "../chain/chain.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { Unsubscribe } from "../runtime/emitter.ts";
import type { Logger } from "../runtime/log.ts";
import type { MetricHandles, Metrics } from "../runtime/metrics.ts";
import { SerialQueue } from "../runtime/queue.ts";
import { Turns } from "../runtime/turns.ts";
import type { TxPool } from "../txpool/pool.ts";
import type { Selection } from "../txpool/select.ts";
import type { DevClock } from "./devClock.ts";
import { consensusMetrics } from "./metrics.ts";
import { draftOn, type NextBlock, requireGasLimit } from "./nextBlock.ts";
import { ProducerError } from "./producerError.ts";

export type ProducerMode = "instant" | "interval" | "manual" | "mixed";

export interface ProducerOptions {
  readonly mode: ProducerMode;
  /** Interval of `interval` and `mixed`, and of idle blocks. */
  readonly blockTimeMs: number;
  /** `instant` only: makes an empty block each `blockTimeMs` too. Blocks by the clock are made empty as well in any case. */
  readonly emptyBlocks: boolean;
  /** Beneficiary of the blocks. */
  readonly miner: Address;
}

export interface ProducerDependencies {
  readonly chain: Chain;
  /** Follows the chain: `pool.onHead` is called for each `head` event. */
  readonly pool: TxPool;
  readonly clock: DevClock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** All that can be set about production. */
export interface ProducerSnapshot {
  readonly next: NextBlock;
  readonly miner: Address;
  readonly automine: boolean;
  readonly intervalMs: number;
}

/** Blocks of one call of `mine`, about a minute's work. */
export const MAX_BLOCKS_PER_CALL = 100_000;
/** Longest interval: what a timer takes. */
export const MAX_INTERVAL_MS = 2 ** 31 - 1;
/** Edits, snapshots and blocks that may wait for each other. */
const MAX_WAITING = 1_024;
/** What of an interval is left for storing the block and answering calls. */
const RESERVE_MS = 100;
/** Least share of an interval for building, when the reserve would leave less. */
const LEAST_BUILD_SHARE = 0.4;

/** Failures after which a transaction may run in a later block. */
const WAITS = new Set([
  "GAS_LIMIT_REACHED",
  "BLOB_GAS_LIMIT_REACHED",
  "MAX_FEE_BELOW_BASE_FEE",
  "BLOB_FEE_TOO_LOW",
  "NONCE_TOO_HIGH",
  "NONCE_TOO_LOW",
]);

/** How a block is to be made. */
interface Wanted {
  /** Also without transactions. */
  readonly empty: boolean;
  /** Time for executing transactions; undefined: no limit */
  readonly timeMs: number | undefined;
}

/** Makes blocks on top of the head. */
export class Producer {
  readonly #deps: ProducerDependencies;
  readonly #metrics: MetricHandles<typeof consensusMetrics>;
  readonly #queue = new SerialQueue({ name: "producer", limit: MAX_WAITING });
  #next: NextBlock = {};
  #miner: Address;
  #automine: boolean;
  #intervalMs: number;
  #running = false;
  /** A block for arrivals is on its way; `#again`: more has arrived since it chose its transactions. */
  #awake = false;
  #again = false;
  /** Arrivals so far, how many of them were tried for a block, and the end of the trial under way. */
  #arrived = 0;
  #tried = 0;
  #trial: Promise<void> = Promise.resolve();
  /** The block under way or to come, whatever for. */
  #round = Promise.withResolvers<void>();
  #ticking: AbortController | undefined;
  #unsubscribe: readonly Unsubscribe[] = [];

  constructor(dependencies: ProducerDependencies, options: ProducerOptions) {
    this.#deps = dependencies;
    this.#metrics = dependencies.metrics.register("consensus", consensusMetrics);
    this.#miner = options.miner;
    this.#automine = options.mode === "instant" || options.mode === "mixed";
    const byClock = options.mode === "interval" || options.mode === "mixed";
    const idle = options.mode === "instant" && options.emptyBlocks;
    this.#intervalMs = byClock || idle ? options.blockTimeMs : 0;
  }

  /** Begins to make blocks; what waits in the pool is taken at once. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    const { pool, chain } = this.#deps;
    this.#unsubscribe = [
      pool.on("transaction", ({ expects }): undefined => {
        if (expects === undefined) this.#wake();
      }),
      // a block that was undone gives its transactions back, and a lower base fee lets others in
      chain.on("head", (): undefined => {
        if (pool.stats().pending > 0) this.#tryAgain();
      }),
    ];
    this.#tick();
    this.#wake();
  }

  /** Ends production once the block under way is stored. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#ticking?.abort();
    await this.#queue.close();
  }

  get automine(): boolean {
    return this.#automine;
  }

  /** Milliseconds between blocks by the clock; 0: none. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Beneficiary of the next block. */
  get miner(): Address {
    return this.#next.miner ?? this.#miner;
  }

  /** Whether transactions make blocks by arriving. */
  setAutomine(automine: boolean): void {
    this.#automine = automine;
    if (automine) this.#wake();
  }

  /** Makes blocks each `intervalMs` from now on; 0: no more. Throws ProducerError BAD_INTERVAL. */
  setIntervalMs(intervalMs: number): void {
    if (!(intervalMs >= 0 && intervalMs <= MAX_INTERVAL_MS))
      throw new ProducerError({ code: "BAD_INTERVAL", intervalMs, limitMs: MAX_INTERVAL_MS });
    this.#intervalMs = intervalMs;
    this.#tick();
  }

  /** Resolves when all that arrived before was tried for a block; at once where arrivals make no blocks. */
  async settled(): Promise<void> {
    const arrived = this.#arrived;
    while (this.#awake && this.#tried < arrived)
      await Promise.race([this.#trial, this.#round.promise]);
  }

  /** Beneficiary of all later blocks. */
  setMiner(miner: Address): void {
    this.#miner = miner;
  }

  /** Adds wishes for the next block. Throws ProducerError BAD_GAS_LIMIT. */
  setNext(wishes: NextBlock): void {
    requireGasLimit(wishes.gasLimit);
    this.#next = { ...this.#next, ...wishes };
  }

  /** Runs `task` while no block is being made: for edits of the state, snapshots and the like. */
  exclusive<T>(task: () => T | Promise<T>): Promise<T> {
    return this.#queue.run(task);
  }

  /**
   * Makes `count` blocks now, empty if need be; the timestamps of all but the first are `intervalSeconds` apart if given.
   * Throws ProducerError.
   */
  mine(count = 1, intervalSeconds?: bigint): Promise<Hash[]> {
    if (count > MAX_BLOCKS_PER_CALL)
      return Promise.reject(
        new ProducerError({ code: "TOO_MANY_BLOCKS", count, limit: MAX_BLOCKS_PER_CALL }),
      );
    return this.#queue.run(async () => {
      const hashes: Hash[] = [];
      const { chain, clock } = this.#deps;
      const turns = new Turns();
      // all or none: what the last block asks for is known before the first
      const span = (intervalSeconds ?? 0n) * BigInt(Math.max(0, count - 1));
      clock.requireTimestamp(this.nextDraft().timestamp + span);
      while (hashes.length < count) {
        await turns.next();
        const { timestamp } = chain.head.header;
        if (hashes.length > 0 && intervalSeconds !== undefined)
          clock.setNextTimestamp(timestamp + intervalSeconds, timestamp);
        const hash = await this.#produce({ empty: true, timeMs: undefined });
        if (hash !== undefined) hashes.push(hash);
      }
      return hashes;
    });
  }

  /** What the next block would be made of, if it were made now. */
  nextDraft(): BlockDraft {
    const { chain, clock } = this.#deps;
    const parent = chain.head;
    const timestamp = clock.nextTimestamp(parent.header.timestamp, this.#timestampGap());
    return draftOn(parent, this.#next, { timestamp, miner: this.miner });
  }

  snapshot(): ProducerSnapshot {
    return {
      next: this.#next,
      miner: this.#miner,
      automine: this.#automine,
      intervalMs: this.#intervalMs,
    };
  }

  restore(snapshot: ProducerSnapshot): void {
    this.#next = snapshot.next;
    this.#miner = snapshot.miner;
    this.#automine = snapshot.automine;
    if (snapshot.intervalMs !== this.#intervalMs) this.setIntervalMs(snapshot.intervalMs);
    this.#wake();
  }

  /** Makes a block for arrivals soon: the replies to their senders go out first. */
  #wake(): void {
    this.#arrived++;
    this.#tryAgain();
  }

  /** The same for what has been waiting; nobody who reads waits for it. */
  #tryAgain(): void {
    if (!this.#running || !this.#automine) return;
    this.#again = true;
    if (this.#awake) return;
    this.#awake = true;
    this.#trial = new Promise((resolve) => {
      setImmediate(() => {
        this.#queue
          .run(() => this.#produceForArrivals())
          .catch((error: unknown) => this.#complain(error))
          .finally(() => {
            this.#awake = false;
            if (this.#again) this.#tryAgain();
            resolve();
          });
      });
    });
  }

  async #produceForArrivals(): Promise<void> {
    this.#again = false;
    const arrived = this.#arrived;
    try {
      await this.#tryArrivals();
    } finally {
      this.#tried = arrived;
    }
  }

  async #tryArrivals(): Promise<void> {
    if (!this.#running || !this.#automine) return;
    const hash = await this.#produce({ empty: false, timeMs: undefined });
    // a full block leaves the rest to the next one; nothing includable waits for the next arrival
    if (hash !== undefined && this.#deps.pool.stats().pending > 0) this.#again = true;
  }

  /** Restarts the production by the clock. */
  #tick(): void {
    this.#ticking?.abort();
    this.#ticking = undefined;
    if (!this.#running || this.#intervalMs === 0) return;
    const ticking = new AbortController();
    this.#ticking = ticking;
    this.#produceByClock(this.#intervalMs, ticking.signal).catch((error: unknown) => {
      if (!ticking.signal.aborted) this.#complain(error);
    });
  }

  async #produceByClock(intervalMs: number, signal: AbortSignal): Promise<void> {
    const { real } = this.#deps.clock;
    const timeMs = Math.max(intervalMs - RESERVE_MS, intervalMs * LEAST_BUILD_SHARE);
    let dueMs = real.nowMs() + intervalMs;
    while (!signal.aborted) {
      await real.sleepUntil(dueMs, signal);
      await this.#queue
        .run(() => (signal.aborted ? undefined : this.#produce({ empty: true, timeMs })))
        .catch((error: unknown) => this.#complain(error));
      // ticks that a slow block has missed are left out
      dueMs = Math.max(dueMs + intervalMs, real.nowMs());
    }
  }

  #complain(error: unknown): void {
    if (this.#running) this.#deps.log.error("Block production failed", { error });
  }

  /** Makes a block of what has arrived so far; undefined when it would be empty and must not be. */
  async #produce(wanted: Wanted): Promise<Hash | undefined> {
    const arrived = this.#arrived;
    try {
      return await this.#buildAndImport(wanted);
    } finally {
      this.#tried = arrived;
      this.#round.resolve();
      this.#round = Promise.withResolvers();
    }
  }

  async #buildAndImport(wanted: Wanted): Promise<Hash | undefined> {
    const { chain, pool, clock, log } = this.#deps;
    const startMs = clock.real.nowMs();
    const draft = this.nextDraft();
    const baseFee = draft.overrides?.baseFeePerGas;
    const selection = pool.select({
      gasLimit: draft.gasLimit,
      ...(baseFee !== undefined && { baseFee }),
    });
    const first = selection.next();
    if (first.done === true && !wanted.empty) return undefined;
    const built = await buildBlock(chain, draft, resume(first, selection), {
      clock: clock.real,
      ...(wanted.timeMs !== undefined && { timeMs: wanted.timeMs }),
    });
    for (const { hash, error } of built.skipped) {
      if (WAITS.has(error.reason.code)) continue;
      pool.remove(hash, { code: "NOT_EXECUTABLE", problem: error.message });
    }
    this.#metrics.skipped_transactions_total.add(built.skipped.length);
    const { block } = built;
    if (block.transactions.length === 0 && !wanted.empty) return undefined;
    await chain.importBlock(block, built);
    clock.used(block.header.timestamp);
    this.#next = {};
    const elapsedMs = clock.real.nowMs() - startMs;
    this.#metrics.produced_blocks_total.add();
    this.#metrics.produced_transactions_total.add(block.transactions.length);
    this.#metrics.production_seconds.observe(elapsedMs / 1000);
    log.debug("Produced block", {
      number: block.header.number,
      hash: block.hash,
      transactions: block.transactions.length,
      gasUsed: block.header.gasUsed,
      elapsedMs,
    });
    return block.hash;
  }

  /** Least difference of timestamps: none between blocks of one slot, where the chain has several in one. */
  #timestampGap(): bigint {
    const consensus = this.#deps.chain.config.qnet?.consensus;
    const shared = consensus !== undefined && consensus.tickMs < consensus.slotMs;
    const fast = this.#intervalMs > 0 && this.#intervalMs < 1000;
    return shared && fast && !this.#automine ? 0n : 1n;
  }
}

function* resume(first: ReturnType<Selection["next"]>, rest: Selection) {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
