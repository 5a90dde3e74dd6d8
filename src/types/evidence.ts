/**
 * Two signed messages of one validator that contradict each other: what the staking contract slashes for.
 * Source: docs/consensus.md §2, §7, §9.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { counterItem, readCounter } from "./fixedBytes.ts";
import { decodeRlp, encodeRlp, fail, type RlpItem, readBytes, readList } from "./rlp.ts";
import { decodeSeal, type Seal } from "./seal.ts";
import {
  ACK_BODY_BYTES,
  type Ack,
  CONSENSUS_SIGNATURE_BYTES,
  decodeAck,
  decodeVote,
  isSameVote,
  VOTE_BODY_BYTES,
  type Vote,
} from "./vote.ts";

/** Which function of the contract takes it: slashDoubleSeal (S4) or slashDoubleVote (S1, S1', S2, S3). */
export const EVIDENCE_KIND = { doubleSeal: 1, doubleVote: 2 } as const;

export type EvidenceKind = (typeof EVIDENCE_KIND)[keyof typeof EVIDENCE_KIND];

/** One side of the contradiction. */
export interface EvidenceMessage {
  /** index of the validator's key in the staking contract: 0 is the first it had */
  readonly key: number;
  /** body of a seal, vote or ack */
  readonly body: Bytes;
  readonly signature: Bytes;
}

export interface Evidence {
  readonly kind: EvidenceKind;
  readonly a: EvidenceMessage;
  readonly b: EvidenceMessage;
}

/** Why two messages contradict each other; S-numbers as in docs/consensus.md §7. */
export type Offence =
  /** S1: two votes for one target epoch */
  | "double vote"
  /** S1': two acks for one epoch */
  | "double ack"
  /** S2: a vote across an acked epoch */
  | "ack surround"
  /** S3: a vote around another */
  | "vote surround"
  /** S4: two blocks in one place of a slot */
  | "double seal";

/** A vote or an ack, told apart by kind: their bodies have different lengths. */
export type FinalityMessage =
  | { readonly type: "vote"; readonly vote: Vote }
  | { readonly type: "ack"; readonly ack: Ack };

/** Epoch of an ack, target epoch of a vote. */
export function epochOfMessage(message: FinalityMessage): number {
  return message.type === "vote" ? message.vote.tgtEpoch : message.ack.epoch;
}

/** Who signed it. */
export function validatorOf(message: FinalityMessage): number {
  return message.type === "vote" ? message.vote.validator : message.ack.validator;
}

/** Whether both say the same. */
export function isSameMessage(a: FinalityMessage, b: FinalityMessage): boolean {
  if (a.type === "vote") return b.type === "vote" && isSameVote(a.vote, b.vote);
  if (b.type !== "ack") return false;
  const sameAck = a.ack.epoch === b.ack.epoch && a.ack.macroHash === b.ack.macroHash;
  return sameAck && a.ack.validator === b.ack.validator;
}

const LIMITS = { maxDepth: 1, maxItems: 8 };

/** RLP [kind, keyA, bodyA, sigA, keyB, bodyB, sigB]. */
export function encodeEvidence({ kind, a, b }: Evidence): Bytes {
  return encodeRlp([
    counterItem(kind, "evidence.kind"),
    counterItem(a.key, "evidence.keyA"),
    a.body,
    a.signature,
    counterItem(b.key, "evidence.keyB"),
    b.body,
    b.signature,
  ]);
}

/** Evidence from its RLP: both bodies decode and contradict each other; no signature is verified. Throws DecodeError. */
export function decodeEvidence(raw: Bytes): Evidence {
  const items = readList(decodeRlp(raw, "evidence", LIMITS), "evidence", 7);
  const kind = readCounter(items[0], "evidence.kind", 8);
  const a = readMessage(items.slice(1, 4), "A");
  const b = readMessage(items.slice(4, 7), "B");
  if (kind !== EVIDENCE_KIND.doubleSeal && kind !== EVIDENCE_KIND.doubleVote)
    fail("BAD_FIELD", { where: "evidence.kind", expected: "1 or 2", got: `${kind}` });
  const evidence: Evidence = { kind, a, b };
  if (offenceOf(evidence) === undefined)
    fail("BAD_FIELD", {
      where: "evidence",
      expected: "two messages of one validator that contradict each other",
      got: "two that do not",
    });
  return evidence;
}

/** Which rule the two messages break together; undefined if none. Throws DecodeError on bodies that do not decode. */
export function offenceOf({ kind, a, b }: Evidence): Offence | undefined {
  if (kind === EVIDENCE_KIND.doubleSeal) {
    const [one, other] = [decodeSeal(a.body, "evidence.seal"), decodeSeal(b.body, "evidence.seal")];
    return isDoubleSeal(one, other) ? "double seal" : undefined;
  }
  return contradiction(readFinalityMessage(a.body), readFinalityMessage(b.body));
}

/** S4: equal proposer, slot and seq, but another block. */
export function isDoubleSeal(a: Seal, b: Seal): boolean {
  return (
    a.proposer === b.proposer && a.slot === b.slot && a.seq === b.seq && a.blockHash !== b.blockHash
  );
}

/** S1, S1', S2 or S3 between two messages of one validator, in either order. */
export function contradiction(a: FinalityMessage, b: FinalityMessage): Offence | undefined {
  if (a.type === "vote" && b.type === "vote") return voteContradiction(a.vote, b.vote);
  if (a.type === "ack" && b.type === "ack") return ackContradiction(a.ack, b.ack);
  if (a.type === "ack" && b.type === "vote") return surroundsAck(b.vote, a.ack);
  if (a.type === "vote" && b.type === "ack") return surroundsAck(a.vote, b.ack);
  return undefined;
}

function voteContradiction(a: Vote, b: Vote): Offence | undefined {
  if (a.validator !== b.validator) return undefined;
  if (a.tgtEpoch === b.tgtEpoch) return isSameVote(a, b) ? undefined : "double vote";
  const [outer, inner] = a.tgtEpoch > b.tgtEpoch ? [a, b] : [b, a];
  return outer.srcEpoch < inner.srcEpoch ? "vote surround" : undefined;
}

function ackContradiction(a: Ack, b: Ack): Offence | undefined {
  const same = a.validator === b.validator && a.epoch === b.epoch;
  return same && a.macroHash !== b.macroHash ? "double ack" : undefined;
}

function surroundsAck(vote: Vote, ack: Ack): Offence | undefined {
  const across = vote.srcEpoch < ack.epoch && ack.epoch < vote.tgtEpoch;
  return vote.validator === ack.validator && across ? "ack surround" : undefined;
}

function readMessage(items: readonly RlpItem[], side: "A" | "B"): EvidenceMessage {
  return {
    key: readCounter(items[0], `evidence.key${side}`, 8),
    body: readBytes(items[1], `evidence.body${side}`),
    signature: readBytes(items[2], `evidence.sig${side}`, CONSENSUS_SIGNATURE_BYTES),
  };
}

function readFinalityMessage(body: Bytes): FinalityMessage {
  if (body.length === VOTE_BODY_BYTES)
    return { type: "vote", vote: decodeVote(body, "evidence.vote") };
  if (body.length === ACK_BODY_BYTES) return { type: "ack", ack: decodeAck(body, "evidence.ack") };
  return fail("BAD_FIELD", {
    where: "evidence.body",
    expected: `a vote (${VOTE_BODY_BYTES} bytes) or an ack (${ACK_BODY_BYTES} bytes)`,
    got: `${body.length} bytes`,
  });
}
