/** What Otterscan shows of a transaction: its calls in a flat list, and what moved ether or made contracts inside it. */
import { bytesToHex, formatQuantity } from "../../primitives/hex.ts";
import type { Observer } from "../observer.ts";
import { type Frame, FrameRecorder } from "./frames.ts";
import type { Tracer, TraceSubject, TraceValue } from "./tracer.ts";

/** Otterscan's numbers for internal operations. */
const OPERATIONS = { transfer: 0, selfDestruct: 1, create: 2, create2: 3 } as const;
/** Estimated memory of an entry beside its frame. */
const ENTRY_BYTES = 300;

/** All frames in the order they were opened, each with its depth. */
export class OtterscanCalls implements Tracer {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #frames: FrameRecorder;

  constructor(subject: TraceSubject) {
    this.#subject = subject;
    this.#frames = new FrameRecorder(subject);
    this.observer = this.#frames.observer;
  }

  finish(): TraceValue {
    const { top } = this.#frames;
    const entries: TraceValue[] = [];
    if (top !== undefined) this.#list(top, entries);
    return entries;
  }

  #list(frame: Frame, entries: TraceValue[]): void {
    const { kind, depth, from, to, input } = frame;
    this.#subject.budget.take(ENTRY_BYTES);
    const moves = kind !== "DELEGATECALL" && kind !== "STATICCALL";
    const value = moves ? formatQuantity(frame.value) : null;
    entries.push({ type: kind, depth, from, to, value, input, output: bytesToHex(frame.output) });
    for (const call of frame.calls) this.#list(call, entries);
  }
}

/** Transfers, creations and self-destructions below the outermost frame that were not undone. */
export class OtterscanOperations implements Tracer {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #frames: FrameRecorder;

  constructor(subject: TraceSubject) {
    this.#subject = subject;
    this.#frames = new FrameRecorder(subject);
    this.observer = this.#frames.observer;
  }

  finish(): TraceValue {
    const { top } = this.#frames;
    const operations: TraceValue[] = [];
    if (top !== undefined) this.#list(top, operations);
    return operations;
  }

  #list(frame: Frame, operations: TraceValue[]): void {
    if (frame.failure !== undefined) return;
    const type = operationOf(frame);
    if (type !== undefined && frame.depth > 0) {
      this.#subject.budget.take(ENTRY_BYTES);
      const { from, to } = frame;
      operations.push({ type, from, to, value: formatQuantity(frame.value) });
    }
    for (const call of frame.calls) this.#list(call, operations);
  }
}

function operationOf({ kind, value }: Frame): number | undefined {
  if (kind === "SELFDESTRUCT") return OPERATIONS.selfDestruct;
  if (kind === "CREATE") return OPERATIONS.create;
  if (kind === "CREATE2") return OPERATIONS.create2;
  return kind === "CALL" && value > 0n ? OPERATIONS.transfer : undefined;
}
