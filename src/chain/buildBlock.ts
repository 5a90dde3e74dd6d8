/**
 * Building a block on a stored parent in one pass: each candidate is executed once, where it will stand. What cannot be
 * applied is left out together with the later transactions of its sender. The result goes to `importBlock` as it is.
 */
import { bodyRoots } from "../execution/bodyRoots.ts";
import { BlockExecutor, type BlockResult } from "../execution/executeBlock.ts";
import { baseFeeOfChild, blobGasOf, excessBlobGasOfChild, maxBlobGas } from "../execution/gas.ts";
import { TransactionError } from "../execution/transactionError.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { ZERO_HASH } from "../primitives/hex.ts";
import type { Clock } from "../runtime/clock.ts";
import { Turns } from "../runtime/turns.ts";
import { type Block, type BlockBody, makeBlock, type Withdrawal } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";
import type { Header } from "../types/header.ts";
import type { Transaction } from "../types/transaction.ts";
import type { Chain } from "./chain.ts";
import type { ChainHead } from "./chainEvents.ts";
import { difficultyOfChild } from "./difficulty.ts";
import { allowsBlobs, type ExecutedBlock } from "./importBlock.ts";
import type { ExemptibleField } from "./overrides.ts";

/** RLP bytes of everything in a block but its transactions and withdrawals, at most. */
const FRAME_BYTES = 1_024;
const WITHDRAWAL_BYTES = 64;
/** List and string heads that a transaction gets inside a block. */
const TRANSACTION_HEAD_BYTES = 5;
const LEAST_TRANSACTION_GAS = 21_000n;

/** What the producer decides about a block. */
export interface BlockDraft {
  readonly parent: ChainHead;
  /** seconds */
  readonly timestamp: bigint;
  readonly miner: Address;
  readonly prevRandao: Hash;
  readonly gasLimit: bigint;
  readonly extraData: Bytes;
  /** From Shanghai; default: none */
  readonly withdrawals?: readonly Withdrawal[];
  /** From Cancun; default: zero */
  readonly parentBeaconBlockRoot?: Hash;
  /** Where consensus says what it is; default: EIP-1559's, from the parent */
  readonly baseFeePerGas?: bigint;
  /** Values set by hand instead of the protocol's (dev chains). */
  readonly overrides?: HeaderOverrides;
}

/** Header fields with values that no rule gives. */
export interface HeaderOverrides {
  /** wei per gas */
  readonly baseFeePerGas?: bigint;
  readonly excessBlobGas?: bigint;
  readonly gasLimit?: bigint;
  readonly prevRandao?: Hash;
}

/** A transaction on offer. Candidates come best first, those of one sender in nonce order. */
export interface Candidate {
  readonly transaction: Transaction;
  readonly sender: Address;
}

/** Where candidates come from; `skip` is told of senders whose later transactions cannot be used either. */
export interface Candidates extends Iterable<Candidate> {
  skip?(sender: Address): void;
}

/** Where building ends although candidates are left. */
export interface BuildBudget {
  /** Gas of the transactions; default: the block's gas limit */
  readonly gas?: bigint;
  /** Size of the block in bytes, if below what the rules allow */
  readonly maxBytes?: number;
  /** Time for executing transactions, by `clock`; default: no limit */
  readonly timeMs?: number;
  readonly clock: Pick<Clock, "nowMs">;
}

/** A transaction that cannot be applied here; its sender's later ones were left out too, without being named. */
export interface SkippedTransaction {
  readonly hash: Hash;
  readonly sender: Address;
  readonly error: TransactionError;
}

/** A block ready for `importBlock(built.block, built)`. */
export interface BuiltBlock extends ExecutedBlock {
  readonly block: Block;
  readonly skipped: readonly SkippedTransaction[];
}

/** Builds a block. Throws ChainError for an unknown parent, ExecutionFault and StateError for this node's own troubles. */
export async function buildBlock(
  chain: Chain,
  draft: BlockDraft,
  candidates: Candidates,
  budget: BuildBudget,
): Promise<BuiltBlock> {
  const { header: frame, rules } = frameOf(chain, draft);
  const state = chain.takeStateForChild(draft.parent.hash);
  const turns = new Turns();
  const pause = () => turns.next();
  const context = { ...chain.contextFor(frame), rules, pause };
  const executor = await BlockExecutor.begin(state, frame, context);
  const limits = limitsOf(draft, frame, rules, budget);
  const blobGas = allowsBlobs(chain.config) ? maxBlobGas(rules) : 0n;
  const chosen = await choose(executor, candidates, { ...limits, blobGas, turns });
  const withdrawals = rules.has("shanghai") ? (draft.withdrawals ?? []) : undefined;
  const body = { transactions: chosen.transactions, ommers: [], withdrawals };
  const result = await executor.finish(body);
  const changes = state.takeChanges();
  const header = sealRoots(frame, { body, result, rules, stateRoot: changes.root });
  const preStateRoot = chain.childStateRoot(draft.parent.hash);
  const edited = preStateRoot !== draft.parent.header.stateRoot;
  const override = {
    exempt: new Set<keyof Header>(exemptFields(draft)),
    ...(edited && { preStateRoot }),
  };
  return {
    block: makeBlock(header, body),
    result,
    changes,
    state,
    override,
    skipped: chosen.skipped,
  };
}

function exemptFields({ overrides = {}, gasLimit, parent }: BlockDraft): ExemptibleField[] {
  const { baseFeePerGas, excessBlobGas, prevRandao } = overrides;
  const fields: ExemptibleField[] = [];
  if (baseFeePerGas !== undefined) fields.push("baseFeePerGas");
  if (excessBlobGas !== undefined) fields.push("excessBlobGas");
  if (prevRandao !== undefined) fields.push("mixHash");
  // a gas limit that jumps is set by hand as well; whether the chain allows that is the producer's business
  if (overrides.gasLimit !== undefined && gasLimit !== parent.header.gasLimit)
    fields.push("gasLimit");
  return fields;
}

/** The header before execution: what transactions can see of it is final, the rest is filled in by `sealRoots`. */
function frameOf(chain: Chain, draft: BlockDraft): { header: Header; rules: Rules } {
  const { parent, timestamp, overrides = {} } = draft;
  const number = parent.header.number + 1n;
  const { forks, terminalTotalDifficulty } = chain.config;
  const total = chain.totalDifficulty(parent.hash) ?? 0n;
  const merged = terminalTotalDifficulty !== undefined && total >= terminalTotalDifficulty;
  const rules = forks.rules({ number, timestamp, difficulty: merged ? 0n : 1n });
  const cancun = rules.has("cancun");
  const excess = cancun ? excessBlobGasOfChild(parent.header, rules) : undefined;
  const header: Header = {
    ...parent.header,
    parentHash: parent.hash,
    number,
    timestamp,
    miner: draft.miner,
    mixHash: overrides.prevRandao ?? draft.prevRandao,
    nonce: new Uint8Array(8),
    difficulty: merged ? 0n : difficultyOfChild(parent.header, timestamp, rules),
    gasLimit: overrides.gasLimit ?? draft.gasLimit,
    extraData: draft.extraData,
    baseFeePerGas: rules.has("london")
      ? (overrides.baseFeePerGas ?? draft.baseFeePerGas ?? baseFeeOfChild(parent.header))
      : undefined,
    excessBlobGas: cancun ? (overrides.excessBlobGas ?? excess) : undefined,
    parentBeaconBlockRoot: cancun ? (draft.parentBeaconBlockRoot ?? ZERO_HASH) : undefined,
  };
  return { header, rules };
}

function sealRoots(
  frame: Header,
  parts: {
    readonly body: BlockBody;
    readonly result: BlockResult;
    readonly rules: Rules;
    readonly stateRoot: Hash;
  },
): Header {
  const { result } = parts;
  return {
    ...frame,
    ...bodyRoots(parts.body, parts.rules),
    stateRoot: parts.stateRoot,
    receiptsRoot: result.receiptsRoot,
    logsBloom: result.logsBloom,
    gasUsed: result.gasUsed,
    requestsHash: result.requestsHash,
  };
}

interface ChoiceLimits {
  readonly gas: bigint;
  readonly blobGas: bigint;
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly clock: Pick<Clock, "nowMs">;
  readonly turns: Turns;
}

function limitsOf(
  draft: BlockDraft,
  frame: Header,
  rules: Rules,
  budget: BuildBudget,
): Omit<ChoiceLimits, "blobGas" | "turns"> {
  const { clock, gas, timeMs = Number.POSITIVE_INFINITY } = budget;
  const frameBytes = FRAME_BYTES + (draft.withdrawals?.length ?? 0) * WITHDRAWAL_BYTES;
  const allowed = rules.maxRlpBlockBytes ?? Number.POSITIVE_INFINITY;
  return {
    gas: gas !== undefined && gas < frame.gasLimit ? gas : frame.gasLimit,
    bytes: Math.min(budget.maxBytes ?? allowed, allowed) - frameBytes,
    deadlineMs: clock.nowMs() + timeMs,
    clock,
  };
}

/** Executes candidates in their order until a limit is reached. */
async function choose(
  executor: BlockExecutor,
  candidates: Candidates,
  limits: ChoiceLimits,
): Promise<{ transactions: Transaction[]; skipped: SkippedTransaction[] }> {
  const transactions: Transaction[] = [];
  const skipped: SkippedTransaction[] = [];
  const parked = new Set<Address>();
  const park = (sender: Address) => {
    parked.add(sender);
    candidates.skip?.(sender);
  };
  let bytes = 0;
  for (const { transaction, sender } of candidates) {
    if (limits.gas - executor.gasUsed < LEAST_TRANSACTION_GAS) break;
    if (limits.clock.nowMs() >= limits.deadlineMs) break;
    await limits.turns.next();
    if (parked.has(sender)) continue;
    const size = transaction.raw.length + TRANSACTION_HEAD_BYTES;
    if (bytes + size > limits.bytes || !fits(executor, transaction, limits)) {
      park(sender);
      continue;
    }
    const error = await attempt(executor, transaction, sender);
    if (error === undefined) {
      transactions.push(transaction);
      bytes += size;
    } else {
      park(sender);
      skipped.push({ hash: transaction.hash, sender, error });
    }
  }
  return { transactions, skipped };
}

function fits(executor: BlockExecutor, transaction: Transaction, limits: ChoiceLimits): boolean {
  return (
    transaction.gasLimit <= limits.gas - executor.gasUsed &&
    blobGasOf(transaction) <= limits.blobGas - executor.blobGasUsed
  );
}

async function attempt(
  executor: BlockExecutor,
  transaction: Transaction,
  sender: Address,
): Promise<TransactionError | undefined> {
  try {
    await executor.execute(transaction, sender);
    return undefined;
  } catch (error) {
    if (error instanceof TransactionError) return error;
    throw error;
  }
}
