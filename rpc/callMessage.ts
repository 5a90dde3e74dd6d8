/** From what a caller says of a call to running it, and from its failure to the error the caller sees. */
import { ExecutionFault } from "../src/execution/evm.ts";
import { type CallOptions, type CallResult, executeCall } from "../src/execution/executeCall.ts";
import type { CallWatch, Observer } from "../src/execution/observer.ts";
import { revertReason } from "../src/execution/revertReason.ts";
import { NodeError } from "../src/primitives/errors.ts";
import { andThen, rescue } from "../src/primitives/soon.ts";
import { type CallRequest, requireChain } from "./callRequest.ts";
import type { CallSite } from "./callTarget.ts";
import { RpcError } from "./errors.ts";
import type { TimeBudget } from "./timeBudget.ts";

/** How a call is run for a caller. */
export interface RunOptions extends CallOptions {
  /** Shared by all calls of one request. */
  readonly time: TimeBudget;
  readonly observer?: Observer | undefined;
  readonly watch?: CallWatch | undefined;
}

/**
 * Runs `request` with `gasLimit` and leaves the state as it was; gives a promise only where it had to wait. Without fees
 * it is free. Throws TransactionError, RpcError TIMEOUT and REFUSED, StateError, and ExecutionFault for troubles of this node.
 */
export function runCall(
  site: CallSite,
  request: CallRequest,
  gasLimit: bigint,
  { time, observer, watch, ...options }: RunOptions,
): CallResult | Promise<CallResult> {
  requireChain(request, site.execution.rules.chainId);
  const pause = () => time.pause();
  const context = { ...site.execution, observer, watch, pause, options };
  const message = { ...request, gasLimit };
  return andThen(
    reported(() => executeCall(site.state, site.env, message, context)),
    (outcome) => {
      if (site.own !== undefined) site.own.gas += outcome.peakGas;
      return outcome;
    },
  );
}

/** What `run` gives; what broke an execution off says more than the fact that it broke off. */
export function reported<T>(run: () => T | Promise<T>): T | Promise<T> {
  return rescue(run, (error) => {
    if (error instanceof ExecutionFault && error.cause instanceof NodeError) throw error.cause;
    throw error;
  });
}

/** What a caller is told of a call that failed: reverts with their data, everything else by its name. */
export function failureOf({ failure, returnData }: CallResult): RpcError | undefined {
  if (failure === undefined) return undefined;
  if (failure !== "revert") {
    // the interpreter adds the place in the code, under hashes of its own
    const text = failure.startsWith("invalid JUMP") ? "invalid jump destination" : failure;
    return new RpcError({ code: "EXECUTION_FAILED", text });
  }
  return new RpcError({ code: "REVERTED", data: returnData, reason: revertReason(returnData) });
}
