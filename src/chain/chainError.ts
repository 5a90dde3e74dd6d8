/** What a chain cannot do, apart from refusing a block. */
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";

export type ChainErrorReason =
  /** The database belongs to another chain. `path` is its directory, if it has one. */
  | {
      readonly code: "GENESIS_MISMATCH";
      readonly stored: Hash;
      readonly given: Hash;
      readonly path?: string;
    }
  /** The constructor of a contract of block 0 failed. */
  | { readonly code: "BAD_PREDEPLOY"; readonly address: Address; readonly failure: string }
  | { readonly code: "UNKNOWN_BLOCK"; readonly hash: Hash }
  /** The block is known, its state is not in the database. */
  | { readonly code: "STATE_UNAVAILABLE"; readonly hash: Hash; readonly stateRoot: Hash }
  /** Edits by hand are for chains whose genesis says `dev: true`. */
  | { readonly code: "NOT_A_DEV_CHAIN" }
  /** More matches or more work than the caller allowed; everything up to `block` was searched. */
  | { readonly code: "TOO_MANY_LOGS"; readonly limit: number; readonly block: bigint }
  /** The database lacks what its own indexes point to. */
  | { readonly code: "DAMAGED"; readonly missing: string };

/** A question or an order that this chain cannot follow. */
export class ChainError extends NodeError<ChainErrorReason> {}

/** The error for a block whose state is not stored. */
export function stateUnavailable(hash: Hash, stateRoot: Hash): ChainError {
  return new ChainError({ code: "STATE_UNAVAILABLE", hash, stateRoot });
}
