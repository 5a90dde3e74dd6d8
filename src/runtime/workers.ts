/**
 * Recovery of senders, and verification of post-quantum signatures, off the main thread. Calls of one turn are coalesced into batches of packed bytes; replies are
 * given out in the order of the calls. A hop to a thread costs about as much as one recovery, so a few transactions are
 * recovered in place, and so is everything while no worker is ready. A worker that dies takes no promise with it: its
 * batch goes to another one or is recovered in place.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { PqError, type PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import { bytesToAddress } from "../primitives/hex.ts";
import { encodeNetworkTransaction, type NetworkTransaction } from "../types/blobSidecar.ts";
import {
  knownSender,
  prepareSigners,
  rememberSender,
  senderOf,
  signatureAlgorithms,
} from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import { checkSidecar } from "./checkSidecar.ts";
import type { Logger } from "./log.ts";
import {
  packTransactions,
  type RecoverReply,
  type RecoverRequest,
  type RecoverSetup,
  SENDER_BYTES,
} from "./recoverPacket.ts";
import { WorkerError } from "./workerError.ts";

export interface WorkerDependencies {
  readonly log: Logger;
  /** What verifies here what no thread does; threads have their own, as paranoid as it. Default: the common verifier */
  readonly verifier?: PqVerifier | undefined;
}

export interface WorkerOptions {
  /** Worker threads, capped by the cores of the machine; 0 recovers everything in place. Default 2. */
  readonly threads?: number;
}

const DEFAULT_THREADS = 2;
/** Fewer transactions than this are recovered in place (bench/micro: a hop costs 90-150 us, a recovery 60). */
export const INLINE_BELOW = 4;
/** Transactions in one message: large enough to hide the hop, small enough to keep every worker busy. */
const MAX_BATCH = 128;
/** Transactions for which a busy thread gets a second message: a hop wakes a thread, which costs more than its bytes. */
const WORTH_SENDING = 32;
/** Transactions recovered in place before other work gets a turn, about 4 ms. */
const INLINE_SLICE = 64;
/** Heap of a worker: a batch is short-lived, and what V8 may take by default it does take (60 MB a thread). */
const THREAD_HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 } as const;
/** Batches given to a worker before its first answer, so that it never waits for us. */
const BATCHES_PER_WORKER = 2;
/** Transactions waiting for recovery; beyond it callers are refused. */
export const MAX_WAITING = 65_536;
/** Blob transactions waiting for their proofs to be checked, about 1 s each; beyond it callers are refused. */
const MAX_SIDECARS = 64;
/** Workers started again after a death; then recovery stays in place. */
const MAX_RESTARTS = 8;

interface Job {
  readonly transaction: Transaction;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

interface Batch {
  readonly id: number;
  readonly jobs: readonly Job[];
  /** Set when the answers are there; given out when all earlier batches are. */
  settle: (() => void) | undefined;
}

/** One blob transaction whose proofs are checked. */
interface Sidecar {
  readonly id: number;
  readonly network: NetworkTransaction;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly batches: Map<number, Batch>;
  sidecar: Sidecar | undefined;
  ready: boolean;
}

/** Recovers senders and remembers them with their transactions. */
export class WorkerPool {
  readonly #log: Logger;
  readonly #verifier: PqVerifier;
  readonly #wanted: number;
  readonly #threads = new Set<Thread>();
  /** Jobs that no batch holds yet. */
  #jobs: Job[] = [];
  #flush: NodeJS.Immediate | undefined;
  /** Batches of threads that died. */
  #returned: Batch[] = [];
  /** All unsettled batches in the order of their calls. */
  #order: Batch[] = [];
  #sidecars: Sidecar[] = [];
  #waiting = 0;
  #nextId = 0;
  #restarts = 0;
  #inline: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(dependencies: WorkerDependencies, options: WorkerOptions = {}) {
    this.#log = dependencies.log;
    this.#verifier = dependencies.verifier ?? pqVerifier;
    this.#wanted = Math.min(options.threads ?? DEFAULT_THREADS, availableParallelism());
  }

  /** Transactions whose sender is being recovered. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Threads that answer now. */
  get ready(): number {
    let ready = 0;
    for (const thread of this.#threads) if (thread.ready) ready++;
    return ready;
  }

  /**
   * Resolves when `knownSender(transaction)` is set. Calls resolve in their order. Rejects with WorkerError: the
   * signature has no sender, too many wait, or the pool is stopped; with PqError where no verifier can be trusted. That
   * the rules know the algorithm of a post-quantum signature is the caller's to check.
   */
  recover(transaction: Transaction): Promise<void> {
    if (this.#stopped) return Promise.reject(new WorkerError({ code: "WORKERS_STOPPED" }));
    if (this.#waiting >= MAX_WAITING)
      return Promise.reject(new WorkerError({ code: "WORKERS_BUSY", limit: MAX_WAITING }));
    // a paranoid one may be asked in `#fail`, where nothing can be waited for
    const checker = this.#verifier.paranoid ? this.#verifier : undefined;
    const preparing = checker && prepareSigners([transaction], checker);
    if (preparing !== undefined) return preparing.then(() => this.recover(transaction));
    return new Promise((done, failed) => {
      this.#waiting++;
      this.#jobs.push({ transaction, done, failed });
      this.#flush ??= setImmediate(() => this.#dispatch());
    });
  }

  /** Recovers the unknown senders among `transactions`, in parallel. Rejects with the first failure. */
  async recoverAll(transactions: readonly Transaction[]): Promise<void> {
    const unknown = transactions.filter((transaction) => knownSender(transaction) === undefined);
    for (let start = 0; start < unknown.length; start += MAX_WAITING / 2) {
      const part = unknown.slice(start, start + MAX_WAITING / 2);
      await Promise.all(part.map((transaction) => this.recover(transaction)));
    }
  }

  /** Checks the proofs of a blob transaction. Rejects with WorkerError INVALID_SIDECAR, WORKERS_BUSY, WORKERS_STOPPED. */
  verifySidecar(network: NetworkTransaction): Promise<void> {
    if (this.#stopped) return Promise.reject(new WorkerError({ code: "WORKERS_STOPPED" }));
    if (this.#sidecars.length >= MAX_SIDECARS)
      return Promise.reject(new WorkerError({ code: "WORKERS_BUSY", limit: MAX_SIDECARS }));
    this.warmUp();
    if (this.#threads.size === 0) return checkSidecar(network);
    return new Promise((done, failed) => {
      this.#sidecars.push({ id: this.#nextId++, network, done, failed });
      this.#feed();
    });
  }

  /** Starts the threads before they are needed; otherwise the first batch does. */
  warmUp(): void {
    while (!this.#stopped && this.#threads.size < this.#wanted && this.#restarts <= MAX_RESTARTS)
      this.#startThread();
  }

  /** Ends the threads; what still waits is refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearImmediate(this.#flush);
    clearImmediate(this.#inline);
    const checks = [...this.#sidecars, ...Array.from(this.#threads, ({ sidecar }) => sidecar)];
    const jobs = [...this.#order.flatMap((batch) => batch.jobs), ...this.#jobs, ...checks];
    this.#sidecars = [];
    this.#jobs = [];
    this.#order = [];
    this.#returned = [];
    this.#waiting = 0;
    for (const job of jobs) job?.failed(new WorkerError({ code: "WORKERS_STOPPED" }));
    await Promise.all(Array.from(this.#threads, ({ worker }) => worker.terminate()));
  }

  #dispatch(): void {
    this.#flush = undefined;
    const few =
      this.#jobs.length < INLINE_BELOW &&
      this.#order.length === 0 &&
      this.#jobs.every(({ transaction }) => transaction.pqSender === undefined);
    if (few) {
      if (this.#jobs.length > 0) this.#recoverInPlace(this.#cut(this.#jobs.length));
      return;
    }
    if (this.#wanted > 0) this.warmUp();
    this.#feed();
  }

  /** The first `count` waiting jobs as a batch. */
  #cut(count: number): Batch {
    const batch: Batch = {
      id: this.#nextId++,
      jobs: this.#jobs.splice(0, count),
      settle: undefined,
    };
    this.#order.push(batch);
    return batch;
  }

  /** What a thread with so many batches should get next; undefined: nothing yet. */
  #nextBatch(given: number): Batch | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const count = this.#jobs.length;
    // a thread that is busy waits until a message is worth its cost
    if (count === 0 || (given > 0 && count < WORTH_SENDING)) return undefined;
    if (count <= WORTH_SENDING) return this.#cut(count);
    return this.#cut(Math.min(MAX_BATCH, Math.ceil(count / this.#threads.size)));
  }

  /** Hands waiting jobs to the threads, or works on them here while no thread is ready. */
  #feed(): void {
    for (const thread of this.#threads) {
      if (thread.ready && thread.sidecar === undefined) this.#postSidecar(thread);
      while (thread.ready && thread.batches.size < BATCHES_PER_WORKER) {
        const batch = this.#nextBatch(thread.batches.size);
        if (batch === undefined) break;
        this.#post(thread, batch);
      }
    }
    if ((this.#jobs.length === 0 && this.#returned.length === 0) || this.ready > 0) return;
    this.#inline ??= setImmediate(() => {
      this.#inline = undefined;
      const batch = this.#returned.shift() ?? this.#cut(Math.min(INLINE_SLICE, this.#jobs.length));
      this.#recoverInPlace(batch);
      this.#feed();
    });
  }

  #postSidecar(thread: Thread): void {
    const sidecar = this.#sidecars.shift();
    if (sidecar === undefined) return;
    thread.sidecar = sidecar;
    const packet = Uint8Array.from(encodeNetworkTransaction(sidecar.network));
    this.#send(thread, { id: sidecar.id, kind: "sidecar", packet, algorithms: [] });
  }

  #send(thread: Thread, request: RecoverRequest): void {
    thread.worker.ref();
    thread.worker.postMessage(request, [request.packet.buffer]);
  }

  #post(thread: Thread, batch: Batch): void {
    const transactions = batch.jobs.map(({ transaction }) => transaction);
    const packet = packTransactions(transactions.map(({ raw }) => raw));
    const algorithms = signatureAlgorithms(transactions);
    thread.batches.set(batch.id, batch);
    this.#send(thread, { id: batch.id, kind: "senders", packet, algorithms });
  }

  #answer(thread: Thread, { id, packet, failures }: RecoverReply): void {
    const { sidecar } = thread;
    if (sidecar?.id === id) {
      thread.sidecar = undefined;
      const problem = failures.get(0);
      if (problem === undefined) sidecar.done();
      else sidecar.failed(new WorkerError({ code: "INVALID_SIDECAR", problem }));
    }
    const batch = thread.batches.get(id);
    if (batch !== undefined) {
      thread.batches.delete(id);
      this.#finish(batch, (job, index) => {
        const problem = failures.get(index);
        if (problem !== undefined) this.#fail(job, problem);
        const at = index * SENDER_BYTES;
        rememberSender(job.transaction, bytesToAddress(packet.subarray(at, at + SENDER_BYTES)));
      });
    }
    this.#feed();
    if (thread.batches.size === 0 && thread.sidecar === undefined) thread.worker.unref();
  }

  /** Throws why a thread found no sender; a thread cannot halt the node when its back ends disagree, so this one asks again. */
  #fail({ transaction }: Job, problem: string): never {
    const { paranoid } = this.#verifier;
    if (paranoid && transaction.pqSender !== undefined)
      senderOf(transaction, { verifier: this.#verifier });
    throw new WorkerError({ code: "INVALID_SENDER", problem });
  }

  #recoverInPlace(batch: Batch): void {
    const transactions = batch.jobs.map(({ transaction }) => transaction);
    const preparing = prepareSigners(transactions, this.#verifier);
    if (preparing === undefined) this.#recoverHere(batch);
    else
      preparing.then(
        () => this.#recoverHere(batch),
        (error: unknown) =>
          this.#finish(batch, () => {
            throw error;
          }),
      );
  }

  #recoverHere(batch: Batch): void {
    const failures = batch.jobs.map(({ transaction }) => {
      try {
        senderOf(transaction, { verifier: this.#verifier });
        return undefined;
      } catch (error) {
        if (error instanceof PqError) return error;
        const problem = error instanceof Error ? error.message : String(error);
        return new WorkerError({ code: "INVALID_SENDER", problem }, { cause: error });
      }
    });
    this.#finish(batch, (_job, index) => {
      const failure = failures[index];
      if (failure !== undefined) throw failure;
    });
  }

  /** Keeps the answers until every earlier batch has been given out. */
  #finish(batch: Batch, take: (job: Job, index: number) => void): void {
    batch.settle = () => {
      this.#waiting -= batch.jobs.length;
      batch.jobs.forEach((job, index) => {
        try {
          take(job, index);
          job.done();
        } catch (error) {
          job.failed(error);
        }
      });
    };
    let settled = 0;
    for (const { settle } of this.#order) {
      if (settle === undefined) break;
      settle();
      settled++;
    }
    if (settled > 0) this.#order.splice(0, settled);
  }

  #startThread(): void {
    // a path in `new URL` is not rewritten by the compiler: the built tree has .js files
    const file = import.meta.url.endsWith(".ts") ? "./recoverThread.ts" : "./recoverThread.js";
    const worker = new Worker(new URL(file, import.meta.url), {
      name: "qnet-recover",
      resourceLimits: THREAD_HEAP,
      workerData: { paranoid: this.#verifier.paranoid } satisfies RecoverSetup,
    });
    const thread: Thread = { worker, batches: new Map(), sidecar: undefined, ready: false };
    this.#threads.add(thread);
    worker.unref();
    worker.on("message", (message: "ready" | RecoverReply) => {
      if (message === "ready") {
        thread.ready = true;
        this.#feed();
      } else this.#answer(thread, message);
    });
    worker.on("error", (error) => {
      this.#log.error("Recovery worker failed", { error });
    });
    worker.on("exit", (exitCode) => this.#lost(thread, exitCode));
  }

  #lost(thread: Thread, exitCode: number): void {
    this.#threads.delete(thread);
    if (this.#stopped) return;
    this.#restarts++;
    const restarting = this.#restarts <= MAX_RESTARTS;
    this.#log.warn("Recovery worker ended", {
      exitCode,
      batches: thread.batches.size,
      restarting,
    });
    this.#returned.unshift(...thread.batches.values());
    if (thread.sidecar !== undefined) this.#sidecars.unshift(thread.sidecar);
    if (restarting) this.#startThread();
    if (this.#threads.size === 0)
      for (const { network, done, failed } of this.#sidecars.splice(0))
        checkSidecar(network).then(done, failed);
    this.#feed();
  }
}
