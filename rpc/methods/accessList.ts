/** eth_createAccessList. */

import { contractAddress } from "../../src/execution/contractAddress.ts";
import { isPrecompile } from "../../src/execution/evm.ts";
import type { CallResult } from "../../src/execution/executeCall.ts";
import { type Address, ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import type { AccessListItem } from "../../src/types/transaction.ts";
import { blockId } from "../blockId.ts";
import { runCall } from "../callMessage.ts";
import { type CallRequest, callRequest } from "../callRequest.ts";
import { type CallSite, callTarget } from "../callTarget.ts";
import { quantity, text } from "../codec.ts";
import type { RpcLimits } from "../context.ts";
import { RpcError } from "../errors.ts";
import { defineMethod, optional, param } from "../method.ts";
import { field, maybe, view } from "../objects.ts";
import { stateOverrides } from "../overrides.ts";
import { TimeBudget } from "../timeBudget.ts";
import { accessListView } from "../views.ts";

/** What a call touches when it may touch it for the price of warm access. */
export interface FoundAccessList {
  readonly accessList: readonly AccessListItem[];
  readonly gasUsed: bigint;
  /** Why the call failed with this list. */
  readonly error: string | undefined;
}

/** A list that still grows after this many runs depends on the gas it leaves: the last one is as good as any. */
const MAX_ROUNDS = 16;

/** Addresses that are warm anyway; their slots are not. */
function isWarm({ state, execution }: CallSite, request: CallRequest): (one: Address) => boolean {
  const { from = ZERO_ADDRESS, nonce = state.account(from)?.nonce ?? 0n } = request;
  const target = request.to ?? contractAddress(from, nonce);
  return (one) => one === from || one === target || isPrecompile(one, execution.rules);
}

function withoutWarm(
  list: readonly AccessListItem[],
  warm: (one: Address) => boolean,
): readonly AccessListItem[] {
  return list
    .filter(({ address, storageKeys }) => storageKeys.length > 0 || !warm(address))
    .map(({ address, storageKeys }) => ({ address, storageKeys: [...storageKeys].sort() }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

function sizeOf(list: readonly AccessListItem[]): number {
  return list.reduce((sum, { storageKeys }) => sum + 1 + storageKeys.length, 0);
}

/** Runs the request again and again, each time with what it touched before, until nothing is added. */
export async function findAccessList(
  site: CallSite,
  request: CallRequest,
  limits: RpcLimits,
): Promise<FoundAccessList> {
  const warm = isWarm(site, request);
  const gasLimit = request.gas ?? limits.gasCap;
  const time = new TimeBudget(limits.evmTimeoutMs);
  let accessList = request.accessList ?? [];
  let outcome: CallResult;
  for (let round = 1; ; round++) {
    outcome = await runCall(site, { ...request, accessList }, gasLimit, {
      reportAccessList: true,
      time,
    });
    const found = withoutWarm(outcome.accessList ?? [], warm);
    if (sizeOf(found) === sizeOf(accessList) || round === MAX_ROUNDS) break;
    accessList = found;
  }
  const { failure, gasUsed } = outcome;
  return { accessList, gasUsed, error: failure === "revert" ? "execution reverted" : failure };
}

/** Access lists. */
export const accessListMethods = [
  defineMethod({
    name: "eth_createAccessList",
    cost: 10,
    summary: "Returns the access list with which the call touches nothing cold, and its gas.",
    params: [
      param("transaction", callRequest),
      param("block", blockId, "latest"),
      optional("stateOverrides", stateOverrides),
    ],
    result: view("access list result", {
      accessList: field(accessListView, (found: FoundAccessList) => found.accessList),
      error: maybe(text, (found: FoundAccessList) => found.error),
      gasUsed: field(quantity, (found: FoundAccessList) => found.gasUsed),
    }),
    handler: async (context, request, id, state) => {
      const { gasCap } = context.limits;
      if (request.gas !== undefined && gasCap > 0n && request.gas > gasCap) {
        throw new RpcError({
          code: "REFUSED",
          text: `gas ${request.gas} is above the cap of ${gasCap}`,
        });
      }
      const site = await callTarget(context, id, { state });
      return findAccessList(site, request, context.limits);
    },
  }),
];
