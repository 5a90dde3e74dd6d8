/** What validators sign about checkpoints: votes justify, acks finalise. Source: docs/consensus.md §2, §7. */
import type { Bytes } from "../primitives/bytes.ts";
import { concatBytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import { FixedReader, FixedWriter } from "./fixedBytes.ts";
import { fail } from "./rlp.ts";

/** Bytes of a body, which is what is signed (kinds 0x02 and 0x03 of consensusMessage.ts). */
export const VOTE_BODY_BYTES = 116;
export const ACK_BODY_BYTES = 44;
/** ML-DSA-44, keyType 1. */
export const CONSENSUS_SIGNATURE_BYTES = 2420;

/** "From the justified source to this target"; also carries the voter's randomness commitment for epoch tgtEpoch + 1. */
export interface Vote {
  readonly validator: number;
  readonly srcEpoch: number;
  /** macro hash of the source */
  readonly srcHash: Hash;
  readonly tgtEpoch: number;
  /** macro hash of the target */
  readonly tgtHash: Hash;
  readonly commit: Hash;
}

/** "This checkpoint is justified": a quorum of acks finalises it. */
export interface Ack {
  readonly validator: number;
  readonly epoch: number;
  readonly macroHash: Hash;
}

export interface SignedVote {
  readonly vote: Vote;
  /** 2420 bytes */
  readonly signature: Bytes;
}

export interface SignedAck {
  readonly ack: Ack;
  /** 2420 bytes */
  readonly signature: Bytes;
}

/** Body of a vote: validator:u32 ‖ srcEpoch:u64 ‖ srcHash ‖ tgtEpoch:u64 ‖ tgtHash ‖ commit. */
export function encodeVote(vote: Vote): Bytes {
  return new FixedWriter(VOTE_BODY_BYTES, "vote")
    .u32(vote.validator)
    .u64(vote.srcEpoch)
    .hash(vote.srcHash)
    .u64(vote.tgtEpoch)
    .hash(vote.tgtHash)
    .hash(vote.commit).bytes;
}

/** Vote from its body. Throws DecodeError. */
export function decodeVote(body: Bytes, where = "vote"): Vote {
  const reader = new FixedReader(body, where, VOTE_BODY_BYTES);
  return {
    validator: reader.u32(),
    srcEpoch: reader.u64(),
    srcHash: reader.hash(),
    tgtEpoch: reader.u64(),
    tgtHash: reader.hash(),
    commit: reader.hash(),
  };
}

/** Body of an ack: validator:u32 ‖ epoch:u64 ‖ macroHash. */
export function encodeAck(ack: Ack): Bytes {
  return new FixedWriter(ACK_BODY_BYTES, "ack")
    .u32(ack.validator)
    .u64(ack.epoch)
    .hash(ack.macroHash).bytes;
}

/** Ack from its body. Throws DecodeError. */
export function decodeAck(body: Bytes, where = "ack"): Ack {
  const reader = new FixedReader(body, where, ACK_BODY_BYTES);
  return { validator: reader.u32(), epoch: reader.u64(), macroHash: reader.hash() };
}

/** Gossip form: body ‖ signature. */
export function encodeSignedVote({ vote, signature }: SignedVote): Bytes {
  return concatBytes(encodeVote(vote), checkedSignature(signature, "vote"));
}

/** Signed vote from its gossip form; the signature is not verified. Throws DecodeError. */
export function decodeSignedVote(raw: Bytes): SignedVote {
  const [body, signature] = split(raw, VOTE_BODY_BYTES, "vote");
  return { vote: decodeVote(body), signature };
}

/** Gossip form: body ‖ signature. */
export function encodeSignedAck({ ack, signature }: SignedAck): Bytes {
  return concatBytes(encodeAck(ack), checkedSignature(signature, "ack"));
}

/** Signed ack from its gossip form; the signature is not verified. Throws DecodeError. */
export function decodeSignedAck(raw: Bytes): SignedAck {
  const [body, signature] = split(raw, ACK_BODY_BYTES, "ack");
  return { ack: decodeAck(body), signature };
}

/** Whether both say the same, the commitment included: two votes that differ in it alone are a double vote. */
export function isSameVote(a: Vote, b: Vote): boolean {
  return (
    a.validator === b.validator &&
    a.srcEpoch === b.srcEpoch &&
    a.srcHash === b.srcHash &&
    a.tgtEpoch === b.tgtEpoch &&
    a.tgtHash === b.tgtHash &&
    a.commit === b.commit
  );
}

function split(raw: Bytes, bodyBytes: number, where: string): readonly [Bytes, Bytes] {
  const length = bodyBytes + CONSENSUS_SIGNATURE_BYTES;
  if (raw.length !== length)
    fail("BAD_FIELD", { where, expected: `${length} bytes`, got: `${raw.length} bytes` });
  return [raw.subarray(0, bodyBytes), Uint8Array.from(raw.subarray(bodyBytes))];
}

function checkedSignature(signature: Bytes, where: string): Bytes {
  if (signature.length !== CONSENSUS_SIGNATURE_BYTES)
    fail("BAD_FIELD", {
      where: `${where}.signature`,
      expected: `${CONSENSUS_SIGNATURE_BYTES} bytes`,
      got: `${signature.length} bytes`,
    });
  return signature;
}
