/** Is a sealed block valid on its parent, before it is executed? Rules 1 to 6 of docs/consensus.md §4.2. */
import { bytesToHash, ZERO_HASH } from "../../primitives/hex.ts";
import type { Withdrawal } from "../../types/block.ts";
import { commitHash, MESSAGE_KIND } from "../../types/consensusMessage.ts";
import { encodeSeal } from "../../types/seal.ts";
import { type SealedBlock, sealOf } from "../../types/sealedBlock.ts";
import { hashSidecar, hashVoteSignatures } from "../../types/sidecar.ts";
import { encodeVote, type Vote } from "../../types/vote.ts";
import {
  type ChainPoint,
  checkpointAt,
  childEpoch,
  type EpochState,
  newest,
} from "./chainPoint.ts";
import { memberOf } from "./configuration.ts";
import type { DueReveal, HeaderWishes, SignatureCheck } from "./events.ts";
import { type ExpectedHeader, expectedHeader } from "./expectedHeader.ts";
import { proposerFor } from "./extendChain.ts";
import { type CoreParams, domainOf, slotGasLimitFor } from "./params.ts";
import { indexInEpoch, ticksPerSlot } from "./time.ts";

/** Which rule a block breaks. */
export interface BlockFault {
  readonly code:
    | "TOO_MANY_VOTES"
    | "BAD_HEADER"
    | "BAD_ORDER"
    | "NO_TRANSACTION"
    | "WRONG_LEADER"
    | "SLOT_GAS"
    | "BAD_REVEAL"
    | "BAD_VOTE"
    | "PRUNED"
    | "BAD_SEAL"
    | "BAD_VOTE_SIGNATURE"
    | "INVALID_EXECUTION";
  readonly expected: string;
  readonly got: string;
}

export type Judgement =
  | { readonly fault: BlockFault }
  | {
      readonly fault: undefined;
      readonly expected: ExpectedHeader;
      /** The seal, then the votes in their order. */
      readonly checks: readonly SignatureCheck[];
    };

/**
 * Judges all but signatures, execution and time; the checks must all hold. The parent's hash is the caller's check.
 * `wishes` are those that the block was made with.
 */
export function judgeBlock(
  params: CoreParams,
  parent: ChainPoint,
  sealed: SealedBlock,
  wishes: HeaderWishes = {},
): Judgement {
  const expected = expectedHeader(params, parent, sealed.core, wishes);
  const fault =
    judgeForm(params, sealed) ??
    judgeOrder(params, parent, sealed) ??
    judgeLeader(parent, sealed) ??
    judgeHeader(expected, sealed) ??
    judgeGas(params, parent, sealed) ??
    judgeReveal(params, parent, sealed) ??
    judgeVotes(parent, sealed);
  if (fault !== undefined) return { fault };
  return { fault: undefined, expected, checks: signatureChecks(parent, sealed) };
}

/** Which reveal a block of `proposer` on `parent` must hold: the commitment to open, or undefined if none. Rule 5. */
export function dueReveal(
  { config }: CoreParams,
  parent: ChainPoint,
  proposer: number,
): DueReveal | undefined {
  if (parent.closing !== undefined) return undefined;
  if (indexInEpoch(parent.number + 1, config.epochLength) <= config.commitBlocks) return undefined;
  const commit = parent.commits.get(proposer);
  if (commit === undefined || parent.revealed.has(proposer)) return undefined;
  const { epoch } = parent.epochState;
  const target = newest(parent.epochState);
  const keyHash = memberOf(target.config, proposer)?.keyHash ?? ZERO_HASH;
  return { epoch, targetHash: target.hash, commit, keyHash };
}

/** Whether a vote may stand in a child of `parent`, all but its signature; undefined if so. Rule 6. */
export function judgeVote(parent: ChainPoint, vote: Vote): BlockFault | undefined {
  const epochState = childEpoch(parent);
  const problem =
    voteProblem(epochState, vote) ??
    (isIncluded(parent, vote) ? "the first vote of its validator for this target" : undefined);
  if (problem === undefined) return undefined;
  const { validator, srcEpoch, tgtEpoch } = vote;
  return {
    code: "BAD_VOTE",
    expected: problem,
    got: `validator ${validator}, ${srcEpoch} to ${tgtEpoch}, in epoch ${epochState.epoch}`,
  };
}

function voteProblem(epochState: EpochState, vote: Vote): string | undefined {
  const { validator, srcEpoch, srcHash, tgtEpoch, tgtHash } = vote;
  const last = newest(epochState).header;
  if (tgtEpoch < 1 || tgtEpoch > last.epoch) return "a target before this epoch";
  if (tgtEpoch !== last.epoch && tgtEpoch <= last.finalizedEpoch) return "a target not yet final";
  if (srcEpoch >= tgtEpoch) return "a source before the target";
  const [source, target] = [srcEpoch, tgtEpoch].map((epoch) => checkpointAt(epochState, epoch));
  if (source === undefined) return "a source not older than F(F(e - 1))";
  if (source.hash !== srcHash || target?.hash !== tgtHash) return "checkpoints of this chain";
  return memberOf(target.config, validator) === undefined ? "a member of cfg(target)" : undefined;
}

function isIncluded(parent: ChainPoint, { validator, tgtEpoch }: Vote): boolean {
  return parent.included.get(tgtEpoch)?.has(validator) === true;
}

/** Rule 1, without the header. */
function judgeForm({ config }: CoreParams, sealed: SealedBlock): BlockFault | undefined {
  const { core, voteSigs, seal } = sealed;
  if (core.votes.length > config.maxVotesPerBlock)
    return fault("TOO_MANY_VOTES", `at most ${config.maxVotesPerBlock}`, core.votes.length);
  if (seal === undefined || voteSigs.length !== core.votes.length)
    return fault("PRUNED", "seal and vote signatures", "none");
  const sigsHash = voteSigs.length === 0 ? ZERO_HASH : hashVoteSignatures(voteSigs);
  return core.sigsHash === sigsHash
    ? undefined
    : fault("BAD_VOTE", `sigsHash ${sigsHash}`, core.sigsHash);
}

/** Rule 2. */
function judgeOrder(
  params: CoreParams,
  parent: ChainPoint,
  { core, block }: SealedBlock,
): BlockFault | undefined {
  const ticks = ticksPerSlot(params);
  if (core.tick >= ticks) return fault("BAD_ORDER", `a tick below ${ticks}`, core.tick);
  if (core.slot < parent.slot)
    return fault("BAD_ORDER", `a slot from ${parent.slot} on`, core.slot);
  if (core.slot > parent.slot)
    return core.seq === 0 ? undefined : fault("BAD_ORDER", "seq 0 in a new slot", core.seq);
  if (core.seq !== parent.seq + 1) return fault("BAD_ORDER", `seq ${parent.seq + 1}`, core.seq);
  const least = parent.tick + params.config.minTickGap;
  if (core.tick < least) return fault("BAD_ORDER", `a tick from ${least} on`, core.tick);
  return block.transactions.length > 0
    ? undefined
    : fault("NO_TRANSACTION", "a transaction after the slot's first block", "none");
}

/** Rule 3, without the seal. */
function judgeLeader(parent: ChainPoint, { core }: SealedBlock): BlockFault | undefined {
  const leader = proposerFor(parent, core.slot);
  return leader.id === core.proposer
    ? undefined
    : fault("WRONG_LEADER", `validator ${leader.id} in slot ${core.slot}`, core.proposer);
}

function judgeHeader(
  expected: ExpectedHeader,
  { block, core }: SealedBlock,
): BlockFault | undefined {
  const { header, withdrawals } = block;
  const rows: readonly (readonly [string, unknown, unknown])[] = [
    ["parentHash", expected.parentHash, header.parentHash],
    ["number", BigInt(expected.number), header.number],
    ["timestamp", expected.timestamp, header.timestamp],
    ["baseFeePerGas", expected.baseFeePerGas, header.baseFeePerGas],
    ["gasLimit", expected.gasLimit, header.gasLimit],
    ["mixHash", expected.prevRandao, header.mixHash],
    ["parentBeaconBlockRoot", expected.parentBeaconBlockRoot, header.parentBeaconBlockRoot],
    ["withdrawals", showWithdrawals(expected.withdrawals), showWithdrawals(withdrawals)],
    [
      "extraData",
      hashSidecar(core),
      header.extraData.length === 32 ? bytesToHash(header.extraData) : "another length",
    ],
  ];
  const wrong = rows.find(([, right, got]) => right !== got);
  return wrong === undefined
    ? undefined
    : fault("BAD_HEADER", `${wrong[0]} ${wrong[1]}`, String(wrong[2]));
}

/** Rule 4; that a block keeps its own gas limit is chain's check. */
function judgeGas(
  params: CoreParams,
  parent: ChainPoint,
  { block, core }: SealedBlock,
): BlockFault | undefined {
  const used = block.header.gasUsed + (core.seq === 0 ? 0n : parent.slotGasUsed);
  const limit = slotGasLimitFor(params, block.header.gasLimit);
  return used <= limit ? undefined : fault("SLOT_GAS", `at most ${limit}`, String(used));
}

/** Rule 5. */
function judgeReveal(
  params: CoreParams,
  parent: ChainPoint,
  { core }: SealedBlock,
): BlockFault | undefined {
  const due = dueReveal(params, parent, core.proposer);
  if (due === undefined)
    return core.reveal === undefined ? undefined : fault("BAD_REVEAL", "none", core.reveal);
  if (core.reveal === undefined) return fault("BAD_REVEAL", `the secret of ${due.commit}`, "none");
  const commit = commitHash(domainOf(params), core.proposer, due.epoch, core.reveal);
  return commit === due.commit ? undefined : fault("BAD_REVEAL", `commit ${due.commit}`, commit);
}

/** Rule 6. */
function judgeVotes(parent: ChainPoint, { core }: SealedBlock): BlockFault | undefined {
  const seen = new Set<string>();
  for (const vote of core.votes) {
    const problem = judgeVote(parent, vote);
    if (problem !== undefined) return problem;
    const key = `${vote.validator}/${vote.tgtEpoch}`;
    if (seen.has(key)) return fault("BAD_VOTE", "one vote of a validator for a target", key);
    seen.add(key);
  }
  return undefined;
}

function signatureChecks(parent: ChainPoint, sealed: SealedBlock): readonly SignatureCheck[] {
  const { core, voteSigs, seal } = sealed;
  const epochState = childEpoch(parent);
  const checks: SignatureCheck[] = [
    {
      kind: MESSAGE_KIND.seal,
      body: encodeSeal(sealOf(sealed)),
      keyHash: proposerFor(parent, core.slot).keyHash,
      signature: seal ?? new Uint8Array(0),
    },
  ];
  for (const [index, vote] of core.votes.entries()) {
    const config = checkpointAt(epochState, vote.tgtEpoch)?.config;
    const member = config === undefined ? undefined : memberOf(config, vote.validator);
    checks.push({
      kind: MESSAGE_KIND.vote,
      body: encodeVote(vote),
      keyHash: member?.keyHash ?? ZERO_HASH,
      signature: voteSigs[index] ?? new Uint8Array(0),
    });
  }
  return checks;
}

function showWithdrawals(withdrawals: readonly Withdrawal[] | undefined): string {
  if (withdrawals === undefined) return "absent";
  const texts = withdrawals.map(({ index, validatorIndex, address, amount }) =>
    [index, validatorIndex, address, amount].join(" "),
  );
  return `[${texts.join(", ")}]`;
}

function fault(code: BlockFault["code"], expected: string, got: string | number): BlockFault {
  return { code, expected, got: String(got) };
}
