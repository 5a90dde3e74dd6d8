/** Where a block that is made now stands among slots and ticks. Source: docs/consensus.md §3, §13. */
import type { ChainPoint } from "./core/chainPoint.ts";
import type { BlockPlace } from "./core/expectedHeader.ts";
import type { CoreParams } from "./core/params.ts";
import { ticksPerSlot } from "./core/time.ts";

/** The first place at or after this moment, in a slot of its own: what a child of `head` may have at any time. */
export function ownSlotAt(params: CoreParams, head: ChainPoint, ms: number): BlockPlace {
  const { slotMs, tickMs } = params.config;
  const sinceMs = Math.max(0, ms - params.genesisMs);
  const tick = Math.ceil((sinceMs % slotMs) / tickMs);
  const isPast = tick === ticksPerSlot(params);
  const slot = Math.floor(sinceMs / slotMs) + (isPast ? 1 : 0);
  if (slot <= head.slot) return { slot: head.slot + 1, seq: 0, tick: 0 };
  return { slot, seq: 0, tick: isPast ? 0 : tick };
}

/** The place of this moment, or the next tick after the head where that is further: beside earlier blocks of its slot if need be. */
export function tickAt(params: CoreParams, head: ChainPoint, ms: number): BlockPlace {
  const { slotMs, tickMs, minTickGap } = params.config;
  const sinceMs = Math.max(0, ms - params.genesisMs);
  const slot = Math.floor(sinceMs / slotMs);
  const tick = Math.floor((sinceMs % slotMs) / tickMs);
  if (slot > head.slot) return { slot, seq: 0, tick };
  const next = Math.max(slot === head.slot ? tick : 0, head.tick + minTickGap);
  return next < ticksPerSlot(params)
    ? { slot: head.slot, seq: head.seq + 1, tick: next }
    : { slot: head.slot + 1, seq: 0, tick: 0 };
}
