/** What a transaction must be to enter the pool, as far as it can be told without the sender: cheap checks first. */
import { checkAgainstRules } from "../execution/checkTransaction.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { decodeNetworkTransaction, type NetworkTransaction } from "../types/blobSidecar.ts";
import type { Rules } from "../types/forks.ts";
import type { Transaction } from "../types/transaction.ts";
import { refuse } from "./poolError.ts";
import type { Origin } from "./senderQueue.ts";

/** Longest transaction in bytes, without blobs (geth's limit). */
export const MAX_TRANSACTION_BYTES = 131_072;
/** Longest sidecar: six blobs, their commitments and 128 cell proofs each, with room for RLP headers. */
export const MAX_SIDECAR_BYTES = 6 * (131_072 + 48 + 128 * 48) + 4_096;

const BLOB_TYPE = 3;

/** What the operator decides about admission. */
export interface AdmissionPolicy {
  /** Transactions without chain id (before EIP-155) may enter. */
  readonly allowUnprotected: boolean;
  /** Highest fee of a local transaction, wei; 0 = no cap. */
  readonly txFeeCap: bigint;
  /** Least tip of a peer's transaction, wei per gas. */
  readonly priceLimit: bigint;
}

/** The transaction in `raw` (network form: with its sidecar for type 3). Throws PoolError or DecodeError. */
export function decodeForPool(raw: Bytes): NetworkTransaction {
  const limit = MAX_TRANSACTION_BYTES + (raw[0] === BLOB_TYPE ? MAX_SIDECAR_BYTES : 0);
  if (raw.length > limit) refuse({ code: "OVERSIZED", size: raw.length, limit });
  const { transaction, sidecar } = decodeNetworkTransaction(raw);
  const size = transaction.raw.length;
  if (size > MAX_TRANSACTION_BYTES)
    refuse({ code: "OVERSIZED", size, limit: MAX_TRANSACTION_BYTES });
  return { transaction, sidecar };
}

/** Checks that need neither sender nor state. Throws TransactionError or PoolError. */
export function checkAdmissible(
  transaction: Transaction,
  block: { readonly rules: Rules; readonly gasLimit: bigint },
  policy: AdmissionPolicy,
  origin: Origin,
): void {
  checkAgainstRules(transaction, block.rules);
  if (transaction.chainId === undefined && !policy.allowUnprotected)
    refuse({ code: "UNPROTECTED" });
  const { gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  if (gasLimit > block.gasLimit) {
    const blockGasLimit = block.gasLimit;
    refuse({ code: "EXCEEDS_BLOCK_GAS_LIMIT", gasLimit, blockGasLimit });
  }
  if (origin === "peer") {
    const { priceLimit } = policy;
    if (maxPriorityFeePerGas < priceLimit)
      refuse({ code: "UNDERPRICED", tip: maxPriorityFeePerGas, minimum: priceLimit });
    return;
  }
  const fee = gasLimit * maxFeePerGas;
  if (policy.txFeeCap > 0n && fee > policy.txFeeCap)
    refuse({ code: "FEE_CAP", fee, cap: policy.txFeeCap });
}

/** Percent by which a replacement must raise each fee when either of the two carries blobs (geth's rule). */
const BLOB_PRICE_BUMP = 100n;

/** Checks that `replacement` pays enough more than `pooled`, of the same sender and nonce. Throws PoolError. */
export function checkReplacement(
  pooled: Transaction,
  replacement: Transaction,
  priceBump: bigint,
): void {
  const blobs = pooled.type === BLOB_TYPE || replacement.type === BLOB_TYPE;
  const percent = 100n + (blobs ? BLOB_PRICE_BUMP : priceBump);
  const maxFeePerGas = leastRaised(pooled.maxFeePerGas, percent);
  const maxPriorityFeePerGas = leastRaised(pooled.maxPriorityFeePerGas, percent);
  const enough =
    replacement.maxFeePerGas >= maxFeePerGas &&
    replacement.maxPriorityFeePerGas >= maxPriorityFeePerGas;
  const bothBlobs = pooled.type === BLOB_TYPE && replacement.type === BLOB_TYPE;
  const blobFeeEnough =
    !bothBlobs || replacement.maxFeePerBlobGas >= leastRaised(pooled.maxFeePerBlobGas, percent);
  if (enough && blobFeeEnough) return;
  refuse({
    code: "REPLACEMENT_UNDERPRICED",
    pooled: pooled.hash,
    maxFeePerGas,
    maxPriorityFeePerGas,
  });
}

/** Least value that is higher than `value` and at least `percent` percent of it. */
function leastRaised(value: bigint, percent: bigint): bigint {
  const raised = (value * percent) / 100n;
  return raised > value ? raised : value + 1n;
}
