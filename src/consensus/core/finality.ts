/**
 * Counting votes and acks whose signatures are good: what is justified, what is final, and which of them contradict each
 * other. Source: docs/consensus.md §7.
 */
import type { Hash } from "../../primitives/hex.ts";
import { type JustQC, makeAckQC, makeJustQC } from "../../types/certificate.ts";
import { contradiction, epochOfMessage, isSameMessage } from "../../types/evidence.ts";
import { encodeAck, encodeVote } from "../../types/vote.ts";
import { type Checkpoint, checkpointOn, childEpoch } from "./chainPoint.ts";
import { isQuorumIn, memberOf } from "./configuration.ts";
import type { Action, FoundEvidence } from "./events.ts";
import {
  type AckRecord,
  type ConsensusState,
  type HistoryEntry,
  LIMITS,
  type Tally,
  type VoteRecord,
} from "./state.ts";
import { epochOf } from "./time.ts";
import { descendsFrom, headPoint, nodeOf } from "./tree.ts";

/** Lowest and highest epoch that a vote's target or an ack may have to be looked at. */
export function messageWindow(state: ConsensusState): readonly [lowest: number, highest: number] {
  const epoch = epochOf(headPoint(state).number + 1, state.params.config.epochLength);
  const { epoch: finalized } = state.finalized.header;
  return [Math.max(finalized, epoch - LIMITS.voteEpochs), epoch + 1];
}

/**
 * How a message came. Of gossip, two of one validator and epoch are evidence and more are noise; in a certificate or a
 * block any of them may be what others have counted.
 */
export type Way = "gossip" | "certified";

/** Counts a vote. False if it was known, or is one too many. */
export function countVote(
  state: ConsensusState,
  record: VoteRecord,
  way: Way,
  out: Action[],
): boolean {
  const { vote } = record;
  const entry: HistoryEntry = { type: "vote", vote, ...sideOf(record, encodeVote(vote)) };
  const isNew = remember(state, vote.validator, entry, out);
  if (!counts(state, vote.tgtEpoch, way, isNew)) return isNew;
  const tally = tallyOf(state, vote.tgtEpoch, vote.tgtHash);
  let voters = tally.votes.get(vote.srcHash);
  if (voters === undefined) {
    voters = new Map();
    tally.votes.set(vote.srcHash, voters);
  }
  if (voters.has(vote.validator)) return isNew;
  voters.set(vote.validator, record);
  tryJustify(state, tally, vote.srcHash, out);
  return isNew;
}

/** Counts an ack. False if it was known, or is one too many. */
export function countAck(
  state: ConsensusState,
  record: AckRecord,
  way: Way,
  out: Action[],
): boolean {
  const { ack } = record;
  const entry: HistoryEntry = { type: "ack", ack, ...sideOf(record, encodeAck(ack)) };
  const isNew = remember(state, ack.validator, entry, out);
  if (!counts(state, ack.epoch, way, isNew)) return isNew;
  const tally = tallyOf(state, ack.epoch, ack.macroHash);
  if (tally.acks.has(ack.validator)) return isNew;
  tally.acks.set(ack.validator, record);
  tryFinalize(state, tally, out);
  return isNew;
}

/** A checkpoint's block was executed: votes and acks that waited for it count from now on. */
export function addCheckpoint(state: ConsensusState, checkpoint: Checkpoint, out: Action[]): void {
  state.checkpoints.set(checkpoint.hash, checkpoint);
  pruneTallies(state);
  const tally = state.tallies.get(checkpoint.hash);
  if (tally === undefined) return;
  for (const source of tally.votes.keys()) tryJustify(state, tally, source, out);
  tryFinalize(state, tally, out);
}

/** Drops votes, acks and seals that finality or time has made worthless. */
export function pruneTallies(state: ConsensusState): void {
  const [lowest] = messageWindow(state);
  for (const [hash, { epoch }] of state.tallies) if (epoch < lowest) state.tallies.delete(hash);
  const root = nodeOf(state, state.root).point;
  const oldest = Math.max(root.slot, headPoint(state).slot - LIMITS.sealSlots);
  for (const at of state.seals.keys()) if (at < oldest) state.seals.delete(at);
  for (const key of state.equivocations)
    if (Number(key.split("/")[0]) < root.slot) state.equivocations.delete(key);
  const { config, nextConfig } = childEpoch(root);
  const configs = [state.finalized.config, config, nextConfig];
  for (const id of state.history.keys())
    if (!configs.some((each) => memberOf(each, id) !== undefined)) state.history.delete(id);
}

/** Justified: a quorum of cfg(target) voted for it from one justified ancestor. */
function tryJustify(state: ConsensusState, tally: Tally, srcHash: Hash, out: Action[]): void {
  const target = state.checkpoints.get(tally.hash);
  const source = state.checkpoints.get(srcHash);
  const voters = tally.votes.get(srcHash);
  if (target === undefined || source === undefined || voters === undefined) return;
  if (state.justifiedHashes.has(target.hash) || !state.justifiedHashes.has(srcHash)) return;
  const { point } = nodeOf(state, target.header.lastBlockHash);
  if (checkpointOn(point, source.header.epoch)?.hash !== srcHash) return;
  if (source.header.epoch >= target.header.epoch) return;
  const counted = counting(target, voters);
  if (!isQuorumIn(target.config, counted.keys())) return;
  justify(state, target, out);
  tryFinalize(state, tally, out);
}

/** Marks a checkpoint as justified, and what votes from it have been waiting to justify. */
function justify(state: ConsensusState, target: Checkpoint, out: Action[]): void {
  if (state.justifiedHashes.has(target.hash)) return;
  state.justifiedHashes.add(target.hash);
  raiseJustified(state, target, out);
  for (const later of state.tallies.values())
    if (later.votes.has(target.hash)) tryJustify(state, later, target.hash, out);
}

/** J* is the justified checkpoint of highest epoch; of two, which only a third of traitors can bring about, the smaller hash. */
function raiseJustified(state: ConsensusState, candidate: Checkpoint, out: Action[]): void {
  const [now, { epoch }] = [state.justified, candidate.header];
  const higher =
    epoch > now.header.epoch || (epoch === now.header.epoch && candidate.hash < now.hash);
  if (!higher) return;
  state.justified = candidate;
  state.justification = justificationOf(state, candidate);
  out.push({ type: "justified", checkpoint: candidate, certificate: state.justification });
}

/** Certificate that the checkpoint is justified, if its votes are known. */
export function justificationOf(state: ConsensusState, target: Checkpoint): JustQC | undefined {
  for (const [source, voters] of state.tallies.get(target.hash)?.votes ?? []) {
    const counted = counting(target, voters);
    if (state.justifiedHashes.has(source) && isQuorumIn(target.config, counted.keys()))
      return makeJustQC(target.config.members, counted);
  }
  return undefined;
}

/**
 * Final: a quorum of cfg(epoch) acked it. Each of them says that it is justified, so whoever missed the votes need not see
 * them: a node that lags behind could not catch up otherwise (docs/consensus.md §7).
 */
function tryFinalize(state: ConsensusState, tally: Tally, out: Action[]): void {
  const finalEpoch = state.finalized.header.epoch;
  if (tally.epoch <= finalEpoch) {
    if (tally.epoch === finalEpoch) alarmOnConflict(state, tally, out);
    return;
  }
  const checkpoint = state.checkpoints.get(tally.hash);
  if (checkpoint === undefined) return;
  const counted = counting(checkpoint, tally.acks);
  if (!isQuorumIn(checkpoint.config, counted.keys())) return;
  const certificate = makeAckQC(checkpoint.config.members, counted);
  const { point } = nodeOf(state, checkpoint.header.lastBlockHash);
  state.finalized = checkpoint;
  state.certificate = certificate;
  justify(state, checkpoint, out);
  out.push({ type: "finalized", checkpoint, certificate, point });
  if (!descendsFrom(state, nodeOf(state, state.justified.header.lastBlockHash).point, checkpoint))
    restoreJustified(state, out);
}

/** F* left J*'s branch: J* is the highest justified checkpoint above F*, or F* itself. */
function restoreJustified(state: ConsensusState, out: Action[]): void {
  let best = state.finalized;
  for (const hash of state.justifiedHashes) {
    const found = state.checkpoints.get(hash);
    if (found === undefined || found.header.epoch < best.header.epoch) continue;
    const { point } = nodeOf(state, found.header.lastBlockHash);
    if (!descendsFrom(state, point, state.finalized)) continue;
    if (found.header.epoch > best.header.epoch || found.hash < best.hash) best = found;
  }
  state.justified = best;
  state.justification = justificationOf(state, best);
  out.push({ type: "justified", checkpoint: best, certificate: state.justification });
}

function alarmOnConflict(state: ConsensusState, { epoch, hash, acks }: Tally, out: Action[]): void {
  if (hash === state.finalized.hash || !isQuorumIn(state.finalized.config, acks.keys())) return;
  out.push({ type: "alarm", alarm: { code: "CONFLICTING_FINALITY", epoch, hash } });
}

/** Messages under the keys that are in force at this checkpoint. */
function counting<T extends { readonly keyHash: Hash }>(
  { config }: Checkpoint,
  records: ReadonlyMap<number, T>,
): ReadonlyMap<number, T> {
  return new Map(
    [...records].filter(([id, { keyHash }]) => memberOf(config, id)?.keyHash === keyHash),
  );
}

/** What is certified may be of a branch that is further than the head. */
function counts(state: ConsensusState, epoch: number, way: Way, isNew: boolean): boolean {
  const [lowest, highest] = messageWindow(state);
  return epoch >= lowest && (way === "certified" || (isNew && epoch <= highest));
}

function tallyOf(state: ConsensusState, epoch: number, hash: Hash): Tally {
  let tally = state.tallies.get(hash);
  if (tally === undefined) {
    tally = { epoch, hash, votes: new Map(), acks: new Map() };
    state.tallies.set(hash, tally);
  }
  return tally;
}

/** Keeps the message if it is new and not one too many, and reports what it contradicts. */
function remember(
  state: ConsensusState,
  validator: number,
  entry: HistoryEntry,
  out: Action[],
): boolean {
  const known = state.history.get(validator) ?? [];
  const epoch = epochOfMessage(entry);
  const same = known.filter(
    (other) => other.type === entry.type && epochOfMessage(other) === epoch,
  );
  if (same.some((other) => isSameMessage(other, entry))) return false;
  if (same.length >= LIMITS.messagesOfEpoch) return false;
  reportContradiction(validator, known, entry, out);
  // a message that is forgotten while it counts could come again, and another in its place
  const [lowest] = messageWindow(state);
  const isOld = (other: HistoryEntry) => epochOfMessage(other) < lowest;
  const old = known.filter(isOld).slice(-LIMITS.history);
  state.history.set(validator, [...old, ...known.filter((other) => !isOld(other)), entry]);
  return true;
}

/** One contradiction for each message, with the newest that it contradicts: a validator is convicted once. */
function reportContradiction(
  validator: number,
  known: readonly HistoryEntry[],
  entry: HistoryEntry,
  out: Action[],
): void {
  const other = known.findLast((earlier) => contradiction(earlier, entry) !== undefined);
  const offence = other && contradiction(other, entry);
  if (other === undefined || offence === undefined) return;
  const evidence: FoundEvidence = { offence, validator, a: plain(other), b: plain(entry) };
  out.push({ type: "evidence", evidence });
}

function sideOf(record: VoteRecord | AckRecord, body: Uint8Array) {
  return { body, signature: record.signature, keyHash: record.keyHash };
}

function plain({ body, signature, keyHash }: HistoryEntry) {
  return { body, signature, keyHash };
}
