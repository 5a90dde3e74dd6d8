/** What consensus tells. Facts; nobody is asked to do work by them. */
import type { Hash } from "../primitives/hex.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { ChainPoint, Checkpoint } from "./core/chainPoint.ts";
import type { Action, Alarm, FoundEvidence, SignRequest } from "./core/events.ts";
import type { BlockFault } from "./core/judgeBlock.ts";

export interface EngineEvents {
  /** The fork choice moved; `depth`: blocks of the old chain that were left. */
  readonly head: { readonly point: ChainPoint; readonly depth: number };
  /** An own block, sealed and stored. */
  readonly produced: SealedBlock;
  /** A signature that was not given. */
  readonly refused: SignRequest["type"];
  readonly justified: Checkpoint;
  /** F* moved, and that is stored. */
  readonly finalized: Extract<Action, { type: "finalized" }>;
  readonly evidence: FoundEvidence;
  readonly alarm: Alarm;
  /** A block that breaks a rule, by anybody. */
  readonly invalid: { readonly hash: Hash; readonly fault: BlockFault };
  /** The engine stopped by itself. */
  readonly failed: unknown;
}
