/** Tracing a call that no block holds, on the state its caller names. */
import { callFields } from "../src/execution/executeCall.ts";
import type { Outcome } from "../src/execution/executeTransaction.ts";
import { createTracer, type TracerSpec } from "../src/execution/tracers/named.ts";
import type { TraceValue } from "../src/execution/tracers/tracer.ts";
import { ZERO_ADDRESS } from "../src/primitives/hex.ts";
import { runCall } from "./callMessage.ts";
import type { CallRequest } from "./callRequest.ts";
import type { CallSite } from "./callTarget.ts";
import type { RpcContext } from "./context.ts";
import type { ReplayLimits } from "./replay.ts";
import { TimeBudget } from "./timeBudget.ts";

/** A call that was traced. */
export interface TracedCall {
  readonly outcome: Outcome;
  readonly trace: TraceValue;
}

/** Runs the call and leaves its changes in the state of `site`. Throws as `runCall` does, and TraceError. */
export async function traceCall(
  { limits: { gasCap } }: RpcContext,
  site: CallSite,
  request: CallRequest,
  how: { readonly spec: TracerSpec; readonly limits: ReplayLimits },
): Promise<TracedCall> {
  const wanted = request.gas ?? gasCap;
  const gasLimit = gasCap > 0n && wanted > gasCap ? gasCap : wanted;
  const { rules } = site.execution;
  const tracer = createTracer(how.spec, {
    state: site.state,
    rules,
    transaction: callFields({ ...request, gasLimit }, site.state, rules.chainId),
    sender: request.from ?? ZERO_ADDRESS,
    miner: site.env.miner,
    firstLogIndex: 0,
    place: undefined,
    budget: how.limits.budget,
  });
  const { observer } = tracer;
  const time = new TimeBudget(how.limits.nextMs);
  const outcome = await runCall(site, request, gasLimit, { time, observer, keepChanges: true });
  return { outcome, trace: tracer.finish(outcome) };
}
