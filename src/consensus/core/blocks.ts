/**
 * A block's way into the tree: known? too old? parent? rules 1 to 6, signatures, execution, insertion, then whatever waited
 * for it. Source: docs/consensus.md §4.2, §4.4, §12, §14.
 */
import { equalBytes } from "../../primitives/bytes.ts";
import type { Hash } from "../../primitives/hex.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import { encodeSeal } from "../../types/seal.ts";
import { type SealedBlock, sealOf } from "../../types/sealedBlock.ts";
import { isSameVote, type Vote } from "../../types/vote.ts";
import { type ChainPoint, checkpointAt, childEpoch } from "./chainPoint.ts";
import { memberOf } from "./configuration.ts";
import type { Action, ExecutionOutcome, Origin, SignatureCheck } from "./events.ts";
import { type ClosingInput, extendChain, proposerFor } from "./extendChain.ts";
import { addCheckpoint, countVote } from "./finality.ts";
import { ask, giveVerdict, releaseCertificates } from "./gossip.ts";
import { type BlockFault, judgeBlock } from "./judgeBlock.ts";
import { type ConsensusState, type IncomingBlock, LIMITS } from "./state.ts";
import { afterInsertion, missingParent, stopSync } from "./sync.ts";
import { blockTimeMs, isCheckpoint, slotStartMs } from "./time.ts";
import { addNode, markEquivocation, nodeOf } from "./tree.ts";
import { hasBytesFor, sentBy } from "./waiting.ts";

/** A block seen this long after its slot's end still counts as timely. */
const TIMELY_MS = 1000;

/** A block from a peer, by gossip or fetched. */
export function takeBlock(
  state: ConsensusState,
  block: SealedBlock,
  origin: Origin,
  out: Action[],
): void {
  const { hash } = block.block;
  if (isKnown(state, hash)) {
    giveVerdict(origin, "ignore", "block: known", out);
    return;
  }
  if (block.block.header.number <= BigInt(nodeOf(state, state.root).point.number)) {
    giveVerdict(origin, "ignore", "block: not above F*", out);
    return;
  }
  advance(state, { block, origin, firstSeenMs: state.nowMs }, out);
}

/** The signatures of a block were checked. */
export function finishSignatures(
  state: ConsensusState,
  { hash, origin }: { readonly hash: Hash; readonly origin: Origin },
  valid: readonly boolean[],
  out: Action[],
): void {
  const flying = state.flying.get(hash);
  if (flying === undefined) {
    giveVerdict(origin, "ignore", "block: not above F*", out);
    return;
  }
  if (valid.includes(false) || valid.length === 0) {
    const code = valid[0] === true ? "BAD_VOTE_SIGNATURE" : "BAD_SEAL";
    state.flying.delete(hash);
    refuse(state, flying, { code, expected: "a valid signature", got: "another" }, out);
    return;
  }
  // more of its place may have been on their way when this one was let in
  if (isCrowded(state, flying.block) && flying.origin.token !== undefined) {
    state.flying.delete(hash);
    giveVerdict(flying.origin, "ignore", "block: one of many", out);
    return;
  }
  noteSeal(state, flying.block, out);
  giveVerdict(flying.origin, "accept", "", out);
  out.push({ type: "execute", block: flying.block, expected: flying.expected });
}

/** A block was executed, or could not be. */
export function finishExecution(
  state: ConsensusState,
  hash: Hash,
  outcome: ExecutionOutcome,
  out: Action[],
): void {
  const flying = state.flying.get(hash);
  if (flying === undefined) return;
  state.flying.delete(hash);
  if (outcome.ok) {
    insert(state, flying, outcome.candidates, out);
    return;
  }
  if (!outcome.invalid) {
    stopSync(state, undefined);
    return;
  }
  const fault: BlockFault = {
    code: "INVALID_EXECUTION",
    expected: "a block that can be executed",
    got: "one that cannot",
  };
  refuse(state, { ...flying, origin: { ...flying.origin, token: undefined } }, fault, out);
}

/** Puts an executed block into the tree, with all that follows from it. */
export function insert(
  state: ConsensusState,
  incoming: IncomingBlock,
  candidates: readonly Candidate[] | undefined,
  out: Action[],
): void {
  const { block, firstSeenMs } = incoming;
  const parent = state.tree.get(block.block.header.parentHash);
  if (parent === undefined) return; // finality has cut this branch off meanwhile
  const closing = closingInput(state, parent.point, block, candidates);
  const point = extendChain(state.params, parent.point, block, closing);
  const slotEnd = slotStartMs(state.params, point.slot + 1);
  addNode(state, point, block.core, firstSeenMs < slotEnd + TIMELY_MS);
  countSidecarVotes(state, parent.point, block, out);
  if (point.closing !== undefined) {
    const { checkpoint } = point.closing;
    out.push({ type: "macroblock", checkpoint });
    addCheckpoint(state, checkpoint, out);
    releaseCertificates(state, checkpoint.hash, out);
  }
  afterInsertion(state, point, out);
  for (const [hash, orphan] of state.orphans) {
    if (orphan.block.block.header.parentHash !== point.hash) continue;
    state.orphans.delete(hash);
    advance(state, orphan, out);
  }
}

/** Blocks of the near future whose time has come. */
export function releaseEarly(state: ConsensusState, out: Action[]): void {
  for (const [hash, incoming] of state.early) {
    if (earliestMs(state, incoming.block) > state.nowMs) continue;
    state.early.delete(hash);
    advance(state, incoming, out);
  }
}

/** Drops what waits for a place at or below F*. */
export function pruneIncoming(state: ConsensusState, out: Action[]): void {
  const { number } = nodeOf(state, state.root).point;
  const isBelow = ({ block }: IncomingBlock) => Number(block.block.header.number) <= number;
  for (const map of [state.orphans, state.flying])
    for (const [hash, incoming] of map) if (isBelow(incoming)) map.delete(hash);
  for (const [hash, incoming] of state.early) {
    if (!isBelow(incoming)) continue;
    state.early.delete(hash);
    giveVerdict(incoming.origin, "ignore", "block: not above F*", out);
  }
}

/** Keeps the seal, and reports a leader that made two blocks of one place. */
export function noteSeal(state: ConsensusState, block: SealedBlock, out: Action[]): void {
  const { core, seal } = block;
  const parent = state.tree.get(block.block.header.parentHash);
  if (parent === undefined || seal === undefined) return;
  const { keyHash } = proposerFor(parent.point, core.slot);
  const record = {
    proposer: core.proposer,
    seq: core.seq,
    blockHash: block.block.hash,
    body: encodeSeal(sealOf(block)),
    signature: seal,
    keyHash,
  };
  const seals = state.seals.get(core.slot) ?? [];
  const same = seals.filter(({ proposer, seq }) => proposer === core.proposer && seq === core.seq);
  if (same.length >= LIMITS.blocksOfPlace) return;
  if (same.some(({ body }) => equalBytes(body, record.body))) return;
  state.seals.set(core.slot, [...seals, record]);
  const [other] = same;
  if (other === undefined || other.blockHash === record.blockHash) return;
  if (!markEquivocation(state, core.slot, core.proposer)) return;
  const side = ({ body, signature, keyHash: key }: typeof record) => ({
    body,
    signature,
    keyHash: key,
  });
  const sides = { a: side(other), b: side(record) };
  const evidence = { offence: "double seal", validator: core.proposer, ...sides } as const;
  out.push({ type: "evidence", evidence });
}

/** As far as a block gets now: waits for time or parent, is refused, or has its signatures checked. */
function advance(state: ConsensusState, incoming: IncomingBlock, out: Action[]): void {
  const { block, origin } = incoming;
  const { hash, header } = block.block;
  const early = earliestMs(state, block);
  if (early > state.nowMs) {
    holdEarly(state, incoming, early, out);
    return;
  }
  const parent = state.tree.get(header.parentHash);
  if (parent === undefined) {
    holdOrphan(state, incoming, out);
    return;
  }
  if (isCrowded(state, block) && origin.token !== undefined) {
    giveVerdict(origin, "ignore", "block: one of many", out);
    return;
  }
  if (origin.token !== undefined && sentBy(state.flying, origin) >= LIMITS.flyingOfPeer) {
    giveVerdict(origin, "ignore", "busy", out);
    return;
  }
  const judgement = judgeBlock(state.params, parent.point, block);
  if (judgement.fault !== undefined) {
    refuse(state, incoming, judgement.fault, out);
    return;
  }
  const { expected, checks } = judgement;
  state.flying.set(hash, { ...incoming, expected });
  const { votes } = block.core;
  // the seal's check is the first, the votes' follow
  const unknown = checks.filter((check, index) => !isVerified(state, votes[index - 1], check));
  if (ask(state, { type: "block", hash, origin }, unknown, out)) return;
  state.flying.delete(hash);
  giveVerdict(origin, "ignore", "busy", out);
}

function holdEarly(
  state: ConsensusState,
  incoming: IncomingBlock,
  early: number,
  out: Action[],
): void {
  const { block, origin } = incoming;
  const tooFar = early > state.nowMs + state.params.config.slotMs;
  const isFull = state.early.size >= LIMITS.early;
  const isGreedy = sentBy(state.early, origin) >= LIMITS.earlyOfPeer;
  if (tooFar || isFull || isGreedy || !hasBytesFor(state, incoming)) {
    giveVerdict(origin, "ignore", "block: of the future", out);
    return;
  }
  // its verdict comes when its time has come
  state.early.set(block.block.hash, incoming);
  out.push({ type: "wake", atMs: early });
}

/** Waits for the parent; if that is not on its way, asks for it. */
function holdOrphan(state: ConsensusState, incoming: IncomingBlock, out: Action[]): void {
  const { block, origin } = incoming;
  giveVerdict(origin, "ignore", "block: unknown parent", out);
  const isGossip = origin.token !== undefined; // an answer to a fetch is bounded by itself
  const isGreedy = isGossip && sentBy(state.orphans, origin) >= LIMITS.orphansOfPeer;
  if (state.orphans.size >= LIMITS.orphans || isGreedy) return;
  if (isGossip && !hasBytesFor(state, incoming)) return;
  const silent = { ...origin, token: undefined };
  state.orphans.set(block.block.hash, { ...incoming, origin: silent });
  const { parentHash, number } = block.block.header;
  if (isKnown(state, parentHash)) return;
  missingParent(state, { peer: origin.peer, tip: parentHash, tipNumber: Number(number) - 1 }, out);
}

function refuse(
  state: ConsensusState,
  { block, origin }: IncomingBlock,
  fault: BlockFault,
  out: Action[],
): void {
  const { hash } = block.block;
  out.push({ type: "invalidBlock", hash, fault });
  giveVerdict(origin, "reject", `block: ${fault.code}`, out);
  dropDescendants(state, hash);
  stopSync(state, origin.peer);
}

function dropDescendants(state: ConsensusState, parentHash: Hash): void {
  const gone = [parentHash];
  for (let parent = gone.pop(); parent !== undefined; parent = gone.pop())
    for (const [hash, orphan] of state.orphans) {
      if (orphan.block.block.header.parentHash !== parent) continue;
      state.orphans.delete(hash);
      gone.push(hash);
    }
}

/** Votes in a block were checked with it; they count as if they had come alone. */
function countSidecarVotes(
  state: ConsensusState,
  parent: ChainPoint,
  { core, voteSigs }: SealedBlock,
  out: Action[],
): void {
  const epochState = childEpoch(parent);
  for (const [index, vote] of core.votes.entries()) {
    const signature = voteSigs[index];
    const config = checkpointAt(epochState, vote.tgtEpoch)?.config;
    const member = config === undefined ? undefined : memberOf(config, vote.validator);
    if (signature === undefined || member === undefined) continue;
    countVote(state, { vote, signature, keyHash: member.keyHash }, "certified", out);
  }
}

/** The epoch's other blocks, if this one closes it. */
function closingInput(
  state: ConsensusState,
  parent: ChainPoint,
  { block }: SealedBlock,
  candidates: readonly Candidate[] | undefined,
): ClosingInput | undefined {
  const { epochLength, maxActive } = state.params.config;
  if (!isCheckpoint(Number(block.header.number), epochLength)) return undefined;
  if (candidates === undefined) throw new RangeError("the last block of an epoch needs candidates");
  const blocks: { hash: Hash; core: SealedBlock["core"] }[] = [];
  let at = nodeOf(state, parent.hash);
  for (let i = 1; i < epochLength; i++) {
    blocks.push({ hash: at.point.hash, core: at.core });
    at = nodeOf(state, at.point.parentHash);
  }
  return {
    blocks: blocks.reverse(),
    slotBefore: at.point.slot,
    candidates: candidates.slice(0, maxActive),
  };
}

function isKnown(state: ConsensusState, hash: Hash): boolean {
  return (
    state.tree.has(hash) ||
    state.flying.has(hash) ||
    state.orphans.has(hash) ||
    state.early.has(hash)
  );
}

/** When the block's time comes, less the tolerated clock error. Rule 8. */
function earliestMs({ params }: ConsensusState, { core }: SealedBlock): number {
  return blockTimeMs(params, core) - params.config.clockDisparityMs;
}

/** A vote that came by gossip before the block that holds it is not verified twice. */
function isVerified(
  state: ConsensusState,
  vote: Vote | undefined,
  { keyHash, signature }: SignatureCheck,
): boolean {
  if (vote === undefined) return false;
  return (state.history.get(vote.validator) ?? []).some(
    (entry) =>
      entry.type === "vote" &&
      isSameVote(entry.vote, vote) &&
      entry.keyHash === keyHash &&
      equalBytes(entry.signature, signature),
  );
}

/** Two other blocks of its place are here already. */
function isCrowded({ seals }: ConsensusState, { core, block }: SealedBlock): boolean {
  const same = (seals.get(core.slot) ?? []).filter(
    ({ proposer, seq }) => proposer === core.proposer && seq === core.seq,
  );
  const isOneOfThem = same.some(({ blockHash }) => blockHash === block.hash);
  return same.length >= LIMITS.blocksOfPlace && !isOneOfThem;
}

/** Whether blocks below the tick's slot are on their way that could become its parent. */
export function isAwaitingBlocks(state: ConsensusState, slot: number): boolean {
  const { number } = nodeOf(state, state.head).point;
  for (const { block } of state.flying.values())
    if (block.core.slot < slot && Number(block.block.header.number) > number) return true;
  return false;
}
