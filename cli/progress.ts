/** Progress of long work: lines with rate and time left on the log, not more than one in a few seconds. */
import type { Logger } from "../src/runtime/log.ts";

const INTERVAL_MS = 5_000;

/** Counts blocks and tells the log how it goes. */
export class Progress {
  readonly #log: Logger;
  readonly #sentence: string;
  readonly #every: number;
  readonly #startMs: number;
  #toldMs: number;
  #blocks = 0;
  #transactions = 0;
  #gas = 0;
  #counted = false;

  /** At most one line for `every` blocks. */
  constructor(log: Logger, sentence: string, every: number) {
    this.#log = log;
    this.#sentence = sentence;
    this.#every = every;
    this.#startMs = Date.now();
    this.#toldMs = this.#startMs;
  }

  get elapsedMs(): number {
    return Date.now() - this.#startMs;
  }

  /** One block more; `share` of the work (0 to 1) is done. `content` of the block, where rates of it are told. */
  step(number: bigint, share: number, content?: BlockContent): void {
    this.#blocks++;
    if (content !== undefined) {
      this.#counted = true;
      this.#transactions += content.transactions;
      this.#gas += content.gas;
    }
    if (this.#blocks % this.#every !== 0) return;
    const now = Date.now();
    if (now - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = now;
    const elapsedMs = now - this.#startMs;
    const leftMs = share > 0 ? (elapsedMs * (1 - share)) / share : undefined;
    this.#log.info(this.#sentence, {
      number,
      blocks: this.#blocks,
      ...this.#rates(elapsedMs),
      done: `${(share * 100).toFixed(1)}%`,
      eta: leftMs === undefined ? "unknown" : formatDuration(leftMs),
    });
  }

  /** What was done in all and how fast. */
  summary(): { readonly ms: number; readonly transactions: number } & Rates {
    const ms = this.elapsedMs;
    return { ms, transactions: this.#transactions, ...this.#rates(ms) };
  }

  #rates(elapsedMs: number): Rates {
    const seconds = Math.max(elapsedMs, 1) / 1000;
    const blocksPerSecond = round(this.#blocks / seconds);
    if (!this.#counted) return { blocksPerSecond };
    return {
      blocksPerSecond,
      transactionsPerSecond: round(this.#transactions / seconds),
      mgasPerSecond: round(this.#gas / 1e6 / seconds),
    };
  }
}

/** What a block adds to the rates. */
export interface BlockContent {
  readonly transactions: number;
  readonly gas: number;
}

interface Rates {
  readonly blocksPerSecond: number;
  readonly transactionsPerSecond?: number;
  readonly mgasPerSecond?: number;
}

function round(rate: number): number {
  return Math.round(rate * 10) / 10;
}

function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${seconds % 60}s`
    : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
