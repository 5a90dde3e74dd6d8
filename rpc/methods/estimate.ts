/** eth_estimateGas. */
import { blockId } from "../blockId.ts";
import { callRequest } from "../callRequest.ts";
import { callTargetOf, releaseSite } from "../callTarget.ts";
import { quantity } from "../codec.ts";
import { estimateGas } from "../gasEstimate.ts";
import { defineMethod, optional, param } from "../method.ts";
import { blockOverrides, stateOverrides } from "../overrides.ts";

/** Estimates. */
export const estimateMethods = [
  defineMethod({
    name: "eth_estimateGas",
    cost: 10,
    summary:
      "Returns a gas limit with which the transaction succeeds, within 1.5 % of the least; at the latest block unless told, on a development chain at the pending one.",
    params: [
      param("transaction", callRequest),
      optional("block", blockId),
      optional("stateOverrides", stateOverrides),
      optional("blockOverrides", blockOverrides),
    ],
    result: quantity,
    handler: async (context, request, named, ...overrides) => {
      // on a development chain the next block may stand at a time that was set for it
      const block = named ?? (context.node.dev === undefined ? "latest" : "pending");
      const site = await callTargetOf(context, [block, ...overrides]);
      const gas = await estimateGas(site, context.keys.complete(request), context.limits);
      releaseSite(site);
      return gas;
    },
  }),
];
