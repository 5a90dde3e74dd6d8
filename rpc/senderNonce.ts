/** The transaction that an account sent with a nonce: pooled, or found in the chain by searching nonces through history. */
import type { Chain } from "../src/chain/chain.ts";
import type { Address } from "../src/primitives/hex.ts";
import type { RpcNode } from "./context.ts";
import { type PlacedTransaction, pendingTransactionOf, placedTransaction } from "./views.ts";

function nonceAfter(chain: Chain, sender: Address, number: bigint): bigint {
  const hash = chain.canonicalHash(number);
  return hash === undefined ? 0n : (chain.stateAt(hash).account(sender)?.nonce ?? 0n);
}

/** First block after which the account's nonce is above `nonce`; the head's is known to be. */
export function blockThatRaised(chain: Chain, sender: Address, nonce: bigint): bigint {
  let low = 0n;
  let high = chain.head.header.number;
  while (low < high) {
    const middle = (low + high) / 2n;
    if (nonceAfter(chain, sender, middle) > nonce) high = middle;
    else low = middle + 1n;
  }
  return low;
}

/** The transaction, mined or pending; undefined when there is none. Needs the states of history. */
export function findBySenderAndNonce(
  { chain, pool }: RpcNode,
  sender: Address,
  nonce: bigint,
): PlacedTransaction | undefined {
  const next = chain.stateAt(chain.head.hash).account(sender)?.nonce ?? 0n;
  if (nonce >= next) {
    const { pending, queued } = pool.contentFrom(sender);
    const pooled = [...pending, ...queued].find(({ transaction }) => transaction.nonce === nonce);
    return pooled && pendingTransactionOf(pooled.transaction);
  }
  const hash = chain.canonicalHash(blockThatRaised(chain, sender, nonce));
  const block = hash && chain.block(hash);
  if (block === undefined) return undefined;
  for (const [index, transaction] of block.transactions.entries()) {
    if (transaction.nonce !== nonce) continue;
    const placed = placedTransaction(block, index);
    if (placed?.sender === sender) return placed;
  }
  return undefined;
}
