/** eth_call. */

import { ConsoleCapture } from "../../src/node/devLog.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { andThen } from "../../src/primitives/soon.ts";
import { blockId } from "../blockId.ts";
import { failureOf, runCall } from "../callMessage.ts";
import { type CallRequest, callRequest } from "../callRequest.ts";
import { type CallSite, callTargetOf, releaseSite } from "../callTarget.ts";
import { data } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { defineMethod, optional, param } from "../method.ts";
import { blockOverrides, stateOverrides } from "../overrides.ts";
import { TimeBudget } from "../timeBudget.ts";

/** Calls that change nothing. */
export const executeMethods = [
  defineMethod({
    name: "eth_call",
    cost: 3,
    summary: "Runs a call on the state of a block and returns its output.",
    params: [
      param("transaction", callRequest),
      param("block", blockId, "latest"),
      optional("stateOverrides", stateOverrides),
      optional("blockOverrides", blockOverrides),
    ],
    result: data,
    handler: (context, request, ...where) =>
      andThen(callTargetOf(context, where), (site) => call(context, site, request)),
  }),
];

/** Output of a call; a promise only where it is long. Throws as `runCall` does, and what the call failed with. */
function call(context: RpcContext, site: CallSite, request: CallRequest): Bytes | Promise<Bytes> {
  const { gasCap, evmTimeoutMs } = context.limits;
  const wanted = request.gas ?? gasCap;
  const gasLimit = gasCap > 0n && wanted > gasCap ? gasCap : wanted;
  const log = context.node.dev?.log;
  const printed = log?.enabled === true ? new ConsoleCapture() : undefined;
  const time = new TimeBudget(evmTimeoutMs);
  return andThen(runCall(site, request, gasLimit, { time, watch: printed?.watch }), (outcome) => {
    releaseSite(site);
    if (printed !== undefined) log?.tellPrinted(printed.take());
    const failure = failureOf(outcome);
    if (failure !== undefined) throw failure;
    return outcome.returnData;
  });
}
