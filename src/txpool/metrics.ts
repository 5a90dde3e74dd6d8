/** Metrics of the pool. */
import type { MetricSpecs } from "../runtime/metrics.ts";

export const txpoolMetrics = {
  pending: { kind: "gauge", help: "Transactions that can run now." },
  queued: { kind: "gauge", help: "Transactions that wait for a missing nonce." },
  size_bytes: { kind: "gauge", help: "Bytes of all transactions in the pool." },
  recovering: { kind: "gauge", help: "Transactions whose signature is being checked." },
  added_total: { kind: "counter", help: "Transactions taken.", labels: ["origin"] },
  refused_total: { kind: "counter", help: "Transactions refused.", labels: ["code"] },
  replaced_total: { kind: "counter", help: "Transactions replaced by a better paying one." },
  dropped_total: { kind: "counter", help: "Transactions dropped.", labels: ["code"] },
  returned_total: { kind: "counter", help: "Transactions of undone blocks that came back." },
} as const satisfies MetricSpecs;
