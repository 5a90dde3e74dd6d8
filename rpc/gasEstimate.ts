/** How much gas a request needs on a given state. */
import { isPrecompile } from "../src/execution/evm.ts";
import { callFields } from "../src/execution/executeCall.ts";
import { intrinsicGas, TRANSACTION_GAS_CAP } from "../src/execution/gas.ts";
import { TransactionError } from "../src/execution/transactionError.ts";
import { EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { ZERO_ADDRESS } from "../src/primitives/hex.ts";
import { EMPTY_CODE_HASH } from "../src/types/account.ts";
import { failureOf, runCall } from "./callMessage.ts";
import type { CallRequest } from "./callRequest.ts";
import type { CallSite } from "./callTarget.ts";
import type { RpcLimits } from "./context.ts";
import { RpcError } from "./errors.ts";
import { type GasTry, searchGas } from "./gasSearch.ts";
import { TimeBudget } from "./timeBudget.ts";

/** Gas of a plain transfer (Yellow Paper, G_transaction). */
const TRANSFER_GAS = 21_000n;
/** EIP-4844 */
const GAS_PER_BLOB = 131_072n;
/** A failure that more gas may cure. */
const OUT_OF_GAS = "out of gas";

/** Most gas the sender can pay for; undefined for calls that are free. Throws RpcError. */
function affordableGas({ state }: CallSite, request: CallRequest): bigint | undefined {
  const { from = ZERO_ADDRESS, value = 0n, maxFeePerBlobGas = 0n } = request;
  const maxFeePerGas = request.gasPrice ?? request.maxFeePerGas ?? 0n;
  if (maxFeePerGas === 0n) return undefined;
  const have = state.account(from)?.balance ?? 0n;
  const blobs = BigInt(request.blobVersionedHashes?.length ?? 0);
  const fixed = value + blobs * GAS_PER_BLOB * maxFeePerBlobGas;
  if (fixed >= have && fixed > 0n) {
    throw new TransactionError({
      code: "INSUFFICIENT_FUNDS",
      address: from,
      have,
      want: fixed + TRANSFER_GAS * maxFeePerGas,
    });
  }
  return (have - fixed) / maxFeePerGas;
}

/** Highest limit worth trying: the caller's, the block's, what the rules, the sender and the operator allow. */
function highestLimit(site: CallSite, request: CallRequest, limits: RpcLimits): bigint {
  const { gas } = request;
  let high = gas !== undefined && gas >= TRANSFER_GAS ? gas : site.env.gasLimit;
  const caps = [
    site.execution.rules.has("osaka") ? TRANSACTION_GAS_CAP : undefined,
    affordableGas(site, request),
    limits.gasCap === 0n ? undefined : limits.gasCap,
  ];
  for (const cap of caps) if (cap !== undefined && cap < high) high = cap;
  return high;
}

function isPlainTransfer({ state, execution }: CallSite, request: CallRequest): boolean {
  const { to, data = EMPTY_BYTES, authorizationList } = request;
  if (to === undefined || data.length > 0 || authorizationList !== undefined) return false;
  if (isPrecompile(to, execution.rules)) return false;
  return (state.account(to)?.codeHash ?? EMPTY_CODE_HASH) === EMPTY_CODE_HASH;
}

/** Gas of a transfer: that of key and signature is part of it. */
function transferGas({ state, execution: { rules } }: CallSite, request: CallRequest): bigint {
  if (request.pqSender === undefined) return TRANSFER_GAS;
  return intrinsicGas(callFields({ ...request, gasLimit: 0n }, state, rules.chainId), rules);
}

const TOO_LITTLE = new Set(["INTRINSIC_GAS", "FLOOR_DATA_GAS"]);

/**
 * Gas limit with which the request succeeds on `site`, within 1.5 %. Throws RpcError REVERTED, EXECUTION_FAILED and
 * TransactionError when no limit helps, TIMEOUT when all tries together take too long. Nonces do not matter.
 */
export async function estimateGas(
  site: CallSite,
  request: CallRequest,
  limits: RpcLimits,
): Promise<bigint> {
  const high = highestLimit(site, request, limits);
  const time = new TimeBudget(limits.evmTimeoutMs);
  const attempt = async (gasLimit: bigint) => {
    try {
      return await runCall(site, request, gasLimit, { time });
    } catch (error) {
      if (error instanceof TransactionError && TOO_LITTLE.has(error.reason.code)) return undefined;
      throw error;
    }
  };
  const search = async (gasLimit: bigint): Promise<GasTry> =>
    (await attempt(gasLimit)) ?? { failure: OUT_OF_GAS, gasUsed: gasLimit, gasRefund: 0n };
  const transfer = transferGas(site, request);
  if (isPlainTransfer(site, request) && high >= transfer) {
    if ((await search(transfer)).failure === undefined) return transfer;
  }
  const highest = await attempt(high);
  if (highest === undefined || highest.failure === OUT_OF_GAS) {
    throw new RpcError({
      code: "EXECUTION_FAILED",
      text: `gas required exceeds allowance (${high})`,
    });
  }
  const failure = failureOf(highest);
  if (failure !== undefined) throw failure;
  return searchGas(high, highest, search);
}
