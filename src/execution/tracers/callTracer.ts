/** Geth's callTracer: the frames of a transaction as a tree. */
import { bytesToHex, formatQuantity } from "../../primitives/hex.ts";
import type { Outcome } from "../executeTransaction.ts";
import type { Observer } from "../observer.ts";
import { revertReason } from "../revertReason.ts";
import { type Frame, type FrameLog, FrameRecorder } from "./frames.ts";
import { failureText, type Tracer, type TraceSubject, type TraceValue } from "./tracer.ts";

export interface CallTracerOptions {
  readonly onlyTopCall?: boolean | undefined;
  readonly withLog?: boolean | undefined;
}

/** Records the calls of one transaction. */
export class CallTracer implements Tracer {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #frames: FrameRecorder;

  constructor(subject: TraceSubject, { onlyTopCall, withLog }: CallTracerOptions) {
    this.#subject = subject;
    this.#frames = new FrameRecorder(subject, { withLogs: withLog, onlyTop: onlyTopCall });
    this.observer = this.#frames.observer;
  }

  /** The outermost frame counts the gas of the whole transaction. */
  finish({ gasUsed }: Outcome): TraceValue {
    const { top } = this.#frames;
    if (top === undefined) return {};
    return callJson({ ...top, gas: this.#subject.transaction.gasLimit, gasUsed });
  }
}

function callJson(frame: Frame): TraceValue {
  const { failure, output, calls, logs, kind } = frame;
  const isReverted = failure === "revert";
  const showsOutput = output.length > 0 && (failure === undefined || isReverted);
  return {
    from: frame.from,
    gas: formatQuantity(frame.gas),
    gasUsed: formatQuantity(frame.gasUsed),
    to: frame.to,
    input: frame.input,
    output: showsOutput ? bytesToHex(output) : undefined,
    error: failure === undefined ? undefined : failureText(failure),
    revertReason: isReverted ? revertReason(output) : undefined,
    calls: calls.length === 0 ? undefined : calls.map(callJson),
    logs: logs.length === 0 ? undefined : logs.map(logJson),
    value: kind === "STATICCALL" ? undefined : formatQuantity(frame.value),
    type: kind,
  };
}

function logJson(log: FrameLog): TraceValue {
  return {
    address: log.address,
    topics: log.topics,
    data: log.data,
    index: formatQuantity(log.index),
    position: formatQuantity(log.position),
  };
}
