/**
 * The state transition of a block: system calls, transactions, withdrawals, rewards, requests.
 * Data: State at the parent + BlockEnv + transactions in -> receipts and roots out; the State holds the changes.
 * It computes; comparing with a header is `compareResult`, and the caller's business.
 * After an ExecutionFault or BlockInvalid the State is to be thrown away.
 */
import { type Bytes, equalBytes } from "../primitives/bytes.ts";
import { type Address, bytesToHex, type Hash } from "../primitives/hex.ts";
import { orderedTrieRoot } from "../state/orderedTrie.ts";
import type { State } from "../state/state.ts";
import type { BlockBody, Withdrawal } from "../types/block.ts";
import { bloomOf, orBlooms } from "../types/bloom.ts";
import type { Header } from "../types/header.ts";
import { isImpersonated } from "../types/impersonation.ts";
import { encodeReceipt, type Receipt } from "../types/receipt.ts";
import { DecodeError } from "../types/rlp.ts";
import { senderOf } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import { type BlockEnv, createMachine, type ExecutionContext, envOf, type Machine } from "./evm.ts";
import { type ExecuteOptions, executeTransaction, type Outcome } from "./executeTransaction.ts";
import { blobGasOf, maxBlobGas } from "./gas.ts";
import { BlockInvalid, collectRequests, hashRequests } from "./requests.ts";
import { blockReward, payRewards, payWithdrawals, type RewardedOmmer } from "./rewards.ts";
import { beginBlockCalls } from "./systemCalls.ts";
import { refuse, TransactionError } from "./transactionError.ts";

/** What a transaction did inside a block. */
export interface TransactionResult extends Outcome {
  readonly receipt: Receipt;
}

/** What a block did. */
export interface BlockResult {
  readonly receipts: readonly Receipt[];
  readonly gasUsed: bigint;
  readonly blobGasUsed: bigint;
  readonly logsBloom: Bytes;
  readonly receiptsRoot: Hash;
  readonly stateRoot: Hash;
  /** undefined before Prague */
  readonly requestsHash: Hash | undefined;
  /** Type byte and data of each request, empty ones left out. */
  readonly requests: readonly Bytes[];
  /** Why the staking contract refused the epoch's summary; that cannot happen unless consensus or contract is wrong. */
  readonly epochFailure: string | undefined;
}

/** What follows the transactions of a block. */
export interface BlockEnd {
  readonly ommers: readonly RewardedOmmer[];
  readonly withdrawals: readonly Withdrawal[] | undefined;
  /** wei to the miner instead of the rules' own; undefined in `reward: none` pays nobody (t8n). */
  readonly reward?: bigint | "none" | undefined;
}

/** Executes one block step by step, so that a builder can skip what does not fit. */
export class BlockExecutor {
  readonly #machine: Machine;
  readonly receipts: Receipt[] = [];
  #gasUsed = 0n;
  #blobGasUsed = 0n;

  readonly #epochFailure: string | undefined;

  private constructor(machine: Machine, epochFailure: string | undefined) {
    this.#machine = machine;
    this.#epochFailure = epochFailure;
  }

  /** Starts a block on the parent's state with the calls that the protocol makes first. Throws ExecutionFault. */
  static async begin(
    state: State,
    env: BlockEnv,
    context: ExecutionContext,
  ): Promise<BlockExecutor> {
    const machine = createMachine(state, env, context);
    return new BlockExecutor(machine, await beginBlockCalls(machine));
  }

  /** Gas of the transactions so far. */
  get gasUsed(): bigint {
    return this.#gasUsed;
  }

  /** Blob gas of the transactions so far. */
  get blobGasUsed(): bigint {
    return this.#blobGasUsed;
  }

  /** Runs the next transaction. Throws TransactionError (state untouched, go on with another) and ExecutionFault. */
  async execute(
    transaction: Transaction,
    sender: Address,
    // a contract cannot sign: only a development chain makes transactions in its name
    options: ExecuteOptions = { lenient: { sender: isImpersonated(transaction, sender) } },
  ): Promise<TransactionResult> {
    const { env, context, state } = this.#machine;
    const available = env.gasLimit - this.#gasUsed;
    const { gasLimit } = transaction;
    if (gasLimit > available) refuse({ code: "GAS_LIMIT_REACHED", available, gasLimit });
    const blobGas = blobGasOf(transaction);
    const blobGasLeft = maxBlobGas(context.rules) - this.#blobGasUsed;
    if (blobGas > 0n && context.rules.has("cancun") && blobGas > blobGasLeft) {
      refuse({ code: "BLOB_GAS_LIMIT_REACHED", available: blobGasLeft, blobGas });
    }
    const outcome = await executeTransaction(this.#machine, transaction, sender, options);
    this.#gasUsed += outcome.gasUsed;
    this.#blobGasUsed += outcome.blobGasUsed;
    const status = outcome.failure === undefined ? 1 : 0;
    const receipt: Receipt = {
      type: transaction.type,
      outcome: context.rules.has("byzantium") ? status : state.root(),
      cumulativeGasUsed: this.#gasUsed,
      logsBloom: bloomOf(outcome.logs),
      logs: outcome.logs,
    };
    this.receipts.push(receipt);
    return { ...outcome, receipt };
  }

  /** Pays rewards and withdrawals, collects requests and computes the roots. Throws BlockInvalid, ExecutionFault. */
  async finish({ ommers, withdrawals, reward }: BlockEnd): Promise<BlockResult> {
    const { state, env, context } = this.#machine;
    const { rules } = context;
    const { receipts } = this;
    const wei = reward ?? blockReward(rules);
    if (wei !== "none" && (reward !== undefined || !rules.has("paris"))) {
      payRewards(state, rules, { miner: env.miner, number: env.number, reward: wei }, ommers);
    }
    if (withdrawals !== undefined) payWithdrawals(state, rules, withdrawals);
    const requests = rules.has("prague")
      ? await collectRequests(
          this.#machine,
          receipts.flatMap((receipt) => receipt.logs),
        )
      : undefined;
    return {
      receipts,
      gasUsed: this.#gasUsed,
      blobGasUsed: this.#blobGasUsed,
      logsBloom: orBlooms(receipts.map((receipt) => receipt.logsBloom)),
      receiptsRoot: orderedTrieRoot(receipts.map(encodeReceipt)),
      stateRoot: state.root(),
      requestsHash: requests === undefined ? undefined : hashRequests(requests),
      requests: (requests ?? []).filter((request) => request.length > 1),
      epochFailure: this.#epochFailure,
    };
  }
}

/** Executes a whole block on its parent's state. Throws BlockInvalid and ExecutionFault. */
export async function executeBlock(
  block: BlockBody & { readonly header: Header },
  state: State,
  context: ExecutionContext,
): Promise<BlockResult> {
  const executor = await BlockExecutor.begin(state, envOf(block.header), context);
  // EIP-2 made the second form of each signature invalid.
  const allowHighS = !context.rules.has("homestead");
  for (const [index, transaction] of block.transactions.entries()) {
    try {
      await executor.execute(transaction, senderOf(transaction, { allowHighS }));
    } catch (error) {
      throw asBlockInvalid(error, index, transaction.hash);
    }
  }
  return executor.finish(block);
}

function asBlockInvalid(error: unknown, index: number, hash: Hash): unknown {
  if (!(error instanceof TransactionError) && !(error instanceof DecodeError)) return error;
  const why = error.reason;
  return new BlockInvalid({ code: "BAD_TRANSACTION", index, hash, why }, { cause: error });
}

/** A header field that execution contradicts. */
export interface Mismatch {
  readonly field:
    | "stateRoot"
    | "receiptsRoot"
    | "logsBloom"
    | "gasUsed"
    | "blobGasUsed"
    | "requestsHash";
  readonly expected: string;
  readonly got: string;
}

/** The first field in which `header` and the result of its execution differ; undefined when they agree. */
export function compareResult(header: Header, result: BlockResult): Mismatch | undefined {
  const mismatch = (field: Mismatch["field"], expected: unknown, got: unknown): Mismatch => ({
    field,
    expected: String(expected),
    got: String(got),
  });
  if (header.gasUsed !== result.gasUsed) {
    return mismatch("gasUsed", header.gasUsed, result.gasUsed);
  }
  if (header.blobGasUsed !== undefined && header.blobGasUsed !== result.blobGasUsed) {
    return mismatch("blobGasUsed", header.blobGasUsed, result.blobGasUsed);
  }
  if (!equalBytes(header.logsBloom, result.logsBloom)) {
    return mismatch("logsBloom", bytesToHex(header.logsBloom), bytesToHex(result.logsBloom));
  }
  for (const field of ["receiptsRoot", "requestsHash", "stateRoot"] as const) {
    if (header[field] !== result[field]) return mismatch(field, header[field], result[field]);
  }
  return undefined;
}
