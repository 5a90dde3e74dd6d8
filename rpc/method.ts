/**
 * One declaration per JSON-RPC method: name, summary, parameters, result and handler.
 * Handlers take and return internal values; checks, conversion, OpenRPC and the reference come from the declaration.
 */
import {
  CodecError,
  type Json,
  type JsonSchema,
  type ParamCodec,
  type ResultCodec,
} from "./codec.ts";
import type { RpcContext } from "./context.ts";
import { RpcError } from "./errors.ts";
import { JsonText } from "./textCache.ts";

/** A positional parameter. */
export interface Param<T> {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
  /** Internal value for a caller's `json`; undefined and null mean absent. */
  read(json: unknown): T;
}

/** A parameter; with a third argument it is optional and that internal value is its default. */
export function param<T>(
  name: string,
  codec: ParamCodec<T>,
  ...rest: readonly [] | readonly [T]
): Param<T> {
  const fallback = rest[0];
  if (rest.length === 0 || fallback === undefined) {
    return { name, schema: codec.schema, required: true, read: (json) => codec.decode(json, name) };
  }
  return {
    name,
    schema: {
      ...codec.schema,
      ...((typeof fallback === "string" || typeof fallback === "boolean") && { default: fallback }),
    },
    required: false,
    read: (json) => (json === undefined || json === null ? fallback : codec.decode(json, name)),
  };
}

/** A parameter that may be left out and is then undefined. */
export function optional<T>(name: string, codec: ParamCodec<T>): Param<T | undefined> {
  return {
    name,
    schema: codec.schema,
    required: false,
    read: (json) => (json === undefined || json === null ? undefined : codec.decode(json, name)),
  };
}

/** What goes into the reply. */
export type Result = Json | JsonText;

/** A method as the dispatcher sees it. */
export interface Method {
  readonly name: string;
  readonly summary: string;
  readonly params: readonly Param<unknown>[];
  readonly result: { readonly schema: JsonSchema };
  /** `true`: exists on development chains only, elsewhere it answers "does not exist". */
  readonly devOnly: boolean;
  /** `true`: does not wait for the block that an instantly mining chain makes of what was sent before. */
  readonly atOnce: boolean;
  /** Calls that follow each other in a batch may run at once: the method itself keeps them in order. */
  readonly overlaps: boolean;
  /** `true`: rules the node, so only trusted callers may use it. */
  readonly trustedOnly: boolean;
  /** Units of work that a call takes from its caller's rate; a plain read is 1. */
  readonly cost: number;
  /** Checks `args`, runs the handler and encodes its result. Throws or rejects with RpcError and whatever the handler throws. */
  call(context: RpcContext, args: readonly unknown[]): Result | Promise<Result>;
}

type Values<P extends readonly Param<unknown>[]> = {
  [I in keyof P]: P[I] extends Param<infer T> ? T : never;
};

interface Declaration<N extends string, P extends readonly Param<unknown>[], R> {
  /** `namespace_method` */
  readonly name: N;
  /** One sentence; the reference shows it. */
  readonly summary: string;
  readonly params: P;
  readonly result: ResultCodec<R>;
  readonly devOnly?: boolean;
  readonly atOnce?: boolean;
  readonly overlaps?: boolean;
  readonly trustedOnly?: boolean;
  readonly cost?: number;
  /** Gives the value, or its JSON as text where that is at hand. */
  readonly handler: (
    context: RpcContext,
    ...args: Values<P>
  ) => R | JsonText | Promise<R | JsonText>;
  /** Names a value whose JSON never changes, so that its text is kept; undefined: it may change. */
  readonly textKey?: (value: R) => string | undefined;
}

function readArgument(param: Param<unknown>, index: number, json: unknown): unknown {
  if (param.required && (json === undefined || json === null)) {
    throw new RpcError({ code: "MISSING_ARGUMENT", index });
  }
  try {
    return param.read(json);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const { where, problem } = error.reason;
    throw new RpcError({ code: "INVALID_ARGUMENT", index, where, problem }, { cause: error });
  }
}

/** A method whose name the compiler knows, so that lists of methods can be compared with those of clients. */
export interface NamedMethod<N extends string> extends Method {
  readonly name: N;
}

/** Declares a method. */
export function defineMethod<const N extends string, const P extends readonly Param<unknown>[], R>(
  declaration: Declaration<N, P, R>,
): NamedMethod<N> {
  const { name, summary, params, result, handler, textKey } = declaration;
  const encode = (context: RpcContext, value: R | JsonText): Result => {
    if (value instanceof JsonText) return value;
    const key = textKey?.(value);
    return key === undefined
      ? result.encode(value)
      : context.texts.get(key, () => result.encode(value));
  };
  return {
    name,
    summary,
    params,
    result,
    devOnly: declaration.devOnly ?? false,
    atOnce: declaration.atOnce ?? false,
    overlaps: declaration.overlaps ?? false,
    trustedOnly: declaration.trustedOnly ?? false,
    cost: declaration.cost ?? 1,
    call(context, args) {
      if (args.length > params.length) {
        throw new RpcError({ code: "TOO_MANY_ARGUMENTS", max: params.length });
      }
      const values: unknown[] = [];
      for (let index = 0; index < params.length; index++) {
        const one = params[index];
        if (one !== undefined) values.push(readArgument(one, index, args[index]));
      }
      // `read` of each position gives the type the handler declared for it
      const value = handler(context, ...(values as Values<P>));
      // most handlers answer at once: a promise for each call of a batch would cost more than they do
      return value instanceof Promise
        ? value.then((later) => encode(context, later))
        : encode(context, value);
    },
  };
}
