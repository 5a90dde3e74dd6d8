/** Development methods: one handler under the names that Hardhat, anvil and ganache gave it, closed on other chains. */
import type { DevChain } from "../src/node/dev.ts";
import type { ResultCodec } from "./codec.ts";
import type { RpcContext } from "./context.ts";
import { defineMethod, type NamedMethod, type Param } from "./method.ts";
import { devOf } from "./signer.ts";

type Values<P extends readonly Param<unknown>[]> = {
  [I in keyof P]: P[I] extends Param<infer T> ? T : never;
};

interface DevDeclaration<N extends string, P extends readonly Param<unknown>[], R> {
  /** `namespace_method`, the first one as the reference lists it. */
  readonly names: readonly N[];
  readonly summary: string;
  readonly params: P;
  readonly result: ResultCodec<R>;
  readonly handler: (dev: DevChain, context: RpcContext, ...args: Values<P>) => R | Promise<R>;
}

/** Result of methods that only do something: null. */
export const nothing: ResultCodec<undefined> = {
  schema: { type: "null" },
  encode: () => null,
};

/** Declares a development method once for all its names. */
export function devMethods<const N extends string, const P extends readonly Param<unknown>[], R>(
  declaration: DevDeclaration<N, P, R>,
): readonly NamedMethod<N>[] {
  const { names, summary, params, result, handler } = declaration;
  return names.map((name) =>
    defineMethod<N, P, R>({
      name,
      summary,
      params,
      result,
      devOnly: true,
      handler: (context, ...args) => handler(devOf(context), context, ...args),
    }),
  );
}
