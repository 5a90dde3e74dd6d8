/**
 * One block further: the chain's consensus state after a valid block, and the closing of an epoch with its last one.
 * Source: docs/consensus.md §3 (F, configurations), §5 (beacon), §8 (summary).
 */

import type { Bytes } from "../../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../../primitives/hex.ts";
import type { Block } from "../../types/block.ts";
import { taggedHash } from "../../types/consensusMessage.ts";
import { type Candidate, hashSummary } from "../../types/epochSummary.ts";
import { FixedWriter } from "../../types/fixedBytes.ts";
import { hashMacroHeader, type MacroHeader, microRootOf } from "../../types/macroHeader.ts";
import type { SidecarCore } from "../../types/sidecar.ts";
import { hashValidators } from "../../types/validatorSet.ts";
import {
  type ChainPoint,
  type Checkpoint,
  checkpointAt,
  childEpoch,
  type EpochState,
  type Inclusions,
  newest,
} from "./chainPoint.ts";
import { isQuorumIn, memberOf, nextConfiguration, proposers } from "./configuration.ts";
import { type LeaderTable, leaderOf, leaderTable } from "./leader.ts";
import type { CoreParams } from "./params.ts";
import { summarize } from "./summarize.ts";
import { blockTimeMs, indexInEpoch, isCheckpoint } from "./time.ts";

/** A block of the epoch that is being closed. */
export interface EpochBlock {
  readonly hash: Hash;
  readonly core: SidecarCore;
}

/** What the last block of an epoch needs beyond itself. */
export interface ClosingInput {
  /** The epoch's other blocks, L - 1 of them, in order. */
  readonly blocks: readonly EpochBlock[];
  /** Slot of the block before the epoch's first. */
  readonly slotBefore: number;
  /** Of the last block's state, in rank order, at most maxActive. */
  readonly candidates: readonly Candidate[];
}

/** Who must propose a block of this slot on this parent, and its key. */
export function proposerFor(
  parent: ChainPoint,
  slot: number,
): { readonly id: number; readonly keyHash: Hash } {
  if (slot === parent.slot) return { id: parent.proposer, keyHash: parent.proposerKey };
  return leaderOf(childEpoch(parent).leaders, slot);
}

/** State after a block that is valid on `parent`; `closing` is due for the last block of an epoch, and only for it. */
export function extendChain(
  params: CoreParams,
  parent: ChainPoint,
  { block, core }: { readonly block: Block; readonly core: SidecarCore },
  closing: ClosingInput | undefined,
): ChainPoint {
  const { header } = block;
  const epochState = childEpoch(parent);
  const isNewEpoch = parent.closing !== undefined;
  const point: ChainPoint = {
    hash: block.hash,
    parentHash: header.parentHash,
    number: Number(header.number),
    slot: core.slot,
    seq: core.seq,
    tick: core.tick,
    proposer: core.proposer,
    proposerKey: proposerFor(parent, core.slot).keyHash,
    stateRoot: header.stateRoot,
    baseFeePerGas: header.baseFeePerGas ?? 0n,
    gasLimit: header.gasLimit,
    slotGasUsed: (core.seq === 0 ? 0n : parent.slotGasUsed) + header.gasUsed,
    epochState,
    mix: core.reveal === undefined ? parent.mix : mixIn(parent.mix, core.proposer, core.reveal),
    commits: acceptCommits(params, parent, core),
    revealed: addReveal(isNewEpoch ? new Set<number>() : parent.revealed, core),
    included: includeVotes(isNewEpoch ? pruneInclusions(parent) : parent.included, core),
    closing: undefined,
  };
  if (!isCheckpoint(point.number, params.config.epochLength)) return point;
  if (closing === undefined) throw new RangeError("the last block of an epoch closes it");
  return { ...point, closing: closeEpoch(params, point, { ...closing, core }) };
}

function mixIn(mix: Hash, proposer: number, secret: Hash): Hash {
  const id = new FixedWriter(4, "proposer").u32(proposer).bytes;
  return bytesToHash(taggedHash("mix", hexToBytes(mix), id, hexToBytes(secret)));
}

/** Source: docs/consensus.md §4.2, rule 6. */
function acceptCommits(
  { config }: CoreParams,
  parent: ChainPoint,
  core: SidecarCore,
): ReadonlyMap<number, Hash> {
  const before = parent.closing === undefined ? parent.commits : new Map<number, Hash>();
  const { epoch, config: sets } = childEpoch(parent);
  if (indexInEpoch(parent.number + 1, config.epochLength) > config.commitBlocks) return before;
  const accepted = core.votes.filter(
    ({ tgtEpoch, validator }) =>
      tgtEpoch === epoch - 1 && (memberOf(sets, validator)?.stakeNew ?? 0n) > 0n,
  );
  if (accepted.length === 0) return before;
  const commits = new Map(before);
  for (const { validator, commit } of accepted) commits.set(validator, commit);
  return commits;
}

function addReveal(before: ReadonlySet<number>, core: SidecarCore): ReadonlySet<number> {
  return core.reveal === undefined ? before : new Set([...before, core.proposer]);
}

function includeVotes(before: Inclusions, core: SidecarCore): Inclusions {
  if (core.votes.length === 0) return before;
  const included = new Map(before);
  const copied = new Map<number, Map<number, number>>();
  for (const { validator, srcEpoch, tgtEpoch } of core.votes) {
    let voters = copied.get(tgtEpoch);
    if (voters === undefined) {
      voters = new Map(before.get(tgtEpoch));
      copied.set(tgtEpoch, voters);
      included.set(tgtEpoch, voters);
    }
    voters.set(validator, srcEpoch);
  }
  return included;
}

/** In a new epoch e votes count on if their target is e - 1 or above F(e - 1). */
function pruneInclusions({ included, closing }: ChainPoint): Inclusions {
  if (closing === undefined) return included;
  const { epoch, finalizedEpoch } = closing.checkpoint.header;
  return new Map([...included].filter(([target]) => target === epoch || target > finalizedEpoch));
}

function closeEpoch(
  params: CoreParams,
  point: ChainPoint,
  closing: ClosingInput & { readonly core: SidecarCore },
): { readonly checkpoint: Checkpoint; readonly next: EpochState } {
  const { epochState } = point;
  const finalized = inChainFinality(epochState, point.included);
  const summary = summarize(params, {
    epochState,
    cores: [...closing.blocks.map(({ core }) => core), closing.core],
    slotBefore: closing.slotBefore,
    finalized,
    candidates: closing.candidates,
  });
  // F(x) = x is impossible, so its summary is an older one
  const finalSummary = checkpointAt(epochState, finalized)?.summary;
  const afterNext = nextConfiguration(epochState.nextConfig, {
    epoch: epochState.epoch,
    finalizedBefore: newest(epochState).header.finalizedEpoch,
    finalized,
    candidates: finalSummary?.candidates ?? [],
  });
  const header = macroHeaderOf(params, point, {
    microRoot: microRootOf([...closing.blocks.map(({ hash }) => hash), point.hash]),
    finalizedEpoch: finalized,
    handoff: afterNext.handoff,
    afterNextValidatorsHash: hashValidators(afterNext.members),
    summaryHash: hashSummary(summary),
  });
  const checkpoint: Checkpoint = {
    header,
    hash: hashMacroHeader(header),
    slot: point.slot,
    config: epochState.config,
    summary,
  };
  const checkpoints = remembered([...epochState.checkpoints, checkpoint], finalized);
  const next: EpochState = {
    epoch: epochState.epoch + 1,
    checkpoints,
    config: epochState.nextConfig,
    nextConfig: afterNext,
    leaders: leadersOfNext(epochState),
    mintedTotal: epochState.mintedTotal + summary.minted,
  };
  return { checkpoint, next };
}

function macroHeaderOf(
  params: CoreParams,
  point: ChainPoint,
  parts: Pick<
    MacroHeader,
    "microRoot" | "finalizedEpoch" | "handoff" | "afterNextValidatorsHash" | "summaryHash"
  >,
): MacroHeader {
  const { epochState } = point;
  return {
    epoch: epochState.epoch,
    parentMacroHash: newest(epochState).hash,
    firstNumber: point.number - params.config.epochLength + 1,
    lastNumber: point.number,
    lastBlockHash: point.hash,
    stateRoot: point.stateRoot,
    timeMs: blockTimeMs(params, point),
    mix: point.mix,
    validatorsHash: hashValidators(epochState.config.members),
    nextValidatorsHash: hashValidators(epochState.nextConfig.members),
    ...parts,
  };
}

/**
 * F(e): the largest t such that votes on this chain from its checkpoint t to t + 1 are a quorum of cfg(t + 1), and not less
 * than F(e - 1). That the hashes are this chain's was a condition of inclusion.
 */
function inChainFinality(epochState: EpochState, included: Inclusions): number {
  const before = newest(epochState).header.finalizedEpoch;
  for (let t = epochState.epoch - 2; t > before; t--) {
    const config = checkpointAt(epochState, t + 1)?.config;
    if (config === undefined) continue;
    const voters = [...(included.get(t + 1) ?? [])].filter(([, source]) => source === t);
    if (
      isQuorumIn(
        config,
        voters.map(([id]) => id),
      )
    )
      return t;
  }
  return before;
}

/** Checkpoints from F(F(e)) on; `list` ends with that of epoch e. */
function remembered(list: readonly Checkpoint[], finalized: number): readonly Checkpoint[] {
  const oldest = list.find(({ header }) => header.epoch === finalized)?.header.finalizedEpoch ?? 0;
  return list.filter(({ header }) => header.epoch >= oldest);
}

/** Leaders of epoch e + 1 when e closes: seed from R_{e-1}, reputations of summary F(e - 1). */
function leadersOfNext(epochState: EpochState): LeaderTable {
  const { header } = newest(epochState);
  const source = checkpointAt(epochState, header.finalizedEpoch);
  const members = proposers(epochState.nextConfig);
  return leaderTable(members, header.mix, source?.summary.candidates ?? []);
}

/** The beacon's value for contracts: H("QNET1" ‖ 0x12 ‖ R_{e-1} ‖ number:u64). */
export function prevRandaoOf(mix: Hash, number: number): Hash {
  const bytes: Bytes = new FixedWriter(8, "number").u64(number).bytes;
  return bytesToHash(taggedHash("prevRandao", hexToBytes(mix), bytes));
}
