/**
 * Everything the core remembers. Plain data without references in circles, so `structuredClone` is a snapshot. Owned by
 * whoever calls `step`, which changes it in place. Each collection names its limit here; finality prunes them all.
 */
import type { Hash } from "../../primitives/hex.ts";
import type { AckQC, JustQC } from "../../types/certificate.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import type { SealedBlock } from "../../types/sealedBlock.ts";
import type { SidecarCore } from "../../types/sidecar.ts";
import type { SignedAck, SignedVote } from "../../types/vote.ts";
import type { ChainPoint, Checkpoint } from "./chainPoint.ts";
import type {
  BuildPlan,
  EvidenceSide,
  HeaderWishes,
  Letter,
  Origin,
  SignRequest,
} from "./events.ts";
import type { ExpectedHeader } from "./expectedHeader.ts";
import type { CoreParams } from "./params.ts";

export const LIMITS = {
  /** Blocks that wait for their parent, of all peers and of one. Nobody has vouched for them, so bytes count as well. */
  orphans: 512,
  orphansOfPeer: 64,
  waitingBytes: 64 * 1024 * 1024,
  waitingBytesOfPeer: 16 * 1024 * 1024,
  /** Verifications, builds and signatures under way; gossip beyond is ignored. Of one peer: votes and acks of a large set. */
  pending: 4096,
  pendingOfPeer: 1024,
  /** Blocks of one peer that are being verified or executed. */
  flyingOfPeer: 16,
  /** Blocks of the near future that wait for their time, of all peers and of one. */
  early: 64,
  earlyOfPeer: 16,
  /** Blocks of one place in a slot that are taken from gossip: a pair is evidence, more is noise. */
  blocksOfPlace: 2,
  /** Votes and acks of one validator from before the epochs that count, kept to find contradictions. Those that count all stay. */
  history: 24,
  /** Votes or acks of one validator for one epoch. */
  messagesOfEpoch: 2,
  /** Epochs below the head whose votes count, while finality is stalled. */
  voteEpochs: 64,
  /** Slots below the head whose seals are kept to find a leader that makes two blocks of one place. */
  sealSlots: 1024,
  /** Certificates that wait for their block, of all peers and of one: as many as one sends at a time. */
  heldCertificates: 64,
  heldOfPeer: 9,
  /** Certificates for a peer that lags behind, at one time. */
  letters: 8,
  /** Blocks of one answer to a fetch. */
  fetchedBlocks: 64,
} as const;

/** A block of the tree above F*. */
export interface TreeNode {
  readonly point: ChainPoint;
  readonly core: SidecarCore;
  /** First seen before the end of its slot and one second more, by the own clock. */
  readonly timely: boolean;
  /** Occupied slots since some fixed block below: only differences mean anything. */
  weight: number;
  /** Epochs whose last block shares its slot with the next block of this branch. */
  readonly carried: readonly number[];
}

/** A vote or ack whose signature is good, and the key it is good under. */
export type VoteRecord = SignedVote & { readonly keyHash: Hash };
export type AckRecord = SignedAck & { readonly keyHash: Hash };

/** What is known about one checkpoint, seen or not. */
export interface Tally {
  readonly epoch: number;
  readonly hash: Hash;
  /** source hash → validator → vote */
  readonly votes: Map<Hash, Map<number, VoteRecord>>;
  readonly acks: Map<number, AckRecord>;
}

/** A message in a validator's history, as evidence wants it. */
export type HistoryEntry =
  | (EvidenceSide & { readonly type: "vote"; readonly vote: SignedVote["vote"] })
  | (EvidenceSide & { readonly type: "ack"; readonly ack: SignedAck["ack"] });

/** A seal seen in one place of a slot. */
export interface SealRecord extends EvidenceSide {
  readonly proposer: number;
  readonly seq: number;
  readonly blockHash: Hash;
}

/** A block on its way into the tree. */
export interface IncomingBlock {
  readonly block: SealedBlock;
  readonly origin: Origin;
  readonly firstSeenMs: number;
}

/** A block being verified or executed. */
export interface FlyingBlock extends IncomingBlock {
  readonly expected: ExpectedHeader;
}

/** What an answer will be about. */
export type Pending =
  | { readonly type: "block"; readonly hash: Hash; readonly origin: Origin }
  | { readonly type: "vote"; readonly record: VoteRecord; readonly origin: Origin }
  | { readonly type: "ack"; readonly record: AckRecord; readonly origin: Origin }
  | {
      readonly type: "certificate";
      readonly kind: Letter["type"];
      readonly macroHash: Hash;
      readonly records: readonly (AckRecord | VoteRecord)[];
      readonly origin: Origin;
    }
  | { readonly type: "build"; readonly plan: BuildPlan }
  | { readonly type: "sign"; readonly request: SignRequest; readonly draft: OwnDraft | undefined };

/** An own block that waits for its seal. */
export interface OwnDraft {
  readonly block: SealedBlock;
  readonly plan: BuildPlan;
  readonly candidates: readonly Candidate[] | undefined;
}

/** A certificate and who sent it. */
export interface HeldLetter {
  readonly letter: Letter;
  readonly origin: Origin;
}

/** Blocks being fetched from one peer; one at a time. */
export interface Sync {
  readonly id: number;
  readonly peer: string;
  readonly tip: Hash;
  readonly tipNumber: number;
  readonly from: number;
  /** How far the next step back goes when the branch starts below `from`. */
  readonly stepBack: number;
  /** Last block of the last answer: when it is in the tree, the next request goes out. */
  readonly waitsFor: Hash | undefined;
  readonly startedMs: number;
}

/** What this node signed, as far as it matters for what to sign next; the signer's database has the last word. */
export interface OwnRecord {
  voteTarget: number;
  ackEpoch: number;
  sealedSlot: number;
  sealedSeq: number;
  lastVote: SignedVote | undefined;
  lastAck: SignedAck | undefined;
}

/** A tick whose block waits for blocks of the slot before that are on their way. */
export interface WaitingTick {
  readonly slot: number;
  readonly tick: number;
  readonly pendingTransactions: number;
  readonly wishes?: HeaderWishes;
  readonly untilMs: number;
}

export interface ConsensusState {
  readonly params: CoreParams;
  nowMs: number;
  readonly tree: Map<Hash, TreeNode>;
  readonly leaves: Set<Hash>;
  head: Hash;
  /** F* and its block, the root of the tree. */
  finalized: Checkpoint;
  root: Hash;
  certificate: AckQC | undefined;
  /** J* */
  justified: Checkpoint;
  justification: JustQC | undefined;
  /** Checkpoints in the tree, by macro hash, F* included. */
  readonly checkpoints: Map<Hash, Checkpoint>;
  /** Macro hashes of justified checkpoints in the tree, F* included. */
  readonly justifiedHashes: Set<Hash>;
  /** By macro hash; epochs F* .. head + 1, at most LIMITS.voteEpochs of them. */
  readonly tallies: Map<Hash, Tally>;
  readonly history: Map<number, HistoryEntry[]>;
  /** By slot. */
  readonly seals: Map<number, SealRecord[]>;
  /** `${slot}/${proposer}`: slots that count nothing, since their leader made two blocks of one. */
  readonly equivocations: Set<string>;
  readonly orphans: Map<Hash, IncomingBlock>;
  readonly early: Map<Hash, IncomingBlock>;
  readonly flying: Map<Hash, FlyingBlock>;
  /** By kind, macro hash and peer. */
  readonly heldCertificates: Map<string, HeldLetter>;
  readonly pending: Map<number, Pending>;
  nextId: number;
  sync: Sync | undefined;
  readonly own: OwnRecord;
  waiting: WaitingTick | undefined;
}
