/** Why a block is refused. */
import { NodeError } from "../primitives/errors.ts";

export type BlockErrorCode =
  /** The parent is not in the database: the block may be fine. */
  | "UNKNOWN_PARENT"
  | "INVALID_HEADER"
  | "INVALID_BODY"
  | "INVALID_OMMER"
  | "INVALID_SEAL"
  /** A transaction that cannot be applied where it stands. */
  | "INVALID_TRANSACTION"
  /** A rule of the block's execution is broken: a system call that failed, a malformed deposit. */
  | "INVALID_EXECUTION"
  /** Execution gives another value than the header says. */
  | "RESULT_MISMATCH";

/** `field` is the header's field, `transactions[n]`, `ommers[n]` or a part of the body; the values are texts for people. */
export type BlockErrorReason = {
  readonly code: BlockErrorCode;
  readonly field: string;
  readonly expected: string;
  readonly got: string;
};

/** A block that breaks a rule. Nothing of it was written. */
export class BlockError extends NodeError<BlockErrorReason> {}

/** Throws BlockError unless both values are the same. */
export function demandEqual(
  code: BlockErrorCode,
  field: string,
  expected: bigint | number | string | undefined,
  got: bigint | number | string | undefined,
): void {
  if (expected === got) return;
  throw new BlockError({ code, field, expected: showValue(expected), got: showValue(got) });
}

/** Throws BlockError unless `condition` holds. `evidence.expected` says in words what should hold. */
export function demand(
  condition: boolean,
  code: BlockErrorCode,
  evidence: {
    readonly field: string;
    readonly expected: string;
    readonly got: bigint | number | string | undefined;
  },
): void {
  if (condition) return;
  throw new BlockError({ code, ...evidence, got: showValue(evidence.got) });
}

function showValue(value: bigint | number | string | undefined): string {
  return value === undefined ? "absent" : String(value);
}
