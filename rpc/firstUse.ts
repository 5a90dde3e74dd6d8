/**
 * How an account first showed itself: the first transaction or EIP-7702 authorization that it signed. Found by searching the
 * account's nonces through the states of history, about 20 of them on a chain of a million blocks.
 */
import { ChainError } from "../src/chain/chainError.ts";
import { authorityOf } from "../src/execution/authorizations.ts";
import type { Address } from "../src/primitives/hex.ts";
import { StateError } from "../src/state/stateError.ts";
import type { Block } from "../src/types/block.ts";
import { isImpersonated } from "../src/types/impersonation.ts";
import { storedSender } from "../src/types/sender.ts";
import type { Transaction } from "../src/types/transaction.ts";
import type { RpcNode } from "./context.ts";
import { blockThatRaised } from "./senderNonce.ts";

/** What there is to be said of an account's first signature. */
export type FirstUse =
  /** It has not signed anything that is in the chain. */
  | { readonly kind: "never" }
  /** This node does not keep the states in which to look. */
  | { readonly kind: "unavailable" }
  /** Its nonce rose without a signature of its own: set in the genesis or by hand, or a contract's. */
  | { readonly kind: "unsigned"; readonly blockNumber: bigint }
  | {
      readonly kind: "transaction" | "authorization";
      readonly blockNumber: bigint;
      /** The transaction that holds the signature */
      readonly transaction: Transaction;
    };

/** The first use of `account` in the canonical chain. */
export function firstUse(node: RpcNode, account: Address): FirstUse {
  const { chain } = node;
  const next = chain.stateAt(chain.head.hash).account(account)?.nonce ?? 0n;
  if (next === 0n) return { kind: "never" };
  let blockNumber: bigint;
  try {
    blockNumber = blockThatRaised(chain, account, 0n);
  } catch (error) {
    if (error instanceof ChainError || error instanceof StateError) return { kind: "unavailable" };
    throw error;
  }
  const block = chain.blockByNumber(blockNumber);
  const signed = block && signedIn(block, account);
  return signed === undefined ? { kind: "unsigned", blockNumber } : { ...signed, blockNumber };
}

function signedIn(
  block: Block,
  account: Address,
):
  | { readonly kind: "transaction" | "authorization"; readonly transaction: Transaction }
  | undefined {
  for (const transaction of block.transactions) {
    const isSender = storedSender(transaction) === account;
    if (isSender && !isImpersonated(transaction, account))
      return { kind: "transaction", transaction };
    if (transaction.authorizationList.some((one) => authorityOf(one) === account))
      return { kind: "authorization", transaction };
  }
  return undefined;
}

/** A transaction of the account that waits in the pool, signed by its key. */
export function pooledUse({ pool }: RpcNode, account: Address): Transaction | undefined {
  const { pending, queued } = pool.contentFrom(account);
  for (const { transaction } of [...pending, ...queued])
    if (!isImpersonated(transaction, account)) return transaction;
  return undefined;
}
