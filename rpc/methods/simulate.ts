/** eth_simulateV1. */
import { ExecutionFault } from "../../src/execution/evm.ts";
import { revertReason } from "../../src/execution/revertReason.ts";
import {
  type SimulatedBlock,
  type SimulatedCallResult,
  type SimulationBase,
  type SimulationOptions,
  simulate,
} from "../../src/execution/simulate.ts";
import { MAX_SIMULATED_BLOCKS, type WantedBlock } from "../../src/execution/simulationPlan.ts";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { NodeError } from "../../src/primitives/errors.ts";
import { type BlockId, blockId } from "../blockId.ts";
import { callRequest } from "../callRequest.ts";
import {
  boolean,
  count,
  data,
  list,
  type ParamCodec,
  quantity,
  type ResultCodec,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { type JsonRpcError, knownError, RpcError } from "../errors.ts";
import { defineMethod, param } from "../method.ts";
import { field, maybe, object, view } from "../objects.ts";
import { simulatedHeader, stateOverrides } from "../overrides.ts";
import { pendingWork } from "../pending.ts";
import { needHeader } from "../resolve.ts";
import { TimeBudget } from "../timeBudget.ts";
import { blockFields, logView } from "../views.ts";

/** Calls of one block; more than the gas of any block can pay for. */
const MAX_CALLS = 10_000;
/** A call that failed in the EVM without reverting. */
const VM_ERROR = -32015;

const blockStateCall = object("block state call", {
  blockOverrides: simulatedHeader,
  stateOverrides,
  calls: list(callRequest, MAX_CALLS),
});

const payloadFields = object("simulation", {
  blockStateCalls: list(blockStateCall),
  traceTransfers: boolean,
  validation: boolean,
  returnFullTransactions: boolean,
});

interface Payload {
  readonly blocks: readonly WantedBlock[];
  readonly traceTransfers: boolean;
  readonly validation: boolean;
  readonly returnFullTransactions: boolean;
}

const payload: ParamCodec<Payload> = {
  schema: payloadFields.schema,
  decode(json, where) {
    const { blockStateCalls = [], ...options } = payloadFields.decode(json, where);
    return {
      blocks: blockStateCalls.map((block) => ({
        overrides: block.blockOverrides ?? {},
        state: block.stateOverrides,
        calls: (block.calls ?? []).map(({ gas, type: _, ...call }) => ({ ...call, gasLimit: gas })),
      })),
      traceTransfers: options.traceTransfers ?? false,
      validation: options.validation ?? false,
      returnFullTransactions: options.returnFullTransactions ?? false,
    };
  },
};

/** A simulated block to be shown. */
interface ShownSimulation {
  readonly simulated: SimulatedBlock;
  readonly full: boolean;
}

/** One call of it. */
interface ShownCall {
  readonly simulated: SimulatedBlock;
  readonly result: SimulatedCallResult;
  readonly index: number;
}

function errorOf({ failure, returnData }: SimulatedCallResult): JsonRpcError | undefined {
  if (failure === undefined) return undefined;
  if (failure !== "revert") return { code: VM_ERROR, message: failure };
  return knownError(
    new RpcError({ code: "REVERTED", data: returnData, reason: revertReason(returnData) }),
  );
}

const callError: ResultCodec<JsonRpcError> = {
  schema: {
    title: "call error",
    type: "object",
    required: ["code", "message"],
    properties: {
      code: { type: "integer" },
      message: { type: "string" },
      data: data.schema,
    },
    additionalProperties: false,
  },
  encode: ({ code, message, data }) => ({ code, message, data }),
};

const callView: ResultCodec<ShownCall> = view("simulated call", {
  returnData: field(data, ({ result }: ShownCall) =>
    result.failure === undefined ? result.returnData : EMPTY_BYTES,
  ),
  logs: field(list(logView), ({ simulated: { block }, result, index }) =>
    result.numberedLogs.map(({ log, logIndex }) => ({
      log,
      logIndex,
      blockHash: block.hash,
      blockNumber: block.header.number,
      blockTimestamp: block.header.timestamp,
      transactionHash: block.transactions[index]?.hash ?? block.hash,
      transactionIndex: index,
      removed: false,
    })),
  ),
  gasUsed: field(quantity, ({ result }) => result.gasUsed),
  maxUsedGas: field(quantity, ({ result }) => result.peakGas),
  status: field(count, ({ result }) => (result.failure === undefined ? 1 : 0)),
  error: maybe(callError, ({ result }) => errorOf(result)),
});

const simulatedBlockView: ResultCodec<ShownSimulation> = view("simulated block", {
  ...Object.fromEntries(
    Object.entries(blockFields).map(([key, inner]) => [
      key,
      {
        ...inner,
        write: ({ simulated, full }: ShownSimulation) =>
          inner.write({ block: simulated.block, full }),
      },
    ]),
  ),
  calls: field(list(callView), ({ simulated }: ShownSimulation) =>
    simulated.calls.map((result, index) => ({ simulated, result, index })),
  ),
});

/** The block to build on, with a state of its own. */
async function baseOf(
  { node }: RpcContext,
  id: BlockId,
): Promise<SimulationBase & Pick<SimulationOptions, "blockHash">> {
  const { chain } = node;
  if (id === "pending") {
    const { state, block } = await pendingWork(node);
    const { header, hash } = block;
    return { header, hash, state: state.copy(), blockHash: chain.contextFor(header).blockHash };
  }
  const { header, hash } = needHeader(chain, id);
  return {
    header,
    hash,
    state: chain.stateAt(hash),
    blockHash: chain.contextFor(header).blockHash,
  };
}

/** Simulations. */
export const simulateMethods = [
  defineMethod({
    name: "eth_simulateV1",
    cost: 30,
    summary: "Runs calls in blocks that are made up on top of a block, and returns those blocks.",
    params: [param("payload", payload), param("block", blockId, "latest")],
    result: list(simulatedBlockView),
    handler: async (context, wanted, id) => {
      const { blocks } = wanted;
      if (blocks.length === 0) throw new RpcError({ code: "INVALID_PARAMS", text: "empty input" });
      if (blocks.length > MAX_SIMULATED_BLOCKS) {
        throw new RpcError({ code: "CLIENT_LIMIT", text: "too many blocks" });
      }
      const { blockHash, ...base } = await baseOf(context, id);
      const { gasCap, evmTimeoutMs } = context.limits;
      const time = new TimeBudget(evmTimeoutMs);
      try {
        const simulated = await simulate(base, blocks, {
          forks: context.node.chain.config.forks,
          blockHash,
          verifier: context.node.verifier,
          validate: wanted.validation,
          traceTransfers: wanted.traceTransfers,
          gasCap,
          pause: () => time.pause(),
          offload: context.offload,
        });
        return simulated.map((one) => ({ simulated: one, full: wanted.returnFullTransactions }));
      } catch (error) {
        // what broke the execution off says more than the fact that it broke off
        if (error instanceof ExecutionFault && error.cause instanceof NodeError) throw error.cause;
        throw error;
      }
    },
  }),
];
