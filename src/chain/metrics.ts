/** Metrics of the chain. */
import type { MetricSpecs } from "../runtime/metrics.ts";

const STAGE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

export const chainMetrics = {
  head_number: { kind: "gauge", help: "Number of the head block." },
  head_timestamp_seconds: { kind: "gauge", help: "Timestamp of the head block." },
  added_blocks_total: { kind: "counter", help: "Blocks that became canonical." },
  added_transactions_total: { kind: "counter", help: "Transactions that became canonical." },
  added_gas_total: { kind: "counter", help: "Gas used by blocks that became canonical." },
  executed_transactions_total: {
    kind: "counter",
    help: "Transactions of blocks that were executed for import.",
  },
  execution_seconds: {
    kind: "histogram",
    help: "Time to execute a block that was not made here.",
    buckets: STAGE_BUCKETS,
  },
  commit_seconds: {
    kind: "histogram",
    help: "Time to store a block durably, state and indexes included.",
    buckets: STAGE_BUCKETS,
  },
  execution_mgas_per_second: { kind: "gauge", help: "Speed of the last execution for import." },
  trie_nodes_written_total: { kind: "counter", help: "Trie nodes written." },
  trie_cache_hits: { kind: "gauge", help: "Trie nodes found in the cache." },
  trie_cache_misses: { kind: "gauge", help: "Trie nodes read from the database." },
  trie_cache_nodes: { kind: "gauge", help: "Trie nodes in the cache." },
  waiting: { kind: "gauge", help: "Blocks and other changes that wait for their turn." },
  removed_blocks_total: { kind: "counter", help: "Blocks that a reorganisation took out." },
  reorganisations_total: { kind: "counter", help: "Head changes that took blocks out." },
} as const satisfies MetricSpecs;
