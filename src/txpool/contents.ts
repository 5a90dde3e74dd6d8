/** What the pool holds: entries by hash and by sender, the counts of both, and the order of leaving when it is full. */
import type { Address, Hash } from "../primitives/hex.ts";
import { EvictionOrder } from "./evictionOrder.ts";
import type { PoolAccount, PoolEntry, SenderQueue } from "./senderQueue.ts";

/** How much the pool holds. */
export interface ContentLimits {
  /** Transactions in all. */
  readonly globalSlots: number;
  /** Transactions of one sender that only a better paying sender pushes out. */
  readonly accountSlots: number;
  /** Transactions of local senders that are spared by eviction, as long as they take no more than half of the bytes. */
  readonly localSlots: number;
  /** Bytes in all, sidecars included. */
  readonly maxBytes: number;
}

/** Of the bytes: what spared transactions may take, or a few large ones that are never mined would shut the pool. */
const LOCAL_SHARE = 1 / 2;

/** What an insertion did. */
export interface Insertion {
  readonly replaced: PoolEntry | undefined;
  readonly evicted: readonly { readonly entry: PoolEntry; readonly tip: bigint }[];
}

/** Keeps hashes, queues and counts in step: every change of the pool's contents goes through here. */
export class PoolContents {
  readonly #limits: ContentLimits;
  readonly #byHash = new Map<Hash, PoolEntry>();
  readonly #queues = new Map<Address, SenderQueue>();
  readonly #eviction: EvictionOrder;
  #executable = 0;
  #localEntries = 0;
  #localBytes = 0;
  #bytes = 0;

  constructor(limits: ContentLimits) {
    this.#limits = limits;
    this.#eviction = new EvictionOrder(this.#queues, { guaranteed: limits.accountSlots });
  }

  get size(): number {
    return this.#byHash.size;
  }

  get executable(): number {
    return this.#executable;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get queues(): ReadonlyMap<Address, SenderQueue> {
    return this.#queues;
  }

  get entries(): Iterable<PoolEntry> {
    return this.#byHash.values();
  }

  get(hash: Hash): PoolEntry | undefined {
    return this.#byHash.get(hash);
  }

  /**
   * Puts `entry` into `queue`, which may be new, and makes room for it. Undefined when it would be the one to leave:
   * then nothing has changed.
   */
  insert(queue: SenderQueue, entry: PoolEntry, baseFee: bigint): Insertion | undefined {
    let replaced: PoolEntry | undefined;
    const wasLocal = queue.local;
    this.#change(queue, () => {
      replaced = queue.insert(entry);
      if (replaced !== undefined) this.#unlist(replaced);
      this.#list(entry);
      queue.local = this.#isLocal(queue, entry);
    });
    const evicted = this.#makeRoom(entry, baseFee);
    if (evicted !== undefined) return { replaced, evicted };
    this.#change(queue, () => {
      queue.remove(entry.transaction.nonce);
      this.#unlist(entry);
      if (replaced !== undefined) {
        queue.insert(replaced);
        this.#list(replaced);
      }
      queue.local = wasLocal;
    });
    return undefined;
  }

  /** Takes one entry out. */
  remove(entry: PoolEntry): void {
    const queue = this.#queues.get(entry.sender);
    if (queue === undefined || this.#byHash.get(entry.transaction.hash) !== entry) return;
    this.#change(queue, () => {
      queue.remove(entry.transaction.nonce);
      this.#unlist(entry);
    });
  }

  /** Brings a queue up to `account` and returns the entries whose nonce is used up. */
  update(queue: SenderQueue, account: PoolAccount, epoch: number): readonly PoolEntry[] {
    if (account.nonce === queue.nonce) return queue.update(account, epoch);
    let stale: readonly PoolEntry[] = [];
    this.#change(queue, () => {
      stale = queue.update(account, epoch);
      for (const entry of stale) this.#unlist(entry);
    });
    return stale;
  }

  clear(): void {
    this.#byHash.clear();
    this.#queues.clear();
    this.#eviction.reset();
    this.#executable = 0;
    this.#localEntries = 0;
    this.#localBytes = 0;
    this.#bytes = 0;
  }

  /** The fees by which entries are compared have changed. */
  resetOrder(): void {
    this.#eviction.reset();
  }

  /** Evicts until the limits hold; undefined, with all back in place, when `entry` itself would have to go. */
  #makeRoom(entry: PoolEntry, baseFee: bigint): Insertion["evicted"] | undefined {
    const evicted: { entry: PoolEntry; tip: bigint; queue: SenderQueue }[] = [];
    const { globalSlots, maxBytes } = this.#limits;
    while (this.#byHash.size > globalSlots || this.#bytes > maxBytes) {
      const queue = this.#eviction.next(baseFee);
      const tail = queue?.tail;
      if (queue === undefined || tail === undefined || tail === entry) {
        for (const back of evicted.toReversed()) this.#putBack(back.queue, back.entry);
        return undefined;
      }
      evicted.push({ entry: tail, tip: queue.tailTip(baseFee), queue });
      this.remove(tail);
    }
    return evicted;
  }

  #putBack(queue: SenderQueue, entry: PoolEntry): void {
    this.#change(queue, () => {
      queue.insert(entry);
      this.#list(entry);
    });
  }

  /** A sender is spared once it has sent through this node, as long as all spared senders keep within their share. */
  #isLocal(queue: SenderQueue, entry: PoolEntry): boolean {
    if (!queue.local && entry.origin !== "local") return false;
    const { localSlots, maxBytes } = this.#limits;
    // the change under way has taken this queue's entries out of the counts
    return (
      this.#localEntries + queue.entries.length <= localSlots &&
      this.#localBytes + queue.bytes <= maxBytes * LOCAL_SHARE
    );
  }

  /** Runs a change of one queue and books the difference. */
  #change(queue: SenderQueue, change: () => void): void {
    this.#executable -= queue.executable;
    if (queue.local) this.#countLocal(queue, -1);
    change();
    this.#executable += queue.executable;
    if (queue.local) this.#countLocal(queue, 1);
    if (queue.entries.length === 0) this.#queues.delete(queue.sender);
    else this.#queues.set(queue.sender, queue);
    this.#eviction.touch(queue);
  }

  #countLocal({ entries, bytes }: SenderQueue, sign: 1 | -1): void {
    this.#localEntries += sign * entries.length;
    this.#localBytes += sign * bytes;
  }

  #list(entry: PoolEntry): void {
    this.#byHash.set(entry.transaction.hash, entry);
    this.#bytes += entry.sizeBytes;
  }

  #unlist(entry: PoolEntry): void {
    this.#byHash.delete(entry.transaction.hash);
    this.#bytes -= entry.sizeBytes;
  }
}
