/** Transactions and their receipts, mined or pooled. */
import type { Hash } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import { blockNumberOrTag } from "../blockId.ts";
import { address, count, data, hash, list, nullable, quantity64 } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { defineMethod, param } from "../method.ts";
import { pendingBlock } from "../pending.ts";
import { placedReceipt } from "../receipts.ts";
import { findBlock } from "../resolve.ts";
import { findBySenderAndNonce } from "../senderNonce.ts";
import {
  type PlacedTransaction,
  pendingTransactionOf,
  placedTransaction,
  receiptView,
  transactionView,
} from "../views.ts";

/** A transaction by hash: of the chain, else of the pool. */
export function findTransaction({ node }: RpcContext, wanted: Hash): PlacedTransaction | undefined {
  const found = node.chain.transaction(wanted);
  if (found !== undefined) return placedTransaction(found.block, found.index);
  const pooled = node.pool.get(wanted);
  return pooled && pendingTransactionOf(pooled);
}

/** Where a transaction stands in a block says all that is shown of it; a pooled one may change its place. */
function transactionKey(value: PlacedTransaction | undefined): string | undefined {
  return value?.block && `transaction:${value.block.hash}:${value.index}`;
}

function rawAt(block: Block | undefined, index: number): Uint8Array | undefined {
  return block?.transactions[index]?.raw;
}

const getters = [
  defineMethod({
    name: "eth_getTransactionByHash",
    summary: "Returns a transaction by its hash, mined or pending.",
    params: [param("hash", hash)],
    result: nullable(transactionView),
    handler: findTransaction,
    textKey: transactionKey,
  }),
  defineMethod({
    name: "eth_getTransactionByBlockHashAndIndex",
    summary: "Returns a transaction by its block's hash and its position.",
    params: [param("hash", hash), param("index", count)],
    result: nullable(transactionView),
    handler: ({ node }, wanted, index) => {
      const block = node.chain.block(wanted);
      return block && placedTransaction(block, index);
    },
  }),
  defineMethod({
    name: "eth_getTransactionByBlockNumberAndIndex",
    summary: "Returns a transaction by its block's number or tag and its position.",
    params: [param("block", blockNumberOrTag), param("index", count)],
    result: nullable(transactionView),
    handler: async ({ node }, id, index) => {
      if (id === "pending") {
        const transaction = (await pendingBlock(node)).transactions[index];
        return transaction && pendingTransactionOf(transaction);
      }
      const block = findBlock(node.chain, id);
      return block && placedTransaction(block, index);
    },
  }),
  defineMethod({
    name: "eth_getTransactionReceipt",
    summary: "Returns the receipt of a mined transaction.",
    params: [param("hash", hash)],
    result: nullable(receiptView),
    handler: ({ node }, wanted) => placedReceipt(node.chain, wanted),
    textKey: (value) => value && `receipt:${value.block.hash}:${value.index}`,
  }),
  defineMethod({
    name: "eth_getTransactionBySenderAndNonce",
    summary: "Returns the transaction that an account sent with a nonce, mined or pending.",
    params: [param("address", address), param("nonce", quantity64)],
    result: nullable(transactionView),
    handler: ({ node }, sender, nonce) => findBySenderAndNonce(node, sender, nonce),
  }),
  defineMethod({
    name: "eth_pendingTransactions",
    cost: 10,
    summary: "Returns the executable transactions of the pool.",
    params: [],
    result: list(transactionView),
    handler: ({ node }) =>
      [...node.pool.pending().values()]
        .flat()
        .map(({ transaction, sender }) => ({ transaction, sender, block: undefined, index: 0 })),
  }),
];

const raw = [
  defineMethod({
    name: "eth_getRawTransactionByHash",
    summary: "Returns the encoding of a transaction by its hash, mined or pending.",
    params: [param("hash", hash)],
    result: nullable(data),
    handler: (context, wanted) => findTransaction(context, wanted)?.transaction.raw,
  }),
  defineMethod({
    name: "eth_getRawTransactionByBlockHashAndIndex",
    summary: "Returns the encoding of a transaction by its block's hash and its position.",
    params: [param("hash", hash), param("index", count)],
    result: nullable(data),
    handler: ({ node }, wanted, index) => rawAt(node.chain.block(wanted), index),
  }),
  defineMethod({
    name: "eth_getRawTransactionByBlockNumberAndIndex",
    summary: "Returns the encoding of a transaction by its block's number or tag and its position.",
    params: [param("block", blockNumberOrTag), param("index", count)],
    result: nullable(data),
    handler: async ({ node }, id, index) =>
      rawAt(id === "pending" ? await pendingBlock(node) : findBlock(node.chain, id), index),
  }),
  defineMethod({
    name: "debug_getRawTransaction",
    summary: "Returns the encoding of a transaction by its hash, mined or pending.",
    params: [param("hash", hash)],
    result: nullable(data),
    handler: (context, wanted) => findTransaction(context, wanted)?.transaction.raw,
  }),
];

/** Getters of transactions. */
export const transactionMethods = [...getters, ...raw];
