/**
 * What consensus must remember of a chain up to a block, to judge and to make the next one. Values, never changed: two
 * branches share what they have in common.
 */
import type { Hash } from "../../primitives/hex.ts";
import type { EpochSummary } from "../../types/epochSummary.ts";
import type { MacroHeader } from "../../types/macroHeader.ts";
import type { Configuration } from "./configuration.ts";
import type { LeaderTable } from "./leader.ts";

/** A macroblock of a chain: what votes name, with what later epochs need of it. */
export interface Checkpoint {
  readonly header: MacroHeader;
  /** macro hash */
  readonly hash: Hash;
  /** slot of its last block */
  readonly slot: number;
  /** cfg(epoch) */
  readonly config: Configuration;
  readonly summary: EpochSummary;
}

/** What is fixed for all blocks of an epoch of one chain, since the last block of the epoch before. */
export interface EpochState {
  readonly epoch: number;
  /**
   * Ascending without a gap; the last is epoch - 1, the first F(F(epoch - 1)). Older ones cannot be the source of a vote
   * any more (docs/consensus.md §4.2, rule 6).
   */
  readonly checkpoints: readonly Checkpoint[];
  /** cfg(epoch) and cfg(epoch + 1) */
  readonly config: Configuration;
  readonly nextConfig: Configuration;
  readonly leaders: LeaderTable;
  /** gwei, up to and with epoch - 1 */
  readonly mintedTotal: bigint;
}

/** Votes that stand on the chain: target epoch → validator → source epoch. */
export type Inclusions = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** The chain's consensus state after a block. */
export interface ChainPoint {
  readonly hash: Hash;
  readonly parentHash: Hash;
  readonly number: number;
  readonly slot: number;
  readonly seq: number;
  readonly tick: number;
  readonly proposer: number;
  /** Key that sealed the first block of the slot, and seals the others. */
  readonly proposerKey: Hash;
  readonly stateRoot: Hash;
  /** wei per gas */
  readonly baseFeePerGas: bigint;
  /** Of the header. */
  readonly gasLimit: bigint;
  /** of all blocks of this slot so far */
  readonly slotGasUsed: bigint;
  readonly epochState: EpochState;
  /** the beacon's running value */
  readonly mix: Hash;
  /** Accepted commits of this epoch. */
  readonly commits: ReadonlyMap<number, Hash>;
  readonly revealed: ReadonlySet<number>;
  readonly included: Inclusions;
  /** In the last block of an epoch: its checkpoint and the state of the next epoch. */
  readonly closing: { readonly checkpoint: Checkpoint; readonly next: EpochState } | undefined;
}

/** State of the epoch that a child of this block belongs to. */
export function childEpoch(point: ChainPoint): EpochState {
  return point.closing?.next ?? point.epochState;
}

/** The newest checkpoint at or below the block. */
export function lastCheckpoint(point: ChainPoint): Checkpoint {
  return point.closing?.checkpoint ?? newest(point.epochState);
}

/** Checkpoint of epoch - 1. */
export function newest({ checkpoints }: EpochState): Checkpoint {
  const last = checkpoints.at(-1);
  if (last === undefined) throw new RangeError("an epoch without a checkpoint before it");
  return last;
}

/** The chain's checkpoint of this epoch, while it is remembered. */
export function checkpointAt({ checkpoints }: EpochState, epoch: number): Checkpoint | undefined {
  const first = checkpoints[0]?.header.epoch ?? 0;
  return epoch < first ? undefined : checkpoints[epoch - first];
}

/** The checkpoint of this epoch on the chain up to the block, itself included. */
export function checkpointOn(point: ChainPoint, epoch: number): Checkpoint | undefined {
  const last = point.closing?.checkpoint;
  return last?.header.epoch === epoch ? last : checkpointAt(point.epochState, epoch);
}
