/**
 * The block that would come next: what the pool offers, executed on the head. It is built when asked for and kept until
 * the head, the pool or the clock moves on.
 */
import { type BlockDraft, buildBlock } from "../src/chain/buildBlock.ts";
import { type BlockEnv, envOf } from "../src/execution/evm.ts";
import { EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { ZERO_ADDRESS, ZERO_HASH } from "../src/primitives/hex.ts";
import type { State } from "../src/state/state.ts";
import type { Block } from "../src/types/block.ts";
import type { RpcNode } from "./context.ts";
import { SpareStates } from "./headStates.ts";

/** The block in the making, and the state after it: copy the state before changing it. */
export interface PendingWork {
  readonly block: Block;
  readonly state: State;
  readonly env: BlockEnv;
  /** Copies of the state for calls */
  readonly calls: SpareStates;
}

interface Kept {
  /** What the work was made from. */
  readonly key: string;
  readonly madeMs: number;
  readonly work: Promise<PendingWork>;
}

/** The last work of a node and how often its pool has grown. */
interface Memory {
  arrivals: number;
  kept: Kept | undefined;
}

/** How long the work may be shown although time goes on. */
const KEEP_MS = 1_000;
/** Time for executing the pool's transactions; what is left over is not shown as pending. */
const BUILD_MS = 500;
/** Share of the block's gas that is executed at most. */
const GAS_BUDGET = 30_000_000n;

const memories = new WeakMap<RpcNode, Memory>();

function memoryOf(node: RpcNode): Memory {
  const known = memories.get(node);
  if (known !== undefined) return known;
  const memory: Memory = { arrivals: 0, kept: undefined };
  memories.set(node, memory);
  // for the life of the node: the pool and this memory end together
  node.pool.on("transaction", () => {
    memory.arrivals++;
    return undefined;
  });
  return memory;
}

/** The draft where no producer says otherwise: the head's child one second later, or now. */
function plainDraft({ chain, clock }: RpcNode): BlockDraft {
  const parent = chain.head;
  const now = BigInt(Math.floor(clock.nowMs() / 1000));
  const next = parent.header.timestamp + 1n;
  return {
    parent,
    timestamp: now > next ? now : next,
    miner: ZERO_ADDRESS,
    prevRandao: ZERO_HASH,
    gasLimit: parent.header.gasLimit,
    extraData: EMPTY_BYTES,
  };
}

async function build(node: RpcNode): Promise<PendingWork> {
  const draft = node.nextBlock?.() ?? plainDraft(node);
  const budget = { gas: GAS_BUDGET, timeMs: BUILD_MS, clock: node.clock };
  const baseFee = draft.overrides?.baseFeePerGas;
  const candidates = node.pool.select({
    gasLimit: draft.gasLimit,
    ...(baseFee !== undefined && { baseFee }),
  });
  const { block, state } = await buildBlock(node.chain, draft, candidates, budget);
  const calls = new SpareStates(() => state.copy());
  return { block, state, env: envOf(block.header), calls };
}

/** The next block as it would be now. Throws as `buildBlock` does. */
export function pendingWork(node: RpcNode): Promise<PendingWork> {
  const { hash } = node.chain.head;
  const { pending, bytes } = node.pool.stats();
  const memory = memoryOf(node);
  const key = [hash, node.chain.stateRootAt(hash), memory.arrivals, pending, bytes].join();
  const nowMs = node.clock.nowMs();
  const { kept } = memory;
  if (kept?.key === key && Math.abs(nowMs - kept.madeMs) < KEEP_MS) return kept.work;
  const made: Kept = { key, madeMs: nowMs, work: build(node) };
  memory.kept = made;
  // a failed build must not be shown again
  made.work.catch(() => {
    if (memory.kept === made) memory.kept = undefined;
  });
  return made.work;
}

/** The block alone. */
export async function pendingBlock(node: RpcNode): Promise<Block> {
  return (await pendingWork(node)).block;
}
