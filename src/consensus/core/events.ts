/**
 * What the core is told and what it asks for. `step` takes one event and returns actions in the order in which they must be
 * carried out; nothing else crosses the border. Whoever drives it (the node's engine, the simulator):
 *
 * - gives `nowMs` with every event: its own clock, ms since 1970, never going back;
 * - calls `tick` at the start of every tick of every slot (slotStartMs + tick · tickMs), late rather than never;
 * - answers every `verify`, `execute`, `build` and `sign` once, in any order, at any later time; an answer that nobody waits
 *   for any more is ignored;
 * - stores what `macroblock`, `justified` and `finalized` bring, and with each block its sidecar, seal and vote signatures,
 *   so that `openConsensus` can be given the last `finalized` point, the blocks above it and the certificates.
 *
 * Peers are named by any text. A gossiped message has a `token`, and gets exactly one `verdict` for it.
 */
import type { Bytes } from "../../primitives/bytes.ts";
import type { Hash } from "../../primitives/hex.ts";
import type { Block } from "../../types/block.ts";
import type { AckQC, JustQC } from "../../types/certificate.ts";
import type { MESSAGE_KIND } from "../../types/consensusMessage.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import type { Offence } from "../../types/evidence.ts";
import type { Seal } from "../../types/seal.ts";
import type { SealedBlock } from "../../types/sealedBlock.ts";
import type { Ack, SignedAck, SignedVote, Vote } from "../../types/vote.ts";
import type { ChainPoint, Checkpoint } from "./chainPoint.ts";
import type { ExpectedHeader } from "./expectedHeader.ts";
import type { BlockFault } from "./judgeBlock.ts";

/** Where a message comes from. */
export interface Origin {
  readonly peer: string;
  /** Gossip waits for a verdict under this token; undefined for answers to a fetch. */
  readonly token: number | undefined;
}

export type Event = { readonly nowMs: number } & (
  | {
      readonly type: "tick";
      readonly slot: number;
      readonly tick: number;
      /** Transactions that a block could take now. */
      readonly pendingTransactions: number;
      readonly wishes?: HeaderWishes;
    }
  /**
   * Make a block in this place now, whatever the cadence says: it is policy, and on a chain with `dev: true` its user decides.
   * Ignored elsewhere, and in a place that no block of this node could have. Source: docs/consensus.md §13.
   */
  | {
      readonly type: "propose";
      readonly slot: number;
      readonly tick: number;
      readonly wishes: HeaderWishes;
    }
  /** The moment that a `wake` asked for. */
  | { readonly type: "wake" }
  | { readonly type: "block"; readonly block: SealedBlock; readonly origin: Origin }
  | { readonly type: "vote"; readonly vote: SignedVote; readonly origin: Origin }
  | { readonly type: "ack"; readonly ack: SignedAck; readonly origin: Origin }
  | { readonly type: "ackCertificate"; readonly qc: AckQC; readonly origin: Origin }
  | { readonly type: "voteCertificate"; readonly qc: JustQC; readonly origin: Origin }
  /** A peer says where it stands. */
  | { readonly type: "status"; readonly peer: string; readonly status: PeerStatus }
  /** Answer to `fetch`: blocks in ascending order, from the asked number on; empty if the peer had none or did not answer. */
  | {
      readonly type: "fetched";
      readonly id: number;
      readonly blocks: readonly SealedBlock[];
    }
  /** Answer to `verify`: one result for each check. */
  | { readonly type: "verified"; readonly id: number; readonly valid: readonly boolean[] }
  /** Answer to `execute`. */
  | { readonly type: "executed"; readonly hash: Hash; readonly outcome: ExecutionOutcome }
  /** Answer to `build`: an executed block as the plan wants it. */
  | {
      readonly type: "built";
      readonly id: number;
      readonly block: Block;
      /** The secret for `plan.reveal`, if that was set. */
      readonly secret: Hash | undefined;
      /** As in ExecutionOutcome. */
      readonly candidates: readonly Candidate[] | undefined;
    }
  /** Answer to `build`: no block (no transactions, no time, no secret). The slot goes without it. */
  | { readonly type: "notBuilt"; readonly id: number }
  /** Answer to `sign`. A vote comes back with the commitment that the signer put into it. */
  | { readonly type: "signed"; readonly id: number; readonly message: SignedMessage }
  /** Answer to `sign`: slashing protection or a failure. */
  | { readonly type: "notSigned"; readonly id: number }
);

export type ExecutionOutcome =
  | {
      readonly ok: true;
      /**
       * In the last block of an epoch: registered validators of the block's state that are not exiting, jailed or slashed
       * and hold minStake, in rank order (compareRank), the first maxActive. Elsewhere undefined.
       */
      readonly candidates: readonly Candidate[] | undefined;
    }
  /** `invalid`: a rule is broken. Otherwise this node could not tell (disk, shutdown), and nobody is to blame. */
  | { readonly ok: false; readonly invalid: boolean };

export type SignedMessage =
  | { readonly type: "seal"; readonly signature: Bytes }
  | { readonly type: "vote"; readonly vote: Vote; readonly signature: Bytes }
  | { readonly type: "ack"; readonly signature: Bytes };

export interface PeerStatus {
  readonly headHash: Hash;
  readonly headNumber: number;
  readonly justifiedEpoch: number;
  readonly finalizedEpoch: number;
  readonly finalizedHash: Hash;
}

/** One signature to be checked: over consensusMessage(domain, kind, body), by the key with this hash. */
export interface SignatureCheck {
  readonly kind: (typeof MESSAGE_KIND)[keyof typeof MESSAGE_KIND];
  readonly body: Bytes;
  readonly keyHash: Hash;
  readonly signature: Bytes;
}

/** What to sign, with which key. */
export type SignRequest = { readonly keyHash: Hash } & (
  | { readonly type: "seal"; readonly seal: Seal }
  /**
   * A vote without commitment: the signer adds commitHash(domain, validator, tgtEpoch + 1, secret), where the secret is
   * derived from (tgtEpoch + 1, tgtHash), so that a restart cannot change it.
   */
  | { readonly type: "vote"; readonly vote: Omit<Vote, "commit"> }
  | { readonly type: "ack"; readonly ack: Ack }
);

/** Header fields that a developer sets by hand for one block; a chain without `dev: true` heeds none. Source: docs/consensus.md §13. */
export interface HeaderWishes {
  /** wei per gas */
  readonly baseFeePerGas?: bigint;
  /** Later blocks take over their parent's. */
  readonly gasLimit?: bigint;
  readonly prevRandao?: Hash;
}

/** The block that is due now. */
export interface BuildPlan {
  readonly slot: number;
  readonly seq: number;
  readonly tick: number;
  readonly proposer: number;
  readonly keyHash: Hash;
  /** With the wishes in it. */
  readonly header: ExpectedHeader;
  readonly wishes: HeaderWishes;
  /** Votes for the sidecar; their signatures travel with the block. */
  readonly votes: readonly SignedVote[];
  /**
   * The secret of this commitment must be revealed: the one for epoch `epoch` of the fork `targetHash`, of the key that
   * voted, which a hand-off may have replaced since. The sidecar is `sidecarOf(plan, secret)`, the header's extraData its hash.
   */
  readonly reveal: DueReveal | undefined;
  /** A block in this place must hold a transaction (every block of a slot but the first). */
  readonly needsTransaction: boolean;
}

/** A commitment that must be opened. */
export interface DueReveal {
  readonly epoch: number;
  readonly targetHash: Hash;
  /** commitHash(domain, proposer, epoch, secret) */
  readonly commit: Hash;
  /** Key that signed the vote with the commitment, whose signer has the secret. */
  readonly keyHash: Hash;
}

/** What goes to all peers. */
export type Broadcast =
  | { readonly topic: "micro"; readonly block: SealedBlock }
  | { readonly topic: "vote"; readonly vote: SignedVote }
  | { readonly topic: "ack"; readonly ack: SignedAck };

/** What goes to one peer that lags behind. */
export type Letter =
  | { readonly type: "ackCertificate"; readonly qc: AckQC }
  | { readonly type: "voteCertificate"; readonly qc: JustQC };

/** Two contradicting messages of one validator, with the keys that signed them. */
export interface FoundEvidence {
  readonly offence: Offence;
  readonly validator: number;
  readonly a: EvidenceSide;
  readonly b: EvidenceSide;
}

export interface EvidenceSide {
  readonly body: Bytes;
  readonly signature: Bytes;
  readonly keyHash: Hash;
}

export type Action =
  | { readonly type: "verify"; readonly id: number; readonly checks: readonly SignatureCheck[] }
  /**
   * Check the block against its parent's state as chain does (all that §4 leaves to the block itself), with the header's
   * fields already compared to `expected`; keep it with sidecar, seal and signatures if it is valid.
   */
  | {
      readonly type: "execute";
      readonly block: SealedBlock;
      readonly expected: ExpectedHeader;
    }
  | { readonly type: "build"; readonly id: number; readonly plan: BuildPlan }
  | { readonly type: "sign"; readonly id: number; readonly request: SignRequest }
  /** An own block is sealed: keep it with sidecar, seal and signatures. Its `broadcast` follows. */
  | { readonly type: "sealed"; readonly block: SealedBlock }
  | { readonly type: "broadcast"; readonly message: Broadcast }
  | { readonly type: "send"; readonly peer: string; readonly letter: Letter }
  /**
   * Ask `peer` for blocks `from`..`to` (at most 64) of the chain that ends in the block `tip`, which may lie above `to`.
   * The answer is `fetched`, empty after a timeout.
   */
  | {
      readonly type: "fetch";
      readonly id: number;
      readonly peer: string;
      readonly tip: Hash;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly type: "verdict";
      readonly token: number;
      readonly verdict: "accept" | "ignore" | "reject";
      readonly reason: string;
    }
  /** A peer answered a fetch with what cannot be. */
  | { readonly type: "blame"; readonly peer: string; readonly reason: string }
  /** A block that broke a rule, by anybody. */
  | { readonly type: "invalidBlock"; readonly hash: Hash; readonly fault: BlockFault }
  /** New head; `depth` blocks of the old chain are left, 0 if it grew. */
  | { readonly type: "setHead"; readonly point: ChainPoint; readonly depth: number }
  /** A block closed an epoch, on whatever branch: store its macro header and summary. */
  | { readonly type: "macroblock"; readonly checkpoint: Checkpoint }
  /** J* moved: `safe` is its block. The certificate brings J* back after a restart; undefined if J* fell back with F*. */
  | {
      readonly type: "justified";
      readonly checkpoint: Checkpoint;
      readonly certificate: JustQC | undefined;
    }
  /** F* moved: `finalized` is its block, and `point` is where a restart begins. */
  | {
      readonly type: "finalized";
      readonly checkpoint: Checkpoint;
      readonly certificate: AckQC;
      readonly point: ChainPoint;
    }
  | { readonly type: "evidence"; readonly evidence: FoundEvidence }
  | { readonly type: "alarm"; readonly alarm: Alarm }
  /** Give a `wake` at this moment. Several are one if a later event comes first. */
  | { readonly type: "wake"; readonly atMs: number };

export type Alarm =
  /** A quorum finalised what contradicts F*: a third of the stake is slashable. Nothing is undone. */
  | { readonly code: "CONFLICTING_FINALITY"; readonly epoch: number; readonly hash: Hash }
  /** A peer's finalised checkpoint contradicts ours. */
  | { readonly code: "FOREIGN_FINALITY"; readonly peer: string; readonly epoch: number }
  | { readonly code: "DEEP_REORG"; readonly depth: number }
  /** This node's own block was refused by its own rules. */
  | { readonly code: "OWN_BLOCK_INVALID"; readonly hash: Hash };
