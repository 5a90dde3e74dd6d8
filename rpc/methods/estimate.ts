/** eth_estimateGas. */
import { blockId } from "../blockId.ts";
import { callRequest } from "../callRequest.ts";
import { callTargetOf } from "../callTarget.ts";
import { quantity } from "../codec.ts";
import { estimateGas } from "../gasEstimate.ts";
import { defineMethod, optional, param } from "../method.ts";
import { blockOverrides, stateOverrides } from "../overrides.ts";

/** Estimates. */
export const estimateMethods = [
  defineMethod({
    name: "eth_estimateGas",
    summary: "Returns a gas limit with which the transaction succeeds, within 1.5 % of the least.",
    params: [
      param("transaction", callRequest),
      param("block", blockId, "latest"),
      optional("stateOverrides", stateOverrides),
      optional("blockOverrides", blockOverrides),
    ],
    result: quantity,
    handler: async (context, request, ...where) => {
      const site = await callTargetOf(context, where);
      return estimateGas(site, request, context.limits);
    },
  }),
];
