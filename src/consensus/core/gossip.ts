/**
 * Votes, acks and certificates on their way in: cheap checks, signature, count. The order is window, duplicate, membership,
 * signature. Source: docs/consensus.md §7, §12.
 */
import type { Hash } from "../../primitives/hex.ts";
import { type AckQC, acksOf, type JustQC, votesOf } from "../../types/certificate.ts";
import { MESSAGE_KIND } from "../../types/consensusMessage.ts";
import {
  epochOfMessage,
  type FinalityMessage,
  isSameMessage,
  validatorOf,
} from "../../types/evidence.ts";
import { DecodeError } from "../../types/rlp.ts";
import { encodeAck, encodeVote, type SignedAck, type SignedVote } from "../../types/vote.ts";
import { checkpointAt, checkpointOn, childEpoch } from "./chainPoint.ts";
import { type Configuration, isQuorumIn, memberOf } from "./configuration.ts";
import type { Action, Letter, Origin, SignatureCheck } from "./events.ts";
import { countAck, countVote, messageWindow } from "./finality.ts";
import {
  type AckRecord,
  type ConsensusState,
  type HeldLetter,
  LIMITS,
  type Pending,
  type VoteRecord,
} from "./state.ts";
import { headPoint } from "./tree.ts";

type Verdict = Extract<Action, { type: "verdict" }>["verdict"];

/** Answers a gossiped message; an answer to a fetch needs none, but what is rejected there is blamed. */
export function giveVerdict(origin: Origin, verdict: Verdict, reason: string, out: Action[]): void {
  const { peer, token } = origin;
  if (token !== undefined) out.push({ type: "verdict", token, verdict, reason });
  else if (verdict === "reject" && peer !== OWN_PEER) out.push({ type: "blame", peer, reason });
}

/** Origin of what this node made itself. */
export const OWN_PEER = "own";

/** A vote from a peer. */
export function takeVote(
  state: ConsensusState,
  signed: SignedVote,
  origin: Origin,
  out: Action[],
): void {
  const { vote, signature } = signed;
  const config = configOf(state, vote.tgtEpoch, vote.tgtHash);
  const keyHash = config === undefined ? undefined : memberOf(config, vote.validator)?.keyHash;
  const reason = messageProblem(state, { type: "vote", vote });
  if (reason !== undefined) {
    giveVerdict(origin, "ignore", reason, out);
    return;
  }
  if (vote.srcEpoch >= vote.tgtEpoch) {
    giveVerdict(origin, "reject", "vote: source not before target", out);
    return;
  }
  if (keyHash === undefined) {
    giveVerdict(origin, "ignore", "vote: no member", out);
    return;
  }
  const record: VoteRecord = { vote, signature, keyHash };
  ask(
    state,
    { type: "vote", record, origin },
    [{ kind: MESSAGE_KIND.vote, body: encodeVote(vote), keyHash, signature }],
    out,
  );
}

/** An ack from a peer. */
export function takeAck(
  state: ConsensusState,
  signed: SignedAck,
  origin: Origin,
  out: Action[],
): void {
  const { ack, signature } = signed;
  const config = configOf(state, ack.epoch, ack.macroHash);
  const keyHash = config === undefined ? undefined : memberOf(config, ack.validator)?.keyHash;
  const reason = messageProblem(state, { type: "ack", ack });
  if (reason !== undefined) {
    giveVerdict(origin, "ignore", reason, out);
    return;
  }
  if (keyHash === undefined) {
    giveVerdict(origin, "ignore", "ack: no member", out);
    return;
  }
  const record: AckRecord = { ack, signature, keyHash };
  ask(
    state,
    { type: "ack", record, origin },
    [{ kind: MESSAGE_KIND.ack, body: encodeAck(ack), keyHash, signature }],
    out,
  );
}

/** A certificate from a peer; one for a block that is not here yet waits for it. */
export function takeCertificate(
  state: ConsensusState,
  letter: Letter,
  origin: Origin,
  out: Action[],
): void {
  const { epoch, macroHash } = letter.qc;
  const known =
    letter.type === "ackCertificate"
      ? epoch <= state.finalized.header.epoch
      : state.justifiedHashes.has(macroHash) || epoch <= state.finalized.header.epoch;
  if (known) {
    giveVerdict(origin, "ignore", "certificate: known", out);
    return;
  }
  const checkpoint = state.checkpoints.get(macroHash);
  if (checkpoint === undefined) {
    hold(state, letter, origin);
    giveVerdict(origin, "ignore", "certificate: unknown block", out);
    return;
  }
  openCertificate(state, { letter, origin }, checkpoint.config, out);
}

/** The certificates that waited for this checkpoint. */
export function releaseCertificates(state: ConsensusState, hash: Hash, out: Action[]): void {
  const config = state.checkpoints.get(hash)?.config;
  if (config === undefined) return;
  for (const [key, held] of state.heldCertificates) {
    if (held.letter.qc.macroHash !== hash) continue;
    state.heldCertificates.delete(key);
    openCertificate(state, held, config, out);
  }
}

/** The signature of a gossiped vote or ack was checked. */
export function finishMessage(
  state: ConsensusState,
  pending: Extract<Pending, { type: "vote" | "ack" }>,
  isValid: boolean,
  out: Action[],
): void {
  const { origin } = pending;
  if (!isValid) {
    giveVerdict(origin, "reject", `${pending.type}: bad signature`, out);
    return;
  }
  const isNew =
    pending.type === "vote"
      ? countVote(state, pending.record, "gossip", out)
      : countAck(state, pending.record, "gossip", out);
  giveVerdict(origin, isNew ? "accept" : "ignore", isNew ? "" : "known", out);
}

/** The signatures of a certificate were checked: the good ones count, and only now it may travel on. */
export function finishCertificate(
  state: ConsensusState,
  { records, origin }: Extract<Pending, { type: "certificate" }>,
  valid: readonly boolean[],
  out: Action[],
): void {
  for (const [index, record] of records.entries()) {
    if (valid[index] !== true) continue;
    if ("ack" in record) countAck(state, record, "certified", out);
    else countVote(state, record, "certified", out);
  }
  const isValid = valid.length === records.length && !valid.includes(false);
  giveVerdict(
    origin,
    isValid ? "accept" : "reject",
    isValid ? "" : "certificate: bad signature",
    out,
  );
}

/** Asks for signatures to be checked, if there is room; false otherwise. */
export function ask(
  state: ConsensusState,
  pending: Pending,
  checks: readonly SignatureCheck[],
  out: Action[],
): boolean {
  if (isBusy(state, pending)) {
    if ("origin" in pending) giveVerdict(pending.origin, "ignore", "busy", out);
    return false;
  }
  const id = state.nextId++;
  state.pending.set(id, pending);
  out.push({ type: "verify", id, checks });
  return true;
}

/** cfg(epoch) on the checkpoint's branch, or on the head's while the checkpoint is unknown. */
function configOf(state: ConsensusState, epoch: number, hash: Hash): Configuration | undefined {
  const known = state.checkpoints.get(hash);
  if (known !== undefined) return known.config;
  const head = headPoint(state);
  const epochState = childEpoch(head);
  if (epoch === epochState.epoch) return epochState.config;
  if (epoch === epochState.epoch + 1) return epochState.nextConfig;
  return checkpointOn(head, epoch)?.config ?? checkpointAt(epochState, epoch)?.config;
}

/** Why a vote or ack need not be looked at. */
function messageProblem(state: ConsensusState, message: FinalityMessage): string | undefined {
  const [lowest, highest] = messageWindow(state);
  const epoch = epochOfMessage(message);
  if (epoch < lowest || epoch < 1) return "too old";
  if (epoch > highest) return "of the future";
  const same = (state.history.get(validatorOf(message)) ?? []).filter(
    (entry) => entry.type === message.type && epochOfMessage(entry) === epoch,
  );
  if (same.some((entry) => isSameMessage(entry, message))) return "known";
  return same.length >= LIMITS.messagesOfEpoch ? "one of many" : undefined;
}

/** Whether there is no room for one more check, at all or of this peer. */
function isBusy({ pending }: ConsensusState, asked: Pending): boolean {
  if (pending.size >= LIMITS.pending) return true;
  if (pending.size < LIMITS.pendingOfPeer || !("origin" in asked)) return false;
  let ofPeer = 0;
  for (const other of pending.values())
    if ("origin" in other && other.origin.peer === asked.origin.peer) ofPeer++;
  return ofPeer >= LIMITS.pendingOfPeer;
}

/** One of each kind, checkpoint and peer: nobody can put another's certificate aside. */
function hold(state: ConsensusState, letter: Letter, { peer }: Origin): void {
  const { heldCertificates: held } = state;
  const ofPeer = [...held].filter(([, { origin }]) => origin.peer === peer).map(([key]) => key);
  const [oldest] = ofPeer.length >= LIMITS.heldOfPeer ? ofPeer : held.keys();
  const isFull = ofPeer.length >= LIMITS.heldOfPeer || held.size >= LIMITS.heldCertificates;
  if (isFull && oldest !== undefined) held.delete(oldest);
  const origin = { peer, token: undefined };
  held.set(`${letter.type}/${letter.qc.macroHash}/${peer}`, { letter, origin });
}

/** Takes a certificate apart and has its signatures checked. */
function openCertificate(
  state: ConsensusState,
  { letter, origin }: HeldLetter,
  config: Configuration,
  out: Action[],
): void {
  const records = recordsOf(letter, config);
  if (typeof records === "string") {
    giveVerdict(origin, "reject", records, out);
    return;
  }
  const { type: kind, qc } = letter;
  const { macroHash } = qc;
  for (const other of state.pending.values()) {
    if (other.type !== "certificate" || other.origin.peer !== origin.peer) continue;
    if (other.kind !== kind || other.macroHash !== macroHash) continue;
    giveVerdict(origin, "ignore", "certificate: one is being checked", out);
    return;
  }
  const pending = { type: "certificate", kind, macroHash, records, origin } as const;
  ask(state, pending, records.map(checkOf), out);
}

/** What the certificate stands for; the reason if it cannot be one. */
function recordsOf(
  letter: Letter,
  config: Configuration,
): readonly (AckRecord | VoteRecord)[] | string {
  try {
    const records: readonly (AckRecord | VoteRecord)[] =
      letter.type === "ackCertificate"
        ? ackRecords(letter.qc, config)
        : voteRecords(letter.qc, config);
    const ids = records.map((record) =>
      "ack" in record ? record.ack.validator : record.vote.validator,
    );
    return isQuorumIn(config, ids) ? records : "certificate: no quorum";
  } catch (error) {
    if (error instanceof DecodeError) return "certificate: bad bitmap";
    throw error;
  }
}

function ackRecords(qc: AckQC, config: Configuration): readonly AckRecord[] {
  return acksOf(qc, config.members).map((signed) => ({
    ...signed,
    keyHash: keyOf(config, signed.ack.validator),
  }));
}

function voteRecords(qc: JustQC, config: Configuration): readonly VoteRecord[] {
  return votesOf(qc, config.members).map((signed) => ({
    ...signed,
    keyHash: keyOf(config, signed.vote.validator),
  }));
}

function keyOf(config: Configuration, id: number): Hash {
  const member = memberOf(config, id);
  if (member === undefined) throw new RangeError(`${id} is no member`);
  return member.keyHash;
}

function checkOf(record: AckRecord | VoteRecord): SignatureCheck {
  const { keyHash, signature } = record;
  if ("ack" in record)
    return { kind: MESSAGE_KIND.ack, body: encodeAck(record.ack), keyHash, signature };
  return { kind: MESSAGE_KIND.vote, body: encodeVote(record.vote), keyHash, signature };
}
