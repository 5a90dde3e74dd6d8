/** Rows of the table of errors for transactions that cannot run or that the pool does not take. */
import type { TransactionErrorReason } from "../src/execution/transactionError.ts";
import type { PoolErrorReason } from "../src/txpool/poolError.ts";
import { code, type Row, type RowsOf } from "./errorRow.ts";

const nonceTooHigh: Row<{ readonly address: string; readonly tx: bigint; readonly state: bigint }> =
  {
    code: code.server,
    text: ({ address, tx, state }, dev) =>
      `nonce too high: address ${address}, tx: ${tx} state: ${state}${
        dev ? "; if you restarted the chain, clear the wallet's activity data" : ""
      }`,
  };

const WEI_PER_ETHER = 10n ** 18n;
const SHOWN_DECIMALS = 2;

/** wei as ether with two decimals */
function ether(wei: bigint): string {
  const hundredths = (wei * 100n) / WEI_PER_ETHER;
  const whole = hundredths / 100n;
  return `${whole}.${(hundredths % 100n).toString().padStart(SHOWN_DECIMALS, "0")}`;
}

/** What a caller sees of transactions that are refused, by reason code. */
export const transactionRows: RowsOf<TransactionErrorReason | PoolErrorReason> = {
  NONCE_TOO_LOW: {
    code: code.server,
    text: ({ address, tx, state }) =>
      `nonce too low: address ${address}, tx: ${tx} state: ${state}`,
  },
  NONCE_TOO_HIGH: nonceTooHigh,
  ACCOUNT_QUEUE_FULL: nonceTooHigh,
  NONCE_MAX: { code: code.server, text: ({ nonce }) => `nonce has max value: nonce ${nonce}` },
  INSUFFICIENT_FUNDS: {
    code: code.server,
    text: ({ address, have, want }) =>
      `insufficient funds for gas * price + value: address ${address} have ${have} want ${want}`,
  },
  INTRINSIC_GAS: {
    code: code.server,
    text: ({ have, want }) => `intrinsic gas too low: have ${have}, want ${want}`,
  },
  FLOOR_DATA_GAS: {
    code: code.server,
    text: ({ have, want }) =>
      `insufficient gas for floor data gas cost: have ${have}, want ${want}`,
  },
  GAS_LIMIT_REACHED: {
    code: code.server,
    text: ({ available, gasLimit }) =>
      `gas limit reached: ${gasLimit} wanted, ${available} left in the block`,
  },
  EXCEEDS_BLOCK_GAS_LIMIT: {
    code: code.server,
    text: ({ gasLimit, blockGasLimit }) =>
      `exceeds block gas limit: tx: ${gasLimit}, block: ${blockGasLimit}`,
  },
  TX_GAS_LIMIT_TOO_HIGH: {
    code: code.server,
    text: ({ cap, gasLimit }) => `transaction gas limit too high (cap: ${cap}, tx: ${gasLimit})`,
  },
  MAX_FEE_BELOW_BASE_FEE: {
    code: code.server,
    text: ({ address, maxFeePerGas, baseFee }) =>
      `max fee per gas less than block base fee: address ${address}, maxFeePerGas: ${maxFeePerGas}, baseFee: ${baseFee}`,
  },
  TIP_ABOVE_MAX_FEE: {
    code: code.server,
    text: ({ maxPriorityFeePerGas, maxFeePerGas }) =>
      `max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: ${maxPriorityFeePerGas}, maxFeePerGas: ${maxFeePerGas}`,
  },
  SENDER_NOT_EOA: {
    code: code.server,
    text: ({ address, codeHash }) => `sender not an eoa: address ${address}, codehash: ${codeHash}`,
  },
  INIT_CODE_TOO_LARGE: {
    code: code.server,
    text: ({ size, limit }) => `max initcode size exceeded: code size ${size}, limit ${limit}`,
  },
  BLOB_COUNT_ZERO: { code: code.server, text: () => "blob transaction missing blob hashes" },
  BLOB_CREATION: { code: code.server, text: () => "blob transaction of type create" },
  BLOB_COUNT_TOO_HIGH: {
    code: code.server,
    text: ({ count, limit }) =>
      `blob transaction has too many blobs: ${count}, at most ${limit} are allowed`,
  },
  BLOB_HASH_VERSION: {
    code: code.server,
    text: ({ index, hash }) => `blob ${index} has invalid hash version: ${hash}`,
  },
  BLOB_FEE_TOO_LOW: {
    code: code.server,
    text: ({ maxFeePerBlobGas, blobBaseFee }) =>
      `max fee per blob gas less than block blob gas fee: maxFeePerBlobGas: ${maxFeePerBlobGas}, blobBaseFee: ${blobBaseFee}`,
  },
  BLOB_GAS_LIMIT_REACHED: {
    code: code.server,
    text: ({ available, blobGas }) =>
      `blob gas limit reached: ${blobGas} wanted, ${available} left in the block`,
  },
  AUTHORIZATION_CREATION: { code: code.server, text: () => "EIP-7702 transaction of type create" },
  AUTHORIZATION_LIST_EMPTY: {
    code: code.server,
    text: () => "EIP-7702 transaction with empty auth list",
  },
  TYPE_NOT_SUPPORTED: {
    code: code.server,
    text: ({ type, fork }) => `transaction type not supported: type ${type} in ${fork}`,
  },
  ALGORITHM_NOT_ENABLED: {
    code: code.server,
    text: ({ algorithm }) => `signature algorithm not enabled for transactions: ${algorithm}`,
  },
  PROTECTED_NOT_SUPPORTED: {
    code: code.server,
    text: ({ fork }) => `replay-protected transactions are not supported in ${fork}`,
  },
  FEE_OVERFLOW: {
    code: code.server,
    text: ({ gasLimit, maxFeePerGas }) =>
      `fee overflows 256 bits: gas ${gasLimit}, maxFeePerGas: ${maxFeePerGas}`,
  },
  WRONG_CHAIN_ID: {
    code: code.server,
    text: ({ have, want }) => `invalid chain id for signer: have ${have} want ${want}`,
  },
  OVERSIZED: {
    code: code.server,
    text: ({ size, limit }) => `oversized data: transaction size ${size}, limit ${limit}`,
  },
  UNPROTECTED: {
    code: code.server,
    text: () => "only replay-protected (EIP-155) transactions allowed over RPC",
  },
  FEE_CAP: {
    code: code.server,
    text: ({ fee, cap }) =>
      `tx fee (${ether(fee)} ether) exceeds the configured cap (${ether(cap)} ether)`,
  },
  ALREADY_KNOWN: { code: code.server, text: () => "already known" },
  UNDERPRICED: {
    code: code.server,
    text: ({ tip, minimum }) => `transaction underpriced: tip ${tip}, minimum needed ${minimum}`,
  },
  REPLACEMENT_UNDERPRICED: {
    code: code.server,
    text: ({ maxFeePerGas, maxPriorityFeePerGas }) =>
      `replacement transaction underpriced: needs maxFeePerGas ${maxFeePerGas} and maxPriorityFeePerGas ${maxPriorityFeePerGas}`,
  },
  POOL_FULL: {
    code: code.server,
    text: ({ transactions }) => `txpool is full: ${transactions} transactions`,
  },
  INVALID_SIDECAR: { code: code.server, text: ({ problem }) => `invalid blob sidecar: ${problem}` },
};
