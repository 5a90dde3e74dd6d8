/** What the pool tells others. */
import type { Address } from "../primitives/hex.ts";
import type { Transaction } from "../types/transaction.ts";
import type { Origin, PoolEntry } from "./senderQueue.ts";

/** A transaction has entered the pool. */
export interface TransactionEvent {
  readonly transaction: Transaction;
  readonly sender: Address;
  readonly origin: Origin;
  /** The nonce that must come first, when it is another one than the transaction's. */
  readonly expects: bigint | undefined;
}

export interface PoolEvents {
  readonly transaction: TransactionEvent;
}

/** Contents of a pool at one moment, for `restore`. */
export interface PoolSnapshot {
  readonly entries: readonly PoolEntry[];
}

export interface PoolStats {
  readonly pending: number;
  readonly queued: number;
  readonly bytes: number;
}
