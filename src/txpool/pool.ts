/**
 * The transaction pool: what waits to be put into a block. It owns its contents; the head of the chain is asked, never kept.
 *
 * A transaction comes in through `add` (bytes) or `addTransaction` (sender known): cheap checks, then the signature in a
 * worker, then nonce, balance and replacement against the head in one synchronous step with the insertion. `select` hands
 * out the executable ones, best tip first; `onHead` follows the chain: included and stale ones leave, those of undone blocks
 * return. What leaves leaves a reason behind (`status`). Every queue stays in nonce order without doubles; nothing here is
 * unbounded: counts, bytes, gaps, endings, sidecars and the journal have limits.
 */
import { mostItCosts } from "../execution/checkTransaction.ts";
import { TransactionError } from "../execution/transactionError.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { BoundedCache } from "../runtime/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import { Emitter, type Listener, type Unsubscribe } from "../runtime/emitter.ts";
import type { Logger } from "../runtime/log.ts";
import type { MetricHandles, Metrics } from "../runtime/metrics.ts";
import type { BlobSidecar, NetworkTransaction } from "../types/blobSidecar.ts";
import { isImpersonated } from "../types/impersonation.ts";
import { claimedSender, knownSender, senderOf, storedSender } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import { checkAdmissible, checkReplacement, decodeForPool } from "./admit.ts";
import { checkAccount, checkAtHead } from "./admitAtHead.ts";
import { PoolContents } from "./contents.ts";
import type { HeadChange, HeadState } from "./headState.ts";
import type { Journal } from "./journal.ts";
import { LiveContents } from "./liveContents.ts";
import { txpoolMetrics } from "./metrics.ts";
import { PoolError, refuse } from "./poolError.ts";
import type { PoolEvents, PoolSnapshot, PoolStats } from "./poolFacts.ts";
import { DEFAULT_POOL_OPTIONS, type PoolOptions } from "./poolOptions.ts";
import { PoolRecord } from "./poolRecord.ts";
import { Selection, type SelectionFees } from "./select.ts";
import type { Origin, PoolEntry } from "./senderQueue.ts";
import { type DropReason, type TransactionStatus, waitingFor } from "./statusLog.ts";

/** Recovers senders; runtime/workers.ts does it off the main thread. */
export interface SenderRecovery {
  /** Resolves when `knownSender(transaction)` is set; calls resolve in their order. */
  recover(transaction: Transaction): Promise<void>;
  /** Resolves when the proofs of the blobs hold. */
  verifySidecar(network: NetworkTransaction): Promise<void>;
  readonly waiting: number;
}

export interface PoolDependencies {
  readonly head: HeadState;
  readonly recovery: SenderRecovery;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Without it, local transactions end with the process. */
  readonly journal?: Journal | undefined;
}

/** Transactions of the journal that are taken in together. */
const LOAD_BATCH = 512;
const SWEEP_INTERVAL_MS = 60_000;
/** Sidecars of included blob transactions, kept in case their block is undone. */
const LIMBO = { entries: 64, bytes: 32 * 1024 * 1024, sizeOf: sidecarSize };

interface Arrival {
  readonly transaction: Transaction;
  readonly sidecar: BlobSidecar | undefined;
  readonly origin: Origin;
  /** Survives a restart; blobs are too large for that, impersonated senders cannot be recovered. */
  readonly keep: boolean;
}

/** Transactions that wait, by sender and nonce. */
export class TxPool {
  readonly #deps: PoolDependencies;
  readonly #options: PoolOptions;
  readonly #contents: PoolContents;
  readonly #live: LiveContents;
  readonly #record: PoolRecord;
  readonly #events = new Emitter<PoolEvents>();
  readonly #metrics: MetricHandles<typeof txpoolMetrics>;
  readonly #limbo = new BoundedCache<Hash, BlobSidecar>(LIMBO);
  #arrivals = 0;
  #sweptMs: number;

  constructor(dependencies: PoolDependencies, options: Partial<PoolOptions> = {}) {
    this.#deps = dependencies;
    this.#options = { ...DEFAULT_POOL_OPTIONS, ...options };
    this.#contents = new PoolContents(this.#options);
    this.#sweptMs = dependencies.clock.nowMs();
    this.#metrics = dependencies.metrics.register("txpool", txpoolMetrics);
    this.#record = new PoolRecord({ ...dependencies, metrics: this.#metrics });
    const { head, journal } = dependencies;
    this.#live = new LiveContents({
      head,
      journal,
      contents: this.#contents,
      record: this.#record,
    });
    this.#metrics.pending.read(() => this.#contents.executable);
    this.#metrics.queued.read(() => this.#contents.size - this.#contents.executable);
    this.#metrics.size_bytes.read(() => this.#contents.bytes);
    this.#metrics.recovering.read(() => dependencies.recovery.waiting);
  }

  on<Name extends keyof PoolEvents>(name: Name, listener: Listener<PoolEvents[Name]>): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /** Takes the transactions of the journal back in. */
  async start(): Promise<void> {
    const { journal, log } = this.#deps;
    if (journal === undefined) return;
    const raws = await journal.load();
    let restored = 0;
    for (let start = 0; start < raws.length; start += LOAD_BATCH) {
      const batch = raws.slice(start, start + LOAD_BATCH);
      const results = await Promise.allSettled(batch.map((raw) => this.add(raw, "local")));
      for (const result of results) {
        if (result.status === "fulfilled") restored++;
        // most have been included meanwhile; anything but a refusal is a fault
        else if (!(result.reason instanceof NodeError)) throw result.reason;
      }
    }
    journal.rotate();
    if (raws.length > 0)
      log.info("Loaded local transactions", { restored, dropped: raws.length - restored });
  }

  async stop(): Promise<void> {
    await this.#deps.journal?.close();
  }

  /**
   * Takes a transaction in network form. Throws DecodeError, TransactionError, PoolError, or WorkerError when its
   * signature has no sender or too many transactions wait for recovery.
   */
  async add(raw: Bytes, origin: Origin): Promise<Transaction> {
    const { transaction, sidecar } = decodeForPool(raw);
    const keep = origin === "local" && sidecar === undefined;
    return await this.#take({ transaction, sidecar, origin, keep });
  }

  /** Takes a decoded transaction; one of an impersonated sender is not asked for a signature, nor kept over a restart. */
  async addTransaction(
    transaction: Transaction,
    origin: Origin,
    sidecar?: BlobSidecar,
  ): Promise<Transaction> {
    const sender = knownSender(transaction);
    const isMade = sender !== undefined && isImpersonated(transaction, sender);
    const keep = origin === "local" && sidecar === undefined && !isMade;
    return await this.#take({ transaction, sidecar, origin, keep });
  }

  async #take(arrival: Arrival): Promise<Transaction> {
    const { transaction } = arrival;
    try {
      if (this.#contents.get(transaction.hash) !== undefined)
        refuse({ code: "ALREADY_KNOWN", hash: transaction.hash });
      checkAdmissible(transaction, this.#deps.head, this.#options, arrival.origin);
      if (knownSender(transaction) === undefined) await this.#recover(transaction);
      if (transaction.blobVersionedHashes.length > 0) await this.#checkSidecar(arrival);
      // no await from here to the insertion
      this.#admit(arrival);
    } catch (error) {
      this.#record.refused(transaction.hash, error);
      throw error;
    }
    this.#metrics.added_total.add(1, { origin: arrival.origin });
    this.#sweep();
    return transaction;
  }

  /** The signature last: where a transaction names its sender, that account refuses for less than a verification costs. */
  async #recover(transaction: Transaction): Promise<void> {
    const claimed = claimedSender(transaction);
    if (claimed !== undefined) checkAtHead(this.#live.queueOf(claimed), transaction, this.#options);
    await this.#deps.recovery.recover(transaction);
  }

  get(hash: Hash): Transaction | undefined {
    return this.#contents.get(hash)?.transaction;
  }

  /** Grows with every insertion: unchanged means that nothing new has come. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** A pooled transaction with what the pool knows of it. */
  entry(hash: Hash): PoolEntry | undefined {
    return this.#contents.get(hash);
  }

  /** Where a transaction is in its life, as far as this node knows. */
  status(hash: Hash): TransactionStatus | undefined {
    const entry = this.#contents.get(hash);
    if (entry !== undefined) {
      const queue = this.#live.queueOf(entry.sender);
      const { nonce } = entry.transaction;
      if (queue.executableAt(nonce) === entry)
        return { state: "pending", waiting: waitingFor(entry.transaction, this.#deps.head) };
      // the account may have moved past it: then the look has dropped it
      if (queue.find(nonce) === entry)
        return { state: "queued", expects: queue.nextNonce, got: nonce };
    }
    const inclusion = this.#deps.head.inclusion(hash);
    if (inclusion === undefined) return this.#record.get(hash);
    const { blockNumber, blockHash, finalized } = inclusion;
    return { state: finalized ? "finalized" : "included", blockNumber, blockHash };
  }

  /** The nonce that the account's next transaction should have, pooled ones counted. */
  nonce(address: Address): bigint {
    return this.#live.queueOf(address).nextNonce;
  }

  /** Executable transactions by sender, in nonce order. */
  pending(): Map<Address, readonly PoolEntry[]> {
    return this.#live.bySender((queue) => queue.entries.slice(0, queue.executable));
  }

  /** Transactions that wait for a missing nonce, by sender, in nonce order. */
  queued(): Map<Address, readonly PoolEntry[]> {
    return this.#live.bySender((queue) => queue.entries.slice(queue.executable));
  }

  /** Both lists of one sender. */
  contentFrom(sender: Address): {
    readonly pending: readonly PoolEntry[];
    readonly queued: readonly PoolEntry[];
  } {
    const { entries, executable } = this.#live.queueOf(sender);
    return { pending: entries.slice(0, executable), queued: entries.slice(executable) };
  }

  stats(): PoolStats {
    const { size, executable, bytes } = this.#contents;
    return { pending: executable, queued: size - executable, bytes };
  }

  /** Transactions for the next block; fees and gas limit default to those of the head. */
  select(fees: Partial<SelectionFees> = {}): Selection {
    const { baseFee, blobBaseFee, gasLimit } = this.#deps.head;
    return new Selection(
      this.#contents.queues.values(),
      { baseFee, blobBaseFee, gasLimit, ...fees },
      (queue) => this.#live.refresh(queue),
    );
  }

  /** Follows the chain: included and stale transactions leave, those of undone blocks return. Nothing is thrown. */
  onHead(change: HeadChange): void {
    this.#live.nextHead();
    const included = new Set<Hash>();
    const touched = new Set<Address>();
    for (const block of change.added)
      for (const transaction of block.transactions) {
        const entry = this.#contents.get(transaction.hash);
        if (entry?.sidecar !== undefined) this.#limbo.set(transaction.hash, entry.sidecar);
        touched.add(entry?.sender ?? storedSender(transaction));
        included.add(transaction.hash);
      }
    const returning = change.removed
      .toReversed()
      .flatMap((block) => block.transactions)
      .filter((transaction) => !included.has(transaction.hash));
    for (const transaction of returning) touched.add(storedSender(transaction));
    for (const sender of touched) {
      const queue = this.#contents.queues.get(sender);
      if (queue !== undefined) this.#live.refresh(queue, included);
    }
    for (const transaction of returning) this.#return(transaction);
    this.#sweep();
  }

  /** Looks at accounts again after the state of the head was edited by hand; without addresses at all of them. */
  refresh(addresses?: Iterable<Address>): void {
    this.#live.nextHead();
    for (const address of addresses ?? [...this.#contents.queues.keys()]) {
      const queue = this.#contents.queues.get(address);
      if (queue !== undefined) this.#live.refresh(queue);
    }
  }

  /** Takes a transaction out; false when it is not there. */
  remove(hash: Hash, reason: DropReason = { code: "REMOVED" }): boolean {
    const entry = this.#contents.get(hash);
    if (entry === undefined) return false;
    this.#contents.remove(entry);
    this.#record.end(entry, { state: "dropped", reason });
    return true;
  }

  /** Takes everything out. */
  clear(): void {
    for (const entry of [...this.#contents.entries])
      this.#record.end(entry, { state: "dropped", reason: { code: "REMOVED" } });
    this.#contents.clear();
  }

  snapshot(): PoolSnapshot {
    return { entries: [...this.#contents.entries] };
  }

  /** Makes the contents those of a snapshot, as far as the head now allows. */
  restore(snapshot: PoolSnapshot): void {
    this.#live.nextHead();
    this.clear();
    for (const entry of snapshot.entries) {
      const queue = this.#live.queueOf(entry.sender);
      const { hash, nonce, raw } = entry.transaction;
      if (nonce < queue.nonce || !this.#live.put(queue, entry)) continue;
      if (entry.keep) this.#deps.journal?.keep(hash, raw);
    }
  }

  async #checkSidecar({ transaction, sidecar }: Arrival): Promise<void> {
    if (sidecar === undefined)
      refuse({ code: "INVALID_SIDECAR", problem: "the blobs are missing" });
    // proofs per blob until Osaka, per cell from then on (EIP-7594)
    const version = this.#deps.head.rules.has("osaka") ? 1 : 0;
    if (sidecar.version !== version)
      refuse({ code: "INVALID_SIDECAR", problem: `version ${sidecar.version}, want ${version}` });
    await this.#deps.recovery.verifySidecar({ transaction, sidecar });
  }

  /** The checks that need the head, and the insertion. Throws TransactionError or PoolError. */
  #admit({ transaction, sidecar, origin, keep }: Arrival): void {
    const { hash, nonce, raw } = transaction;
    if (this.#contents.get(hash) !== undefined) refuse({ code: "ALREADY_KNOWN", hash });
    const sender = senderOf(transaction);
    const queue = this.#live.queueOf(sender);
    const cost = checkAtHead(queue, transaction, this.#options);
    const entry = this.#entryOf({ transaction, sidecar, origin, keep }, sender, cost);
    if (!this.#live.put(queue, entry)) {
      const { size: transactions, bytes } = this.#contents;
      refuse({ code: "POOL_FULL", transactions, bytes });
    }
    if (keep) this.#deps.journal?.keep(hash, raw);
    const expects = queue.executableAt(nonce) === entry ? undefined : queue.nextNonce;
    this.#events.emit("transaction", { transaction, sender, origin, expects });
  }

  #entryOf(arrival: Arrival, sender: Address, cost: bigint): PoolEntry {
    const { transaction, sidecar } = arrival;
    const sizeBytes = transaction.raw.length + (sidecar === undefined ? 0 : sidecarSize(sidecar));
    const addedMs = this.#deps.clock.nowMs();
    return { ...arrival, sender, arrival: this.#arrivals++, addedMs, sizeBytes, cost };
  }

  /** Puts a transaction of an undone block back; its slot is its own, so neither gaps nor the balance are asked. */
  #return(transaction: Transaction): void {
    const sender = storedSender(transaction);
    const sidecar = this.#limbo.get(transaction.hash);
    try {
      if (this.#contents.get(transaction.hash) !== undefined) return;
      const queue = this.#live.queueOf(sender);
      const { nonce } = transaction;
      checkAccount(queue, nonce, 0n);
      const pooled = queue.find(nonce);
      if (pooled !== undefined)
        checkReplacement(pooled.transaction, transaction, this.#options.priceBump);
      const arrival: Arrival = { transaction, sidecar, origin: "peer", keep: false };
      const entry = this.#entryOf(arrival, sender, mostItCosts(transaction));
      if (!this.#live.put(queue, entry)) {
        const { size: transactions, bytes } = this.#contents;
        refuse({ code: "POOL_FULL", transactions, bytes });
      }
      this.#metrics.returned_total.add();
    } catch (error) {
      if (!(error instanceof PoolError || error instanceof TransactionError)) throw error;
      this.#record.notReturned(transaction.hash, error.message);
    }
  }

  /** Once a minute: drops peers' transactions whose gap was not filled in time, and tidies the journal. */
  #sweep(): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#sweptMs < SWEEP_INTERVAL_MS) return;
    this.#sweptMs = nowMs;
    const { lifetimeMs } = this.#options;
    for (const queue of [...this.#contents.queues.values()]) {
      if (queue.local || nowMs - queue.activeMs < lifetimeMs) continue;
      for (const entry of queue.entries.slice(queue.executable))
        this.remove(entry.transaction.hash, { code: "EXPIRED", lifetimeMs });
    }
    this.#deps.journal?.tidy();
  }
}

function sidecarSize({ blobs, commitments, proofs }: BlobSidecar): number {
  let size = 0;
  for (const list of [blobs, commitments, proofs]) for (const item of list) size += item.length;
  return size;
}
