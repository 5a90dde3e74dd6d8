/** Time that the calls of one request may take together. */
import { systemClock } from "../src/runtime/clock.ts";
import { Turns } from "../src/runtime/turns.ts";
import { RpcError } from "./errors.ts";

/** Counts from its construction; work asks `pause` wherever it can be held. */
export class TimeBudget {
  readonly #timeoutMs: number;
  readonly #endMs: number;
  readonly #turns = new Turns();

  /** 0: other work gets its turns, and there is no end. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#endMs = systemClock.nowMs() + (timeoutMs > 0 ? timeoutMs : Number.POSITIVE_INFINITY);
  }

  /** A promise to wait for when others are due. Throws RpcError TIMEOUT. */
  pause(): Promise<void> | undefined {
    if (systemClock.nowMs() <= this.#endMs) return this.#turns.next();
    const text = `execution aborted (timeout = ${this.#timeoutMs} ms)`;
    throw new RpcError({ code: "TIMEOUT", text });
  }
}
