/** Metrics of consensus on a network of validators. Source: docs/consensus.md §15. */
import type { MetricSpecs } from "../runtime/metrics.ts";

export const engineMetrics = {
  head_slot: { kind: "gauge", help: "Slot of the head." },
  justified_epoch: { kind: "gauge", help: "Epoch of the justified checkpoint." },
  finalized_epoch: { kind: "gauge", help: "Epoch of the last finalised checkpoint." },
  finality_lag_blocks: { kind: "gauge", help: "Blocks between the head and the last final one." },
  tree_blocks: { kind: "gauge", help: "Blocks above the last final one, of all branches." },
  blocks_sealed_total: { kind: "counter", help: "Blocks sealed by this node's validators." },
  slots_missed_total: { kind: "counter", help: "Slots without a block on the head's chain." },
  reorgs_total: { kind: "counter", help: "Changes of the head that left blocks behind." },
  reorg_depth: {
    kind: "histogram",
    help: "Blocks that a change of the head left behind.",
    buckets: [1, 2, 4, 8, 16, 32, 64],
  },
  equivocations_total: {
    kind: "counter",
    help: "Contradicting messages of one validator that were found.",
    labels: ["offence"],
  },
  alarms_total: { kind: "counter", help: "Alarms of consensus.", labels: ["code"] },
  votes_included_ratio: {
    kind: "gauge",
    help: "Share of members whose vote stands in the newest finalised epoch's summary.",
  },
  signer_refusals_total: { kind: "counter", help: "Messages that slashing protection refused." },
} as const satisfies MetricSpecs;
