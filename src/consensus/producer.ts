/**
 * When a development chain makes blocks: on arrival of transactions (instant), by the clock (interval), both (mixed), on
 * demand only (manual), or as a network of validators would (cadence). What a block is and what becomes final is the
 * consensus engine's, which is driven here instead of keeping time by itself. Source: docs/consensus.md §13.
 *
 * One queue owns the head while a block is made: production, state edits and snapshots (`exclusive`) take turns. An arrival
 * only wakes the producer; whoever sent the transaction never waits for it, and what arrives meanwhile goes into the next
 * block together. Who reads may wait until what arrived before was tried (`settled`), so that a test which writes and then
 * reads finds what it wrote. A transaction that cannot run leaves the pool with its reason.
 */
import type { BlockDraft } from "../chain/buildBlock.ts";
import type { Chain } from "../chain/chain.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { Unsubscribe } from "../runtime/emitter.ts";
import type { Logger } from "../runtime/log.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { SerialQueue } from "../runtime/queue.ts";
import { Turns } from "../runtime/turns.ts";
import type { TxPool } from "../txpool/pool.ts";
import { BlockMaker, type BlockWishes, type Wanted } from "./blockMaker.ts";
import { buildTimeMs } from "./blockWork.ts";
import type { DevClock } from "./devClock.ts";
import type { ConsensusEngine } from "./engine.ts";
import type { NextBlock } from "./nextBlock.ts";
import { ProducerError } from "./producerError.ts";
import { SlotTimer } from "./slotTimer.ts";

export type ProducerMode = "instant" | "interval" | "manual" | "mixed" | "cadence";

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
  /** Driven by nobody else. */
  readonly engine: ConsensusEngine;
  /** Follows the chain: `pool.onHead` is called for each `head` event. */
  readonly pool: TxPool;
  readonly clock: DevClock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** All that can be set about production. */
export interface ProducerSnapshot extends BlockWishes {
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

/** Makes blocks on top of the head. */
export class Producer {
  readonly #deps: ProducerDependencies;
  readonly #maker: BlockMaker;
  /** Present in mode `cadence`. */
  readonly #slots: SlotTimer | undefined;
  readonly #queue = new SerialQueue({ name: "producer", limit: MAX_WAITING });
  #automine: boolean;
  #intervalMs: number;
  #told: unknown;
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
    this.#maker = new BlockMaker(dependencies, options);
    const { engine, clock, log } = dependencies;
    if (options.mode === "cadence")
      this.#slots = new SlotTimer(
        { clock, log, params: engine.params },
        { tick: (slot, tick) => this.#onSlot(slot, tick), wake: () => {} },
      );
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
    this.#slots?.start();
    this.#wake();
  }

  /** Ends production once the block under way is stored. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#ticking?.abort();
    this.#slots?.stop();
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
    return this.#maker.miner;
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

  /** What to wait for until all that arrived before was tried for a block; nothing where arrivals make no blocks. */
  settled(): Promise<void> | undefined {
    return this.#awake && this.#tried < this.#arrived ? this.#tryArrived() : undefined;
  }

  async #tryArrived(): Promise<void> {
    const arrived = this.#arrived;
    while (this.#awake && this.#tried < arrived)
      await Promise.race([this.#trial, this.#round.promise]);
  }

  /** Beneficiary of all later blocks. */
  setMiner(miner: Address): void {
    this.#maker.setMiner(miner);
  }

  /** Adds wishes for the next block. Throws ProducerError BAD_GAS_LIMIT. */
  setNext(wishes: NextBlock): void {
    this.#maker.setNext(wishes);
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
    return this.#maker.nextDraft();
  }

  snapshot(): ProducerSnapshot {
    return {
      ...this.#maker.wishes,
      automine: this.#automine,
      intervalMs: this.#intervalMs,
    };
  }

  restore(snapshot: ProducerSnapshot): void {
    this.#maker.restore(snapshot);
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
    const sharesSlot = intervalMs < this.#deps.engine.params.config.slotMs;
    let dueMs = real.nowMs() + intervalMs;
    while (!signal.aborted) {
      await real.sleepUntil(dueMs, signal);
      await this.#queue
        .run(() =>
          signal.aborted ? undefined : this.#produce({ empty: true, timeMs, sharesSlot }),
        )
        .catch((error: unknown) => this.#complain(error));
      // ticks that a slow block has missed are left out
      dueMs = Math.max(dueMs + intervalMs, real.nowMs());
    }
  }

  #complain(error: unknown): void {
    // an engine that stopped answers every order with the failure that stopped it
    if (!this.#running || error === this.#told) return;
    this.#told = error;
    this.#deps.log.error("Block production failed", { error });
  }

  /** Makes a block of what has arrived so far; undefined when it would be empty and must not be. */
  async #produce(wanted: Wanted): Promise<Hash | undefined> {
    const arrived = this.#arrived;
    try {
      const block = await this.#maker.make(wanted);
      if (this.#slots !== undefined) this.#keepUp();
      return block?.hash;
    } finally {
      this.#tried = arrived;
      this.#round.resolve();
      this.#round = Promise.withResolvers();
    }
  }

  /** Blocks by order may be ahead of the clock: their slots are over then, and the cadence goes on from there. */
  #keepUp(): void {
    const { clock } = this.#deps;
    if (this.#maker.headTimeMs > clock.nowMs()) clock.setTime(this.#maker.headTimeMs);
  }

  /** A tick of the cadence; one that comes while work is waiting is left out. */
  #onSlot(slot: number, tick: number): void {
    if (this.#queue.length > 0) return;
    const { pool, engine } = this.#deps;
    this.#queue
      .run(async () => {
        const pendingTransactions = pool.stats().pending;
        const timeMs = buildTimeMs(engine.params.config, pendingTransactions);
        if (this.#running) await this.#maker.tick({ slot, tick }, { pendingTransactions, timeMs });
      })
      .catch((error: unknown) => this.#complain(error));
  }
}
