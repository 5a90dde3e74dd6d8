/**
 * Long precompiles in a thread of their own, so that a call of a minute delays nobody. One thread, started at first use,
 * runs one call at a time; a call that takes too long ends with its thread, and the next one starts another.
 */
import { Worker } from "node:worker_threads";
import type { PrecompileAnswer } from "../execution/precompiles/active.ts";
import type { OffloadedCall, PrecompileOffload } from "../execution/precompiles/offload.ts";
import { WorkerError } from "./workerError.ts";

/** Calls that wait or run; beyond it they are refused. */
export const MAX_PRECOMPILE_CALLS = 64;
const THREAD_HEAP = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 } as const;

interface Job {
  readonly call: OffloadedCall;
  readonly done: (answer: PrecompileAnswer) => void;
  readonly failed: (error: WorkerError) => void;
  readonly timer: NodeJS.Timeout;
}

type ThreadReply = { readonly answer: PrecompileAnswer } | { readonly problem: string };

/** The thread and what waits for it. */
export class PrecompileWorker implements PrecompileOffload {
  readonly #timeoutMs: number;
  /** The first one runs. */
  readonly #jobs: Job[] = [];
  #worker: Worker | undefined;
  #stopped = false;

  /** `timeoutMs`: of one call, its wait for others included. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Rejects with WorkerError PRECOMPILE_TIMEOUT, PRECOMPILES_BUSY, PRECOMPILE_FAILED, WORKERS_STOPPED. */
  run(call: OffloadedCall): Promise<PrecompileAnswer> {
    if (this.#stopped) return Promise.reject(new WorkerError({ code: "WORKERS_STOPPED" }));
    const limit = MAX_PRECOMPILE_CALLS;
    if (this.#jobs.length >= limit)
      return Promise.reject(new WorkerError({ code: "PRECOMPILES_BUSY", limit }));
    // the caller's memory goes on changing while the call waits
    const own = { ...call, input: call.input.slice() };
    return new Promise((done, failed) => {
      const timer = setTimeout(() => this.#giveUp(job), this.#timeoutMs);
      const job: Job = { call: own, done, failed, timer };
      this.#jobs.push(job);
      if (this.#jobs.length === 1) this.#send(job);
    });
  }

  /** Ends the thread and refuses what waits. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const job of this.#jobs.splice(0))
      this.#end(job, new WorkerError({ code: "WORKERS_STOPPED" }));
    await this.#dropThread();
  }

  #send({ call }: Job): void {
    this.#worker ??= this.#startThread();
    this.#worker.postMessage(call);
  }

  #giveUp(job: Job): void {
    const at = this.#jobs.indexOf(job);
    if (at < 0) return;
    this.#jobs.splice(at, 1);
    this.#end(job, new WorkerError({ code: "PRECOMPILE_TIMEOUT", timeoutMs: this.#timeoutMs }));
    if (at > 0) return;
    void this.#dropThread();
    this.#next();
  }

  #end(job: Job, outcome: PrecompileAnswer | WorkerError): void {
    clearTimeout(job.timer);
    if (outcome instanceof WorkerError) job.failed(outcome);
    else job.done(outcome);
  }

  #next(): void {
    const [job] = this.#jobs;
    if (job !== undefined) this.#send(job);
  }

  async #dropThread(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #startThread(): Worker {
    // a path in `new URL` is not rewritten by the compiler: the built tree has .js files
    const file = import.meta.url.endsWith(".ts")
      ? "./precompileThread.ts"
      : "./precompileThread.js";
    const worker = new Worker(new URL(file, import.meta.url), {
      name: "qnet-precompile",
      resourceLimits: THREAD_HEAP,
    });
    worker.unref();
    const settle = (reply: ThreadReply) => {
      // a thread that was given up may have answered meanwhile
      if (worker !== this.#worker) return;
      const job = this.#jobs.shift();
      if (job === undefined) return;
      if ("answer" in reply) this.#end(job, reply.answer);
      else {
        const { problem } = reply;
        this.#end(job, new WorkerError({ code: "PRECOMPILE_FAILED", problem }));
      }
      this.#next();
    };
    worker.on("message", settle);
    worker.on("error", (error) => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      const job = this.#jobs.shift();
      const problem = String(error);
      if (job !== undefined)
        this.#end(job, new WorkerError({ code: "PRECOMPILE_FAILED", problem }));
      this.#next();
    });
    return worker;
  }
}
