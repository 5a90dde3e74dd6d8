/** Makes what the handlers of one server share. */

import { PrecompileWorker } from "../src/runtime/precompileWorker.ts";
import type { ChainFiles, RpcContext, RpcLimits, RpcNode } from "./context.ts";
import { Filters } from "./filters.ts";
import { HeadStates } from "./headStates.ts";
import { KnownKeys } from "./knownKeys.ts";
import type { Method } from "./method.ts";
import { Subscriptions } from "./subscriptions.ts";
import { TextCache } from "./textCache.ts";

/** Defaults of rpc.md and of geth. */
export const defaultLimits: RpcLimits = {
  gasCap: 50_000_000n,
  evmTimeoutMs: 5_000,
  txFeeCap: 1_000_000_000_000_000_000n,
  allowUnprotected: false,
  logRange: 0n,
  searchTimeoutMs: 10_000,
};

/** Longest wait of a timer, about 25 days: where calls have no limit of time, long precompiles have none. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** A context without a connection, and how to let go of what it holds. */
export interface SharedContext extends Omit<RpcContext, "connection"> {
  close(): void;
}

/** The shared part of every handler's context. */
export function createContext(
  node: RpcNode,
  options: {
    readonly limits: Partial<RpcLimits>;
    readonly methods: readonly Method[];
    readonly tlsGroups?: readonly string[];
    readonly chainFiles?: ChainFiles | undefined;
  },
): SharedContext {
  const limits = { ...defaultLimits, ...options.limits };
  const offload = new PrecompileWorker(
    limits.evmTimeoutMs > 0 ? limits.evmTimeoutMs : NO_TIMEOUT_MS,
  );
  const filters = new Filters(node);
  const subscriptions = new Subscriptions(node);
  return {
    node,
    states: new HeadStates(node.chain),
    offload,
    filters,
    subscriptions,
    texts: new TextCache(),
    keys: new KnownKeys(node),
    methods: options.methods,
    tlsGroups: options.tlsGroups ?? [],
    chainFiles: options.chainFiles,
    limits,
    close() {
      void offload.stop();
      filters.close();
      subscriptions.close();
    },
  };
}
