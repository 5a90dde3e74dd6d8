/**
 * Quorum certificates: a bitmap over the members of cfg(epoch) by id and their signatures in that order. Bit i stands for the
 * i-th member: byte i >> 3, value 1 << (i & 7); bits beyond the members are 0. Source: docs/consensus.md §2.
 */
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import { counterItem, readCounter } from "./fixedBytes.ts";
import {
  decodeRlp,
  encodeRlp,
  fail,
  hexItem,
  type RlpItem,
  readBytes,
  readHash,
  readList,
} from "./rlp.ts";
import type { Members } from "./validatorSet.ts";
import {
  type Ack,
  CONSENSUS_SIGNATURE_BYTES,
  type SignedAck,
  type SignedVote,
  type Vote,
} from "./vote.ts";

/** Members of a configuration in the middle of a hand-off between two sets of the largest allowed size. */
const MAX_MEMBERS = 20_000;
const LIMITS = { maxDepth: 2, maxItems: 2 * MAX_MEMBERS + 16 };

/** Acks of a quorum: the checkpoint is final. */
export interface AckQC {
  readonly epoch: number;
  readonly macroHash: Hash;
  readonly bitmap: Bytes;
  readonly signatures: readonly Bytes[];
}

/** Votes of a quorum from one source: the checkpoint is justified if the source is. */
export interface JustQC {
  readonly epoch: number;
  readonly macroHash: Hash;
  readonly srcEpoch: number;
  readonly srcHash: Hash;
  readonly bitmap: Bytes;
  /** randomness commitment of each voter, in the order of the bitmap: part of what it signed */
  readonly commits: readonly Hash[];
  readonly signatures: readonly Bytes[];
}

/** RLP [epoch, macroHash, bitmap, signatures]. */
export function encodeAckQC(qc: AckQC): Bytes {
  return encodeRlp([
    counterItem(qc.epoch, "ackQC.epoch"),
    hexItem(qc.macroHash),
    qc.bitmap,
    qc.signatures.map((signature) => signature),
  ]);
}

/** Certificate from its RLP; no signature is verified. Throws DecodeError. */
export function decodeAckQC(raw: Bytes): AckQC {
  const where = "ackQC";
  const [epoch, macroHash, bitmap, sigs] = readList(decodeRlp(raw, where, LIMITS), where, 4);
  return {
    epoch: readCounter(epoch, `${where}.epoch`, 64),
    macroHash: readHash(macroHash, `${where}.macroHash`),
    ...readSignatures(bitmap, sigs, where),
  };
}

/** RLP [epoch, macroHash, srcEpoch, srcHash, bitmap, commits, signatures]. */
export function encodeJustQC(qc: JustQC): Bytes {
  return encodeRlp([
    counterItem(qc.epoch, "justQC.epoch"),
    hexItem(qc.macroHash),
    counterItem(qc.srcEpoch, "justQC.srcEpoch"),
    hexItem(qc.srcHash),
    qc.bitmap,
    qc.commits.map(hexItem),
    qc.signatures.map((signature) => signature),
  ]);
}

/** Certificate from its RLP; no signature is verified. Throws DecodeError. */
export function decodeJustQC(raw: Bytes): JustQC {
  const where = "justQC";
  const items = readList(decodeRlp(raw, where, LIMITS), where, 7);
  const { bitmap, signatures } = readSignatures(items[4], items[6], where);
  const commits = readList(items[5], `${where}.commits`, signatures.length);
  return {
    epoch: readCounter(items[0], `${where}.epoch`, 64),
    macroHash: readHash(items[1], `${where}.macroHash`),
    srcEpoch: readCounter(items[2], `${where}.srcEpoch`, 64),
    srcHash: readHash(items[3], `${where}.srcHash`),
    bitmap,
    commits: commits.map((commit) => readHash(commit, `${where}.commits`)),
    signatures,
  };
}

/** Certificate of these acks of one checkpoint; an ack of a stranger is left out. */
export function makeAckQC(members: Members, acks: ReadonlyMap<number, SignedAck>): AckQC {
  const first = [...acks.values()][0];
  if (first === undefined) throw new RangeError("a certificate needs an ack");
  const { bitmap, chosen } = choose(members, acks);
  const { epoch, macroHash } = first.ack;
  return { epoch, macroHash, bitmap, signatures: chosen.map(({ signature }) => signature) };
}

/** Certificate of these votes of one source and target; a vote of a stranger is left out. */
export function makeJustQC(members: Members, votes: ReadonlyMap<number, SignedVote>): JustQC {
  const first = [...votes.values()][0];
  if (first === undefined) throw new RangeError("a certificate needs a vote");
  const { bitmap, chosen } = choose(members, votes);
  const { srcEpoch, srcHash, tgtEpoch, tgtHash } = first.vote;
  return {
    epoch: tgtEpoch,
    macroHash: tgtHash,
    srcEpoch,
    srcHash,
    bitmap,
    commits: chosen.map(({ vote }) => vote.commit),
    signatures: chosen.map(({ signature }) => signature),
  };
}

/** The acks that a certificate stands for. Throws DecodeError if its bitmap is not for this many members. */
export function acksOf(qc: AckQC, members: Members): readonly SignedAck[] {
  const { epoch, macroHash, signatures } = qc;
  return signersOf(qc.bitmap, members, "ackQC").map((validator, index): SignedAck => {
    const ack: Ack = { validator, epoch, macroHash };
    return { ack, signature: signatureAt(signatures, index) };
  });
}

/** The votes that a certificate stands for. Throws DecodeError if its bitmap is not for this many members. */
export function votesOf(qc: JustQC, members: Members): readonly SignedVote[] {
  return signersOf(qc.bitmap, members, "justQC").map((validator, index): SignedVote => {
    const commit = qc.commits[index];
    if (commit === undefined) throw new RangeError("a certificate with too few commits");
    const { srcEpoch, srcHash, epoch: tgtEpoch, macroHash: tgtHash } = qc;
    const vote: Vote = { validator, srcEpoch, srcHash, tgtEpoch, tgtHash, commit };
    return { vote, signature: signatureAt(qc.signatures, index) };
  });
}

/** Ids of the members whose bit is set. Throws DecodeError unless the bitmap has exactly their length and no bit beyond. */
export function signersOf(bitmap: Bytes, members: Members, where: string): readonly number[] {
  const length = Math.ceil(members.length / 8);
  if (bitmap.length !== length)
    fail("BAD_FIELD", {
      where: `${where}.bitmap`,
      expected: `${length} bytes for ${members.length} members`,
      got: `${bitmap.length} bytes`,
    });
  const ids = members.filter((_, index) => isSet(bitmap, index)).map(({ id }) => id);
  if (ids.length !== countBits(bitmap))
    fail("BAD_FIELD", {
      where: `${where}.bitmap`,
      expected: `no bit beyond ${members.length} members`,
      got: `${countBits(bitmap) - ids.length} of them`,
    });
  return ids;
}

function choose<T>(
  members: Members,
  messages: ReadonlyMap<number, T>,
): { readonly bitmap: Bytes; readonly chosen: readonly T[] } {
  const bitmap = new Uint8Array(Math.ceil(members.length / 8));
  const chosen: T[] = [];
  for (const [index, { id }] of members.entries()) {
    const message = messages.get(id);
    if (message === undefined) continue;
    bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
    chosen.push(message);
  }
  return { bitmap, chosen };
}

function readSignatures(
  bitmapItem: RlpItem | undefined,
  sigsItem: RlpItem | undefined,
  where: string,
): { readonly bitmap: Bytes; readonly signatures: readonly Bytes[] } {
  const bitmap = readBytes(bitmapItem, `${where}.bitmap`);
  if (bitmap.length > MAX_MEMBERS / 8)
    fail("RLP_LIMIT", {
      where: `${where}.bitmap`,
      expected: `at most ${MAX_MEMBERS / 8} bytes`,
      got: `${bitmap.length}`,
    });
  const items = readList(sigsItem, `${where}.signatures`, countBits(bitmap));
  const signatures = items.map((item) =>
    readBytes(item, `${where}.signatures`, CONSENSUS_SIGNATURE_BYTES),
  );
  return { bitmap, signatures };
}

function signatureAt(signatures: readonly Bytes[], index: number): Bytes {
  const signature = signatures[index];
  if (signature === undefined) throw new RangeError("a certificate with too few signatures");
  return signature;
}

function isSet(bitmap: Bytes, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

function countBits(bitmap: Bytes): number {
  let count = 0;
  for (const byte of bitmap) for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}
