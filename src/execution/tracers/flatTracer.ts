/** OpenEthereum's flat call traces: one object per frame, placed in the tree by its `traceAddress`. */
import { bytesToHex, formatQuantity } from "../../primitives/hex.ts";
import { isPrecompile } from "../evm.ts";
import type { Observer } from "../observer.ts";
import { type Frame, FrameRecorder } from "./frames.ts";
import { failureText, type Tracer, type TraceSubject, type TraceValue } from "./tracer.ts";

/** A flat trace as its JSON object. */
export type FlatTrace = { readonly [key: string]: TraceValue | undefined };

export interface FlatTracerOptions {
  /** Name failures as OpenEthereum did ("Reverted"), not as geth does. */
  readonly convertParityErrors?: boolean | undefined;
  /** Show calls of precompiles that carry no ether, too. */
  readonly includePrecompiles?: boolean | undefined;
}

/** OpenEthereum's words for failures, by those of the interpreter. */
const PARITY_WORDS: ReadonlyMap<string, string> = new Map([
  ["revert", "Reverted"],
  ["out of gas", "Out of gas"],
  ["code store out of gas", "Out of gas"],
  ["stack underflow", "Stack underflow"],
  ["stack overflow", "Out of stack"],
  ["invalid opcode", "Bad instruction"],
  ["static state change", "Mutable Call In Static Context"],
  ["value out of range", "Out of bounds"],
  ["insufficient balance", "Insufficient balance for transfer"],
]);

/** Estimated memory of a trace beside its frame, and of one number of its address. */
const TRACE_BYTES = 600;
const INDEX_BYTES = 8;

/** Records the calls of one transaction. */
export class FlatTracer implements Tracer {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #options: FlatTracerOptions;
  readonly #frames: FrameRecorder;

  constructor(subject: TraceSubject, options: FlatTracerOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#frames = new FrameRecorder(subject);
    this.observer = this.#frames.observer;
  }

  /** Parents before children, children in the order of their calls. */
  finish(): readonly FlatTrace[] {
    const { top } = this.#frames;
    const traces: FlatTrace[] = [];
    if (top !== undefined) this.#flatten(top, [], traces);
    return traces;
  }

  #flatten(frame: Frame, path: readonly number[], traces: FlatTrace[]): void {
    const children = frame.calls.filter((call) => this.#isShown(call));
    this.#subject.budget.take(TRACE_BYTES + path.length * INDEX_BYTES);
    traces.push({
      ...this.#traceOf(frame),
      subtraces: children.length,
      traceAddress: path,
      ...placeOf(this.#subject),
    });
    for (const [index, child] of children.entries()) {
      this.#flatten(child, [...path, index], traces);
    }
  }

  #isShown({ to, value, kind }: Frame): boolean {
    if (this.#options.includePrecompiles === true || value > 0n || to === undefined) return true;
    return kind === "SELFDESTRUCT" || !isPrecompile(to, this.#subject.rules);
  }

  #traceOf(frame: Frame): FlatTrace {
    const { failure } = frame;
    const error = failure === undefined ? undefined : this.#errorOf(failure);
    if (frame.kind === "SELFDESTRUCT") return { type: "suicide", ...destructionOf(frame) };
    const gasUsed = formatQuantity(frame.gasUsed);
    // what reverted has an output; what failed otherwise has none
    const isShown = failure === undefined || failure === "revert";
    const action = { from: frame.from, gas: formatQuantity(frame.gas) };
    const value = formatQuantity(frame.value);
    if (frame.kind === "CREATE" || frame.kind === "CREATE2") {
      const creationMethod = frame.kind.toLowerCase();
      const made = { address: frame.to, code: bytesToHex(frame.output), gasUsed };
      return {
        type: "create",
        action: { ...action, creationMethod, init: frame.input, value },
        error,
        result: failure === undefined ? made : null,
      };
    }
    const callType = frame.kind.toLowerCase();
    return {
      type: "call",
      action: { ...action, callType, to: frame.to, input: frame.input, value },
      error,
      result: isShown ? { gasUsed, output: bytesToHex(frame.output) } : null,
    };
  }

  #errorOf(failure: string): string {
    if (this.#options.convertParityErrors !== true) return failureText(failure);
    if (failure.startsWith("invalid JUMP")) return "Bad jump destination";
    return PARITY_WORDS.get(failure) ?? failureText(failure);
  }
}

function destructionOf({ from, to, value }: Frame): FlatTrace {
  const action = { address: from, balance: formatQuantity(value), refundAddress: to };
  return { action, result: null };
}

function placeOf({ place }: TraceSubject): FlatTrace {
  if (place === undefined) return {};
  return {
    blockHash: place.blockHash,
    blockNumber: Number(place.blockNumber),
    transactionHash: place.transactionHash,
    transactionPosition: place.transactionIndex,
  };
}
