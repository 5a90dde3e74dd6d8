/** Metrics of block production. */
import type { MetricSpecs } from "../runtime/metrics.ts";

export const consensusMetrics = {
  produced_blocks_total: { kind: "counter", help: "Blocks made by this node." },
  produced_transactions_total: {
    kind: "counter",
    help: "Transactions in blocks made by this node.",
  },
  skipped_transactions_total: {
    kind: "counter",
    help: "Transactions that the block builder could not run.",
  },
  production_seconds: {
    kind: "histogram",
    help: "Time from the start of a block to its being stored.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
} as const satisfies MetricSpecs;
