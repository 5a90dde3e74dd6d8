/** Why the pool refuses a transaction, beyond what the rules of the chain refuse (execution/transactionError.ts). */
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";

export type PoolErrorReason =
  | { readonly code: "OVERSIZED"; readonly size: number; readonly limit: number }
  | { readonly code: "UNPROTECTED" }
  /** wei; only transactions sent through this node */
  | { readonly code: "FEE_CAP"; readonly fee: bigint; readonly cap: bigint }
  | {
      readonly code: "EXCEEDS_BLOCK_GAS_LIMIT";
      readonly gasLimit: bigint;
      readonly blockGasLimit: bigint;
    }
  | { readonly code: "ALREADY_KNOWN"; readonly hash: Hash }
  /** wei per gas */
  | { readonly code: "UNDERPRICED"; readonly tip: bigint; readonly minimum: bigint }
  | {
      readonly code: "REPLACEMENT_UNDERPRICED";
      /** the transaction that stays */
      readonly pooled: Hash;
      /** least maxFeePerGas and maxPriorityFeePerGas of a replacement, wei per gas */
      readonly maxFeePerGas: bigint;
      readonly maxPriorityFeePerGas: bigint;
    }
  /** Too many transactions of this account wait for a missing nonce. */
  | {
      readonly code: "ACCOUNT_QUEUE_FULL";
      readonly address: Address;
      readonly tx: bigint;
      /** the nonce that is missing */
      readonly state: bigint;
      readonly limit: number;
    }
  | { readonly code: "POOL_FULL"; readonly transactions: number; readonly bytes: number }
  | { readonly code: "INVALID_SIDECAR"; readonly problem: string };

/** A transaction that the pool does not take. */
export class PoolError extends NodeError<PoolErrorReason> {}

/** Throws PoolError. */
export function refuse(reason: PoolErrorReason): never {
  throw new PoolError(reason);
}
