/** Why the signer does not sign. */
import { NodeError } from "../../primitives/errors.ts";
import type { Hash } from "../../primitives/hex.ts";

/** A message that could contradict one that this key may have signed; S-numbers as in docs/consensus.md §7. */
export type SlashableReason =
  /** S4: (slot, seq) is not above the highest one signed. */
  | {
      readonly code: "SEAL_NOT_NEWER";
      readonly slot: number;
      readonly seq: number;
      readonly signedSlot: number;
      readonly signedSeq: number;
    }
  /** S1: the target is not above the highest one signed. */
  | { readonly code: "VOTE_NOT_NEWER"; readonly target: number; readonly signedTarget: number }
  /** S3: the source is below the highest one signed. */
  | { readonly code: "VOTE_SURROUNDS"; readonly source: number; readonly signedSource: number }
  /** S2: the vote goes across an acked epoch. */
  | { readonly code: "VOTE_CROSSES_ACK"; readonly source: number; readonly signedAck: number }
  /** S1': the epoch is not above the highest one acked. */
  | { readonly code: "ACK_NOT_NEWER"; readonly epoch: number; readonly signedAck: number }
  /** S2: a vote went across this epoch, or may have: records reach back to `completeAbove` only. */
  | { readonly code: "ACK_CROSSED"; readonly epoch: number; readonly completeAbove: number }
  /** Source and target of a vote the wrong way round. */
  | { readonly code: "VOTE_BACKWARDS"; readonly source: number; readonly target: number };

export type SigningErrorReason =
  | SlashableReason
  /** A message of this key was seen that is not in the records: they are old, or another process signs with the key. */
  | { readonly code: "FOREIGN_MESSAGE"; readonly seen: string }
  /** The records in this place are another key's or another network's. */
  | { readonly code: "WRONG_RECORDS"; readonly expected: string; readonly got: string }
  /** Parts of the records are gone or cannot be read: what the key has signed is not known. */
  | { readonly code: "DAMAGED_RECORDS"; readonly problem: string }
  | { readonly code: "BAD_INTERCHANGE"; readonly path: string; readonly problem: string }
  | { readonly code: "WRONG_NETWORK"; readonly expected: string; readonly got: string };

/** A refusal to sign, or protection data that cannot be used. */
export class SigningError extends NodeError<SigningErrorReason> {}

/** The records of one key on one network. */
export interface SigningIdentity {
  /** keccak256 of the public key */
  readonly keyHash: Hash;
  readonly chainId: bigint;
  readonly salt: Hash;
}
