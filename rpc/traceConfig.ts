/** The options object of the debug_trace methods: which tracer, how it is set up, how long it may take. */

import type { StateOverrides } from "../src/execution/stateOverrides.ts";
import type { TracerSpec } from "../src/execution/tracers/named.ts";
import { boolean, count, integer, type ParamCodec, refuse, text } from "./codec.ts";
import { object, objectOf } from "./objects.ts";
import { type BlockOverrides, blockOverrides, stateOverrides } from "./overrides.ts";

/** What to trace with. */
export interface TraceConfig {
  readonly spec: TracerSpec;
  /** ms for one transaction; undefined: the operator's limit */
  readonly timeoutMs: number | undefined;
  readonly stateOverrides: StateOverrides | undefined;
  readonly blockOverrides: BlockOverrides | undefined;
  /** Of debug_traceCall: the call runs before this transaction of the block, not after the last. */
  readonly txIndex: number | undefined;
}

const structOptions = object("struct logger options", {
  disableStack: boolean,
  disableStorage: boolean,
  enableMemory: boolean,
  enableReturnData: boolean,
  limit: integer,
});
const callOptions = object("callTracer options", { onlyTopCall: boolean, withLog: boolean });
const flatOptions = object("flatCallTracer options", {
  convertParityErrors: boolean,
  includePrecompiles: boolean,
});
const prestateOptions = object("prestateTracer options", {
  diffMode: boolean,
  disableCode: boolean,
  disableStorage: boolean,
  includeEmpty: boolean,
});

const TRACERS = [
  "callTracer",
  "flatCallTracer",
  "prestateTracer",
  "4byteTracer",
  "noopTracer",
  "muxTracer",
] as const;

/** Tracer `name` with its `tracerConfig`. Throws CodecError. */
export function tracerSpec(name: string, config: unknown, where: string): TracerSpec {
  const source = config ?? {};
  const known = TRACERS.find((one) => one === name);
  switch (known) {
    case "callTracer":
      return { name: known, options: callOptions.decode(source, where) };
    case "flatCallTracer":
      return { name: known, options: flatOptions.decode(source, where) };
    case "prestateTracer":
      return { name: known, options: prestateOptions.decode(source, where) };
    case "4byteTracer":
    case "noopTracer":
      return { name: known };
    case "muxTracer":
      return { name: known, tracers: muxed(source, where) };
    case undefined:
      return refuse(where, `unknown tracer, known are ${TRACERS.join(", ")}`);
  }
}

/** A mux inside a mux would multiply the work. */
function muxed(source: unknown, where: string): TracerSpec[] {
  return Object.entries(objectOf(source, where)).map(([name, config]) =>
    name === "muxTracer"
      ? refuse(where, "a muxTracer inside a muxTracer")
      : tracerSpec(name, config, `${where}.${name.slice(0, 32)}`),
  );
}

const DURATION_PART = /([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)/g;
const DURATION = /^([0-9]{1,9}(\.[0-9]{1,9})?(h|ms|m|s)){1,4}$/;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Duration as Go writes it, such as "5s" or "1m30s", in ms. */
const duration: ParamCodec<number> = {
  schema: { title: "duration", type: "string", pattern: DURATION.source },
  decode(json, where) {
    const written = text.decode(json, where);
    if (!DURATION.test(written)) return refuse(where, 'expected a duration such as "5s"');
    let sumMs = 0;
    for (const [, amount, unit] of written.matchAll(DURATION_PART)) {
      sumMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
    }
    return sumMs;
  },
};

/** Passed on to the tracer it is for. */
const anything: ParamCodec<unknown> = { schema: { type: "object" }, decode: (json) => json };

const fields = object("trace options", {
  tracer: text,
  tracerConfig: anything,
  timeout: duration,
  stateOverrides,
  blockOverrides,
  txIndex: count,
});

/** Options of a trace; without `tracer` every instruction is logged. `reexec` is ignored: all states are kept. */
export const traceConfig: ParamCodec<TraceConfig> = {
  schema: {
    ...fields.schema,
    properties: { ...propertiesOf(fields), ...propertiesOf(structOptions) },
  },
  decode(json, where) {
    const { tracer, tracerConfig, timeout, ...rest } = fields.decode(json, where);
    const spec: TracerSpec =
      tracer === undefined || tracer === ""
        ? { name: "structLogger", options: structOptions.decode(json, where) }
        : tracerSpec(tracer, tracerConfig, `${where}.tracer`);
    return { spec, timeoutMs: timeout, ...rest };
  },
};

function propertiesOf({ schema }: ParamCodec<unknown>): object {
  const { properties } = schema;
  return typeof properties === "object" ? { ...properties } : {};
}

/** What a trace without options is. */
export const defaultTrace: TraceConfig = {
  spec: { name: "structLogger", options: {} },
  timeoutMs: undefined,
  stateOverrides: undefined,
  blockOverrides: undefined,
  txIndex: undefined,
};
