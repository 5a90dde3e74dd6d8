/**
 * Executing a stored block once more, watched: on the state it was executed on, up to the transactions of interest.
 * Requests take turns (one at a time on each node), since each may hold a large trace in memory.
 */

import { createMachine, envOf, type Machine } from "../src/execution/evm.ts";
import { executeTransaction, type Outcome } from "../src/execution/executeTransaction.ts";
import type { Observer } from "../src/execution/observer.ts";
import { beginBlockCalls } from "../src/execution/systemCalls.ts";
import { createTracer, type TracerSpec } from "../src/execution/tracers/named.ts";
import { TraceBudget, type TracePlace, type TraceValue } from "../src/execution/tracers/tracer.ts";
import type { Address } from "../src/primitives/hex.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { SerialQueue } from "../src/runtime/queue.ts";
import type { State } from "../src/state/state.ts";
import type { Block } from "../src/types/block.ts";
import { isImpersonated } from "../src/types/impersonation.ts";
import { storedSender } from "../src/types/sender.ts";
import type { Transaction } from "../src/types/transaction.ts";
import { reported } from "./callMessage.ts";
import type { RpcContext, RpcNode } from "./context.ts";
import { RpcError } from "./errors.ts";
import { TimeBudget } from "./timeBudget.ts";

/** Replays that may wait for their turn. */
const MAX_WAITING = 64;
/** ms that one request may replay, however many transactions it asks for */
const MAX_REPLAY_MS = 30_000;

const queues = new WeakMap<RpcNode, SerialQueue>();

/** Runs `task` when the replays before it are done. Throws QueueError when too many wait. */
export function inTurn<T>(node: RpcNode, task: () => Promise<T>): Promise<T> {
  let queue = queues.get(node);
  if (queue === undefined) {
    queue = new SerialQueue({ name: "replay", limit: MAX_WAITING });
    queues.set(node, queue);
  }
  return queue.run(task);
}

/** Time and memory of one request. */
export class ReplayLimits {
  readonly budget = new TraceBudget();
  readonly #endMs = systemClock.nowMs() + MAX_REPLAY_MS;
  readonly #perTransactionMs: number;

  /** `perTransactionMs`: 0 = no limit but the request's. */
  constructor(perTransactionMs: number) {
    this.#perTransactionMs = perTransactionMs;
  }

  /** ms that the next transaction may take */
  get nextMs(): number {
    const leftMs = Math.max(1, this.#endMs - systemClock.nowMs());
    const own = this.#perTransactionMs;
    return own > 0 ? Math.min(own, leftMs) : leftMs;
  }

  /** Watches the time of one transaction: the `pause` of its execution. */
  watch(): () => Promise<void> | undefined {
    const time = new TimeBudget(this.nextMs);
    return () => time.pause();
  }
}

/** A transaction that was executed once more. */
export interface Replayed {
  readonly transaction: Transaction;
  readonly sender: Address;
  readonly index: number;
  readonly outcome: Outcome;
  /** What the tracer gave; undefined for transactions that were not traced. */
  readonly trace: TraceValue | undefined;
  /** The state after it, until the next one is asked for. */
  readonly state: State;
}

/** Which transactions to trace, and how. */
export interface ReplayPlan {
  /** undefined: just execute */
  readonly spec: TracerSpec | undefined;
  /** Index of the first one to trace. */
  readonly from: number;
  readonly limits: ReplayLimits;
  /** Flat traces do not say where their transaction stands. */
  readonly unplaced?: boolean;
}

/** Throws where there is nothing to execute: the genesis has no parent. */
export function demandTraceable({ header }: Block): void {
  if (header.number === 0n) {
    throw new RpcError({ code: "REFUSED", text: "genesis is not traceable" });
  }
}

/** Executes the block's transactions in order; stop asking and the rest is left out. Throws ChainError, RpcError TIMEOUT, TraceError. */
export async function* replay(
  { node, offload }: RpcContext,
  block: Block,
  plan: ReplayPlan,
): AsyncGenerator<Replayed> {
  demandTraceable(block);
  const { chain } = node;
  const state = chain.preStateOf(block);
  const context = { ...chain.contextFor(block.header), offload };
  const env = envOf(block.header);
  const machineFor = (observer?: Observer): Machine =>
    createMachine(state, env, { ...context, observer, pause: plan.limits.watch() });
  let firstLogIndex = 0;
  await reported(() => beginBlockCalls(machineFor()));
  for (const [index, transaction] of block.transactions.entries()) {
    const sender = storedSender(transaction);
    const place = plan.unplaced === true ? undefined : placeIn(block, transaction, index);
    const { budget } = plan.limits;
    const about = { state, rules: context.rules, transaction, sender, miner: env.miner };
    const isTraced = plan.spec !== undefined && index >= plan.from;
    const tracer = isTraced
      ? createTracer(plan.spec, { ...about, firstLogIndex, place, budget })
      : undefined;
    const machine = machineFor(tracer?.observer);
    const lenient = { sender: isImpersonated(transaction, sender) };
    const outcome = await reported(() =>
      executeTransaction(machine, transaction, sender, { lenient }),
    );
    firstLogIndex += outcome.logs.length;
    const trace = tracer?.finish(outcome);
    yield { transaction, sender, index, outcome, trace, state };
  }
}

function placeIn(
  { hash: blockHash, header }: Block,
  { hash }: Transaction,
  index: number,
): TracePlace {
  const { number: blockNumber } = header;
  return { blockHash, blockNumber, transactionHash: hash, transactionIndex: index };
}

/** The state before transaction `index` of the block; `index` = their number: after the last. */
export async function stateBefore(
  context: RpcContext,
  block: Block,
  index: number,
  limits: ReplayLimits,
): Promise<State> {
  const plan = { spec: undefined, from: 0, limits };
  let after: State | undefined;
  if (index > 0) {
    for await (const one of replay(context, block, plan)) {
      after = one.state;
      if (one.index + 1 === index) return after;
    }
    const text = `transaction index ${index} is beyond the ${block.transactions.length} of the block`;
    throw new RpcError({ code: "REFUSED", text });
  }
  demandTraceable(block);
  const state = context.node.chain.preStateOf(block);
  const execution = context.node.chain.contextFor(block.header);
  const observed = { ...execution, pause: limits.watch() };
  await reported(() => beginBlockCalls(createMachine(state, envOf(block.header), observed)));
  return state;
}
