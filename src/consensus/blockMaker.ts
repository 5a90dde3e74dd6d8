/**
 * The next block of a development chain: its place in time, what its user wishes for it, and its making through the engine.
 * Whoever calls it decides when, one block at a time.
 */
import type { BlockDraft } from "../chain/buildBlock.ts";
import type { Chain } from "../chain/chain.ts";
import { assert } from "../primitives/errors.ts";
import type { Address } from "../primitives/hex.ts";
import { elapsedMs } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { MetricHandles, Metrics } from "../runtime/metrics.ts";
import type { Block } from "../types/block.ts";
import type { BlockOrder } from "./blockWork.ts";
import type { ChainPoint } from "./core/chainPoint.ts";
import { type BlockPlace, expectedHeader } from "./core/expectedHeader.ts";
import { proposerFor } from "./core/extendChain.ts";
import { blockTimeMs } from "./core/time.ts";
import { headPoint } from "./core/tree.ts";
import type { DevClock } from "./devClock.ts";
import type { ConsensusEngine } from "./engine.ts";
import type { DriverEvent } from "./engineParts.ts";
import { consensusMetrics } from "./metrics.ts";
import { draftOf, headerWishes, type NextBlock, requireGasLimit } from "./nextBlock.ts";
import { ownSlotAt, tickAt } from "./nextPlace.ts";
import { ProducerError } from "./producerError.ts";

export interface BlockMakerDependencies {
  readonly chain: Chain;
  /** Driven by nobody else. */
  readonly engine: ConsensusEngine;
  readonly clock: DevClock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** How a block is to be made. */
export interface Wanted {
  /** Also without transactions. */
  readonly empty: boolean;
  /** Time for executing transactions; undefined: no limit */
  readonly timeMs: number | undefined;
  /** Several blocks may stand in one slot, at different ticks. */
  readonly sharesSlot?: boolean;
}

/** What its user has set. */
export interface BlockWishes {
  readonly next: NextBlock;
  readonly miner: Address;
}

const SECOND_MS = 1000;
/** What stands in the place of a sidecar's hash in a block that is only shown. */
const NO_SIDECAR = new Uint8Array(32);

/** Makes blocks on the head. */
export class BlockMaker {
  readonly #deps: BlockMakerDependencies;
  readonly #metrics: MetricHandles<typeof consensusMetrics>;
  #next: NextBlock = {};
  #miner: Address;
  #head: ChainPoint;

  constructor(dependencies: BlockMakerDependencies, options: { readonly miner: Address }) {
    this.#deps = dependencies;
    this.#metrics = dependencies.metrics.register("consensus", consensusMetrics);
    this.#miner = options.miner;
    this.#head = headPoint(dependencies.engine.view);
  }

  /** Beneficiary of the next block. */
  get miner(): Address {
    return this.#next.miner ?? this.#miner;
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

  get wishes(): BlockWishes {
    return { next: this.#next, miner: this.#miner };
  }

  restore({ next, miner }: BlockWishes): void {
    this.#next = next;
    this.#miner = miner;
  }

  /** What the next block would be made of, if it were made now; its sidecar comes with its making. */
  nextDraft(): BlockDraft {
    const { chain, engine } = this.#deps;
    const head = this.#headPoint();
    const header = chain.header(head.hash);
    assert(header !== undefined, "the head that consensus knows is stored");
    const wishes = headerWishes(this.#next);
    const expected = expectedHeader(engine.params, head, this.#place(false), wishes);
    const { excessBlobGas } = this.#next;
    const overrides = { ...wishes, ...(excessBlobGas !== undefined && { excessBlobGas }) };
    const own = { miner: this.miner, extraData: NO_SIDECAR, overrides };
    return draftOf({ hash: head.hash, header }, expected, own);
  }

  /**
   * Makes a block now, in a slot of its own unless it may share one; undefined when it would be empty and must not be.
   * Throws ProducerError NOT_THE_LEADER, and what stopped the engine.
   */
  async make({ empty, timeMs, sharesSlot = false }: Wanted): Promise<Block | undefined> {
    const place = this.#place(sharesSlot);
    this.#demandLeader(place.slot);
    const { slot, tick } = place;
    const event = { type: "propose", slot, tick, wishes: headerWishes(this.#next) } as const;
    const block = await this.#drive(event, { timeMs, needsTransaction: !empty });
    const mayBeMissing = !empty || place.seq > 0;
    assert(block !== undefined || mayBeMissing, "an empty block in a slot of its own can be made");
    return block;
  }

  /** Gives the engine a tick of the clock: it makes the block that is due, if one is. */
  async tick(
    place: Pick<BlockPlace, "slot" | "tick">,
    facts: { readonly pendingTransactions: number; readonly timeMs: number },
  ): Promise<Block | undefined> {
    const { pendingTransactions, timeMs } = facts;
    const wishes = headerWishes(this.#next);
    const event = { type: "tick", ...place, pendingTransactions, wishes } as const;
    return await this.#drive(event, { timeMs, needsTransaction: false });
  }

  async #drive(
    event: DriverEvent,
    manner: Pick<BlockOrder, "timeMs" | "needsTransaction">,
  ): Promise<Block | undefined> {
    const { engine, clock, log } = this.#deps;
    const startMs = elapsedMs();
    const { excessBlobGas } = this.#next;
    const order = { ...manner, miner: this.miner, excessBlobGas };
    const { block, skipped } = await engine.drive(event, order);
    this.#metrics.skipped_transactions_total.add(skipped);
    if (block === undefined) return undefined;
    clock.used(block.header.timestamp);
    this.#next = {};
    const tookMs = elapsedMs() - startMs;
    this.#metrics.produced_blocks_total.add();
    this.#metrics.produced_transactions_total.add(block.transactions.length);
    this.#metrics.production_seconds.observe(tookMs / SECOND_MS);
    log.debug("Produced block", {
      number: block.header.number,
      hash: block.hash,
      transactions: block.transactions.length,
      gasUsed: block.header.gasUsed,
      elapsedMs: tookMs,
    });
    return block;
  }

  #demandLeader(slot: number): void {
    const { params } = this.#deps.engine;
    const { id: leader, keyHash } = proposerFor(this.#headPoint(), slot);
    if (!params.ownKeys.includes(keyHash))
      throw new ProducerError({ code: "NOT_THE_LEADER", slot, leader });
  }

  #place(sharesSlot: boolean): BlockPlace {
    const { engine, clock, chain } = this.#deps;
    const head = this.#headPoint();
    if (sharesSlot && clock.wishedTimestamp === undefined && clock.blockInterval === undefined)
      return tickAt(engine.params, head, clock.nowMs());
    const seconds = clock.nextTimestamp(chain.header(head.hash)?.timestamp ?? 0n);
    return ownSlotAt(engine.params, head, Number(seconds) * SECOND_MS);
  }

  /** The head as consensus sees it, once it is stored; while one is being stored, the one before. */
  #headPoint(): ChainPoint {
    const { chain, engine } = this.#deps;
    const node = engine.view.tree.get(chain.head.hash);
    if (node !== undefined) this.#head = node.point;
    return this.#head;
  }

  /** Time of the head's place, ms since 1970. */
  get headTimeMs(): number {
    return blockTimeMs(this.#deps.engine.params, this.#headPoint());
  }
}
