/** What a validator does: blocks in its slots, a vote for each new checkpoint, an ack for what is justified. Source: docs/consensus.md §4.3, §5, §7. */
import type { Hash } from "../../primitives/hex.ts";
import type { Block } from "../../types/block.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import { type SealedBlock, sealOf } from "../../types/sealedBlock.ts";
import { hashVoteSignatures, type SidecarCore } from "../../types/sidecar.ts";
import { insert, isAwaitingBlocks, noteSeal } from "./blocks.ts";
import { dueSeq } from "./cadence.ts";
import {
  type ChainPoint,
  type Checkpoint,
  checkpointOn,
  childEpoch,
  lastCheckpoint,
} from "./chainPoint.ts";
import { memberByKey, memberOf } from "./configuration.ts";
import type { Action, BuildPlan, Event, HeaderWishes, SignedMessage } from "./events.ts";
import { type BlockPlace, expectedHeader } from "./expectedHeader.ts";
import { proposerFor } from "./extendChain.ts";
import { countAck, countVote } from "./finality.ts";
import { OWN_PEER } from "./gossip.ts";
import { dueReveal, judgeBlock, judgeVote } from "./judgeBlock.ts";
import type { ConsensusState, OwnDraft, Pending, VoteRecord, WaitingTick } from "./state.ts";
import { slotStartMs, ticksPerSlot } from "./time.ts";
import { headPoint } from "./tree.ts";

/** How long the first block of a slot waits for blocks of the slots before that are on their way. */
const AWAIT_BLOCKS_MS = 250;
/** While its vote is not final, a validator repeats its last vote and ack after this many slots. */
const REPEAT_SLOTS = 16;

/** A tick: the block that is due, if this node leads the slot. */
export function onTick(
  state: ConsensusState,
  tick: Omit<WaitingTick, "untilMs">,
  out: Action[],
): void {
  const untilMs = slotStartMs(state.params, tick.slot) + AWAIT_BLOCKS_MS;
  state.waiting = { ...tick, untilMs };
  if (tick.tick === 0 && state.nowMs < untilMs && isAwaitingBlocks(state, tick.slot))
    out.push({ type: "wake", atMs: untilMs });
  if (tick.tick === 0 && tick.slot % REPEAT_SLOTS === 0) repeatMessages(state, out);
  proposeIfDue(state, out);
}

/** Makes the block of the last tick, once nothing on its way could become its parent. */
export function proposeIfDue(state: ConsensusState, out: Action[]): void {
  const { waiting } = state;
  if (waiting === undefined) return;
  const isFirst = waiting.tick === 0 && state.nowMs < waiting.untilMs;
  if (isFirst && isAwaitingBlocks(state, waiting.slot)) return;
  state.waiting = undefined;
  const { slot } = waiting;
  const head = headPoint(state);
  const finalizedEpoch = state.finalized.header.epoch;
  const seq = dueSeq(state.params, head, { ...waiting, finalizedEpoch });
  if (seq !== undefined) build(state, { slot, seq, tick: waiting.tick }, waiting.wishes, out);
}

/** A block by order: the next one in the place asked for, if this node may make one there. */
export function onPropose(
  state: ConsensusState,
  { slot, tick, wishes }: Extract<Event, { type: "propose" }>,
  out: Action[],
): void {
  const { config } = state.params;
  const head = headPoint(state);
  if (!config.dev || slot < head.slot || tick >= ticksPerSlot(state.params)) return;
  const isNewSlot = slot > head.slot;
  if (!isNewSlot && tick < head.tick + config.minTickGap) return;
  build(state, { slot, seq: isNewSlot ? 0 : head.seq + 1, tick }, wishes, out);
}

/** Asks for a block on the head, if this node leads the slot and has sealed nothing there yet. */
function build(
  state: ConsensusState,
  place: BlockPlace,
  wishes: HeaderWishes | undefined,
  out: Action[],
): void {
  if (isBuilding(state)) return;
  const head = headPoint(state);
  const { slot, seq } = place;
  const leader = proposerFor(head, slot);
  if (!state.params.ownKeys.includes(leader.keyHash)) return;
  const { own } = state;
  const isAfterLast = slot > own.sealedSlot || (slot === own.sealedSlot && seq > own.sealedSeq);
  if (!isAfterLast) return;
  const plan = planOf(state, head, { ...leader, ...place }, wishes);
  const id = state.nextId++;
  state.pending.set(id, { type: "build", plan });
  out.push({ type: "build", id, plan });
}

/** Sidecar of a planned block; `secret` is what the plan's reveal asks for. */
export function sidecarOf(plan: BuildPlan, secret: Hash | undefined): SidecarCore {
  const { slot, seq, tick, proposer, votes, reveal } = plan;
  return {
    slot,
    seq,
    tick,
    proposer,
    reveal: reveal === undefined ? undefined : secret,
    votes: votes.map(({ vote }) => vote),
    sigsHash: hashVoteSignatures(votes.map(({ signature }) => signature)),
  };
}

/** The engine made the block that was planned: seal it. */
export function finishBuild(
  state: ConsensusState,
  plan: BuildPlan,
  built: {
    readonly block: Block;
    readonly secret: Hash | undefined;
    readonly candidates: readonly Candidate[] | undefined;
  },
  out: Action[],
): void {
  const block: SealedBlock = {
    block: built.block,
    core: sidecarOf(plan, built.secret),
    voteSigs: plan.votes.map(({ signature }) => signature),
    seal: new Uint8Array(0),
  };
  const parent = state.tree.get(built.block.header.parentHash);
  if (parent === undefined) return; // finality left this branch while the block was built
  const { fault } = judgeBlock(state.params, parent.point, block, plan.wishes);
  if (fault !== undefined) {
    const { hash } = built.block;
    out.push({ type: "invalidBlock", hash, fault });
    out.push({ type: "alarm", alarm: { code: "OWN_BLOCK_INVALID", hash } });
    return;
  }
  state.own.sealedSlot = plan.slot;
  state.own.sealedSeq = plan.seq;
  const draft: OwnDraft = { block, plan, candidates: built.candidates };
  const request = { type: "seal", keyHash: plan.keyHash, seal: sealOf(block) } as const;
  askToSign(state, { type: "sign", request, draft }, out);
}

/** The signer signed. */
export function finishSignature(
  state: ConsensusState,
  pending: Extract<Pending, { type: "sign" }>,
  message: SignedMessage,
  out: Action[],
): void {
  const { request, draft } = pending;
  const { keyHash } = request;
  if (message.type === "seal" && draft !== undefined) {
    publishBlock(state, draft, message.signature, out);
    return;
  }
  if (message.type === "vote" && request.type === "vote") {
    const { vote, signature } = message;
    state.own.lastVote = { vote, signature };
    out.push({ type: "broadcast", message: { topic: "vote", vote: { vote, signature } } });
    countVote(state, { vote, signature, keyHash }, "certified", out);
  }
  if (message.type === "ack" && request.type === "ack") {
    const ack = { ack: request.ack, signature: message.signature };
    state.own.lastAck = ack;
    out.push({ type: "broadcast", message: { topic: "ack", ack } });
    countAck(state, { ...ack, keyHash }, "certified", out);
  }
}

/** Votes and acks as head and J* want them, once each. */
export function voteAndAck(state: ConsensusState, out: Action[]): void {
  ackJustified(state, out);
  const head = headPoint(state);
  const target = voteTarget(state, head);
  if (target === undefined) return;
  const { epoch: tgtEpoch } = target.header;
  const member = memberByKey(target.config, state.params.ownKeys);
  state.own.voteTarget = tgtEpoch;
  if (member === undefined) return;
  const { header, hash: srcHash } = state.justified;
  const vote = {
    validator: member.id,
    srcEpoch: header.epoch,
    srcHash,
    tgtEpoch,
    tgtHash: target.hash,
  };
  const request = { type: "vote", keyHash: member.keyHash, vote } as const;
  askToSign(state, { type: "sign", request, draft: undefined }, out);
}

/** The newest checkpoint of the head's chain that is old enough, if it is above J* and the last vote. */
function voteTarget(state: ConsensusState, head: ChainPoint) {
  const last = lastCheckpoint(head);
  const isOld = head.slot >= last.slot + state.params.config.voteDelaySlots;
  const target = isOld ? last : checkpointOn(head, last.header.epoch - 1);
  if (target === undefined) return undefined;
  const { epoch } = target.header;
  return epoch > state.own.voteTarget && epoch > state.justified.header.epoch ? target : undefined;
}

function ackJustified(state: ConsensusState, out: Action[]): void {
  const { justified, finalized, own } = state;
  const { epoch } = justified.header;
  if (epoch <= own.ackEpoch || epoch <= finalized.header.epoch) return;
  own.ackEpoch = epoch;
  const member = memberByKey(justified.config, state.params.ownKeys);
  if (member === undefined) return;
  const ack = { validator: member.id, epoch, macroHash: justified.hash };
  const request = { type: "ack", keyHash: member.keyHash, ack } as const;
  askToSign(state, { type: "sign", request, draft: undefined }, out);
}

function planOf(
  state: ConsensusState,
  head: ChainPoint,
  place: BlockPlace & { readonly id: number; readonly keyHash: Hash },
  wishes: HeaderWishes = {},
): BuildPlan {
  const { id: proposer, keyHash, slot, seq, tick } = place;
  return {
    slot,
    seq,
    tick,
    proposer,
    keyHash,
    header: expectedHeader(state.params, head, place, wishes),
    wishes,
    votes: votesFor(state, head),
    reveal: dueReveal(state.params, head, proposer),
    needsTransaction: seq > 0,
  };
}

/** Votes that may stand in a child of the head, newest targets first: these carry commits and rewards. */
function votesFor(state: ConsensusState, head: ChainPoint): readonly VoteRecord[] {
  const { maxVotesPerBlock } = state.params.config;
  const found: VoteRecord[] = [];
  for (const target of [...childEpoch(head).checkpoints].reverse()) {
    if (found.length >= maxVotesPerBlock) break;
    found.push(...votesForTarget(state, head, target));
  }
  return found.slice(0, maxVotesPerBlock);
}

/** One vote of each validator for this target, those that the chain has left out. */
function votesForTarget(
  state: ConsensusState,
  head: ChainPoint,
  target: Checkpoint,
): readonly VoteRecord[] {
  const chosen = new Map<number, VoteRecord>();
  for (const voters of state.tallies.get(target.hash)?.votes.values() ?? [])
    for (const record of voters.values()) {
      const { validator } = record.vote;
      const isKeyInForce = memberOf(target.config, validator)?.keyHash === record.keyHash;
      if (isKeyInForce && !chosen.has(validator) && judgeVote(head, record.vote) === undefined)
        chosen.set(validator, record);
    }
  return [...chosen.values()];
}

function publishBlock(
  state: ConsensusState,
  { block: unsealed, candidates }: OwnDraft,
  seal: Uint8Array,
  out: Action[],
): void {
  const block = { ...unsealed, seal };
  noteSeal(state, block, out);
  out.push({ type: "sealed", block });
  out.push({ type: "broadcast", message: { topic: "micro", block } });
  const origin = { peer: OWN_PEER, token: undefined };
  insert(state, { block, origin, firstSeenMs: state.nowMs }, candidates, out);
}

/** Gossip may lose a message; a checkpoint must not stay open for it. */
function repeatMessages({ own, finalized }: ConsensusState, out: Action[]): void {
  const { lastVote, lastAck } = own;
  const { epoch } = finalized.header;
  if (lastVote !== undefined && lastVote.vote.tgtEpoch > epoch)
    out.push({ type: "broadcast", message: { topic: "vote", vote: lastVote } });
  if (lastAck !== undefined && lastAck.ack.epoch > epoch)
    out.push({ type: "broadcast", message: { topic: "ack", ack: lastAck } });
}

function askToSign(
  state: ConsensusState,
  pending: Extract<Pending, { type: "sign" }>,
  out: Action[],
): void {
  const id = state.nextId++;
  state.pending.set(id, pending);
  out.push({ type: "sign", id, request: pending.request });
}

function isBuilding({ pending }: ConsensusState): boolean {
  for (const { type, ...rest } of pending.values())
    if (type === "build" || (type === "sign" && "draft" in rest && rest.draft !== undefined))
      return true;
  return false;
}
