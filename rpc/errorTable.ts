/**
 * The one table of failures: every reason code of every layer → JSON-RPC code, text and data.
 * The type of `rows` names all unions of reasons, so that the compiler refuses a missing row.
 * Texts are those that wallets and libraries match.
 */
import type { BlockErrorReason } from "../src/chain/blockError.ts";
import { bytesToHex, formatQuantity } from "../src/primitives/hex.ts";
import type { Json } from "./codec.ts";
import { code, type Row, type Rows } from "./errorRow.ts";
import { simulationRows } from "./simulationErrors.ts";
import { transactionRows } from "./transactionErrors.ts";

function rangeHint(hint: { readonly maxRange: bigint; readonly suggestedTo: bigint }): Json {
  return { maxRange: formatQuantity(hint.maxRange), suggestedTo: formatQuantity(hint.suggestedTo) };
}

/** Types named where raw bytes cannot be decoded. */
const SUPPORTED_TYPES = "legacy, 0x1, 0x2, 0x3, 0x4, and 0x51 where the genesis has it";

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
  BAD_EVIDENCE: {
    code: code.params,
    text: ({ problem }) => `evidence proves nothing: ${problem}`,
  },
  UNKNOWN_VALIDATOR: { code: code.params, text: ({ validator }) => `no validator ${validator}` },
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
  RATE_LIMITED: {
    code: code.limit,
    text: ({ retryAfterMs }) => `request rate exceeded, try again in ${retryAfterMs} ms`,
    data: ({ retryAfterMs }) => ({ retryAfterMs }),
  },
  NOT_TRUSTED: {
    code: code.server,
    text: ({ method }) =>
      `${method} is for programs on this machine or with a token (--rpc.jwtsecret)`,
  },
  TRACE_TOO_LARGE: {
    code: code.server,
    text: ({ limitBytes }) =>
      `trace is larger than ${limitBytes} bytes; disable stack, storage or memory, set a limit, or trace less at once`,
  },
  NOT_INCLUDED_IN_TIME: {
    code: code.notIncluded,
    text: ({ timeoutMs }) =>
      `the transaction was added to the pool but was not included within ${timeoutMs} ms`,
    data: ({ hash }) => hash,
  },
  REFUSED: { code: code.server, text: ({ text }) => text },
  UNSUPPORTED_FORK: {
    code: code.unsupportedFork,
    text: ({ fork, version }) => `Unsupported fork: ${fork} has no payloads of version ${version}`,
  },
  INVALID_FORKCHOICE: {
    code: code.forkchoice,
    text: ({ hash }) => `Invalid forkchoice state: ${hash} is not an ancestor of the head`,
  },
  NO_PAYLOADS: {
    code: code.attributes,
    text: () => "Invalid payload attributes: payloads are not built here",
  },
  REQUEST_TOO_LARGE: {
    code: code.requestTooLarge,
    text: ({ limit }) => `Too large request: want at most ${limit}`,
  },
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
  BAD_PREDEPLOY: "fault",
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
  NO_PQ_BACKEND: "fault",
  PQ_BACKENDS_DISAGREE: "fault",
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
  PRECOMPILES_BUSY: { code: code.limit, text: () => "too many calls are waiting, try again" },
  PRECOMPILE_TIMEOUT: {
    code: code.timeout,
    text: ({ timeoutMs }) => `execution aborted (timeout = ${timeoutMs} ms)`,
  },
  PRECOMPILE_FAILED: { code: code.server, text: () => "a precompile failed" },
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
  ...transactionRows,
  ...simulationRows,
  TIMESTAMP_TOO_LOW: {
    code: code.server,
    text: ({ timestamp, parent }) =>
      `timestamp ${timestamp} is not above that of the previous block, ${parent}`,
  },
  TIMESTAMP_TOO_HIGH: {
    code: code.params,
    text: ({ timestamp, limit }) => `timestamp ${timestamp} is above ${limit}`,
  },
  BAD_BLOCK_INTERVAL: {
    code: code.params,
    text: ({ seconds, limit }) => `blocks ${seconds} s apart, want 1 to ${limit} s`,
  },
  BAD_GAS_LIMIT: {
    code: code.params,
    text: ({ gasLimit, least, most }) => `block gas limit ${gasLimit}, want ${least} to ${most}`,
  },
  NOT_THE_LEADER: {
    code: code.server,
    text: ({ slot, leader }) =>
      `slot ${slot} belongs to validator ${leader} of the staking contract, whose key this node does not have`,
  },
  TOO_MANY_BLOCKS: {
    code: code.params,
    text: ({ count, limit }) => `${count} blocks at once, want at most ${limit}`,
  },
  BAD_INTERVAL: {
    code: code.params,
    text: ({ intervalMs, limitMs }) => `interval of ${intervalMs} ms, want 0 to ${limitMs} ms`,
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
