/** What operators see of the engine: metrics, and one line in ten seconds. Finalised macroblocks have lines of their own. */
import type { Chain } from "../chain/chain.ts";
import { ChainError } from "../chain/chainError.ts";
import type { Clock } from "../runtime/clock.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { MetricHandles, Metrics } from "../runtime/metrics.ts";
import type { ChainPoint } from "./core/chainPoint.ts";
import { slotAt } from "./core/time.ts";
import { headPoint } from "./core/tree.ts";
import type { ConsensusEngine } from "./engine.ts";
import { engineMetrics } from "./engineMetrics.ts";
import { auditSupply } from "./supplyAudit.ts";

const STATUS_INTERVAL_MS = 10_000;

export interface ReportDependencies {
  readonly chain: Pick<Chain, "stateAt" | "isDev">;
  readonly engine: ConsensusEngine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Follows an engine until stopped. */
export class EngineReport {
  readonly #deps: ReportDependencies;
  readonly #metrics: MetricHandles<typeof engineMetrics>;
  readonly #tells: boolean;
  readonly #stopping = new AbortController();
  #ends: readonly (() => void)[] = [];
  #lastSlot: number | undefined;

  /** `tells`: in log lines as well. */
  constructor(dependencies: ReportDependencies, options: { readonly tells: boolean }) {
    this.#deps = dependencies;
    this.#tells = options.tells;
    this.#metrics = dependencies.metrics.register("validators", engineMetrics);
  }

  start(): void {
    const { engine, log } = this.#deps;
    this.#observe();
    this.#ends = [
      engine.on("head", ({ point, depth }): undefined => this.#onHead(point.slot, depth)),
      engine.on("produced", (): undefined => {
        this.#metrics.blocks_sealed_total.add();
      }),
      engine.on("refused", (): undefined => {
        this.#metrics.signer_refusals_total.add();
      }),
      engine.on("evidence", ({ offence }): undefined => {
        this.#metrics.equivocations_total.add(1, { offence });
      }),
      engine.on("alarm", ({ code }): undefined => {
        this.#metrics.alarms_total.add(1, { code });
      }),
      engine.on("finalized", ({ checkpoint, point }): undefined => {
        this.#audit(point);
        const expected = checkpoint.summary.rows.filter(({ voteExpected }) => voteExpected);
        const voted = expected.filter((row) => row.voted);
        if (expected.length > 0)
          this.#metrics.votes_included_ratio.set(voted.length / expected.length);
      }),
    ];
    if (!this.#tells) return;
    this.#tellStart();
    this.#tellRegularly(this.#stopping.signal).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) log.error("Status line stopped", { error });
    });
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    for (const end of this.#ends) end();
    return Promise.resolve();
  }

  #observe(): void {
    const { engine } = this.#deps;
    this.#lastSlot = headPoint(engine.view).slot;
    this.#metrics.head_slot.read(() => headPoint(engine.view).slot);
    this.#metrics.justified_epoch.read(() => engine.status.justifiedEpoch);
    this.#metrics.finalized_epoch.read(() => engine.status.finalizedEpoch);
    this.#metrics.finality_lag_blocks.read(() => lagOf(engine));
    this.#metrics.tree_blocks.read(() => engine.view.tree.size);
  }

  #tellStart(): void {
    const { engine, log } = this.#deps;
    const { status } = engine;
    log.info("Consensus started", {
      number: status.headNumber,
      finalizedEpoch: status.finalizedEpoch,
      keys: engine.params.ownKeys.length,
    });
  }

  /** A chain whose balances may be set by hand owes nobody an account. */
  #audit(point: ChainPoint): void {
    const { engine, chain, log } = this.#deps;
    if (chain.isDev) return;
    try {
      const fault = auditSupply(engine.params, point, chain.stateAt(point.hash));
      if (fault === undefined) return;
      log.error("Consensus alarm", { ...fault, number: point.number });
      this.#metrics.alarms_total.add(1, { code: fault.code });
    } catch (error) {
      // a node that keeps few states and finalises late
      if (!(error instanceof ChainError)) throw error;
      log.debug("Supply could not be audited", { number: point.number, error });
    }
  }

  #onHead(slot: number, depth: number): undefined {
    const before = this.#lastSlot ?? slot;
    if (depth === 0 && slot > before + 1) this.#metrics.slots_missed_total.add(slot - before - 1);
    this.#lastSlot = slot;
    if (depth === 0) return;
    this.#metrics.reorgs_total.add();
    this.#metrics.reorg_depth.observe(depth);
  }

  async #tellRegularly(signal: AbortSignal): Promise<void> {
    const { engine, clock, log } = this.#deps;
    while (!signal.aborted) {
      await systemClock.sleepUntil(systemClock.nowMs() + STATUS_INTERVAL_MS, signal);
      const head = headPoint(engine.view);
      const { justifiedEpoch, finalizedEpoch } = engine.status;
      log.info("Consensus status", {
        number: head.number,
        slot: head.slot,
        slotsBehind: Math.max(0, slotAt(engine.params, clock.nowMs()) - head.slot),
        justifiedEpoch,
        finalizedEpoch,
        lag: lagOf(engine),
      });
    }
  }
}

function lagOf(engine: ConsensusEngine): number {
  return headPoint(engine.view).number - engine.view.finalized.header.lastNumber;
}
