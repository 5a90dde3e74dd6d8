/** Epoch processing: duties and rewards of an epoch from its sidecars, in integers. Source: docs/consensus.md §8. */
import type { Candidate, EpochSummary, SummaryRow } from "../../types/epochSummary.ts";
import type { SidecarCore } from "../../types/sidecar.ts";
import type { Member } from "../../types/validatorSet.ts";
import { type EpochState, newest } from "./chainPoint.ts";
import { memberOf } from "./configuration.ts";
import { leaderOf } from "./leader.ts";
import type { CoreParams } from "./params.ts";

/** Slots of one gap between two blocks whose leaders are blamed. */
const MAX_BLAMED_SLOTS = 64;
/** Finality may lag so many epochs before reputation stands still. */
const FROZEN_LAG = 4;

/** What the summary is made of. */
export interface EpochFacts {
  readonly epochState: EpochState;
  /** Sidecars of the epoch's blocks, in order. */
  readonly cores: readonly SidecarCore[];
  /** Slot of the block before the first. */
  readonly slotBefore: number;
  /** F(epoch) */
  readonly finalized: number;
  /** From the state of the last block, in rank order. */
  readonly candidates: readonly Candidate[];
}

/** Work of one validator. */
interface Duty {
  made: number;
  missed: number;
  /** includer of its vote for epoch - 1 */
  includer: number | undefined;
  /** gwei */
  reward: bigint;
}

/** Summary of the epoch. */
export function summarize(params: CoreParams, facts: EpochFacts): EpochSummary {
  const { epochState, cores, finalized, candidates } = facts;
  const { epoch } = epochState;
  const duties = noDuties(epochState);
  countSlots(params, facts, duties);
  for (const core of cores)
    for (const { validator, tgtEpoch } of core.votes)
      if (tgtEpoch === epoch - 1) dutyOf(duties, validator).includer = core.proposer;
  const slots = cores.filter(({ seq }) => seq === 0).length;
  reward(params, epochState, { duties, slots });
  const rows = [...duties].map(([id, duty]) => rowOf(epochState, id, duty));
  const minted = rows.reduce((sum, row) => sum + row.reward, 0n);
  return { epoch, frozen: epoch - finalized > FROZEN_LAG, slots, minted, rows, candidates };
}

/** One entry for each member of cfg(epoch - 1) and cfg(epoch), by id. */
function noDuties(epochState: EpochState): Map<number, Duty> {
  const ids = [...newest(epochState).config.members, ...epochState.config.members].map(
    ({ id }) => id,
  );
  const sorted = [...new Set(ids)].sort((a, b) => a - b);
  return new Map(sorted.map((id) => [id, { made: 0, missed: 0, includer: undefined, reward: 0n }]));
}

function dutyOf(duties: Map<number, Duty>, id: number): Duty {
  const duty = duties.get(id);
  if (duty === undefined) throw new RangeError(`validator ${id} is in no set of the epoch`);
  return duty;
}

function countSlots(
  { config }: CoreParams,
  { epochState, cores, slotBefore }: EpochFacts,
  duties: Map<number, Duty>,
): void {
  let before = slotBefore;
  for (const { slot, seq, proposer } of cores) {
    if (seq === 0) dutyOf(duties, proposer).made++;
    const end = Math.min(slot, before + 1 + MAX_BLAMED_SLOTS);
    if (config.emptyBlocks)
      for (let missed = before + 1; missed < end; missed++)
        dutyOf(duties, leaderOf(epochState.leaders, missed).id).missed++;
    before = slot;
  }
}

function reward(
  { config, genesisSupply }: CoreParams,
  epochState: EpochState,
  { duties, slots }: { readonly duties: Map<number, Duty>; readonly slots: number },
): void {
  const left = config.maxSupply - genesisSupply - epochState.mintedTotal;
  const issued = config.issuancePerSlot * BigInt(slots);
  const budget = left < issued ? left : issued;
  if (budget <= 0n || slots === 0) return;
  const perSlot = budget / (4n * BigInt(slots));
  const voters = newest(epochState).config.members.map(largerStake);
  const total = voters.reduce((sum, { stake }) => sum + stake, 0n);
  for (const duty of duties.values()) duty.reward += perSlot * BigInt(duty.made);
  for (const { id, stake } of voters) {
    const duty = dutyOf(duties, id);
    if (duty.includer === undefined) continue;
    duty.reward += (5n * budget * stake) / (8n * total);
    dutyOf(duties, duty.includer).reward += (budget * stake) / (8n * total);
  }
}

function largerStake({ id, stakeOld, stakeNew }: Member): { id: number; stake: bigint } {
  if (stakeOld > stakeNew) return { id, stake: stakeOld };
  return { id, stake: stakeNew };
}

function rowOf(epochState: EpochState, id: number, duty: Duty): SummaryRow {
  const { made, missed, includer } = duty;
  // Nobody votes for epoch 0.
  const voteExpected =
    epochState.epoch > 1 && memberOf(newest(epochState).config, id) !== undefined;
  return { id, made, missed, voted: includer !== undefined, voteExpected, reward: duty.reward };
}
