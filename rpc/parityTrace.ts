/** OpenEthereum's traces of stored blocks: flat, with rewards, filtered. */
import type { Chain } from "../src/chain/chain.ts";
import { blockReward } from "../src/execution/rewards.ts";
import type { FlatTrace } from "../src/execution/tracers/flatTracer.ts";
import type { TracerSpec } from "../src/execution/tracers/named.ts";
import type { TraceValue } from "../src/execution/tracers/tracer.ts";
import { type Address, bytesToHex, formatQuantity } from "../src/primitives/hex.ts";
import type { Block } from "../src/types/block.ts";
import type { Json } from "./codec.ts";
import type { RpcContext } from "./context.ts";
import { type ReplayLimits, replay } from "./replay.ts";

/** Flat traces in OpenEthereum's words. */
export const flatSpec: TracerSpec = {
  name: "flatCallTracer",
  options: { convertParityErrors: true },
};

/** A key of a JSON object; undefined when there is none. */
export function member(value: TraceValue | undefined, key: string): TraceValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function isTrace(value: TraceValue): value is FlatTrace {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The traces in a flat tracer's result. */
export function flatTraces(value: TraceValue | undefined): FlatTrace[] {
  return Array.isArray(value) ? value.filter(isTrace) : [];
}

/** Traces of a transaction of the chain; undefined when it is not there. */
export async function tracesOfTransaction(
  context: RpcContext,
  position: { readonly block: Block; readonly index: number },
  limits: ReplayLimits,
): Promise<FlatTrace[]> {
  const plan = { spec: flatSpec, from: position.index, limits };
  for await (const one of replay(context, position.block, plan)) {
    if (one.index === position.index) return flatTraces(one.trace);
  }
  return [];
}

/** Traces of all transactions of a block and of what its miners got. The genesis has none. */
export async function tracesOfBlock(
  context: RpcContext,
  block: Block,
  limits: ReplayLimits,
): Promise<FlatTrace[]> {
  const traces: FlatTrace[] = [];
  if (block.header.number === 0n) return traces;
  for await (const one of replay(context, block, { spec: flatSpec, from: 0, limits })) {
    for (const trace of flatTraces(one.trace)) traces.push(trace);
  }
  traces.push(...rewardsOf(context.node.chain, block));
  return traces;
}

/** What the miner of a block and those of its ommers got; nothing since the merge. */
export interface Issuance {
  /** wei to the block's miner, with what its ommers add to it */
  readonly blockReward: bigint;
  /** wei to each ommer's miner */
  readonly ommerRewards: readonly { readonly miner: Address; readonly reward: bigint }[];
}

/** Ether that a block brought into being beside withdrawals. */
export function issuanceOf(chain: Chain, { header, ommers }: Block): Issuance {
  const reward = header.number === 0n ? 0n : blockReward(chain.rulesFor(header));
  return {
    blockReward: reward + (reward / 32n) * BigInt(ommers.length),
    ommerRewards: ommers.map(({ miner, number }) => ({
      miner,
      reward: (reward * (8n - (header.number - number))) / 8n,
    })),
  };
}

function rewardsOf(chain: Chain, block: Block): FlatTrace[] {
  const { blockReward: own, ommerRewards } = issuanceOf(chain, block);
  if (own === 0n) return [];
  const trace = (author: Address, rewardType: string, value: bigint): FlatTrace => ({
    action: { author, rewardType, value: formatQuantity(value) },
    blockHash: block.hash,
    blockNumber: Number(block.header.number),
    result: null,
    subtraces: 0,
    traceAddress: [],
    transactionHash: null,
    transactionPosition: null,
    type: "reward",
  });
  return [
    trace(block.header.miner, "block", own),
    ...ommerRewards.map(({ miner, reward }) => trace(miner, "uncle", reward)),
  ];
}

/** Whose traces a filter wants; undefined: anybody's. */
export interface TraceFilter {
  readonly from: ReadonlySet<Address> | undefined;
  readonly to: ReadonlySet<Address> | undefined;
  /** One of the two is enough. */
  readonly isUnion: boolean;
}

/** Whether a trace is from and to those that the filter names. */
export function matches(trace: FlatTrace, { from, to, isUnion }: TraceFilter): boolean {
  if (from === undefined && to === undefined) return true;
  const action = trace["action"];
  const sources = [member(action, "from"), member(action, "address")];
  const targets = [
    member(action, "to"),
    member(trace["result"], "address"),
    member(action, "refundAddress"),
    member(action, "author"),
  ];
  const isFrom = from !== undefined && namesOne(sources, from);
  const isTo = to !== undefined && namesOne(targets, to);
  if (isUnion) return isFrom || isTo;
  return (from === undefined || isFrom) && (to === undefined || isTo);
}

function namesOne(
  values: readonly (TraceValue | undefined)[],
  wanted: ReadonlySet<string>,
): boolean {
  return values.some((value) => typeof value === "string" && wanted.has(value));
}

/** What a replay shows. */
export type ReplayType = "trace" | "stateDiff";

/** The tracers a replay needs. */
export function replaySpec(types: readonly ReplayType[]): TracerSpec {
  return {
    name: "muxTracer",
    tracers: [
      ...(types.includes("trace") ? [flatSpec] : []),
      ...(types.includes("stateDiff") ? [{ name: "stateDiffTracer" } as const] : []),
    ],
  };
}

/** Reply of trace_replay… and trace_call: what was not asked for is null, or empty. */
export function replayJson(
  output: Uint8Array,
  trace: TraceValue | undefined,
): { readonly [key: string]: Json } {
  return {
    output: bytesToHex(output),
    stateDiff: member(trace, "stateDiffTracer") ?? null,
    trace: flatTraces(member(trace, "flatCallTracer")),
    vmTrace: null,
  };
}
