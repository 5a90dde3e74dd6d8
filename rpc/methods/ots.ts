/** ots_…: what the block explorer Otterscan asks beside the standard methods (API level 8), and erigon's header by number. */
import type { AddressTransaction } from "../../src/chain/addressIndex.ts";
import type { Chain } from "../../src/chain/chain.ts";
import type { TracerSpec } from "../../src/execution/tracers/named.ts";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import { effectiveGasPrice } from "../../src/types/transaction.ts";
import { addressHistory, type HistoryPage, type HistoryQuery } from "../addressHistory.ts";
import { type BlockId, type BlockNumberOrTag, blockId, blockNumberOrTag } from "../blockId.ts";
import {
  address,
  boolean,
  data,
  hash,
  integer,
  type Json,
  type JsonObject,
  json,
  list,
  looseQuantity,
  nullable,
  type ParamCodec,
  quantity,
  type ResultCodec,
  refuse,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { type ContractCreator, findContractCreator } from "../contractCreator.ts";
import { RpcError } from "../errors.ts";
import { defineMethod, param } from "../method.ts";
import { field, view } from "../objects.ts";
import { issuanceOf } from "../parityTrace.ts";
import { placedReceipt, receiptsOfBlock } from "../receipts.ts";
import { inTurn, replay } from "../replay.ts";
import { findBlock, findHeader, readState } from "../resolve.ts";
import { findBySenderAndNonce } from "../senderNonce.ts";
import {
  blockView,
  headerView,
  placedTransaction,
  receiptView,
  transactionView,
} from "../views.ts";
import { limitsOf } from "./debugTrace.ts";

/** A block as Otterscan names it: its numbers are JSON numbers. */
const explorerBlock: ParamCodec<BlockNumberOrTag> = {
  schema: { title: "block number or tag", oneOf: [integer.schema, blockNumberOrTag.schema] },
  decode: (value, where) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0
      ? BigInt(value)
      : blockNumberOrTag.decode(value, where),
};

/** The level that Otterscan 2 wants. */
const API_LEVEL = 8;
/** Transactions of a page; Otterscan asks for 25. */
const MAX_PAGE = 25;
const SELECTOR = 4;

const pageSize: ParamCodec<number> = {
  schema: { type: "integer", minimum: 1, maximum: MAX_PAGE },
  decode(value, where) {
    const size = integer.decode(value, where);
    if (size < 1 || size > MAX_PAGE) refuse(where, `want 1 to ${MAX_PAGE}, got ${size}`);
    return size;
  },
};

/** What a view wrote, with other keys on top. */
function amended(shown: Json, changes: JsonObject): JsonObject {
  const source = typeof shown === "object" && shown !== null ? shown : {};
  return { ...Object.fromEntries(Object.entries(source)), ...changes };
}

/** The block as a list shows it: without transactions and bloom. */
function blockSummary(block: Block): JsonObject {
  const transactionCount = block.transactions.length;
  const changes = { transactions: undefined, logsBloom: null, transactionCount };
  return amended(blockView.encode({ block, full: false }), changes);
}

/** wei that the block's transactions paid for gas */
function totalFees(chain: Chain, block: Block): bigint {
  return receiptsOfBlock(chain, block).reduce((sum, { transaction, gasUsed }) => {
    return sum + gasUsed * effectiveGasPrice(transaction, block.header.baseFeePerGas);
  }, 0n);
}

function blockDetails(chain: Chain, block: Block): Json {
  const { blockReward, ommerRewards } = issuanceOf(chain, block);
  const uncleReward = ommerRewards.reduce((sum, { reward }) => sum + reward, 0n);
  return {
    block: blockSummary(block),
    issuance: {
      blockReward: quantity.encode(blockReward),
      uncleReward: quantity.encode(uncleReward),
      issuance: quantity.encode(blockReward + uncleReward),
    },
    totalFees: quantity.encode(totalFees(chain, block)),
  };
}

/** Page `page` of the block's transactions, counted from its end, with their receipts; inputs cut to the selector. */
function blockPage(chain: Chain, block: Block, page: number, size: number): Json {
  const end = Math.max(0, block.transactions.length - page * size);
  const receipts = receiptsOfBlock(chain, block).slice(Math.max(0, end - size), end);
  const transactions = receipts.map((one) => {
    const transaction = { ...one.transaction, data: one.transaction.data.subarray(0, SELECTOR) };
    return transactionView.encode({ ...one, transaction });
  });
  return {
    fullblock: { ...blockSummary(block), transactions },
    receipts: receipts.map((one) =>
      amended(receiptView.encode(one), { logs: null, logsBloom: null }),
    ),
  };
}

const history: ResultCodec<{ readonly chain: Chain; readonly page: HistoryPage }> = {
  schema: {
    title: "page of transactions",
    type: "object",
    required: ["txs", "receipts", "firstPage", "lastPage"],
    properties: {
      txs: list(transactionView).schema,
      receipts: { type: "array" },
      firstPage: boolean.schema,
      lastPage: boolean.schema,
    },
  },
  encode: ({ chain, page }) => ({
    txs: page.found.map((one) => transactionView.encode(needPlaced(chain, one))),
    receipts: page.found.map((one) => {
      const placed = placedReceipt(chain, needPlaced(chain, one).transaction.hash);
      if (placed === undefined) throw new RpcError({ code: "UNKNOWN_BLOCK" });
      const timestamp = Number(placed.block.header.timestamp);
      return amended(receiptView.encode(placed), { timestamp });
    }),
    firstPage: page.isFirst,
    lastPage: page.isLast,
  }),
};

/** A transaction that the index names. Throws UNKNOWN_BLOCK when a reorganisation took it away meanwhile. */
function needPlaced(chain: Chain, { blockNumber, index }: AddressTransaction) {
  const block = chain.blockByNumber(blockNumber);
  const placed = block && placedTransaction(block, index);
  if (placed === undefined) throw new RpcError({ code: "UNKNOWN_BLOCK" });
  return placed;
}

function searchMethod(direction: HistoryQuery["direction"]) {
  const name = direction === "before" ? "Before" : "After";
  return defineMethod({
    name: `ots_searchTransactions${name}`,
    cost: 10,
    summary: `Returns transactions of an address ${direction} a block, newest first (0: all there are).`,
    params: [param("address", address), param("block", looseQuantity), param("size", pageSize)],
    result: history,
    handler: async ({ node: { chain } }, target, block, size) => ({
      chain,
      page: await addressHistory(chain, target, { direction, block, size }),
    }),
  });
}

/** Executes a mined transaction once more; null when there is none. */
function replayed(
  context: RpcContext,
  wanted: Hash,
  spec: TracerSpec,
): Promise<{ readonly trace: Json | undefined; readonly output: Uint8Array } | undefined> {
  return inTurn(context.node, async () => {
    const found = context.node.chain.transaction(wanted);
    if (found === undefined) return undefined;
    const plan = { spec, from: found.index, limits: limitsOf(context) };
    for await (const { index, trace, outcome } of replay(context, found.block, plan)) {
      if (index !== found.index) continue;
      return { trace, output: outcome.failure === "revert" ? outcome.returnData : EMPTY_BYTES };
    }
    return undefined;
  });
}

const transactions = [
  defineMethod({
    name: "ots_getInternalOperations",
    cost: 50,
    summary: "Returns transfers, creations and self-destructions inside a transaction.",
    params: [param("hash", hash)],
    result: nullable(json),
    handler: async (context, wanted) =>
      (await replayed(context, wanted, { name: "otterscanOperations" }))?.trace,
  }),
  defineMethod({
    name: "ots_traceTransaction",
    cost: 50,
    summary: "Returns the calls of a transaction in order, each with its depth.",
    params: [param("hash", hash)],
    result: nullable(json),
    handler: async (context, wanted) =>
      (await replayed(context, wanted, { name: "otterscanCalls" }))?.trace,
  }),
  defineMethod({
    name: "ots_getTransactionError",
    cost: 50,
    summary: "Returns what a reverted transaction gave as its reason; 0x for others.",
    params: [param("hash", hash)],
    result: nullable(data),
    handler: async (context, wanted) =>
      (await replayed(context, wanted, { name: "noopTracer" }))?.output,
  }),
  searchMethod("before"),
  searchMethod("after"),
  defineMethod({
    name: "ots_getTransactionBySenderAndNonce",
    summary: "Returns the hash of the transaction that an account sent with a nonce.",
    params: [param("address", address), param("nonce", looseQuantity)],
    result: nullable(hash),
    handler: ({ node }, sender, nonce) =>
      findBySenderAndNonce(node, sender, nonce)?.transaction.hash,
  }),
];

function detailsOf({ node: { chain } }: RpcContext, id: BlockId): Json | undefined {
  const block = findBlock(chain, id);
  return block && blockDetails(chain, block);
}

const blocks = [
  defineMethod({
    name: "ots_getBlockDetails",
    summary: "Returns a block without transactions, what it brought into being and what it cost.",
    params: [param("block", explorerBlock)],
    result: nullable(json),
    handler: detailsOf,
  }),
  defineMethod({
    name: "ots_getBlockDetailsByHash",
    summary: "Returns a block without transactions, what it brought into being and what it cost.",
    params: [param("hash", hash)],
    result: nullable(json),
    handler: (context, wanted) => detailsOf(context, { hash: wanted, requireCanonical: false }),
  }),
  defineMethod({
    name: "ots_getBlockTransactions",
    cost: 5,
    summary:
      "Returns a page of a block's transactions with their receipts; page 0 has the last ones.",
    params: [param("block", explorerBlock), param("page", integer), param("size", pageSize)],
    result: nullable(json),
    handler: ({ node: { chain } }, id, page, size) => {
      const block = findBlock(chain, id);
      return block && blockPage(chain, block, page, size);
    },
  }),
  defineMethod({
    name: "erigon_getHeaderByNumber",
    summary: "Returns a header by number or tag; null when there is none.",
    params: [param("block", explorerBlock)],
    result: nullable(headerView),
    handler: ({ node: { chain } }, id) => findHeader(chain, id),
  }),
];

const accounts = [
  defineMethod({
    name: "ots_getApiLevel",
    summary: "Returns the level of these methods.",
    params: [],
    result: integer,
    handler: () => API_LEVEL,
  }),
  defineMethod({
    name: "ots_hasCode",
    summary: "Returns whether an account has code.",
    params: [param("address", address), param("block", blockId, "latest")],
    result: boolean,
    handler: (context, target, id) =>
      readState(context, id, (found) => found.code(target).length > 0),
  }),
  defineMethod({
    name: "ots_getContractCreator",
    cost: 30,
    summary: "Returns the transaction that made a contract, and who did; null for other accounts.",
    params: [param("address", address)],
    result: nullable(
      view<ContractCreator>("contract creator", {
        hash: field(hash, (made: ContractCreator) => made.hash),
        creator: field(address, (made) => made.creator),
      }),
    ),
    handler: (context, target) =>
      inTurn(context.node, () => findContractCreator(context, target, limitsOf(context))),
  }),
];

/** ots_… and erigon_… */
export const otsMethods = [...accounts, ...blocks, ...transactions];
