/** trace_…: OpenEthereum's flat traces and state differences. */
import { decodeTransaction } from "../../src/types/transactionCodec.ts";
import { type BlockId, blockId, blockNumberOrTag } from "../blockId.ts";
import { type CallRequest, callRequest } from "../callRequest.ts";
import { type CallSite, callTarget } from "../callTarget.ts";
import {
  address,
  count,
  data,
  hash,
  integer,
  type Json,
  json,
  list,
  nullable,
  type ParamCodec,
  refuse,
  refuseValue,
  text,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { defineMethod, param } from "../method.ts";
import { object } from "../objects.ts";
import {
  matches,
  type ReplayType,
  replayJson,
  replaySpec,
  tracesOfBlock,
  tracesOfTransaction,
} from "../parityTrace.ts";
import { inTurn, type ReplayLimits, replay } from "../replay.ts";
import { findBlock, needHeader } from "../resolve.ts";
import { verifiedSender } from "../signer.ts";
import { traceCall } from "../traceCall.ts";
import { limitsOf, needTraceable } from "./debugTrace.ts";

/** Blocks of one trace_filter, traces of its reply, calls of one trace_callMany. */
const MAX_FILTER_BLOCKS = 100n;
const MAX_FILTER_TRACES = 10_000;
const MAX_CALLS = 100;
const MAX_ADDRESSES = 1_000;

const replayTypes: ParamCodec<readonly ReplayType[]> = {
  schema: { type: "array", items: { enum: ["trace", "stateDiff"] } },
  decode: (value, where) =>
    list(text, 8)
      .decode(value, where)
      .map((one) => {
        if (one === "trace" || one === "stateDiff") return one;
        return refuse(where, `"${one.slice(0, 16)}" is not supported, want trace or stateDiff`);
      }),
};

async function replayOne(
  context: RpcContext,
  site: CallSite,
  request: CallRequest,
  how: { readonly types: readonly ReplayType[]; readonly limits: ReplayLimits },
): Promise<Json> {
  const plan = { spec: replaySpec(how.types), limits: how.limits };
  const { outcome, trace } = await traceCall(context, site, request, plan);
  return replayJson(outcome.returnData, trace);
}

/** A call and what to show of it, as a pair. */
const callPair: ParamCodec<{
  readonly request: CallRequest;
  readonly types: readonly ReplayType[];
}> = {
  schema: { type: "array", prefixItems: [callRequest.schema, replayTypes.schema] },
  decode(value, where) {
    if (!Array.isArray(value) || value.length !== 2) {
      return refuseValue(where, "a call and the types of its trace", value);
    }
    const request = callRequest.decode(value[0], `${where}[0]`);
    return { request, types: replayTypes.decode(value[1], `${where}[1]`) };
  },
};

const calls = [
  defineMethod({
    name: "trace_call",
    cost: 30,
    summary: "Runs a call on the state of a block and returns its traces and state difference.",
    params: [
      param("transaction", callRequest),
      param("types", replayTypes),
      param("block", blockId, "latest"),
    ],
    result: json,
    handler: (context, request, types, id) =>
      inTurn(context.node, async () => {
        const how = { types, limits: limitsOf(context) };
        return replayOne(context, await callTarget(context, id), request, how);
      }),
  }),
  defineMethod({
    name: "trace_callMany",
    cost: 50,
    summary:
      "Runs calls one after the other, each on the state the one before left, and traces them.",
    params: [param("calls", list(callPair, MAX_CALLS)), param("block", blockId, "latest")],
    result: json,
    handler: (context, pairs, id) =>
      inTurn(context.node, async () => {
        const site = await callTarget(context, id);
        const limits = limitsOf(context);
        const replies: Json[] = [];
        for (const { request, types } of pairs) {
          replies.push(await replayOne(context, site, request, { types, limits }));
        }
        return replies;
      }),
  }),
  defineMethod({
    name: "trace_rawTransaction",
    cost: 30,
    summary: "Traces a signed transaction on the latest state without sending it.",
    params: [param("transaction", data), param("types", replayTypes)],
    result: json,
    handler: (context, raw, types) =>
      inTurn(context.node, async () => {
        const transaction = decodeTransaction(raw);
        const { gasLimit: gas, maxFeePerGas, maxPriorityFeePerGas, ...fields } = transaction;
        const isPriced = transaction.type < 2;
        const request: CallRequest = {
          ...fields,
          gas,
          from: await verifiedSender(context.node, transaction),
          gasPrice: isPriced ? maxFeePerGas : undefined,
          maxFeePerGas: isPriced ? undefined : maxFeePerGas,
          maxPriorityFeePerGas: isPriced ? undefined : maxPriorityFeePerGas,
          accessList: transaction.type > 0 ? transaction.accessList : undefined,
          maxFeePerBlobGas: transaction.type === 3 ? transaction.maxFeePerBlobGas : undefined,
          blobVersionedHashes: transaction.type === 3 ? transaction.blobVersionedHashes : undefined,
          authorizationList: transaction.type === 4 ? transaction.authorizationList : undefined,
          pqSender: transaction.pqSender,
        };
        const how = { types, limits: limitsOf(context) };
        return replayOne(context, await callTarget(context, "latest"), request, how);
      }),
  }),
];

const stored = [
  defineMethod({
    name: "trace_block",
    cost: 100,
    summary: "Returns the traces of a block's transactions, and its rewards before the merge.",
    params: [param("block", blockId)],
    result: nullable(json),
    handler: (context, id) =>
      inTurn(context.node, async () => {
        const block = findBlock(context.node.chain, id);
        return block && tracesOfBlock(context, block, limitsOf(context));
      }),
  }),
  defineMethod({
    name: "trace_transaction",
    cost: 50,
    summary: "Returns the traces of a mined transaction; null when there is none.",
    params: [param("hash", hash)],
    result: nullable(json),
    handler: (context, wanted) =>
      inTurn(context.node, async () => {
        const found = context.node.chain.transaction(wanted);
        return found && tracesOfTransaction(context, found, limitsOf(context));
      }),
  }),
  defineMethod({
    name: "trace_get",
    cost: 50,
    summary:
      "Returns one trace of a mined transaction by its position among them; null when there is none.",
    params: [param("hash", hash), param("indices", list(count, 1))],
    result: nullable(json),
    handler: (context, wanted, [index = 0]) =>
      inTurn(context.node, async () => {
        const found = context.node.chain.transaction(wanted);
        return found && (await tracesOfTransaction(context, found, limitsOf(context)))[index];
      }),
  }),
  defineMethod({
    name: "trace_replayTransaction",
    cost: 50,
    summary: "Executes a mined transaction once more: its output, traces and state difference.",
    params: [param("hash", hash), param("types", replayTypes)],
    result: json,
    handler: (context, wanted, types) =>
      inTurn(context.node, async () => {
        const found = context.node.chain.transaction(wanted);
        const from = found?.index ?? 0;
        const plan = { spec: replaySpec(types), from, limits: limitsOf(context), unplaced: true };
        if (found !== undefined) {
          for await (const { index, outcome, trace } of replay(context, found.block, plan)) {
            if (index === from) return replayJson(outcome.returnData, trace);
          }
        }
        throw new RpcError({ code: "REFUSED", text: "transaction not found" });
      }),
  }),
  defineMethod({
    name: "trace_replayBlockTransactions",
    cost: 100,
    summary: "Executes a block once more: output, traces and state difference of each transaction.",
    params: [param("block", blockId), param("types", replayTypes)],
    result: json,
    handler: (context, id, types) =>
      inTurn(context.node, async () => {
        const block = needTraceable(context, id);
        const limits = limitsOf(context);
        const plan = { spec: replaySpec(types), from: 0, limits, unplaced: true };
        const replies: Json[] = [];
        for await (const { outcome, trace, transaction } of replay(context, block, plan)) {
          const transactionHash = transaction.hash;
          replies.push({ ...replayJson(outcome.returnData, trace), transactionHash });
        }
        return replies;
      }),
  }),
];

const traceFilter = object("trace filter", {
  fromBlock: blockNumberOrTag,
  toBlock: blockNumberOrTag,
  fromAddress: list(address, MAX_ADDRESSES),
  toAddress: list(address, MAX_ADDRESSES),
  mode: text,
  after: integer,
  count: integer,
});
type Filter = ReturnType<typeof traceFilter.decode>;

/** First and last block of a filter. Throws INVALID_PARAMS. */
function rangeOf({ node: { chain } }: RpcContext, filter: Filter): readonly [bigint, bigint] {
  const numberOf = (id: BlockId) => needHeader(chain, id).header.number;
  const first = numberOf(filter.fromBlock ?? "latest");
  const last = numberOf(filter.toBlock ?? "latest");
  if (first > last || last - first >= MAX_FILTER_BLOCKS) {
    const text = `want a range of 1 to ${MAX_FILTER_BLOCKS} blocks, got ${last - first + 1n}`;
    throw new RpcError({ code: "INVALID_PARAMS", text });
  }
  return [first, last];
}

async function filterTraces(context: RpcContext, filter: Filter): Promise<Json[]> {
  const [first, last] = rangeOf(context, filter);
  const limits = limitsOf(context);
  const wanted = Math.min(filter.count ?? MAX_FILTER_TRACES, MAX_FILTER_TRACES);
  const who = {
    from: filter.fromAddress && new Set(filter.fromAddress),
    to: filter.toAddress && new Set(filter.toAddress),
    isUnion: filter.mode === "union",
  };
  let toSkip = filter.after ?? 0;
  const found: Json[] = [];
  for (let number = first; number <= last && found.length < wanted; number++) {
    const block = needTraceable(context, number);
    for (const trace of await tracesOfBlock(context, block, limits)) {
      if (found.length >= wanted) break;
      if (matches(trace, who) && toSkip-- <= 0) found.push(trace);
    }
  }
  return found;
}

const search = [
  defineMethod({
    name: "trace_filter",
    cost: 100,
    summary:
      "Returns traces of at most 100 blocks by sender and recipient (at most 10,000; `after` and `count` page through).",
    params: [param("filter", traceFilter)],
    result: json,
    handler: (context, filter) => inTurn(context.node, () => filterTraces(context, filter)),
  }),
];

/** trace_… */
export const traceMethods = [...calls, ...stored, ...search];
