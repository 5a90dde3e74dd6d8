/** What a transaction must be to enter the pool, seen from its sender's account and queue. */
import { mostItCosts } from "../execution/checkTransaction.ts";
import { TransactionError } from "../execution/transactionError.ts";
import type { Transaction } from "../types/transaction.ts";
import { checkReplacement } from "./admit.ts";
import { refuse } from "./poolError.ts";
import type { PoolOptions } from "./poolOptions.ts";
import type { SenderQueue } from "./senderQueue.ts";

/** EIP-2681 */
const MAX_NONCE = 2n ** 64n - 1n;

/** Checks nonce and funds, all of the sender's transactions together; `added` is what their cost grows by. Throws TransactionError. */
export function checkAccount(queue: SenderQueue, nonce: bigint, added: bigint): void {
  const { sender: address, balance: have } = queue;
  if (nonce < queue.nonce)
    throw new TransactionError({ code: "NONCE_TOO_LOW", address, tx: nonce, state: queue.nonce });
  if (nonce >= MAX_NONCE) throw new TransactionError({ code: "NONCE_MAX", nonce });
  const want = queue.cost + added;
  if (added > 0n && have < want)
    throw new TransactionError({ code: "INSUFFICIENT_FUNDS", address, have, want });
}

/** All checks of a new transaction against its sender's queue; gives the most it can cost, wei. Throws TransactionError or PoolError. */
export function checkAtHead(
  queue: SenderQueue,
  transaction: Transaction,
  { priceBump, gappedSlots }: Pick<PoolOptions, "priceBump" | "gappedSlots">,
): bigint {
  const { nonce } = transaction;
  const cost = mostItCosts(transaction);
  const pooled = queue.find(nonce);
  checkAccount(queue, nonce, cost - (pooled?.cost ?? 0n));
  if (pooled === undefined) checkGap(queue, nonce, gappedSlots);
  else checkReplacement(pooled.transaction, transaction, priceBump);
  return cost;
}

/** Checks that no more than `limit` transactions of a sender wait for a missing nonce. Throws PoolError. */
function checkGap(queue: SenderQueue, nonce: bigint, limit: number): void {
  // the missing nonce itself is always welcome: it makes the queue shorter
  if (nonce === queue.nextNonce || queue.entries.length - queue.executable < limit) return;
  const { sender: address, nextNonce: state } = queue;
  refuse({ code: "ACCOUNT_QUEUE_FULL", address, tx: nonce, state, limit });
}
