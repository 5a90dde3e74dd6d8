/**
 * Blocks that nobody will make: calls strung together on a base, as eth_simulateV1 wants them.
 * Data: base + requests -> plan (numbers, times, gaps filled) -> block by block: overrides, system calls, calls as unsigned
 * transactions, requests, roots -> blocks with exact hashes and what each call did.
 * The State of the base is the caller's own copy; after a throw it is to be thrown away.
 */
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Hash, ZERO_ADDRESS, ZERO_HASH } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { type Block, makeBlock } from "../types/block.ts";
import type { ForkSchedule, Rules } from "../types/forks.ts";
import type { Header } from "../types/header.ts";
import { rememberSender } from "../types/sender.ts";
import type { Transaction, TransactionFields } from "../types/transaction.ts";
import { unsignedTransaction } from "../types/transactionCodec.ts";
import { PQ_TYPE } from "../types/transactionTypes.ts";
import { bodyRoots } from "./bodyRoots.ts";
import { checkCall } from "./checkTransaction.ts";
import type { BlockEnv } from "./evm.ts";
import {
  type BlockEnd,
  BlockExecutor,
  type BlockResult,
  type TransactionResult,
} from "./executeBlock.ts";
import { callFields } from "./executeCall.ts";
import { baseFeeOfChild, blobBaseFee, excessBlobGasOfChild } from "./gas.ts";
import { LogRecorder, type NumberedLog } from "./logRecorder.ts";
import { joinObservers, type Observer } from "./observer.ts";
import type { PrecompileOffload } from "./precompiles/offload.ts";
import { BlockInvalid } from "./requests.ts";
import {
  type PlannedBlock,
  planBlocks,
  type SimulatedCall,
  SimulationError,
  type WantedBlock,
} from "./simulationPlan.ts";
import { applyOverrides } from "./stateOverrides.ts";
import { refuse, TransactionError } from "./transactionError.ts";

/** Where the first simulated block goes. */
export interface SimulationBase {
  readonly header: Header;
  readonly hash: Hash;
  /** The state after it, to be changed. */
  readonly state: State;
}

/** How blocks are simulated. */
export interface SimulationOptions {
  readonly forks: ForkSchedule;
  /** Hash of an ancestor of the base. */
  blockHash(number: bigint): Hash | undefined;
  /** Fees and nonces must be as in a block. */
  readonly validate: boolean;
  /** Report moved ether as logs. */
  readonly traceTransfers: boolean;
  /** Gas of all calls together; 0 = no limit. */
  readonly gasCap: bigint;
  readonly observer?: Observer | undefined;
  /** As in ExecutionContext. */
  readonly verifier?: PqVerifier | undefined;
  /** As in ExecutionContext. */
  readonly offload?: PrecompileOffload | undefined;
  /** Asked before each block and each call, and while loops run: may wait, so that others get a turn, and may throw. */
  readonly pause?: (() => Promise<void> | undefined) | undefined;
}

/** What one call did. */
export interface SimulatedCallResult extends TransactionResult {
  readonly numberedLogs: readonly NumberedLog[];
}

/** A block that was simulated. */
export interface SimulatedBlock {
  readonly block: Block;
  readonly calls: readonly SimulatedCallResult[];
}

/** What is the same in all blocks of one simulation. */
interface Run {
  readonly state: State;
  readonly options: SimulationOptions;
  /** Hashes of the base and of the blocks simulated so far. */
  readonly hashes: Map<bigint, Hash>;
  /** Gas that calls may still use; undefined = no limit. */
  budget: bigint | undefined;
}

/** One block while its calls run. */
interface OpenBlock {
  readonly env: BlockEnv;
  readonly rules: Rules;
  readonly executor: BlockExecutor;
  readonly recorder: LogRecorder;
}

/**
 * Simulates blocks on `base`. Throws SimulationError and OverrideError for what the caller asked, DecodeError for values
 * that no transaction can carry, ExecutionFault and StateError for this node's troubles.
 */
export async function simulate(
  base: SimulationBase,
  wanted: readonly WantedBlock[],
  options: SimulationOptions,
): Promise<SimulatedBlock[]> {
  const plan = planBlocks(base.header, wanted);
  const run: Run = {
    state: base.state,
    options,
    hashes: new Map([[base.header.number, base.hash]]),
    budget: options.gasCap === 0n ? undefined : options.gasCap,
  };
  const simulated: SimulatedBlock[] = [];
  let parent = { header: base.header, hash: base.hash };
  for (const one of plan) {
    const done = await simulateBlock(run, one, parent);
    simulated.push(done);
    parent = done.block;
    run.hashes.set(done.block.header.number, done.block.hash);
  }
  return simulated;
}

async function simulateBlock(
  run: Run,
  planned: PlannedBlock,
  parent: { readonly header: Header; readonly hash: Hash },
): Promise<SimulatedBlock> {
  await run.options.pause?.();
  const { state, options, hashes } = run;
  const { header: frame, rules } = frameOf(planned, parent, options);
  const { withdrawals } = planned.overrides;
  if (withdrawals !== undefined && withdrawals.length > 0 && !rules.has("shanghai")) {
    throw new SimulationError({ code: "SIMULATED_WITHDRAWALS", fork: rules.fork });
  }
  const movedPrecompiles = applyOverrides(state, planned.state, rules);
  const recorder = new LogRecorder(options);
  const { observer } = options;
  const context = {
    rules,
    blockHash: (number: bigint) => hashes.get(number) ?? options.blockHash(number),
    pause: options.pause,
    verifier: options.verifier,
    offload: options.offload,
    observer: observer === undefined ? recorder : joinObservers(observer, recorder),
    movedPrecompiles,
  };
  const env = { ...frame, blobBaseFee: planned.overrides.blobBaseFee };
  const executor = await BlockExecutor.begin(state, env, context);
  const open = { env, rules, executor, recorder };
  const transactions: Transaction[] = [];
  const calls: SimulatedCallResult[] = [];
  for (const call of planned.calls) {
    await options.pause?.();
    const transaction = transactionOf(run, open, call);
    transactions.push(transaction);
    calls.push(await execute(run, open, transaction, call));
  }
  const body = {
    transactions,
    ommers: [],
    withdrawals: rules.has("shanghai") ? (withdrawals ?? []) : undefined,
  };
  const result = await finish(executor, body);
  const header = {
    ...frame,
    ...bodyRoots(body, rules),
    stateRoot: result.stateRoot,
    receiptsRoot: result.receiptsRoot,
    logsBloom: result.logsBloom,
    gasUsed: result.gasUsed,
    requestsHash: result.requestsHash,
  };
  return { block: makeBlock(header, body), calls };
}

/** The header before execution: everything that calls can see of it is final. */
function frameOf(
  { number, timestamp, overrides }: PlannedBlock,
  parent: { readonly header: Header; readonly hash: Hash },
  { forks, validate }: SimulationOptions,
): { header: Header; rules: Rules } {
  const before = parent.header;
  const merged = isMerged(forks, { number, timestamp, parent: before });
  const difficulty = merged ? 0n : (overrides.difficulty ?? before.difficulty);
  const rules = forks.rules({ number, timestamp, difficulty });
  const cancun = rules.has("cancun");
  const followingFee = validate ? baseFeeOfChild(before) : 0n;
  const header: Header = {
    ...before,
    parentHash: parent.hash,
    miner: overrides.feeRecipient ?? before.miner,
    difficulty,
    number,
    gasLimit: overrides.gasLimit ?? before.gasLimit,
    timestamp,
    extraData: EMPTY_BYTES,
    mixHash: overrides.prevRandao ?? ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: rules.has("london") ? (overrides.baseFeePerGas ?? followingFee) : undefined,
    excessBlobGas: cancun ? excessBlobGasOfChild(before, rules) : undefined,
    parentBeaconBlockRoot: cancun ? (overrides.parentBeaconBlockRoot ?? ZERO_HASH) : undefined,
  };
  return { header, rules };
}

/** Whether a block that nobody mines here comes after the merge: that decides its rules, where no difficulty can. */
function isMerged(
  forks: ForkSchedule,
  at: { readonly number: bigint; readonly timestamp: bigint; readonly parent: Header },
): boolean {
  const { terminalTotalDifficulty, mergeNetsplitBlock } = forks;
  if (terminalTotalDifficulty === undefined) return false;
  // a time far ahead brings no fork before the block forks are reached
  if (!forks.isScheduled("london", at.number, at.timestamp)) return false;
  if (terminalTotalDifficulty === 0n || at.parent.difficulty === 0n) return true;
  if (mergeNetsplitBlock !== undefined && at.number >= mergeNetsplitBlock) return true;
  return forks.isScheduled("shanghai", at.number, at.timestamp);
}

/** The transaction that a call amounts to here and now. Throws SimulationError. */
function transactionOf(run: Run, block: OpenBlock, call: SimulatedCall): Transaction {
  const from = call.from ?? ZERO_ADDRESS;
  const remaining = block.env.gasLimit - block.executor.gasUsed;
  const wanted = call.gasLimit ?? remaining;
  if (wanted > remaining) {
    throw new SimulationError({ code: "SIMULATED_GAS_LIMIT", remaining, required: wanted });
  }
  const gasLimit = run.budget !== undefined && run.budget < wanted ? run.budget : wanted;
  try {
    const transaction = unsignedTransaction(fieldsOf(run.state, block, { ...call, gasLimit }));
    rememberSender(transaction, from);
    return transaction;
  } catch (error) {
    throw asRefusal(error, gasLimit);
  }
}

function fieldsOf(
  state: State,
  { env, rules }: OpenBlock,
  call: SimulatedCall & { readonly gasLimit: bigint },
): TransactionFields {
  const { chainId } = call;
  if (chainId !== undefined && chainId !== rules.chainId) {
    refuse({ code: "WRONG_CHAIN_ID", have: chainId, want: rules.chainId });
  }
  const type = typeOf(call, env);
  if ((type === 3 || type === 4) && call.to === undefined) {
    refuse({ code: type === 3 ? "BLOB_CREATION" : "AUTHORIZATION_CREATION" });
  }
  return {
    ...callFields(call, state, rules.chainId),
    type,
    // without a signature there is nothing that protects a legacy transaction
    chainId: type === 0 ? undefined : rules.chainId,
  };
}

/** By what the call has; where neither it nor the block says anything of fees it is a legacy one. */
function typeOf(call: SimulatedCall, env: BlockEnv): number {
  if (call.pqSender !== undefined) return PQ_TYPE;
  if (call.authorizationList !== undefined) return 4;
  if (call.blobVersionedHashes !== undefined) return 3;
  const namesFees = call.maxFeePerGas !== undefined || call.maxPriorityFeePerGas !== undefined;
  const plain = call.gasPrice !== undefined || (env.baseFeePerGas === undefined && !namesFees);
  if (!plain) return 2;
  return call.accessList === undefined ? 0 : 1;
}

async function execute(
  run: Run,
  { executor, recorder, env, rules }: OpenBlock,
  transaction: Transaction,
  call: SimulatedCall,
): Promise<SimulatedCallResult> {
  const sender = call.from ?? ZERO_ADDRESS;
  const strict = run.options.validate;
  // whoever calls may be a contract and may want more gas than one transaction gets
  const lenient = { nonce: !strict, zeroFee: !strict, sender: true, gasCap: true, chainId: true };
  const { excessBlobGas } = env;
  const derived = excessBlobGas === undefined ? undefined : blobBaseFee(excessBlobGas, rules);
  const fees = { baseFee: env.baseFeePerGas, blobBaseFee: env.blobBaseFee ?? derived };
  recorder.begin();
  try {
    checkCall(transaction, sender, run.state, { rules, fees, lenient });
    const result = await executor.execute(transaction, sender, { lenient, realFees: true });
    if (run.budget !== undefined) run.budget -= result.gasUsed;
    return { ...result, numberedLogs: recorder.take() };
  } catch (error) {
    throw asRefusal(error, transaction.gasLimit);
  }
}

/** Closes the block; what overrides did to the system contracts is the caller's doing. */
async function finish(executor: BlockExecutor, body: BlockEnd): Promise<BlockResult> {
  try {
    return await executor.finish(body);
  } catch (error) {
    if (!(error instanceof BlockInvalid)) throw error;
    throw new SimulationError({ code: "SIMULATED_BLOCK", why: error.reason }, { cause: error });
  }
}

/** Tells which call it was that `error` is about. */
function asRefusal(error: unknown, gasLimit: bigint): unknown {
  if (!(error instanceof TransactionError)) return error;
  const reason = { code: "SIMULATED_CALL", gasLimit, why: error.reason } as const;
  return new SimulationError(reason, { cause: error });
}
