/**
 * What a block must pass before it is stored: the one set of rules for own and foreign blocks.
 * Data: block + parent + State at the parent → header, body, seal, execution, comparison → BlockRecord for the commit.
 * Cheap checks come first. Nothing here writes; a block that fails leaves nothing behind but a State to be thrown away.
 */

import { type PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import { checkType } from "../execution/checkTransaction.ts";
import type { ExecutionContext } from "../execution/evm.ts";
import { type BlockResult, compareResult, executeBlock } from "../execution/executeBlock.ts";
import { BlockInvalid } from "../execution/requests.ts";
import { TransactionError } from "../execution/transactionError.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import { systemClock } from "../runtime/clock.ts";
import type { State, StateChanges } from "../state/state.ts";
import type { Block } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";
import type { ChainConfig } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";
import { DecodeError } from "../types/rlp.ts";
import { prepareSigners, senderOf } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import type { BadBlocks } from "./badBlocks.ts";
import { BlockError, demandEqual } from "./blockError.ts";
import type { BlockStore } from "./blockStore.ts";
import type { ChainObserver } from "./chainEvents.ts";
import type { BlockRecord } from "./commit.ts";
import { type BlockOverride, NO_OVERRIDE } from "./overrides.ts";
import { verifyBody, verifyOmmers } from "./verifyBody.ts";
import { type HeaderLeniency, verifyHeader, verifyMergePoint } from "./verifyHeader.ts";

/** Is this block sealed by whom it must be? */
export interface SealRules {
  /** Throws BlockError INVALID_SEAL. */
  verifySeal(block: Block, parent: Header): void | Promise<void>;
  /** The base fee follows other rules than EIP-1559's, and `verifySeal` has checked it. */
  readonly decidesBaseFee?: boolean;
}

/** A leaf of the block tree. */
export interface HeadCandidate {
  readonly header: Header;
  readonly hash: Hash;
  readonly totalDifficulty: bigint;
}

/** Which leaf is head once a block is in the tree? */
export interface HeadRule {
  isBetter(candidate: HeadCandidate, current: HeadCandidate): boolean;
}

/** Seals are not looked at: chains without consensus section, where only the ethash seal would be due. */
export const anySeal: SealRules = { verifySeal: () => {} };

/** Every valid import becomes the head. */
export const importedIsHead: HeadRule = { isBetter: () => true };

/** The rule of plain Ethereum chains: most work before the merge, the latest import after it. */
export const plainHeadRule: HeadRule = {
  isBetter: (candidate, current) =>
    candidate.header.difficulty === 0n || candidate.totalDifficulty > current.totalDifficulty,
};

/** The result of executing a block, when the caller has it already: own blocks are not executed twice. */
export interface ExecutedBlock {
  readonly result: BlockResult;
  readonly changes: StateChanges;
  /** The State after the block; the chain goes on with it. */
  readonly state: State;
  readonly override: BlockOverride;
}

/** What the rules ask of the chain. */
export interface ImportView {
  readonly config: ChainConfig;
  readonly store: Pick<BlockStore, "header" | "totalDifficulty" | "block">;
  readonly sealRules: SealRules;
  /** Recovers senders ahead of execution, off this thread. */
  readonly recoverSenders?: (transactions: readonly Transaction[]) => Promise<void>;
  /** What verifies transactions of type 0x51; default: the common verifier */
  readonly verifier?: PqVerifier | undefined;
  readonly badBlocks: BadBlocks;
  readonly observer?: ChainObserver | undefined;
  contextFor(header: Header): ExecutionContext;
  /** A State at the post-state of this block, edits included, that nobody else uses. */
  takeStateForChild(parentHash: Hash): State;
}

/** A block ready to be stored, and the State after it. */
export interface ProcessedBlock extends BlockRecord {
  readonly state: State;
}

/** Checks and executes a block whose parent is stored. Throws BlockError; ExecutionFault and StateError are this node's own troubles. */
export async function processBlock(
  view: ImportView,
  block: Block,
  executed: ExecutedBlock | undefined,
): Promise<ProcessedBlock> {
  try {
    return await process(view, block, executed);
  } catch (error) {
    // a block without its parent may still turn out good
    if (error instanceof BlockError && error.reason.code !== "UNKNOWN_PARENT")
      view.badBlocks.note({ block, reason: error.reason });
    throw error;
  }
}

async function process(
  view: ImportView,
  block: Block,
  executed: ExecutedBlock | undefined,
): Promise<ProcessedBlock> {
  const { header } = block;
  const parent = view.store.header(header.parentHash);
  const parentDifficulty = view.store.totalDifficulty(header.parentHash);
  if (parent === undefined || parentDifficulty === undefined)
    throw new BlockError({
      code: "UNKNOWN_PARENT",
      field: "parentHash",
      expected: "a known block",
      got: header.parentHash,
    });
  const rules = view.config.forks.rules(header);
  const override = executed?.override ?? NO_OVERRIDE;
  const equalTimestamps = mayShareTimestamps(view.config);
  const { decidesBaseFee } = view.sealRules;
  const leniency = { exempt: override.exempt, equalTimestamps };
  verifyHeader(header, parent, rules, decidesBaseFee ? withoutBaseFee(leniency) : leniency);
  verifyMergePoint(header, parentDifficulty, view.config.terminalTotalDifficulty);
  verifyBody(block, rules);
  if (!allowsBlobs(view.config)) demandEqual("INVALID_BODY", "blobGasUsed", 0n, header.blobGasUsed);
  verifyOmmers(block, ancestryOf(view.store), (ommer) => view.config.forks.rules(ommer));
  await view.sealRules.verifySeal(block, parent);
  const outcome = executed ?? (await execute(view, block, rules));
  const mismatch = compareResult(header, outcome.result);
  if (mismatch !== undefined)
    throw new BlockError({
      code: "RESULT_MISMATCH",
      field: mismatch.field,
      expected: mismatch.got,
      got: mismatch.expected,
    });
  return {
    block,
    receipts: outcome.result.receipts,
    changes: outcome.changes,
    totalDifficulty: parentDifficulty + header.difficulty,
    override,
    state: outcome.state,
  };
}

/**
 * Executes a child of a block that is still being stored, on the State after it, which is to be thrown away when this throws.
 * Only what bounds the work is checked before; the result goes into `importBlock`, which applies every rule. undefined: it
 * is no child.
 */
export async function executeAhead(
  view: ImportView,
  parent: ProcessedBlock,
  block: Block,
): Promise<ExecutedBlock | undefined> {
  const { header } = block;
  const above = parent.block;
  if (header.parentHash !== above.hash) return undefined;
  const rules = view.config.forks.rules(header);
  verifyHeader(header, above.header, rules, { equalTimestamps: mayShareTimestamps(view.config) });
  verifyBody(block, rules);
  const { blockHash } = view.contextFor(above.header);
  const ahead: ImportView = {
    ...view,
    takeStateForChild: () => parent.state,
    contextFor: (child) => ({
      ...view.contextFor(child),
      blockHash: (number) => (number === above.header.number ? above.hash : blockHash(number)),
    }),
  };
  return { ...(await execute(ahead, block, rules)), override: NO_OVERRIDE };
}

/** Whether type 3 transactions are valid here: a consensus section may forbid them. */
export function allowsBlobs(config: ChainConfig): boolean {
  return config.qnet?.consensus?.blobs !== false;
}

/** Blocks of one slot share its second where a slot has several ticks. */
function mayShareTimestamps(config: ChainConfig): boolean {
  const consensus = config.qnet?.consensus;
  return consensus !== undefined && consensus.tickMs < consensus.slotMs;
}

function withoutBaseFee(leniency: HeaderLeniency): HeaderLeniency {
  return { ...leniency, exempt: new Set([...(leniency.exempt ?? []), "baseFeePerGas"]) };
}

function ancestryOf(store: ImportView["store"]) {
  return {
    header: (hash: Hash) => store.header(hash),
    ommers: (hash: Hash) => store.block(hash)?.ommers,
  };
}

async function execute(view: ImportView, block: Block, rules: Rules) {
  await recoverSenders(view, block.transactions, rules);
  const state = view.takeStateForChild(block.header.parentHash);
  const context = view.contextFor(block.header);
  const startMs = systemClock.nowMs();
  try {
    const result = await executeBlock(block, state, { ...context, rules });
    const changes = state.takeChanges();
    const { transactions } = block;
    view.observer?.executed({
      elapsedMs: systemClock.nowMs() - startMs,
      transactions: transactions.length,
      gasUsed: result.gasUsed,
    });
    return { result, changes, state };
  } catch (error) {
    if (!(error instanceof BlockInvalid)) throw error;
    throw asBlockError(error);
  }
}

/** All signatures, before anything runs. A type or an algorithm that the block's rules do not know is not even tried. */
async function recoverSenders(
  view: ImportView,
  transactions: readonly Transaction[],
  rules: Rules,
): Promise<void> {
  const { verifier = pqVerifier } = view;
  judgeEach(transactions, (transaction) => {
    if (transaction.pqSender !== undefined) checkType(transaction, rules);
  });
  await view.recoverSenders?.(transactions);
  await prepareSigners(transactions, verifier);
  const allowHighS = !rules.has("homestead");
  judgeEach(transactions, (transaction) => senderOf(transaction, { allowHighS, verifier }));
}

/** Throws BlockError INVALID_TRANSACTION with the place of the first transaction that `judge` refuses. */
function judgeEach(
  transactions: readonly Transaction[],
  judge: (transaction: Transaction) => void,
): void {
  for (const [index, transaction] of transactions.entries()) {
    try {
      judge(transaction);
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof TransactionError)) throw error;
      throw new BlockError(
        {
          code: "INVALID_TRANSACTION",
          field: `transactions[${index}]`,
          expected:
            error instanceof DecodeError
              ? "a valid signature"
              : "a transaction that can be applied",
          got: error.message,
        },
        { cause: error },
      );
    }
  }
}

function asBlockError(error: BlockInvalid): BlockError {
  const { reason } = error;
  if (reason.code !== "BAD_TRANSACTION")
    return new BlockError(
      {
        code: "INVALID_EXECUTION",
        field: "requestsHash",
        expected: "system contracts that answer and well-formed deposits",
        got: error.message,
      },
      { cause: error },
    );
  const why = new NodeError(reason.why);
  return new BlockError(
    {
      code: "INVALID_TRANSACTION",
      field: `transactions[${reason.index}]`,
      expected: "a transaction that can be applied",
      got: why.message,
    },
    { cause: error },
  );
}
