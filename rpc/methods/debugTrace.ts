/** debug_trace…: transactions, blocks and calls under geth's tracers. */
import { envOf } from "../../src/execution/evm.ts";
import { applyOverrides } from "../../src/execution/stateOverrides.ts";
import type { TraceValue } from "../../src/execution/tracers/tracer.ts";
import type { Block } from "../../src/types/block.ts";
import { decodeBlock } from "../../src/types/block.ts";
import { type BlockId, blockId, blockNumberOrTag } from "../blockId.ts";
import { callRequest } from "../callRequest.ts";
import { type CallSite, callTarget } from "../callTarget.ts";
import { data, hash, json } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { defineMethod, param } from "../method.ts";
import { overrideBlock } from "../overrides.ts";
import { inTurn, ReplayLimits, replay, stateBefore } from "../replay.ts";
import { findBlock } from "../resolve.ts";
import { traceCall } from "../traceCall.ts";
import { defaultTrace, type TraceConfig, traceConfig } from "../traceConfig.ts";

/** A block that must be there. Throws REFUSED with geth's words. */
export function needTraceable({ node }: RpcContext, id: BlockId): Block {
  const block = findBlock(node.chain, id);
  if (block !== undefined) return block;
  const name = typeof id === "object" ? id.hash : `#${id}`;
  throw new RpcError({ code: "REFUSED", text: `block ${name} not found` });
}

/** Limits of a request with these options. */
export function limitsOf({ limits }: RpcContext, timeoutMs?: number): ReplayLimits {
  return new ReplayLimits(timeoutMs ?? limits.evmTimeoutMs);
}

async function traceBlock(
  context: RpcContext,
  block: Block,
  config: TraceConfig,
): Promise<TraceValue> {
  const limits = limitsOf(context, config.timeoutMs);
  const traces: TraceValue[] = [];
  for await (const one of replay(context, block, { spec: config.spec, from: 0, limits })) {
    traces.push({ txHash: one.transaction.hash, result: one.trace });
  }
  return traces;
}

/** The state and block that debug_traceCall names: after the block, or before one of its transactions. */
async function siteOf(
  context: RpcContext,
  id: BlockId,
  config: TraceConfig,
  limits: ReplayLimits,
): Promise<CallSite> {
  const { stateOverrides: state, blockOverrides: block, txIndex } = config;
  if (txIndex === undefined || id === "pending") return callTarget(context, id, { state, block });
  const found = needTraceable(context, id);
  const { node, offload } = context;
  const execution = { ...node.chain.contextFor(found.header), offload };
  const before = await stateBefore(context, found, txIndex, limits);
  const movedPrecompiles = applyOverrides(before, state, execution.rules);
  return {
    state: before,
    env: overrideBlock(envOf(found.header), block),
    execution: { ...execution, movedPrecompiles },
  };
}

const config = param("options", traceConfig, defaultTrace);

/** debug_trace… */
export const debugTraceMethods = [
  defineMethod({
    name: "debug_traceTransaction",
    cost: 50,
    summary: "Executes a mined transaction once more and returns its trace.",
    params: [param("hash", hash), config],
    result: json,
    handler: (context, wanted, options) =>
      inTurn(context.node, async () => {
        const found = context.node.chain.transaction(wanted);
        if (found === undefined) {
          throw new RpcError({ code: "REFUSED", text: "transaction not found" });
        }
        const limits = limitsOf(context, options.timeoutMs);
        const plan = { spec: options.spec, from: found.index, limits };
        for await (const one of replay(context, found.block, plan)) {
          if (one.trace !== undefined) return one.trace;
        }
        throw new RpcError({ code: "REFUSED", text: "transaction not found" });
      }),
  }),
  defineMethod({
    name: "debug_traceBlockByNumber",
    cost: 100,
    summary: "Executes a block once more and returns the trace of each transaction.",
    params: [param("block", blockNumberOrTag), config],
    result: json,
    handler: (context, id, options) =>
      inTurn(context.node, () => traceBlock(context, needTraceable(context, id), options)),
  }),
  defineMethod({
    name: "debug_traceBlockByHash",
    cost: 100,
    summary: "Executes a block once more and returns the trace of each transaction.",
    params: [param("hash", hash), config],
    result: json,
    handler: (context, wanted, options) =>
      inTurn(context.node, () => {
        const id = { hash: wanted, requireCanonical: false };
        return traceBlock(context, needTraceable(context, id), options);
      }),
  }),
  defineMethod({
    name: "debug_traceBlock",
    cost: 100,
    summary:
      "Executes the block given as RLP on its parent and returns the trace of each transaction.",
    params: [param("block", data), config],
    result: json,
    handler: (context, raw, options) =>
      inTurn(context.node, () => traceBlock(context, decodeBlock(raw), options)),
  }),
  defineMethod({
    name: "debug_traceCall",
    cost: 30,
    summary: "Runs a call on the state of a block, with overrides if given, and returns its trace.",
    params: [param("transaction", callRequest), param("block", blockId, "latest"), config],
    result: json,
    handler: (context, request, id, options) =>
      inTurn(context.node, async () => {
        const limits = limitsOf(context, options.timeoutMs);
        const site = await siteOf(context, id, options, limits);
        const { spec } = options;
        return (await traceCall(context, site, request, { spec, limits })).trace;
      }),
  }),
];
