/** eth_call. */

import { ConsoleCapture } from "../../src/node/devLog.ts";
import { blockId } from "../blockId.ts";
import { failureOf, runCall } from "../callMessage.ts";
import { callRequest } from "../callRequest.ts";
import { callTargetOf, releaseSite } from "../callTarget.ts";
import { data } from "../codec.ts";
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
    handler: async (context, request, ...where) => {
      const { gasCap, evmTimeoutMs } = context.limits;
      const site = await callTargetOf(context, where);
      const wanted = request.gas ?? gasCap;
      const gasLimit = gasCap > 0n && wanted > gasCap ? gasCap : wanted;
      const printed = context.node.dev?.log.enabled === true ? new ConsoleCapture() : undefined;
      const outcome = await runCall(site, request, gasLimit, {
        time: new TimeBudget(evmTimeoutMs),
        observer: printed?.observer,
      });
      releaseSite(context, site, outcome.peakGas);
      if (printed !== undefined) context.node.dev?.log.tellPrinted(printed.take());
      const failure = failureOf(outcome);
      if (failure !== undefined) throw failure;
      return outcome.returnData;
    },
  }),
];
