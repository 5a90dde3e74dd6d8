/** What the chain tells: its head, its events, the outcome of an import. */

import type { PqVerifier } from "../crypto/pqVerifier.ts";
import type { EpochCall, EvmName } from "../execution/evm.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import type { WriteOp } from "../storage/columns.ts";
import type { Block } from "../types/block.ts";
import type { Header } from "../types/header.ts";
import type { Transaction } from "../types/transaction.ts";
import type { HeadRule, SealRules } from "./importBlock.ts";

/** A block by header and hash. */
export interface ChainHead {
  readonly header: Header;
  readonly hash: Hash;
}

/** The head moved. */
export interface HeadEvent {
  readonly head: ChainHead;
  /** Blocks that became canonical, oldest first. */
  readonly added: readonly Block[];
  /** Blocks that are canonical no more, newest first; they and their receipts can still be read by hash. */
  readonly removed: readonly Block[];
}

/** Blocks of a reorganisation named in its event; of a longer one the newest. */
const MAX_EVENT_BLOCKS = 1_024;

/** What is told of a head that came by this route. */
export function headEvent(
  head: ChainHead,
  { added, removed }: { readonly added: readonly Block[]; readonly removed: readonly Block[] },
): HeadEvent {
  return {
    head,
    added: added.slice(-MAX_EVENT_BLOCKS),
    removed: removed.slice(0, MAX_EVENT_BLOCKS),
  };
}

export interface ChainEvents {
  readonly head: HeadEvent;
  readonly finalized: ChainHead;
}

/** Facts about the work on blocks. */
export interface ChainObserver {
  /** A block that was not made here was executed. */
  executed(facts: {
    readonly elapsedMs: number;
    readonly transactions: number;
    readonly gasUsed: bigint;
  }): void;
  /** A batch with new state is durable. */
  stored(facts: { readonly elapsedMs: number; readonly nodes: number }): void;
}

export interface ChainDependencies {
  readonly sealRules: SealRules;
  readonly headRule: HeadRule;
  readonly log: Logger;
  /** Hears how long the stages of a block took, for the metrics. */
  readonly observer?: ChainObserver | undefined;
  /** Blocks whose states are kept; undefined: all (archive) */
  readonly stateHistory?: bigint | undefined;
  /** The call to the staking contract that a block with this header begins with. */
  readonly epochCallOf?: (header: Header) => EpochCall | undefined;
  /** What precompiles verify with; default: the common verifier */
  readonly verifier?: PqVerifier;
  /** Which EVM runs blocks and calls; default: fast */
  readonly evm?: EvmName | undefined;
  /** Recovers senders off the main thread and remembers them; without it they are recovered here. */
  readonly recoverSenders?: (transactions: readonly Transaction[]) => Promise<void>;
}

/** How a block comes in. */
export interface ImportManner {
  /** `candidate` (default): the head rule decides. `aside`: not the head until `setForkchoice` makes it that. */
  readonly role?: "candidate" | "aside";
  /** Writes that become part of the block's batch. */
  readonly also?: readonly WriteOp[];
  /** What will be imported after it: executed while this block is being written, if it is its child. */
  readonly next?: Block | undefined;
}

/** `imported`: stored now, maybe beside the canonical chain. `known`: it was stored before. */
export interface ImportOutcome {
  readonly status: "imported" | "known";
  readonly hash: Hash;
  /** Whether the block is the head now. */
  readonly isHead: boolean;
}

/** Blocks to point at; those left out stay. */
export interface Forkchoice {
  readonly head?: Hash;
  readonly safe?: Hash;
  readonly finalized?: Hash;
}

/** Where a dev chain goes back to. */
export interface RestoredHead {
  readonly hash: Hash;
  /** undefined: no edits */
  readonly editedStateRoot: Hash | undefined;
  /** The block that is final and safe then; it may be an older one than before. */
  readonly finalized: Hash;
}

/** Where the chain's names point. */
export interface Pointers {
  readonly head: ChainHead;
  readonly safe: ChainHead;
  readonly finalized: ChainHead;
}
