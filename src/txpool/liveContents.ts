/** The pool's contents seen against the head: queues are brought up to date when they are looked at, not before. */
import type { Address, Hash } from "../primitives/hex.ts";
import type { PoolContents } from "./contents.ts";
import type { HeadState } from "./headState.ts";
import type { Journal } from "./journal.ts";
import type { PoolRecord } from "./poolRecord.ts";
import { type PoolEntry, SenderQueue } from "./senderQueue.ts";
import type { DropReason } from "./statusLog.ts";

export interface LiveDependencies {
  readonly head: HeadState;
  readonly contents: PoolContents;
  readonly record: PoolRecord;
  readonly journal: Journal | undefined;
}

/** Reads accounts at the head, once per account and head, and drops what they rule out. */
export class LiveContents {
  readonly #head: HeadState;
  readonly #contents: PoolContents;
  readonly #record: PoolRecord;
  readonly #journal: Journal | undefined;
  /** Counts heads: what a queue knows of its account holds for one of them. */
  #epoch = 0;

  constructor(dependencies: LiveDependencies) {
    this.#head = dependencies.head;
    this.#contents = dependencies.contents;
    this.#record = dependencies.record;
    this.#journal = dependencies.journal;
  }

  /** The head, or its state, is another one. */
  nextHead(): void {
    this.#epoch++;
    this.#contents.resetOrder();
  }

  /** Inserts and books what had to leave; false when there is no room for it. */
  put(queue: SenderQueue, entry: PoolEntry): boolean {
    const insertion = this.#contents.insert(queue, entry, this.#head.baseFee ?? 0n);
    if (insertion === undefined) return false;
    queue.activeMs = entry.addedMs;
    this.#record.present(entry.transaction.hash);
    const { replaced, evicted } = insertion;
    if (replaced !== undefined) {
      this.#record.end(replaced, { state: "replaced", by: entry.transaction.hash });
    }
    for (const { entry: gone, tip } of evicted)
      this.#record.end(gone, { state: "dropped", reason: { code: "EVICTED", tip } });
    return true;
  }

  /** The sender's queue, up to date with the head; one without entries is not kept. */
  queueOf(sender: Address): SenderQueue {
    const queue = this.#contents.queues.get(sender);
    if (queue === undefined)
      return new SenderQueue(sender, this.#head.account(sender), this.#epoch);
    this.refresh(queue);
    if (queue.entries.length > 0) return queue;
    return new SenderQueue(sender, queue, this.#epoch);
  }

  /** Drops what the account's state at head rules out. `included` is what the new head's blocks hold. */
  refresh(queue: SenderQueue, included?: ReadonlySet<Hash>): void {
    if (queue.epoch === this.#epoch) return;
    const account = this.#head.account(queue.sender);
    for (const entry of this.#contents.update(queue, account, this.#epoch)) {
      const { hash, nonce } = entry.transaction;
      if (included?.has(hash) === true) this.#journal?.release(hash);
      else this.#record.end(entry, { state: "dropped", reason: { code: "NONCE_USED", nonce } });
    }
    if (queue.cost <= account.balance) return;
    const have = account.balance;
    for (const entry of queue.entries.filter(({ cost }) => cost > have)) {
      this.#contents.remove(entry);
      const reason: DropReason = { code: "UNAFFORDABLE", have, want: entry.cost };
      this.#record.end(entry, { state: "dropped", reason });
    }
  }

  bySender(part: (queue: SenderQueue) => readonly PoolEntry[]): Map<Address, readonly PoolEntry[]> {
    const parts = new Map<Address, readonly PoolEntry[]>();
    for (const queue of [...this.#contents.queues.values()]) {
      this.refresh(queue);
      const entries = part(queue);
      if (entries.length > 0) parts.set(queue.sender, entries);
    }
    return parts;
  }
}
