/** What became of transactions: the reasons that outlive them in the pool, so that every one's life can be explained. */
import type { Hash } from "../primitives/hex.ts";
import { BoundedCache } from "../runtime/cache.ts";
import type { Transaction } from "../types/transaction.ts";
import type { SelectionFees } from "./select.ts";

/** Why a transaction left the pool without being included or replaced. */
export type DropReason =
  /** Another transaction of the sender used its nonce. */
  | { readonly code: "NONCE_USED"; readonly nonce: bigint }
  /** The pool was full; wei per gas */
  | { readonly code: "EVICTED"; readonly tip: bigint }
  /** wei */
  | { readonly code: "UNAFFORDABLE"; readonly have: bigint; readonly want: bigint }
  /** Its missing nonce did not come in time. */
  | { readonly code: "EXPIRED"; readonly lifetimeMs: number }
  /** Taken out by hand. */
  | { readonly code: "REMOVED" }
  /** The block builder could not run it. */
  | { readonly code: "NOT_EXECUTABLE"; readonly problem: string }
  /** Its block was undone and it could not come back. */
  | { readonly code: "NOT_RETURNED"; readonly problem: string };

/** How a transaction's time in the pool ended, or that it never began. */
export type Ending =
  | { readonly state: "replaced"; readonly by: Hash }
  | { readonly state: "dropped"; readonly reason: DropReason }
  | { readonly state: "refused"; readonly code: string; readonly problem: string };

/** Why a pending transaction waits although nothing stands before it. */
export type Waiting =
  | {
      readonly code: "BELOW_BASE_FEE";
      readonly maxFeePerGas: bigint;
      readonly baseFee: bigint;
    }
  | {
      readonly code: "BELOW_BLOB_BASE_FEE";
      readonly maxFeePerBlobGas: bigint;
      readonly blobBaseFee: bigint;
    }
  | {
      readonly code: "ABOVE_BLOCK_GAS_LIMIT";
      readonly gasLimit: bigint;
      readonly blockGasLimit: bigint;
    };

/** Where a transaction is in its life. */
export type TransactionStatus =
  | { readonly state: "pending"; readonly waiting: Waiting | undefined }
  | { readonly state: "queued"; readonly expects: bigint; readonly got: bigint }
  | {
      readonly state: "included" | "finalized";
      readonly blockNumber: bigint;
      readonly blockHash: Hash;
    }
  | (Ending & { readonly atMs: number });

/** Endings remembered; about 20 MB when full. */
const MAX_ENDINGS = 50_000;
/** Refusals have a log of their own: they cost their sender nothing and must not push the endings out. */
const MAX_REFUSALS = 5_000;

/** A bounded memory of endings, the latest of each transaction. */
export class StatusLog {
  readonly #endings = new BoundedCache<Hash, Ending & { readonly atMs: number }>({
    entries: MAX_ENDINGS,
  });
  readonly #refusals = new BoundedCache<Hash, Ending & { readonly atMs: number }>({
    entries: MAX_REFUSALS,
  });

  note(hash: Hash, ending: Ending, atMs: number): void {
    const log = ending.state === "refused" ? this.#refusals : this.#endings;
    log.set(hash, { ...ending, atMs });
  }

  get(hash: Hash): (Ending & { readonly atMs: number }) | undefined {
    const ending = this.#endings.get(hash);
    const refusal = this.#refusals.get(hash);
    if (ending === undefined || refusal === undefined) return ending ?? refusal;
    return refusal.atMs > ending.atMs ? refusal : ending;
  }

  /** The transaction is in the pool again. */
  forget(hash: Hash): void {
    this.#endings.delete(hash);
    this.#refusals.delete(hash);
  }
}

/** Why a transaction that stands first in line is not in the next block; undefined when it may be. */
export function waitingFor(transaction: Transaction, fees: SelectionFees): Waiting | undefined {
  const { baseFee, blobBaseFee, gasLimit: blockGasLimit } = fees;
  const { maxFeePerGas, maxFeePerBlobGas, gasLimit } = transaction;
  if (baseFee !== undefined && maxFeePerGas < baseFee)
    return { code: "BELOW_BASE_FEE", maxFeePerGas, baseFee };
  const blobs = transaction.blobVersionedHashes.length > 0;
  if (blobs && blobBaseFee !== undefined && maxFeePerBlobGas < blobBaseFee)
    return { code: "BELOW_BLOB_BASE_FEE", maxFeePerBlobGas, blobBaseFee };
  if (gasLimit > blockGasLimit) return { code: "ABOVE_BLOCK_GAS_LIMIT", gasLimit, blockGasLimit };
  return undefined;
}

/** One line for people: `queued: nonce gap (expects 1, got 6)`. */
export function describeStatus(status: TransactionStatus): string {
  switch (status.state) {
    case "pending":
      return status.waiting === undefined
        ? "pending"
        : `pending: ${describeWaiting(status.waiting)}`;
    case "queued":
      return `queued: nonce gap (expects ${status.expects}, got ${status.got})`;
    case "included":
    case "finalized":
      return `${status.state} in block ${status.blockNumber}`;
    case "replaced":
      return `replaced by ${status.by}`;
    case "dropped":
      return `dropped: ${describeDrop(status.reason)}`;
    case "refused":
      return `refused: ${status.problem}`;
  }
}

function describeWaiting(waiting: Waiting): string {
  switch (waiting.code) {
    case "BELOW_BASE_FEE":
      return `max fee per gas ${waiting.maxFeePerGas} is below the base fee ${waiting.baseFee}`;
    case "BELOW_BLOB_BASE_FEE":
      return `max fee per blob gas ${waiting.maxFeePerBlobGas} is below the blob base fee ${waiting.blobBaseFee}`;
    case "ABOVE_BLOCK_GAS_LIMIT":
      return `gas limit ${waiting.gasLimit} exceeds the block's ${waiting.blockGasLimit}`;
  }
}

function describeDrop(reason: DropReason): string {
  switch (reason.code) {
    case "NONCE_USED":
      return `its nonce ${reason.nonce} was used by another transaction`;
    case "EVICTED":
      return `the pool was full and its tip of ${reason.tip} wei per gas was the lowest`;
    case "UNAFFORDABLE":
      return `insufficient funds: have ${reason.have} want ${reason.want}`;
    case "EXPIRED":
      return `its missing nonce did not come within ${reason.lifetimeMs / 60_000} minutes`;
    case "REMOVED":
      return "removed on request";
    case "NOT_EXECUTABLE":
      return reason.problem;
    case "NOT_RETURNED":
      return `its block was undone and it could not return: ${reason.problem}`;
  }
}
