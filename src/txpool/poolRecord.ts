/** The books of the pool: why transactions left or never came in, the counters, and the journal's list of what still waits. */
import { NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Clock } from "../runtime/clock.ts";
import type { MetricHandles } from "../runtime/metrics.ts";
import type { Journal } from "./journal.ts";
import type { txpoolMetrics } from "./metrics.ts";
import type { PoolEntry } from "./senderQueue.ts";
import { type Ending, StatusLog } from "./statusLog.ts";

export interface RecordDependencies {
  readonly clock: Clock;
  readonly metrics: MetricHandles<typeof txpoolMetrics>;
  readonly journal?: Journal | undefined;
}

/** Keeps endings and counts them. */
export class PoolRecord {
  readonly #deps: RecordDependencies;
  readonly #statuses = new StatusLog();

  constructor(dependencies: RecordDependencies) {
    this.#deps = dependencies;
  }

  get(hash: Hash): (Ending & { readonly atMs: number }) | undefined {
    return this.#statuses.get(hash);
  }

  /** A pooled transaction has left for another reason than being included. */
  end(entry: PoolEntry, ending: Ending): void {
    const { hash } = entry.transaction;
    const { metrics, journal, clock } = this.#deps;
    this.#statuses.note(hash, ending, clock.nowMs());
    journal?.release(hash);
    if (ending.state === "dropped") metrics.dropped_total.add(1, { code: ending.reason.code });
    if (ending.state === "replaced") metrics.replaced_total.add();
  }

  /** A transaction was not taken. One that is known keeps its own story. */
  refused(hash: Hash, error: unknown): void {
    if (!(error instanceof NodeError)) return;
    const { metrics, clock } = this.#deps;
    const { code } = error.reason;
    metrics.refused_total.add(1, { code });
    if (code === "ALREADY_KNOWN") return;
    const ending: Ending = { state: "refused", code, problem: error.message };
    this.#statuses.note(hash, ending, clock.nowMs());
  }

  /** A transaction of an undone block could not come back. */
  notReturned(hash: Hash, problem: string): void {
    const { metrics, clock } = this.#deps;
    const reason = { code: "NOT_RETURNED" as const, problem };
    this.#statuses.note(hash, { state: "dropped", reason }, clock.nowMs());
    metrics.dropped_total.add(1, { code: reason.code });
  }

  /** A transaction is in the pool (again): what was said of it before no longer holds. */
  present(hash: Hash): void {
    this.#statuses.forget(hash);
  }
}
