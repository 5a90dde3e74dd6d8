/** Why a node cannot be put together from its options. */
import { NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";

export type SetupErrorReason =
  | { readonly code: "PRODUCTION_NEEDS_DEV"; readonly chainId: bigint }
  /** keccak256 of the public keys that the genesis names */
  | {
      readonly code: "NO_VALIDATOR_KEY";
      readonly chainId: bigint;
      readonly wanted: readonly Hash[];
    };

/** Options that do not go together. */
export class SetupError extends NodeError<SetupErrorReason> {}
