/**
 * Who leaves a full pool. Only the last transaction of a sender leaves, so that eviction makes no gap. First go those that
 * wait for a missing nonce, then those of senders beyond their guaranteed slots, then the rest; the lowest tip first
 * within each class, the newest of equal ones.
 */
import TinyQueue from "tinyqueue";
import type { PoolEntry, SenderQueue } from "./senderQueue.ts";

/** Where a transaction stands in the order of leaving; lower leaves earlier. */
export interface Standing {
  readonly rank: 0 | 1 | 2;
  /** wei per gas, of this transaction and all that stand before it */
  readonly tip: bigint;
}

interface Candidate extends Standing {
  readonly queue: SenderQueue;
  readonly tail: PoolEntry;
}

/** Negative when `a` leaves before `b`; 0 when neither is worth more. */
export function compareStanding(a: Standing, b: Standing): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0;
}

function compareCandidates(a: Candidate, b: Candidate): number {
  const order = compareStanding(a, b);
  return order !== 0 ? order : b.tail.arrival - a.tail.arrival;
}

/** Outdated candidates tolerated before the heap is built anew. */
const SLACK = 1_024;

/** Finds the transaction that leaves next. Costs nothing until the pool is full for the first time. */
export class EvictionOrder {
  readonly #queues: ReadonlyMap<unknown, SenderQueue>;
  readonly #guaranteed: number;
  #heap: TinyQueue<Candidate> | undefined;
  #baseFee = 0n;

  constructor(queues: ReadonlyMap<unknown, SenderQueue>, options: { readonly guaranteed: number }) {
    this.#queues = queues;
    this.#guaranteed = options.guaranteed;
  }

  /** Forgets the order: fees have changed, or the pool is no longer full. */
  reset(): void {
    this.#heap = undefined;
  }

  /** A queue has another tail, or other fees before it. */
  touch(queue: SenderQueue): void {
    if (this.#heap === undefined) return;
    const candidate = this.#candidate(queue);
    if (candidate !== undefined) this.#heap.push(candidate);
    if (this.#heap.length > 2 * this.#queues.size + SLACK) this.#heap = undefined;
  }

  /** The queue whose tail leaves next at `baseFee`; undefined when all are spared. */
  next(baseFee: bigint): SenderQueue | undefined {
    if (this.#heap === undefined || this.#baseFee !== baseFee) this.#build(baseFee);
    const heap = this.#heap;
    for (let top = heap?.peek(); top !== undefined; top = heap?.peek()) {
      if (this.#holds(top)) return top.queue;
      heap?.pop();
    }
    return undefined;
  }

  /** Standing of the tail of `queue`. */
  standing(queue: SenderQueue, baseFee: bigint): Standing {
    const { length } = queue.entries;
    const rank = queue.executable < length ? 0 : length > this.#guaranteed ? 1 : 2;
    return { rank, tip: queue.tailTip(baseFee) };
  }

  #build(baseFee: bigint): void {
    this.#baseFee = baseFee;
    const candidates: Candidate[] = [];
    for (const queue of this.#queues.values()) {
      const candidate = this.#candidate(queue);
      if (candidate !== undefined) candidates.push(candidate);
    }
    this.#heap = new TinyQueue(candidates, compareCandidates);
  }

  #candidate(queue: SenderQueue): Candidate | undefined {
    const { tail } = queue;
    if (tail === undefined || queue.local) return undefined;
    return { queue, tail, ...this.standing(queue, this.#baseFee) };
  }

  #holds(candidate: Candidate): boolean {
    const { queue, tail } = candidate;
    if (queue.tail !== tail || queue.local) return false;
    return compareStanding(candidate, this.standing(queue, this.#baseFee)) === 0;
  }
}
