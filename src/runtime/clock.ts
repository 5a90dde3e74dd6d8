/** Time as an input: the system's clock for a running node, a clock moved by hand for tests. */

/** Wall-clock time in milliseconds since 1970, and waiting for it. */
export interface Clock {
  nowMs(): number;
  /** Resolves once `nowMs() >= ms`; rejects with the signal's reason when aborted first. */
  sleepUntil(ms: number, signal: AbortSignal): Promise<void>;
}

/** Longest delay that a timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The computer's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleepUntil: async (ms, signal) => {
    for (let left = ms - Date.now(); left > 0; left = ms - Date.now())
      await sleep(Math.min(left, MAX_TIMER_MS), signal);
    signal.throwIfAborted();
  },
};

/** ms with fractions since the process began, never set back: for how long something took, never for when. */
export function elapsedMs(): number {
  return performance.now();
}

function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const aborted = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", aborted, { once: true });
  });
}

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** How many callers sleep. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      if (ms <= this.#nowMs) {
        resolve();
        return;
      }
      const aborted = () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      };
      const sleeper: Sleeper = {
        wakeAtMs: ms,
        wake: () => {
          signal.removeEventListener("abort", aborted);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  /** Moves time on by `ms`, waking every sleeper at its own moment and letting it act before time goes on. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.wakeAtMs > endMs) break;
      this.#sleepers.delete(next);
      this.#nowMs = next.wakeAtMs;
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = endMs;
  }

  #earliest(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (earliest === undefined || sleeper.wakeAtMs < earliest.wakeAtMs) earliest = sleeper;
    return earliest;
  }
}
