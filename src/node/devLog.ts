/**
 * What a developer reads while transactions go through: one line each, with the reason of a revert and what the
 * contracts printed. Blocks that only move coins are told from their receipts; others are executed once more, watched.
 */

import { type ExecutionContext, envOf } from "../execution/evm.ts";
import { BlockExecutor } from "../execution/executeBlock.ts";
import type { CallWatch } from "../execution/observer.ts";
import { revertReason } from "../execution/revertReason.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHex, type Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import { SerialQueue } from "../runtime/queue.ts";
import { Turns } from "../runtime/turns.ts";
import type { State } from "../state/state.ts";
import type { Block } from "../types/block.ts";
import type { Header } from "../types/header.ts";
import type { Receipt } from "../types/receipt.ts";
import { senderOf } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import { CONSOLE_ADDRESS, consoleLine } from "./consoleLog.ts";

/** Blocks that may wait to be told; under load the others are passed over. */
const MAX_WAITING = 64;
/** Transactions of one block that are told one by one. */
const MAX_TOLD = 50;
/** Lines of one transaction, and characters of one line. */
const MAX_LINES = 200;
const MAX_CHARACTERS = 2_000;
const TRANSFER_GAS = 21_000n;

/** What it reads of the chain. */
export interface DevLogChain {
  receipts(hash: Hash): readonly Receipt[] | undefined;
  preStateOf(block: Block): State;
  contextFor(header: Header): ExecutionContext;
}

/** What happened inside a transaction. */
export interface Insight {
  /** Why it failed, in words; undefined when it did not. */
  readonly failure: string | undefined;
  /** Lines printed with console.log. */
  readonly printed: readonly string[];
}

/** Collects what contracts print while they run. */
export class ConsoleCapture {
  #lines: string[] = [];

  readonly watch: CallWatch = {
    address: CONSOLE_ADDRESS,
    called: (input) => {
      if (this.#lines.length >= MAX_LINES) return;
      const line = consoleLine(input);
      if (line !== undefined) this.#lines.push(line.slice(0, MAX_CHARACTERS));
    },
  };

  /** The lines since the last take. */
  take(): readonly string[] {
    const taken = this.#lines;
    this.#lines = [];
    return taken;
  }
}

/** A failure in the words a developer knows it by. */
export function describeFailure(failure: string, returnData: Bytes): string {
  if (failure !== "revert") return failure;
  const reason = revertReason(returnData);
  if (reason !== undefined) return `reverted: ${reason}`;
  return returnData.length === 0 ? "reverted" : `reverted with data ${bytesToHex(returnData)}`;
}

function isTransfer(receipts: readonly Receipt[], index: number): boolean {
  const before = index === 0 ? 0n : (receipts[index - 1]?.cumulativeGasUsed ?? 0n);
  return (receipts[index]?.cumulativeGasUsed ?? 0n) - before === TRANSFER_GAS;
}

/** Executes the block once more and looks inside its transactions. */
export async function lookInside(chain: DevLogChain, block: Block): Promise<readonly Insight[]> {
  const capture = new ConsoleCapture();
  const turns = new Turns();
  const context = {
    ...chain.contextFor(block.header),
    watch: capture.watch,
    pause: () => turns.next(),
  };
  const state = chain.preStateOf(block);
  const executor = await BlockExecutor.begin(state, envOf(block.header), context);
  capture.take();
  const insights: Insight[] = [];
  for (const transaction of block.transactions) {
    const { failure, returnData } = await executor.execute(transaction, senderOf(transaction));
    insights.push({
      failure: failure === undefined ? undefined : describeFailure(failure, returnData),
      printed: capture.take(),
    });
  }
  return insights;
}

/** Tells of blocks in their order, behind the chain's back. */
export class DevLog {
  readonly #chain: DevLogChain;
  readonly #log: Logger;
  readonly #queue = new SerialQueue({ name: "dev log", limit: MAX_WAITING });
  #waiting = 0;
  #enabled: boolean;

  constructor(deps: { readonly chain: DevLogChain; readonly log: Logger }, enabled: boolean) {
    this.#chain = deps.chain;
    this.#log = deps.log;
    this.#enabled = enabled;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
  }

  /** Takes note of a block; returns at once. */
  tell(block: Block): void {
    if (!this.#enabled || this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    void this.#queue
      .run(() => this.#tell(block))
      .catch((error: unknown) => {
        this.#log.debug("Could not look inside a block", { number: block.header.number, error });
      })
      .finally(() => {
        this.#waiting--;
      });
  }

  /** A line for a transaction that waits for another nonce. */
  tellQueued(transaction: Transaction, expects: bigint): void {
    if (!this.#enabled) return;
    const { hash, nonce } = transaction;
    this.#log.info("Transaction queued", { hash, expectsNonce: expects, gotNonce: nonce });
  }

  /** Lines that a call printed. */
  tellPrinted(lines: readonly string[]): void {
    if (!this.#enabled) return;
    for (const text of lines) this.#log.info("console.log", { text });
  }

  close(): Promise<void> {
    this.#enabled = false;
    return this.#queue.close();
  }

  async #tell(block: Block): Promise<void> {
    const receipts = this.#chain.receipts(block.hash) ?? [];
    const plain = block.transactions.every((_, index) => isTransfer(receipts, index));
    const insights = plain ? [] : await lookInside(this.#chain, block);
    let gasBefore = 0n;
    for (const [index, transaction] of block.transactions.slice(0, MAX_TOLD).entries()) {
      const gasAfter = receipts[index]?.cumulativeGasUsed ?? gasBefore;
      this.#tellOne(block, transaction, { gasUsed: gasAfter - gasBefore, ...insights[index] });
      gasBefore = gasAfter;
    }
    const rest = block.transactions.length - MAX_TOLD;
    if (rest > 0)
      this.#log.info("More transactions", { block: block.header.number, transactions: rest });
  }

  #tellOne(
    block: Block,
    transaction: Transaction,
    seen: Partial<Insight> & { readonly gasUsed: bigint },
  ): void {
    const { hash, to } = transaction;
    this.#log.info("Transaction", {
      hash,
      from: senderOf(transaction),
      to: to ?? "new contract",
      block: block.header.number,
      gasUsed: seen.gasUsed,
      ...(seen.failure !== undefined && { error: seen.failure }),
    });
    this.tellPrinted(seen.printed ?? []);
  }
}
