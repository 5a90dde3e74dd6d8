/** Completes a transaction request as a wallet would: type, nonce, fees, gas. */

import { TransactionError } from "../src/execution/transactionError.ts";
import { EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { ZERO_ADDRESS } from "../src/primitives/hex.ts";
import type { TransactionFields } from "../src/types/transaction.ts";
import { PQ_TYPE } from "../src/types/transactionTypes.ts";
import { type CallRequest, requireChain } from "./callRequest.ts";
import { callTarget } from "./callTarget.ts";
import type { RpcContext } from "./context.ts";
import { RpcError } from "./errors.ts";
import { baseFeeToCome, suggestedTip } from "./feeHistory.ts";
import { estimateGas } from "./gasEstimate.ts";

/** EIP-2718 types by what they brought. */
const type = { legacy: 0, accessList: 1, dynamicFee: 2, blob: 3, setCode: 4 } as const;

function checkRequest(context: RpcContext, request: CallRequest): void {
  requireChain(request, context.node.chain.config.chainId);
  if (request.to === undefined && (request.data ?? EMPTY_BYTES).length === 0) {
    throw new RpcError({ code: "REFUSED", text: "contract creation without any data provided" });
  }
  const { maxFeePerGas, maxPriorityFeePerGas } = request;
  if (maxFeePerGas !== undefined && maxPriorityFeePerGas !== undefined) {
    if (maxPriorityFeePerGas > maxFeePerGas) {
      throw new TransactionError({ code: "TIP_ABOVE_MAX_FEE", maxPriorityFeePerGas, maxFeePerGas });
    }
  }
}

/** wei per gas; both are the gas price for types without EIP-1559. */
function feesFor(context: RpcContext, request: CallRequest, txType: number) {
  const { chain } = context.node;
  const baseFee = baseFeeToCome(context.node);
  if (txType <= type.accessList) {
    const suggestedPrice = suggestedTip(chain) + (baseFee * 9n + 7n) / 8n;
    const gasPrice = request.gasPrice ?? request.maxFeePerGas ?? suggestedPrice;
    return { maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice };
  }
  const given = request.gasPrice ?? request.maxFeePerGas;
  const tip = request.gasPrice ?? request.maxPriorityFeePerGas;
  const suggested = suggestedTip(chain);
  const maxPriorityFeePerGas =
    tip ?? (given !== undefined && given < suggested ? given : suggested);
  // geth's rule: room for the base fee to double
  return { maxFeePerGas: given ?? 2n * baseFee + maxPriorityFeePerGas, maxPriorityFeePerGas };
}

/** EIP-2718 type: the one named, else the first that has all fields, EIP-1559's where nothing speaks against it. */
function typeFor(context: RpcContext, request: CallRequest): number {
  if (request.type !== undefined) return request.type;
  if (request.pqSender !== undefined) return PQ_TYPE;
  if (request.authorizationList !== undefined) return type.setCode;
  if (request.blobVersionedHashes !== undefined) return type.blob;
  const london = context.node.chain.head.header.baseFeePerGas !== undefined;
  if (request.gasPrice === undefined && london) return type.dynamicFee;
  return request.accessList === undefined ? type.legacy : type.accessList;
}

/**
 * All fields of the transaction; what the request names stays as it is. Gas is estimated on the pending block.
 * Throws RpcError REVERTED and EXECUTION_FAILED when it cannot succeed, TransactionError when it contradicts the rules.
 */
export async function fillTransaction(
  context: RpcContext,
  request: CallRequest,
): Promise<TransactionFields> {
  checkRequest(context, request);
  const txType = typeFor(context, request);
  const { chain, pool } = context.node;
  const sender = request.from ?? ZERO_ADDRESS;
  const fees = feesFor(context, request, txType);
  const gasLimit =
    request.gas ??
    (await estimateGas(await callTarget(context, "pending"), request, context.limits));
  return {
    type: txType,
    chainId: chain.config.chainId,
    nonce: request.nonce ?? pool.nonce(sender),
    ...fees,
    gasLimit,
    to: request.to,
    value: request.value ?? 0n,
    data: request.data ?? EMPTY_BYTES,
    accessList: request.accessList ?? [],
    maxFeePerBlobGas: request.maxFeePerBlobGas ?? 0n,
    blobVersionedHashes: request.blobVersionedHashes ?? [],
    authorizationList: request.authorizationList ?? [],
    ...(request.pqSender !== undefined && { pqSender: request.pqSender }),
  };
}
