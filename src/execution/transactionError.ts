/** Why a transaction cannot run. */
import type { PqAlgorithmName } from "../crypto/pqAlgorithms.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { ForkName } from "../types/forks.ts";

/** A transaction that cannot be executed, with the numbers that decide it. */
export type TransactionErrorReason =
  | {
      readonly code: "NONCE_TOO_LOW" | "NONCE_TOO_HIGH";
      readonly address: Address;
      readonly tx: bigint;
      readonly state: bigint;
    }
  | { readonly code: "NONCE_MAX"; readonly nonce: bigint }
  | {
      readonly code: "INSUFFICIENT_FUNDS";
      readonly address: Address;
      /** wei */
      readonly have: bigint;
      /** wei */
      readonly want: bigint;
    }
  | {
      readonly code: "INTRINSIC_GAS" | "FLOOR_DATA_GAS";
      readonly have: bigint;
      readonly want: bigint;
    }
  | { readonly code: "GAS_LIMIT_REACHED"; readonly available: bigint; readonly gasLimit: bigint }
  | { readonly code: "TX_GAS_LIMIT_TOO_HIGH"; readonly cap: bigint; readonly gasLimit: bigint }
  | {
      readonly code: "MAX_FEE_BELOW_BASE_FEE";
      readonly address: Address;
      readonly maxFeePerGas: bigint;
      readonly baseFee: bigint;
    }
  | {
      readonly code: "TIP_ABOVE_MAX_FEE";
      readonly maxPriorityFeePerGas: bigint;
      readonly maxFeePerGas: bigint;
    }
  | { readonly code: "SENDER_NOT_EOA"; readonly address: Address; readonly codeHash: Hash }
  | { readonly code: "INIT_CODE_TOO_LARGE"; readonly size: number; readonly limit: number }
  | { readonly code: "BLOB_COUNT_ZERO" | "BLOB_CREATION" }
  | { readonly code: "BLOB_COUNT_TOO_HIGH"; readonly count: number; readonly limit: number }
  | { readonly code: "BLOB_HASH_VERSION"; readonly index: number; readonly hash: Hash }
  | {
      readonly code: "BLOB_FEE_TOO_LOW";
      readonly maxFeePerBlobGas: bigint;
      readonly blobBaseFee: bigint;
    }
  | {
      readonly code: "BLOB_GAS_LIMIT_REACHED";
      readonly available: bigint;
      readonly blobGas: bigint;
    }
  | { readonly code: "AUTHORIZATION_CREATION" | "AUTHORIZATION_LIST_EMPTY" }
  | { readonly code: "TYPE_NOT_SUPPORTED"; readonly type: number; readonly fork: ForkName }
  | { readonly code: "ALGORITHM_NOT_ENABLED"; readonly algorithm: PqAlgorithmName }
  | { readonly code: "PROTECTED_NOT_SUPPORTED"; readonly fork: ForkName }
  | {
      readonly code: "FEE_OVERFLOW";
      readonly gasLimit: bigint;
      /** wei per gas */
      readonly maxFeePerGas: bigint;
    }
  | { readonly code: "WRONG_CHAIN_ID"; readonly have: bigint; readonly want: bigint };

/** The transaction cannot run on this state; nothing was written. */
export class TransactionError extends NodeError<TransactionErrorReason> {}

/** Throws TransactionError. */
export function refuse(reason: TransactionErrorReason): never {
  throw new TransactionError(reason);
}
