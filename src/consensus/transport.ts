/** How validators reach each other, as the engine sees it: in-process queues in tests, sockets in a network. */
import type { Hash } from "../primitives/hex.ts";
import type { AckQC, JustQC } from "../types/certificate.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { SignedAck, SignedVote } from "../types/vote.ts";
import type { Broadcast, Letter } from "./core/events.ts";

/** Blocks wanted of one peer. */
export interface BlockRequest {
  readonly peer: string;
  /** Last block of the chain that the blocks are of; may lie above `to`. */
  readonly tip: Hash;
  readonly from: number;
  readonly to: number;
}

/** What the engine asks of the network. Nothing here may call back before it returns. */
export interface Transport {
  /** To all peers. */
  broadcast(message: Broadcast): void;
  /** To one peer. */
  send(peer: string, letter: Letter): void;
  /** Blocks in ascending order from `from` on; empty when the peer has none or does not answer in time. */
  fetch(request: BlockRequest): Promise<readonly SealedBlock[]>;
  /** What becomes of a gossiped message. */
  verdict(token: number, verdict: "accept" | "ignore" | "reject", reason: string): void;
  /** A peer answered with what cannot be. */
  blame(peer: string, reason: string): void;
}

/** What comes from peers. */
export type Incoming =
  | { readonly type: "block"; readonly block: SealedBlock }
  | { readonly type: "vote"; readonly vote: SignedVote }
  | { readonly type: "ack"; readonly ack: SignedAck }
  | { readonly type: "ackCertificate"; readonly qc: AckQC }
  | { readonly type: "voteCertificate"; readonly qc: JustQC };

/** Nobody else: a chain of one validator. */
export const noPeers: Transport = {
  broadcast: () => {},
  send: () => {},
  fetch: () => Promise.resolve([]),
  verdict: () => {},
  blame: () => {},
};
