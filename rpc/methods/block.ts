/** Blocks, headers, ommers and the receipts of whole blocks. */
import type { Chain } from "../../src/chain/chain.ts";
import { type Block, encodeBlock } from "../../src/types/block.ts";
import { encodeHeader, type Header, hashHeader } from "../../src/types/header.ts";
import { encodeReceipt } from "../../src/types/receipt.ts";
import { type BlockId, blockId, blockNumberOrTag } from "../blockId.ts";
import { boolean, count, data, hash, list, nullable, quantity } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { defineMethod, param } from "../method.ts";
import { pendingBlock } from "../pending.ts";
import { receiptsOfBlock } from "../receipts.ts";
import { findBlock, findHeader } from "../resolve.ts";
import {
  blockView,
  headerView,
  ommerView,
  receiptView,
  type ShownBlock,
  type ShownOmmer,
} from "../views.ts";

const byHash = (value: ReturnType<typeof hash.decode>): BlockId => ({
  hash: value,
  requireCanonical: false,
});

function needBlock(chain: Chain, id: BlockId): Block {
  const block = findBlock(chain, id);
  if (block === undefined) throw new RpcError({ code: "HEADER_NOT_FOUND" });
  return block;
}

function shown(block: Block | undefined, full: boolean): ShownBlock | undefined {
  return block && { block, full };
}

function ommer(block: Block | undefined, index: number): ShownOmmer | undefined {
  const header: Header | undefined = block?.ommers[index];
  if (header === undefined) return undefined;
  const alone = { header, transactions: [], ommers: [], withdrawals: undefined };
  return { header, hash: hashHeader(header), sizeBytes: encodeBlock(alone).length };
}

function blockByNumber(
  { node }: RpcContext,
  id: BlockId,
  full: boolean,
): ShownBlock | undefined | Promise<ShownBlock> {
  if (id !== "pending") return shown(findBlock(node.chain, id), full);
  return pendingBlock(node).then((block) => ({ block, full, pending: true }));
}

/** A sealed block is what its hash says. */
function blockKey(value: ShownBlock | undefined): string | undefined {
  if (value === undefined || value.pending === true) return undefined;
  return `${value.full ? "full" : "block"}:${value.block.hash}`;
}

const getters = [
  defineMethod({
    name: "eth_blockNumber",
    summary: "Returns the number of the head block.",
    params: [],
    result: quantity,
    handler: ({ node }) => node.chain.head.header.number,
  }),
  defineMethod({
    name: "eth_getBlockByHash",
    summary: "Returns a block by its hash, with whole transactions or their hashes.",
    params: [param("hash", hash), param("fullTransactions", boolean, false)],
    result: nullable(blockView),
    handler: ({ node }, wanted, full) => shown(node.chain.block(wanted), full),
    textKey: blockKey,
  }),
  defineMethod({
    name: "eth_getBlockByNumber",
    summary: "Returns a block by number or tag, with whole transactions or their hashes.",
    params: [param("block", blockNumberOrTag, "latest"), param("fullTransactions", boolean, false)],
    result: nullable(blockView),
    handler: blockByNumber,
    textKey: blockKey,
  }),
  defineMethod({
    name: "eth_getHeaderByHash",
    summary: "Returns a header by its block's hash.",
    params: [param("hash", hash)],
    result: nullable(headerView),
    handler: ({ node }, wanted) => findHeader(node.chain, byHash(wanted)),
  }),
  defineMethod({
    name: "eth_getHeaderByNumber",
    summary: "Returns a header by number or tag.",
    params: [param("block", blockNumberOrTag, "latest")],
    result: nullable(headerView),
    handler: async ({ node }, block) =>
      block === "pending"
        ? { header: (await pendingBlock(node)).header, hash: undefined }
        : findHeader(node.chain, block),
  }),
  defineMethod({
    name: "eth_getBlockTransactionCountByHash",
    summary: "Returns the number of transactions in a block by its hash.",
    params: [param("hash", hash)],
    result: nullable(count),
    handler: ({ node }, wanted) => node.chain.block(wanted)?.transactions.length,
  }),
  defineMethod({
    name: "eth_getBlockTransactionCountByNumber",
    summary: "Returns the number of transactions in a block by number or tag.",
    params: [param("block", blockNumberOrTag, "latest")],
    result: nullable(count),
    handler: async (context, block) =>
      (await blockByNumber(context, block, false))?.block.transactions.length,
  }),
  defineMethod({
    name: "eth_getBlockReceipts",
    cost: 5,
    summary: "Returns all receipts of a block.",
    params: [param("block", blockId, "latest")],
    result: nullable(list(receiptView)),
    handler: ({ node }, id) => {
      // what is pending has no receipts yet
      const block = id === "pending" ? undefined : findBlock(node.chain, id);
      return block && receiptsOfBlock(node.chain, block);
    },
    textKey: (receipts) => {
      const first = receipts?.[0];
      return first && `receipts:${first.block.hash}`;
    },
  }),
  defineMethod({
    name: "eth_getBlockAccessList",
    summary: "Returns the access list of a block; null, since no block before Amsterdam has one.",
    params: [param("block", blockId, "latest")],
    result: nullable(data),
    handler: () => undefined,
  }),
];

const ommers = [
  defineMethod({
    name: "eth_getUncleByBlockHashAndIndex",
    summary: "Returns an ommer of a block by the block's hash.",
    params: [param("hash", hash), param("index", count)],
    result: nullable(ommerView),
    handler: ({ node }, wanted, index) => ommer(node.chain.block(wanted), index),
  }),
  defineMethod({
    name: "eth_getUncleByBlockNumberAndIndex",
    summary: "Returns an ommer of a block by the block's number or tag.",
    params: [param("block", blockNumberOrTag), param("index", count)],
    result: nullable(ommerView),
    handler: ({ node }, id, index) => ommer(findBlock(node.chain, id), index),
  }),
  defineMethod({
    name: "eth_getUncleCountByBlockHash",
    summary: "Returns the number of ommers of a block by the block's hash.",
    params: [param("hash", hash)],
    result: nullable(count),
    handler: ({ node }, wanted) => node.chain.block(wanted)?.ommers.length,
  }),
  defineMethod({
    name: "eth_getUncleCountByBlockNumber",
    summary: "Returns the number of ommers of a block by the block's number or tag.",
    params: [param("block", blockNumberOrTag, "latest")],
    result: nullable(count),
    handler: ({ node }, id) => findBlock(node.chain, id)?.ommers.length,
  }),
];

const raw = [
  defineMethod({
    name: "debug_getRawHeader",
    summary: "Returns the RLP encoding of a header.",
    params: [param("block", blockId, "latest")],
    result: data,
    handler: ({ node }, id) => encodeHeader(needBlock(node.chain, id).header),
  }),
  defineMethod({
    name: "debug_getRawBlock",
    summary: "Returns the RLP encoding of a block.",
    params: [param("block", blockId, "latest")],
    result: data,
    handler: ({ node }, id) => encodeBlock(needBlock(node.chain, id)),
  }),
  defineMethod({
    name: "debug_getRawBlockAccessList",
    summary: "Returns the access list of a block; null, since no block before Amsterdam has one.",
    params: [param("block", blockId, "latest")],
    result: nullable(data),
    handler: () => undefined,
  }),
  defineMethod({
    name: "debug_getRawReceipts",
    summary: "Returns the consensus encodings of the receipts of a block.",
    params: [param("block", blockId, "latest")],
    result: list(data),
    handler: ({ node }, id) => {
      const block = needBlock(node.chain, id);
      return receiptsOfBlock(node.chain, block).map(({ receipt }) => encodeReceipt(receipt));
    },
  }),
];

/** Getters of blocks. */
export const blockMethods = [...getters, ...ommers, ...raw];
