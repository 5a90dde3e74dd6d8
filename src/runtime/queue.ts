/** A bounded queue that runs one task at a time, in order: the owner of a mutable thing. */
import { NodeError } from "../primitives/errors.ts";

export type QueueErrorReason =
  | { readonly code: "QUEUE_FULL"; readonly queue: string; readonly limit: number }
  | { readonly code: "QUEUE_CLOSED"; readonly queue: string };

/** A task that the queue did not take. */
export class QueueError extends NodeError<QueueErrorReason> {}

interface Task {
  readonly run: () => Promise<void>;
  readonly refuse: (error: QueueError) => void;
}

/** Runs tasks one after the other; at most `limit` wait. */
export class SerialQueue {
  readonly #name: string;
  readonly #limit: number;
  #waiting: Task[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: { readonly name: string; readonly limit: number }) {
    this.#name = options.name;
    this.#limit = options.limit;
  }

  /** Tasks that wait, without the running one. */
  get length(): number {
    return this.#waiting.length;
  }

  /** True while a task runs. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Result of `task` once its turn came; rejects with QueueError when the queue is full or closed. */
  run<T>(task: () => T | Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new QueueError({ code: "QUEUE_CLOSED", queue: this.#name }));
    if (this.#waiting.length >= this.#limit)
      return Promise.reject(
        new QueueError({ code: "QUEUE_FULL", queue: this.#name, limit: this.#limit }),
      );
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        run: async () => {
          try {
            resolve(await task());
          } catch (error) {
            reject(error);
          }
        },
        refuse: reject,
      });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Refuses what waits and what comes, then waits for the running task. */
  async close(): Promise<void> {
    this.#closed = true;
    const refused = this.#waiting;
    this.#waiting = [];
    for (const task of refused)
      task.refuse(new QueueError({ code: "QUEUE_CLOSED", queue: this.#name }));
    await this.idle();
  }

  async #drain(): Promise<void> {
    // a turn later: the caller of `run` goes on before its task starts
    await Promise.resolve();
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift())
      await task.run();
    this.#running = undefined;
  }
}
