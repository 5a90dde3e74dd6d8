/** Slots, ticks and epochs. Source: docs/consensus.md §3. */
import type { CoreParams } from "./params.ts";

/** Where in time a block stands. */
export interface BlockTime {
  readonly slot: number;
  readonly tick: number;
}

/** Epoch of the block with this number: the blocks L(e - 1) + 1 .. L·e; the genesis is epoch 0. */
export function epochOf(number: number, epochLength: number): number {
  return Math.ceil(number / epochLength);
}

/** Place of the block in its epoch, 1..L. */
export function indexInEpoch(number: number, epochLength: number): number {
  return number - epochLength * (epochOf(number, epochLength) - 1);
}

/** Whether the block is the last of its epoch. */
export function isCheckpoint(number: number, epochLength: number): boolean {
  return number % epochLength === 0;
}

/** Ticks of a slot. */
export function ticksPerSlot({ config }: CoreParams): number {
  return config.slotMs / config.tickMs;
}

/** ms since 1970 at which the slot starts. */
export function slotStartMs({ config, genesisMs }: CoreParams, slot: number): number {
  return genesisMs + slot * config.slotMs;
}

/** Time of a block in ms since 1970; its header's timestamp is this in whole seconds. */
export function blockTimeMs(params: CoreParams, { slot, tick }: BlockTime): number {
  return slotStartMs(params, slot) + tick * params.config.tickMs;
}

/** Slot at this moment; negative before the genesis. */
export function slotAt({ config, genesisMs }: CoreParams, nowMs: number): number {
  return Math.floor((nowMs - genesisMs) / config.slotMs);
}
