/**
 * The one table of failures: every reason code of every layer → JSON-RPC code, text and data.
 * The type of `rows` names all unions of reasons, so that the compiler refuses a missing row.
 * Texts are those that wallets and libraries match: see docs/reference/rpc.md.
 */
import type { BlockErrorReason } from "../src/chain/blockError.ts";
import type { ChainErrorReason } from "../src/chain/chainError.ts";
import type { ProducerErrorReason } from "../src/consensus/producerError.ts";
import type { ExecutionFaultReason } from "../src/execution/evm.ts";
import type { BlockInvalidReason } from "../src/execution/requests.ts";
import type { TransactionErrorReason } from "../src/execution/transactionError.ts";
import type { DevErrorReason } from "../src/node/devError.ts";
import { bytesToHex, formatQuantity, type HexErrorReason } from "../src/primitives/hex.ts";
import type { QueueErrorReason } from "../src/runtime/queue.ts";
import type { WorkerErrorReason } from "../src/runtime/workers.ts";
import type { StateErrorReason } from "../src/state/stateError.ts";
import type { StorageErrorReason } from "../src/storage/storageError.ts";
import type { PoolErrorReason } from "../src/txpool/poolError.ts";
import type { DecodeErrorReason } from "../src/types/rlp.ts";
import type { CodecReason, Json } from "./codec.ts";
import type { RpcReason } from "./errors.ts";

/** All reasons that may reach a caller. */
export type KnownReason =
  | BlockErrorReason
  | BlockInvalidReason
  | ChainErrorReason
  | CodecReason
  | DecodeErrorReason
  | DevErrorReason
  | ExecutionFaultReason
  | HexErrorReason
  | PoolErrorReason
  | ProducerErrorReason
  | QueueErrorReason
  | RpcReason
  | StateErrorReason
  | StorageErrorReason
  | TransactionErrorReason
  | WorkerErrorReason;

/** What a caller sees of one reason. */
export interface Row<R> {
  readonly code: number;
  /** `dev`: on a development chain, where a hint may help. */
  text(reason: R, dev: boolean): string;
  data?(reason: R): Json | undefined;
}

type ReasonOf<C> = KnownReason extends infer R
  ? R extends { readonly code: infer Codes }
    ? C extends Codes
      ? R
      : never
    : never
  : never;

/** "fault": the node's own trouble; the caller sees "internal error" and the log the rest. */
type Rows = { readonly [C in KnownReason["code"]]: Row<ReasonOf<C>> | "fault" };

/** JSON-RPC codes: the specification's, EIP-1474's, and geth's for reverts and waits. */
const code = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
  server: -32000,
  timeout: -32002,
  response: -32003,
  /** EIP-1474: retried by libraries, so only for what passes by itself. */
  limit: -32005,
  clientLimit: -38026,
  reverted: 3,
  notIncluded: 4,
} as const;

function rangeHint(hint: { readonly maxRange: bigint; readonly suggestedTo: bigint }): Json {
  return { maxRange: formatQuantity(hint.maxRange), suggestedTo: formatQuantity(hint.suggestedTo) };
}

/** Types named where raw bytes cannot be decoded. */
const SUPPORTED_TYPES = "legacy, 0x1, 0x2, 0x3, 0x4";

interface Undecodable {
  readonly where: string;
  readonly expected: string;
  readonly got: string;
}

function undecodableText({ where, expected, got }: Undecodable): string {
  return `cannot decode transaction: ${where}: expected ${expected}, got ${got} (types supported: ${SUPPORTED_TYPES})`;
}

const undecodable: Row<Undecodable> = { code: code.params, text: undecodableText };

const refusedBlock: Row<BlockErrorReason> = {
  code: code.server,
  text: ({ field, expected, got }) => `invalid block: ${field}: expected ${expected}, got ${got}`,
};

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

/** What a caller sees, by reason code. */
export const rows: Rows = {
  INTERNAL: { code: code.internal, text: () => "internal error" },
  PARSE_ERROR: { code: code.parse, text: () => "parse error" },
  INVALID_REQUEST: { code: code.request, text: ({ text }) => text },
  METHOD_NOT_FOUND: {
    code: code.method,
    text: ({ method }) => `the method ${method} does not exist/is not available`,
    data: ({ didYouMean, namespaceEnabled }) =>
      didYouMean === undefined && namespaceEnabled === undefined
        ? undefined
        : { didYouMean, namespaceEnabled },
  },
  MISSING_ARGUMENT: {
    code: code.params,
    text: ({ index }) => `missing value for required argument ${index}`,
  },
  TOO_MANY_ARGUMENTS: {
    code: code.params,
    text: ({ max }) => `too many arguments, want at most ${max}`,
  },
  INVALID_ARGUMENT: {
    code: code.params,
    text: ({ index, where, problem }) => `invalid argument ${index}: ${where}: ${problem}`,
  },
  INVALID_PARAMS: { code: code.params, text: ({ text }) => text },
  BATCH_TOO_LARGE: { code: code.request, text: () => "batch too large" },
  RESPONSE_TOO_LARGE: { code: code.response, text: () => "response too large" },
  HEADER_NOT_FOUND: { code: code.server, text: () => "header not found" },
  UNKNOWN_BLOCK: { code: code.server, text: () => "unknown block" },
  NOT_CANONICAL: { code: code.server, text: () => "hash is not currently canonical" },
  FILTER_NOT_FOUND: { code: code.server, text: () => "filter not found" },
  LOG_RANGE: {
    code: code.params,
    text: ({ maxRange }) => `block range is too large, want at most ${maxRange} blocks`,
    data: rangeHint,
  },
  LOG_SEARCH_LIMIT: {
    code: code.params,
    text: ({ suggestedTo }) =>
      `query returns too many results, try a range up to block ${suggestedTo}`,
    data: rangeHint,
  },
  NO_SUBSCRIPTION: {
    code: code.method,
    text: ({ kind, namespace }) => `no "${kind}" subscription in ${namespace} namespace`,
  },
  NOTIFICATIONS_UNSUPPORTED: { code: code.method, text: () => "notifications not supported" },
  CLIENT_LIMIT: { code: code.clientLimit, text: ({ text }) => text },
  REVERTED: {
    code: code.reverted,
    text: ({ reason }) =>
      reason === undefined ? "execution reverted" : `execution reverted: ${reason}`,
    data: ({ data }) => bytesToHex(data),
  },
  EXECUTION_FAILED: { code: code.server, text: ({ text }) => text },
  TIMEOUT: { code: code.timeout, text: ({ text }) => text },
  NOT_INCLUDED_IN_TIME: {
    code: code.notIncluded,
    text: ({ timeoutMs }) =>
      `the transaction was added to the pool but was not included within ${timeoutMs} ms`,
    data: ({ hash }) => hash,
  },
  SIMULATION: { code: code.server, text: ({ text }) => text },
  REFUSED: { code: code.server, text: ({ text }) => text },
  BAD_ARGUMENT: { code: code.params, text: ({ where, problem }) => `${where}: ${problem}` },
  BAD_HEX: { code: code.params, text: ({ expected, got }) => `expected ${expected}, got "${got}"` },
  STATE_UNAVAILABLE: {
    code: code.server,
    text: ({ hash, stateRoot }) => `state of block ${hash} is not available (root ${stateRoot})`,
  },
  TOO_MANY_LOGS: { code: code.params, text: () => "query returns too many results" },
  NOT_A_DEV_CHAIN: {
    code: code.server,
    text: () => "state can be edited on development chains only",
  },
  GENESIS_MISMATCH: "fault",
  UNKNOWN_PARENT: refusedBlock,
  INVALID_HEADER: refusedBlock,
  INVALID_BODY: refusedBlock,
  INVALID_OMMER: refusedBlock,
  INVALID_SEAL: refusedBlock,
  INVALID_TRANSACTION: refusedBlock,
  INVALID_EXECUTION: refusedBlock,
  RESULT_MISMATCH: refusedBlock,
  SYSTEM_CONTRACT_MISSING: "fault",
  SYSTEM_CALL_FAILED: "fault",
  BAD_DEPOSIT_LOG: "fault",
  EXECUTION_FAULT: "fault",
  MISSING_NODE: "fault",
  MISSING_CODE: "fault",
  BAD_NODE: "fault",
  BAD_VALUE: "fault",
  DAMAGED: "fault",
  LOCKED: "fault",
  UNAVAILABLE: "fault",
  NEWER_SCHEMA: "fault",
  WRITE_FAILED: "fault",
  CLOSED: { code: code.server, text: () => "the node is stopping" },
  QUEUE_FULL: { code: code.limit, text: () => "too much is waiting, try again" },
  QUEUE_CLOSED: { code: code.server, text: () => "the node is stopping" },
  WORKERS_BUSY: { code: code.limit, text: () => "too many transactions are waiting, try again" },
  WORKERS_STOPPED: { code: code.server, text: () => "the node is stopping" },
  INVALID_SENDER: { code: code.server, text: ({ problem }) => `invalid sender: ${problem}` },
  BAD_RLP: undecodable,
  RLP_LIMIT: undecodable,
  BAD_FIELD: undecodable,
  BAD_TRANSACTION: {
    code: code.params,
    text: (reason) =>
      "where" in reason ? undecodableText(reason) : `transaction ${reason.index} cannot be applied`,
  },
  BAD_SIGNATURE: {
    code: code.server,
    text: ({ where, expected, got }) =>
      `invalid sender: ${where}: expected ${expected}, got ${got}`,
  },
  UNKNOWN_TYPE: {
    code: code.server,
    text: ({ expected, got }) => `transaction type not supported: expected ${expected}, got ${got}`,
  },
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
  TIMESTAMP_TOO_LOW: {
    code: code.server,
    text: ({ timestamp, parent }) =>
      `timestamp ${timestamp} is not above that of the previous block, ${parent}`,
  },
  TIMESTAMP_TOO_HIGH: {
    code: code.params,
    text: ({ timestamp, limit }) => `timestamp ${timestamp} is above ${limit}`,
  },
  TOO_MANY_BLOCKS: {
    code: code.params,
    text: ({ count, limit }) => `${count} blocks at once, want at most ${limit}`,
  },
  BAD_INTERVAL: {
    code: code.params,
    text: ({ intervalMs, limitMs }) => `interval of ${intervalMs} ms, want 0 to ${limitMs} ms`,
  },
  BELOW_FINALIZED: {
    code: code.server,
    text: ({ number, finalized }) => `block ${number} is below the finalized block ${finalized}`,
  },
  BEYOND_GENESIS: {
    code: code.server,
    text: ({ depth, head }) => `cannot go back ${depth} blocks from block ${head}`,
  },
  UNNAMED_STATE: {
    code: code.server,
    text: ({ hash }) => `the address or slot with the hash ${hash} was never noted here`,
  },
};
