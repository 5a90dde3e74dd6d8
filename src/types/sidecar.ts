/**
 * Consensus data beside a block. Its hash is the header's extraData, so the block commits to it while
 * keccak256(rlp(header)) stays the block's hash. The signatures of the votes lie outside and can be pruned.
 * Source: docs/consensus.md §2.
 */
import { keccakHash } from "../crypto/keccak.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Hash, ZERO_HASH } from "../primitives/hex.ts";
import { counterItem, readCounter } from "./fixedBytes.ts";
import {
  decodeRlp,
  encodeRlp,
  fail,
  hexItem,
  type RlpInput,
  type RlpItem,
  readBytes,
  readHash,
  readList,
} from "./rlp.ts";
import { decodeVote, encodeVote, VOTE_BODY_BYTES, type Vote } from "./vote.ts";

const VERSION = 1;
/** Items of a sidecar with 10,000 votes, the most a genesis may allow, and some. */
const LIMITS = { maxDepth: 2, maxItems: 10_016 };

/** The part that is hashed and kept for ever. */
export interface SidecarCore {
  readonly slot: number;
  /** place among the slot's blocks, from 0 */
  readonly seq: number;
  readonly tick: number;
  /** validator id */
  readonly proposer: number;
  /** the proposer's secret, 32 bytes */
  readonly reveal: Hash | undefined;
  readonly votes: readonly Vote[];
  /** keccak256 of the votes' signatures, one after the other; the zero hash without votes */
  readonly sigsHash: Hash;
}

/** Sidecars are values that nobody changes, and each is judged more than once: built, judged, stored. */
const sidecarHashes = new WeakMap<SidecarCore, Hash>();
const signaturesHashes = new WeakMap<readonly Bytes[], Hash>();

/** RLP [version, slot, seq, tick, proposer, reveal, votes, sigsHash]. */
export function encodeSidecar(core: SidecarCore): Bytes {
  return encodeRlp(sidecarItems(core));
}

/** Sidecar core from its RLP. Throws DecodeError. */
export function decodeSidecar(raw: Bytes): SidecarCore {
  return sidecarFromItem(decodeRlp(raw, "sidecar", LIMITS), "sidecar");
}

/** What the block's extraData must be. */
export function hashSidecar(core: SidecarCore): Hash {
  let known = sidecarHashes.get(core);
  if (known === undefined) {
    known = keccakHash(encodeSidecar(core));
    sidecarHashes.set(core, known);
  }
  return known;
}

/** `sigsHash` of these signatures, in the order of the votes. */
export function hashVoteSignatures(signatures: readonly Bytes[]): Hash {
  if (signatures.length === 0) return ZERO_HASH;
  let known = signaturesHashes.get(signatures);
  if (known === undefined) {
    known = keccakHash(concatBytes(...signatures));
    signaturesHashes.set(signatures, known);
  }
  return known;
}

/** Items of the core's RLP list. */
export function sidecarItems(core: SidecarCore): RlpInput[] {
  return [
    counterItem(VERSION, "sidecar.version"),
    counterItem(core.slot, "sidecar.slot"),
    counterItem(core.seq, "sidecar.seq"),
    counterItem(core.tick, "sidecar.tick"),
    counterItem(core.proposer, "sidecar.proposer"),
    core.reveal === undefined ? EMPTY_BYTES : hexItem(core.reveal),
    core.votes.map(encodeVote),
    hexItem(core.sigsHash),
  ];
}

/** Sidecar core from its decoded RLP list. Throws DecodeError. */
export function sidecarFromItem(item: RlpItem | undefined, where: string): SidecarCore {
  const [version, slot, seq, tick, proposer, reveal, votes, sigsHash] = readList(item, where, 8);
  const found = readCounter(version, `${where}.version`, 8);
  if (found !== VERSION)
    fail("BAD_FIELD", { where: `${where}.version`, expected: `${VERSION}`, got: `${found}` });
  const core = {
    slot: readCounter(slot, `${where}.slot`, 64),
    seq: readCounter(seq, `${where}.seq`, 8),
    tick: readCounter(tick, `${where}.tick`, 8),
    proposer: readCounter(proposer, `${where}.proposer`, 32),
    reveal: readReveal(reveal, `${where}.reveal`),
    votes: readList(votes, `${where}.votes`).map((vote) =>
      decodeVote(readBytes(vote, `${where}.votes`, VOTE_BODY_BYTES), `${where}.votes`),
    ),
    sigsHash: readHash(sigsHash, `${where}.sigsHash`),
  };
  if (core.votes.length === 0 && core.sigsHash !== ZERO_HASH)
    fail("BAD_FIELD", {
      where: `${where}.sigsHash`,
      expected: "the zero hash without votes",
      got: core.sigsHash,
    });
  return core;
}

function readReveal(item: RlpItem | undefined, where: string): Hash | undefined {
  return readBytes(item, where).length === 0 ? undefined : readHash(item, where);
}
