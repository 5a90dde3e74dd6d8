/** What an engine is made of, and how its driver speaks to it. */
import type { Chain } from "../chain/chain.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { TxPool } from "../txpool/pool.ts";
import type { Block } from "../types/block.ts";
import type { BlockWork } from "./blockWork.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import type { Event } from "./core/events.ts";
import type { CoreParams } from "./core/params.ts";
import type { EvidenceKeeper } from "./evidenceKeeper.ts";
import type { FinalityWork } from "./finalityWork.ts";
import type { SignatureWork } from "./signatureWork.ts";
import type { Transport } from "./transport.ts";

export interface EngineDependencies {
  readonly params: CoreParams;
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly store: ConsensusStore;
  readonly blocks: BlockWork;
  readonly signatures: SignatureWork;
  readonly finality: FinalityWork;
  readonly evidenceKeeper: EvidenceKeeper;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface EngineOptions {
  /** ms after the start in which nothing is signed, while own messages of another process may be heard. */
  readonly listenMs: number;
  /** Blocks are made when `drive` says so, not by the clock. */
  readonly isDriven: boolean;
  /** Macroblocks come too often to be told of. */
  readonly isQuiet: boolean;
}

/** The moments that a driver gives. */
export type DriverEvent = Extract<EngineEvent, { type: "tick" | "propose" }>;

/** What came of one. */
export interface Driven {
  /** The block made, stored by now; undefined: none */
  readonly block: Block | undefined;
  /** Transactions that could not run. */
  readonly skipped: number;
}

/** What an event is before it gets its time. */
type WithoutTime<T> = T extends unknown ? Omit<T, "nowMs"> : never;
export type EngineEvent = WithoutTime<Event>;
