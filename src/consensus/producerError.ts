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
  | { readonly code: "TOO_MANY_BLOCKS"; readonly count: number; readonly limit: number }
  | { readonly code: "BAD_INTERVAL"; readonly intervalMs: number; readonly limitMs: number };

/** A wish about production that is refused. */
export class ProducerError extends NodeError<ProducerErrorReason> {}
