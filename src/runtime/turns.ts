/**
 * Sharing the main thread: long work asks after each piece whether others are due. Of all that wait to go on, one goes on
 * in each round of the event loop, so that requests and timers are late by one piece however many long works there are.
 */

/** ms that one piece of work may hold the thread, unless it asks for less */
const TURN_MS = 15;

/** There is one thread, so there is one line. Its length is that of the long works under way. */
const line: (() => void)[] = [];

/** When the first work of this round of the event loop asked: works that begin together have one turn together. */
let roundSinceMs: number | undefined;

function sinceRound(nowMs: number): number {
  return roundSinceMs ?? beginRound(nowMs);
}

function beginRound(nowMs: number): number {
  if (roundSinceMs === undefined) setImmediate(endRound);
  roundSinceMs = nowMs;
  return nowMs;
}

function endRound(): void {
  roundSinceMs = undefined;
}

function callNext(): void {
  line.shift()?.();
  if (line.length > 0) setImmediate(callNext);
}

function waitInLine(): Promise<void> {
  return new Promise((resolve) => {
    line.push(resolve);
    if (line.length === 1) setImmediate(callNext);
  });
}

/** The turns of one long work, counted from its construction. */
export class Turns {
  readonly #turnMs: number;
  #sinceMs = performance.now();

  constructor(turnMs = TURN_MS) {
    this.#turnMs = turnMs;
  }

  /** A promise to wait for when the work has had its turn; undefined while it may go on. */
  next(): Promise<void> | undefined {
    const nowMs = performance.now();
    const sinceMs = Math.min(this.#sinceMs, sinceRound(nowMs));
    return nowMs - sinceMs < this.#turnMs ? undefined : this.#wait();
  }

  async #wait(): Promise<void> {
    await waitInLine();
    this.#sinceMs = performance.now();
    beginRound(this.#sinceMs);
  }
}
