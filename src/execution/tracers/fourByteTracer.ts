/** Geth's 4byteTracer: how often each function was called, and with how much data. */
import { bytesToHex } from "../../primitives/hex.ts";
import { isPrecompile } from "../evm.ts";
import type { FrameStart, Observer } from "../observer.ts";
import type { Tracer, TraceSubject, TraceValue } from "./tracer.ts";

const SELECTOR = 4;
/** Estimated memory of a count. */
const COUNT_BYTES = 64;

/** Counts selectors: `0x<selector>-<bytes of arguments>` → calls. */
export class FourByteTracer implements Tracer {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #counts = new Map<string, number>();

  constructor(subject: TraceSubject) {
    this.#subject = subject;
    this.observer = { enter: (frame) => this.#enter(frame) };
  }

  finish(): TraceValue {
    return Object.fromEntries(this.#counts);
  }

  #enter({ codeAddress, input }: FrameStart): void {
    // a creation has no function, a precompile no selector
    if (codeAddress === undefined || input.length < SELECTOR) return;
    if (isPrecompile(codeAddress, this.#subject.rules)) return;
    const key = `${bytesToHex(input.subarray(0, SELECTOR))}-${input.length - SELECTOR}`;
    const count = this.#counts.get(key);
    if (count === undefined) this.#subject.budget.take(COUNT_BYTES);
    this.#counts.set(key, (count ?? 0) + 1);
  }
}
