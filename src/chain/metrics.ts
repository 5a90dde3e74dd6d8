/** Metrics of the chain. */
import type { MetricSpecs } from "../runtime/metrics.ts";

export const chainMetrics = {
  head_number: { kind: "gauge", help: "Number of the head block." },
  head_timestamp_seconds: { kind: "gauge", help: "Timestamp of the head block." },
  added_blocks_total: { kind: "counter", help: "Blocks that became canonical." },
  added_transactions_total: { kind: "counter", help: "Transactions that became canonical." },
  added_gas_total: { kind: "counter", help: "Gas used by blocks that became canonical." },
  removed_blocks_total: { kind: "counter", help: "Blocks that a reorganisation took out." },
  reorganisations_total: { kind: "counter", help: "Head changes that took blocks out." },
} as const satisfies MetricSpecs;
