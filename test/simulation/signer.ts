/** Slashing protection as docs/consensus.md §10 has it, without a disk: what is written is never lost. */

import type { SignedMessage, SignRequest } from "../../src/consensus/core/events.ts";
import { keccakHash } from "../../src/crypto/keccak.ts";
import { type Bytes, concatBytes } from "../../src/primitives/bytes.ts";
import { bytesToHex, type Hash } from "../../src/primitives/hex.ts";
import {
  commitHash,
  consensusMessage,
  MESSAGE_KIND,
  type MessageDomain,
} from "../../src/types/consensusMessage.ts";
import { encodeSeal } from "../../src/types/seal.ts";
import { encodeAck, encodeVote, type Vote } from "../../src/types/vote.ts";
import type { SimKey } from "./keys.ts";

/** One key, one signer. */
export class Signer {
  readonly key: SimKey;
  readonly #domain: MessageDomain;
  readonly #isSafe: boolean;
  readonly #votes: Vote[] = [];
  #maxTarget = -1;
  #maxSource = -1;
  #maxAck = -1;
  #seal: readonly [slot: number, seq: number] = [-1, 0];
  readonly #signed = new Map<string, Bytes>();

  /** An unsafe signer signs anything. */
  constructor(key: SimKey, domain: MessageDomain, isSafe: boolean) {
    this.key = key;
    this.#domain = domain;
    this.#isSafe = isSafe;
  }

  /** The secret that is committed to for an epoch of the fork `targetHash`. */
  secret(epoch: number, targetHash: Hash): Hash {
    const text = new TextEncoder().encode(`${this.key.keyHash} ${epoch} ${targetHash}`);
    return keccakHash(text);
  }

  /** The signature, or undefined if it could be slashed. */
  sign(request: SignRequest): SignedMessage | undefined {
    switch (request.type) {
      case "seal": {
        const { slot, seq } = request.seal;
        const signature = this.#release(MESSAGE_KIND.seal, encodeSeal(request.seal), () => {
          const [lastSlot, lastSeq] = this.#seal;
          const isLater = slot > lastSlot || (slot === lastSlot && seq > lastSeq);
          if (isLater) this.#seal = [slot, seq];
          return isLater;
        });
        return signature && { type: "seal", signature };
      }
      case "vote": {
        const { validator, tgtEpoch, tgtHash } = request.vote;
        const epoch = tgtEpoch + 1;
        const commit = commitHash(this.#domain, validator, epoch, this.secret(epoch, tgtHash));
        const vote: Vote = { ...request.vote, commit };
        const signature = this.#release(MESSAGE_KIND.vote, encodeVote(vote), () =>
          this.#mayVote(vote),
        );
        return signature && { type: "vote", vote, signature };
      }
      case "ack": {
        const { epoch } = request.ack;
        const signature = this.#release(MESSAGE_KIND.ack, encodeAck(request.ack), () => {
          const isCrossed = this.#votes.some(
            (vote) => vote.srcEpoch < epoch && epoch < vote.tgtEpoch,
          );
          const isFree = epoch > this.#maxAck && !isCrossed;
          if (isFree) this.#maxAck = epoch;
          return isFree;
        });
        return signature && { type: "ack", signature };
      }
    }
  }

  #mayVote(vote: Vote): boolean {
    const { srcEpoch, tgtEpoch } = vote;
    const isFree =
      tgtEpoch > this.#maxTarget && srcEpoch >= Math.max(this.#maxSource, this.#maxAck);
    if (!isFree) return false;
    this.#votes.push(vote);
    this.#maxTarget = tgtEpoch;
    this.#maxSource = Math.max(this.#maxSource, srcEpoch);
    return true;
  }

  #release(kind: number, body: Bytes, isAllowed: () => boolean): Bytes | undefined {
    const id = bytesToHex(concatBytes(Uint8Array.of(kind), body));
    const known = this.#signed.get(id);
    if (known !== undefined) return known;
    if (this.#isSafe && !isAllowed()) return undefined;
    const signature = this.key.sign(consensusMessage(this.#domain, kind, body));
    this.#signed.set(id, signature);
    return signature;
  }
}
