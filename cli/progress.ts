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

  /** One block more; `share` of the work (0 to 1) is done. */
  step(number: bigint, share: number): void {
    this.#blocks++;
    if (this.#blocks % this.#every !== 0) return;
    const now = Date.now();
    if (now - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = now;
    const elapsedMs = now - this.#startMs;
    const leftMs = share > 0 ? (elapsedMs * (1 - share)) / share : undefined;
    this.#log.info(this.#sentence, {
      number,
      blocks: this.#blocks,
      rate: `${((this.#blocks * 1000) / elapsedMs).toFixed(1)}/s`,
      done: `${(share * 100).toFixed(1)}%`,
      eta: leftMs === undefined ? "unknown" : formatDuration(leftMs),
    });
  }
}

function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${seconds % 60}s`
    : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
