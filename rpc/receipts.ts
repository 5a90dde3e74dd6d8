/** Receipts with what JSON-RPC derives for them from their block. */

import type { Chain } from "../src/chain/chain.ts";
import { contractAddress } from "../src/execution/contractAddress.ts";
import { blobBaseFee } from "../src/execution/gas.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { Block } from "../src/types/block.ts";
import type { Receipt } from "../src/types/receipt.ts";
import { senderOf } from "../src/types/sender.ts";
import { RpcError } from "./errors.ts";
import type { PlacedReceipt } from "./views.ts";

/** wei per blob gas in a block; undefined before Cancun. */
export function blobFeeOf(chain: Chain, { header }: Block): bigint | undefined {
  const { excessBlobGas } = header;
  return excessBlobGas === undefined
    ? undefined
    : blobBaseFee(excessBlobGas, chain.config.forks.rules(header));
}

/** The receipt at `index` of a block; `firstLogIndex` is the number of logs before it. */
function place(
  block: Block,
  receipts: readonly Receipt[],
  at: { readonly index: number; readonly firstLogIndex: number },
  blobGasPrice: bigint | undefined,
): PlacedReceipt {
  const transaction = block.transactions[at.index];
  const receipt = receipts[at.index];
  if (transaction === undefined || receipt === undefined)
    throw new RpcError({ code: "UNKNOWN_BLOCK" });
  const sender = senderOf(transaction);
  return {
    block,
    transaction,
    sender,
    ...at,
    receipt,
    gasUsed: receipt.cumulativeGasUsed - (receipts[at.index - 1]?.cumulativeGasUsed ?? 0n),
    contractAddress:
      transaction.to === undefined ? contractAddress(sender, transaction.nonce) : undefined,
    blobGasPrice,
  };
}

/** The receipts of a stored block in order. Throws UNKNOWN_BLOCK when they are not stored. */
export function receiptsOfBlock(chain: Chain, block: Block): PlacedReceipt[] {
  const receipts = chain.receipts(block.hash);
  if (receipts === undefined) throw new RpcError({ code: "UNKNOWN_BLOCK" });
  const blobGasPrice = blobFeeOf(chain, block);
  let firstLogIndex = 0;
  return receipts.map((receipt, index) => {
    const placed = place(block, receipts, { index, firstLogIndex }, blobGasPrice);
    firstLogIndex += receipt.logs.length;
    return placed;
  });
}

/** The receipt of a mined transaction. */
export function placedReceipt(chain: Chain, hash: Hash): PlacedReceipt | undefined {
  const found = chain.transaction(hash);
  if (found === undefined) return undefined;
  const { block, index } = found;
  const receipts = chain.receipts(block.hash);
  if (receipts === undefined) throw new RpcError({ code: "UNKNOWN_BLOCK" });
  let firstLogIndex = 0;
  for (let before = 0; before < index; before++)
    firstLogIndex += receipts[before]?.logs.length ?? 0;
  return place(block, receipts, { index, firstLogIndex }, blobFeeOf(chain, block));
}
