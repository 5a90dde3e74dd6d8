/** What a transaction must be to enter the pool, seen from its sender's account and queue. */
import { TransactionError } from "../execution/transactionError.ts";
import { refuse } from "./poolError.ts";
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

/** Checks that no more than `limit` transactions of a sender wait for a missing nonce. Throws PoolError. */
export function checkGap(queue: SenderQueue, nonce: bigint, limit: number): void {
  // the missing nonce itself is always welcome: it makes the queue shorter
  if (nonce === queue.nextNonce || queue.entries.length - queue.executable < limit) return;
  const { sender: address, nextNonce: state } = queue;
  refuse({ code: "ACCOUNT_QUEUE_FULL", address, tx: nonce, state, limit });
}
