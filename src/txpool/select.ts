/** Transactions for a block: the best tip first, each sender's in nonce order. */
import TinyQueue from "tinyqueue";
import type { Address } from "../primitives/hex.ts";
import type { BlobSidecar } from "../types/blobSidecar.ts";
import type { Transaction } from "../types/transaction.ts";
import { effectiveTip, type PoolEntry, type SenderQueue } from "./senderQueue.ts";

/** What the block that is to be filled asks of a transaction. */
export interface SelectionFees {
  /** wei per gas; undefined before London */
  readonly baseFee: bigint | undefined;
  /** wei per blob gas; undefined before Cancun */
  readonly blobBaseFee: bigint | undefined;
  readonly gasLimit: bigint;
}

export interface SelectedTransaction {
  readonly transaction: Transaction;
  readonly sender: Address;
  readonly sidecar: BlobSidecar | undefined;
}

interface Head {
  readonly queue: SenderQueue;
  readonly entry: PoolEntry;
  /** wei per gas */
  readonly tip: bigint;
}

/** Higher tip first, then the earlier arrival. */
function compareHeads(a: Head, b: Head): number {
  if (a.tip !== b.tip) return a.tip > b.tip ? -1 : 1;
  return a.entry.arrival - b.entry.arrival;
}

/** One pass over the pool. It looks at the pool as it goes: what is added meanwhile may or may not be seen. */
export class Selection implements IterableIterator<SelectedTransaction> {
  readonly #fees: SelectionFees;
  /** Brings a queue up to the head; the account is read here and not for senders that are never reached. */
  readonly #refresh: (queue: SenderQueue) => void;
  readonly #heads: TinyQueue<Head>;
  #last: Head | undefined;
  readonly #skipped = new Set<Address>();

  constructor(
    queues: Iterable<SenderQueue>,
    fees: SelectionFees,
    refresh: (queue: SenderQueue) => void,
  ) {
    this.#fees = fees;
    this.#refresh = refresh;
    const heads: Head[] = [];
    for (const queue of queues) {
      const head = this.#headAt(queue, queue.nonce);
      if (head !== undefined) heads.push(head);
    }
    this.#heads = new TinyQueue(heads, compareHeads);
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Leaves out the rest of a sender's transactions: one did not fit, and those behind it wait for it. */
  skip(sender: Address): void {
    this.#skipped.add(sender);
  }

  next(): IteratorResult<SelectedTransaction, undefined> {
    const last = this.#last;
    this.#last = undefined;
    if (last !== undefined && !this.#skipped.has(last.entry.sender))
      this.#push(last.queue, last.entry.transaction.nonce + 1n);
    for (let head = this.#heads.pop(); head !== undefined; head = this.#heads.pop()) {
      const { queue, entry } = head;
      if (this.#skipped.has(entry.sender)) continue;
      this.#refresh(queue);
      const { nonce } = entry.transaction;
      if (queue.executableAt(nonce) !== entry) {
        // it left or was replaced, or the account moved on
        const passed = nonce < queue.nonce;
        this.#push(queue, passed ? queue.nonce : nonce);
        continue;
      }
      this.#last = head;
      const { transaction, sender, sidecar } = entry;
      return { done: false, value: { transaction, sender, sidecar } };
    }
    return { done: true, value: undefined };
  }

  #push(queue: SenderQueue, nonce: bigint): void {
    const head = this.#headAt(queue, nonce);
    if (head !== undefined) this.#heads.push(head);
  }

  #headAt(queue: SenderQueue, nonce: bigint): Head | undefined {
    const entry = queue.executableAt(nonce);
    if (entry === undefined) return undefined;
    const { transaction } = entry;
    const { baseFee, blobBaseFee, gasLimit } = this.#fees;
    if (transaction.gasLimit > gasLimit) return undefined;
    const { maxPriorityFeePerGas, maxFeePerGas } = transaction;
    const tip = effectiveTip(maxPriorityFeePerGas, maxFeePerGas, baseFee ?? 0n);
    if (tip < 0n) return undefined;
    const blobs = transaction.blobVersionedHashes.length > 0;
    if (blobs && blobBaseFee !== undefined && transaction.maxFeePerBlobGas < blobBaseFee)
      return undefined;
    return { queue, entry, tip };
  }
}
