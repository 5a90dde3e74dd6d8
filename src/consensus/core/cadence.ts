/** When a leader makes blocks inside its slot. Local policy: no rule depends on it. Source: docs/consensus.md §4.3, §7. */
import type { ChainPoint } from "./chainPoint.ts";
import { childEpoch } from "./chainPoint.ts";
import { type CoreParams, slotGasLimitFor } from "./params.ts";
import { ticksPerSlot } from "./time.ts";

/** Pending transactions up to which blocks come at this interval; beyond the last, at the shortest. */
const INTERVALS: readonly (readonly [pending: number, intervalMs: number])[] = [
  [100, 2000],
  [1000, 1000],
  [5000, 500],
];
const SHORTEST_MS = 250;
/** From so many ticks on, the last one of a slot stays unused: it hides the hand-over to the next leader. */
const QUIET_FROM_TICKS = 4;
/** A lag of finality above this many epochs slows production down. */
const BACKOFF_LAG = 8;
const MAX_BACKOFF_SLOTS = 64;
/** A transaction's least gas: a slot with less left is full. */
const LEAST_GAS = 21_000n;

/** What decides whether a block is due. */
export interface TickFacts {
  readonly slot: number;
  readonly tick: number;
  readonly pendingTransactions: number;
  readonly finalizedEpoch: number;
}

/** Interval between blocks of one slot for this many pending transactions, in ms. */
export function blockIntervalMs(pendingTransactions: number): number {
  return INTERVALS.find(([pending]) => pendingTransactions <= pending)?.[1] ?? SHORTEST_MS;
}

/** Seq of the block that the slot's leader should make now on `head`; undefined if none is due. */
export function dueSeq(
  params: CoreParams,
  head: ChainPoint,
  { slot, tick, pendingTransactions, finalizedEpoch }: TickFacts,
): number | undefined {
  const ticks = ticksPerSlot(params);
  const last = ticks >= QUIET_FROM_TICKS ? ticks - 2 : ticks - 1;
  if (slot < head.slot || tick > last) return undefined;
  const lag = childEpoch(head).epoch - finalizedEpoch;
  if (slot > head.slot) {
    const isWanted = params.config.emptyBlocks || pendingTransactions > 0;
    return isWanted && slot - head.slot >= backoffSlots(lag) ? 0 : undefined;
  }
  if (pendingTransactions === 0 || lag > BACKOFF_LAG) return undefined;
  if (head.slotGasUsed + LEAST_GAS > slotGasLimitFor(params, head.gasLimit)) return undefined;
  const interval = Math.ceil(blockIntervalMs(pendingTransactions) / params.config.tickMs);
  const gap = Math.max(interval, params.config.minTickGap);
  return tick >= head.tick + gap ? head.seq + 1 : undefined;
}

/** Slots that a leader leaves empty, and one, while finality lags by so many epochs. */
function backoffSlots(lag: number): number {
  if (lag <= BACKOFF_LAG) return 1;
  return Math.min(2 ** Math.floor(lag / BACKOFF_LAG), MAX_BACKOFF_SLOTS);
}
