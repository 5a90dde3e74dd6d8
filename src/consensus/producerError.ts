/** Wishes about the next blocks that cannot be met. */
import { NodeError } from "../primitives/errors.ts";

export type ProducerErrorReason =
  /** seconds */
  | { readonly code: "TIMESTAMP_TOO_LOW"; readonly timestamp: bigint; readonly parent: bigint }
  /** seconds */
  | { readonly code: "TIMESTAMP_TOO_HIGH"; readonly timestamp: bigint; readonly limit: bigint }
  /** seconds */
  | { readonly code: "BAD_BLOCK_INTERVAL"; readonly seconds: bigint; readonly limit: bigint }
  | {
      readonly code: "BAD_GAS_LIMIT";
      readonly gasLimit: bigint;
      readonly least: bigint;
      readonly most: bigint;
    }
  /** The validator that the staking contract names for the slot is another one than this node. */
  | { readonly code: "NOT_THE_LEADER"; readonly slot: number; readonly leader: number }
  | { readonly code: "TOO_MANY_BLOCKS"; readonly count: number; readonly limit: number }
  | { readonly code: "BAD_INTERVAL"; readonly intervalMs: number; readonly limitMs: number };

/** A wish about production that is refused. */
export class ProducerError extends NodeError<ProducerErrorReason> {}
