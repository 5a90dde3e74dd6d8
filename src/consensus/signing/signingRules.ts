/**
 * What a validator may sign without ever being slashable, decided by what it has signed before. Pure.
 * The rules are stricter than slashing is: they need the highest positions only, so that they hold with records that were
 * pruned or imported as bounds. Source: docs/consensus.md §7 (S1 to S4), §10.
 */

import type { Bytes } from "../../primitives/bytes.ts";
import { MESSAGE_KIND } from "../../types/consensusMessage.ts";
import { encodeSeal, type Seal } from "../../types/seal.ts";
import { type Ack, encodeAck, encodeVote, type Vote } from "../../types/vote.ts";
import type { SlashableReason } from "./signingError.ts";

/** What a validator signs. */
export type ValidatorMessage =
  | { readonly type: "seal"; readonly seal: Seal }
  | { readonly type: "vote"; readonly vote: Vote }
  | { readonly type: "ack"; readonly ack: Ack };

export type MessageType = ValidatorMessage["type"];

/** Where a message stands among those of its type. */
export interface Place {
  readonly type: MessageType;
  /** slot of a seal, target of a vote, epoch of an ack */
  readonly position: number;
  /** of a seal; 0 otherwise */
  readonly seq: number;
  /** source epoch of a vote; 0 otherwise */
  readonly source: number;
}

/** Highest positions that the key may have signed; -1: none. */
export interface SigningBounds {
  readonly slot: number;
  readonly seq: number;
  readonly target: number;
  readonly source: number;
  readonly ack: number;
  /** Votes with targets above this are all recorded. */
  readonly completeAbove: number;
}

export const NOTHING_SIGNED: SigningBounds = {
  slot: -1,
  seq: -1,
  target: -1,
  source: -1,
  ack: -1,
  completeAbove: -1,
};

/** A recorded vote. */
export type VoteSpan = Pick<Place, "source" | "position">;

/** Kind byte and body of a message. */
export function bodyOf(message: ValidatorMessage): { readonly kind: number; readonly body: Bytes } {
  switch (message.type) {
    case "seal":
      return { kind: MESSAGE_KIND.seal, body: encodeSeal(message.seal) };
    case "vote":
      return { kind: MESSAGE_KIND.vote, body: encodeVote(message.vote) };
    case "ack":
      return { kind: MESSAGE_KIND.ack, body: encodeAck(message.ack) };
  }
}

export function placeOf(message: ValidatorMessage): Place {
  switch (message.type) {
    case "seal":
      return { type: "seal", position: message.seal.slot, seq: message.seal.seq, source: 0 };
    case "vote": {
      const { tgtEpoch, srcEpoch } = message.vote;
      return { type: "vote", position: tgtEpoch, seq: 0, source: srcEpoch };
    }
    case "ack":
      return { type: "ack", position: message.ack.epoch, seq: 0, source: 0 };
  }
}

/** For logs and errors: the place and the start of the body. */
export function describePlace({ type, position, seq }: Place): string {
  return type === "seal" ? `seal of slot ${position}, seq ${seq}` : `${type} for epoch ${position}`;
}

/** Why a message in this place must not be signed; undefined: it may be. `votes`: the recorded ones. */
export function refusalOf(
  place: Place,
  bounds: SigningBounds,
  votes: Iterable<VoteSpan>,
): SlashableReason | undefined {
  switch (place.type) {
    case "seal":
      return refusalOfSeal(place, bounds);
    case "vote":
      return refusalOfVote(place, bounds);
    case "ack":
      return refusalOfAck(place, bounds, votes);
  }
}

/**
 * The same for a message that is recorded without a signature: nothing that was recorded later, imported or adopted may have
 * gone beyond it.
 */
export function refusalOfRepeat(
  place: Place,
  bounds: SigningBounds,
  votes: Iterable<VoteSpan>,
): SlashableReason | undefined {
  return refusalOf(place, boundsWithout(place, bounds), votes);
}

/** The bounds as they may have been before a message in this place, if it is the highest. */
function boundsWithout({ type, position, seq }: Place, bounds: SigningBounds): SigningBounds {
  const { slot, target, ack } = bounds;
  if (type === "seal" && position === slot && seq === bounds.seq)
    return { ...bounds, seq: seq - 1 };
  if (type === "vote" && position === target) return { ...bounds, target: target - 1 };
  return type === "ack" && position === ack ? { ...bounds, ack: ack - 1 } : bounds;
}

/** The bounds once a message in this place may have been signed. */
export function raisedBy(bounds: SigningBounds, place: Place): SigningBounds {
  switch (place.type) {
    case "seal":
      return isAbove(place, bounds) ? { ...bounds, slot: place.position, seq: place.seq } : bounds;
    case "vote":
      return {
        ...bounds,
        target: Math.max(bounds.target, place.position),
        source: Math.max(bounds.source, place.source),
      };
    case "ack":
      return { ...bounds, ack: Math.max(bounds.ack, place.position) };
  }
}

/** Whether the key cannot have signed in this place, by these bounds. */
export function isBeyond(place: Place, bounds: SigningBounds): boolean {
  switch (place.type) {
    case "seal":
      return isAbove(place, bounds);
    case "vote":
      return place.position > bounds.target;
    case "ack":
      return place.position > bounds.ack;
  }
}

function isAbove({ position, seq }: Place, bounds: SigningBounds): boolean {
  return position > bounds.slot || (position === bounds.slot && seq > bounds.seq);
}

function refusalOfSeal(place: Place, bounds: SigningBounds): SlashableReason | undefined {
  if (isAbove(place, bounds)) return undefined;
  const { position: slot, seq } = place;
  return { code: "SEAL_NOT_NEWER", slot, seq, signedSlot: bounds.slot, signedSeq: bounds.seq };
}

function refusalOfVote(
  { position: target, source }: Place,
  bounds: SigningBounds,
): SlashableReason | undefined {
  if (source >= target) return { code: "VOTE_BACKWARDS", source, target };
  if (target <= bounds.target)
    return { code: "VOTE_NOT_NEWER", target, signedTarget: bounds.target };
  if (source < bounds.source)
    return { code: "VOTE_SURROUNDS", source, signedSource: bounds.source };
  if (source < bounds.ack) return { code: "VOTE_CROSSES_ACK", source, signedAck: bounds.ack };
  return undefined;
}

function refusalOfAck(
  { position: epoch }: Place,
  bounds: SigningBounds,
  votes: Iterable<VoteSpan>,
): SlashableReason | undefined {
  if (epoch <= bounds.ack) return { code: "ACK_NOT_NEWER", epoch, signedAck: bounds.ack };
  if (epoch >= bounds.target) return undefined;
  const crossed: SlashableReason = {
    code: "ACK_CROSSED",
    epoch,
    completeAbove: bounds.completeAbove,
  };
  if (epoch < bounds.completeAbove) return crossed;
  for (const { source, position } of votes) if (source < epoch && epoch < position) return crossed;
  return undefined;
}
