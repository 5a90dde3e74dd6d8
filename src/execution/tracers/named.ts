/** Tracers by name: geth's own names, and ours for what other methods show. */
import type { Outcome } from "../executeTransaction.ts";
import { joinObservers, type Observer } from "../observer.ts";
import { CallTracer, type CallTracerOptions } from "./callTracer.ts";
import { FlatTracer, type FlatTracerOptions } from "./flatTracer.ts";
import { FourByteTracer } from "./fourByteTracer.ts";
import { OtterscanCalls, OtterscanOperations } from "./otterscan.ts";
import { type PrestateOptions, PrestateTracer } from "./prestateTracer.ts";
import { StateDiffTracer } from "./stateDiff.ts";
import { StructLogger, type StructLogOptions } from "./structLogger.ts";
import type { Tracer, TraceSubject, TraceValue } from "./tracer.ts";

/** A tracer and its options. */
export type TracerSpec =
  | { readonly name: "structLogger"; readonly options: StructLogOptions }
  | { readonly name: "callTracer"; readonly options: CallTracerOptions }
  | { readonly name: "flatCallTracer"; readonly options: FlatTracerOptions }
  | { readonly name: "prestateTracer"; readonly options: PrestateOptions }
  | { readonly name: "stateDiffTracer" }
  | { readonly name: "otterscanCalls" }
  | { readonly name: "otterscanOperations" }
  | { readonly name: "4byteTracer" }
  | { readonly name: "noopTracer" }
  | { readonly name: "muxTracer"; readonly tracers: readonly TracerSpec[] };

/** Starts a trace of the transaction that is about to run. */
export function createTracer(spec: TracerSpec, subject: TraceSubject): Tracer {
  switch (spec.name) {
    case "structLogger":
      return new StructLogger(subject, spec.options);
    case "callTracer":
      return new CallTracer(subject, spec.options);
    case "flatCallTracer":
      return new FlatTracer(subject, spec.options);
    case "prestateTracer":
      return new PrestateTracer(subject, spec.options);
    case "stateDiffTracer":
      return new StateDiffTracer(subject);
    case "otterscanCalls":
      return new OtterscanCalls(subject);
    case "otterscanOperations":
      return new OtterscanOperations(subject);
    case "4byteTracer":
      return new FourByteTracer(subject);
    case "noopTracer":
      return { observer: {}, finish: () => ({}) };
    case "muxTracer":
      return new MuxTracer(subject, spec.tracers);
  }
}

/** Several tracers over one execution; the result names each. */
class MuxTracer implements Tracer {
  readonly observer: Observer;
  readonly #tracers: readonly (readonly [string, Tracer])[];

  constructor(subject: TraceSubject, specs: readonly TracerSpec[]) {
    this.#tracers = specs.map((spec) => [spec.name, createTracer(spec, subject)]);
    this.observer = joinObservers(...this.#tracers.map(([, { observer }]) => observer));
  }

  finish(outcome: Outcome): TraceValue {
    return Object.fromEntries(this.#tracers.map(([name, one]) => [name, one.finish(outcome)]));
  }
}
