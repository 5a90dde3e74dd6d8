/**
 * The one table of failures: every reason code of every layer → JSON-RPC code, text and data.
 * The type of `rows` names all unions of reasons, so that the compiler refuses a missing row.
 */
import type { Bytes } from "../src/primitives/bytes.ts";
import { NodeError } from "../src/primitives/errors.ts";
import {
  bytesToHex,
  formatQuantity,
  type Hash,
  type HexErrorReason,
} from "../src/primitives/hex.ts";
import type { CodecReason, Json } from "./codec.ts";

/** Failures that the RPC layer itself finds. */
export type RpcReason =
  | { readonly code: "INTERNAL" }
  | { readonly code: "PARSE_ERROR" }
  | { readonly code: "INVALID_REQUEST"; readonly text: string }
  | {
      readonly code: "METHOD_NOT_FOUND";
      readonly method: string;
      readonly didYouMean?: string;
      readonly namespaceEnabled?: boolean;
    }
  | { readonly code: "MISSING_ARGUMENT"; readonly index: number }
  | { readonly code: "TOO_MANY_ARGUMENTS"; readonly max: number }
  | {
      readonly code: "INVALID_ARGUMENT";
      readonly index: number;
      readonly where: string;
      readonly problem: string;
    }
  /** Parameters that are well-formed one by one and wrong together. */
  | { readonly code: "INVALID_PARAMS"; readonly text: string }
  | { readonly code: "BATCH_TOO_LARGE" }
  | { readonly code: "RESPONSE_TOO_LARGE" }
  | { readonly code: "HEADER_NOT_FOUND" }
  | { readonly code: "UNKNOWN_BLOCK" }
  | { readonly code: "NOT_CANONICAL"; readonly hash: Hash }
  | { readonly code: "FILTER_NOT_FOUND" }
  | { readonly code: "LOG_RANGE"; readonly maxRange: bigint; readonly suggestedTo: bigint }
  /** A search over logs that found too much, or took too long; it would do up to `suggestedTo`. */
  | { readonly code: "LOG_SEARCH_LIMIT"; readonly maxRange: bigint; readonly suggestedTo: bigint }
  | { readonly code: "NO_SUBSCRIPTION"; readonly kind: string; readonly namespace: string }
  | { readonly code: "NOTIFICATIONS_UNSUPPORTED" }
  /** More items asked for than one request may have. */
  | { readonly code: "CLIENT_LIMIT"; readonly text: string }
  /** All return data of the call; `reason` is its decoded text, if it has one. */
  | { readonly code: "REVERTED"; readonly data: Bytes; readonly reason: string | undefined }
  /** A call that failed in the EVM without reverting, or that cannot run. */
  | { readonly code: "EXECUTION_FAILED"; readonly text: string }
  | { readonly code: "TIMEOUT"; readonly text: string }
  /** eth_sendRawTransactionSync: accepted, not included in time. */
  | { readonly code: "NOT_INCLUDED_IN_TIME"; readonly hash: Hash; readonly timeoutMs: number }
  /** eth_simulateV1: codes -380xx of its specification. */
  | { readonly code: "SIMULATION"; readonly rpcCode: number; readonly text: string }
  /** Anything else that is the caller's to mend and has no code of its own: -32000. */
  | { readonly code: "REFUSED"; readonly text: string };

/** A failure of the RPC layer. */
export class RpcError extends NodeError<RpcReason> {}

/** The error object of a JSON-RPC reply. */
export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Json;
}

type Reason = RpcReason | CodecReason | HexErrorReason;

interface Row<R> {
  readonly code: number;
  text(reason: R): string;
  data?(reason: R): Json | undefined;
}

type Rows = { readonly [C in Reason["code"]]: Row<Extract<Reason, { readonly code: C }>> };

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
  clientLimit: -38026,
  reverted: 3,
  notIncluded: 4,
} as const;

function rangeHint(hint: { readonly maxRange: bigint; readonly suggestedTo: bigint }): Json {
  return { maxRange: formatQuantity(hint.maxRange), suggestedTo: formatQuantity(hint.suggestedTo) };
}

const rows: Rows = {
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
};

function isKnown(reason: { readonly code: string }): reason is Reason {
  return Object.hasOwn(rows, reason.code);
}

function rowOf(reason: Reason): Row<Reason> {
  // the row under a reason's own code takes that reason: the mapped type of `rows` says so
  return rows[reason.code] as Row<Reason>;
}

/** Error object of a reply for anything thrown; undefined for a fault that is not the caller's and must be logged. */
export function knownError(error: unknown): JsonRpcError | undefined {
  if (!(error instanceof NodeError) || !isKnown(error.reason)) return undefined;
  const { reason } = error;
  const row = rowOf(reason);
  const shown = row.data?.(reason);
  return {
    code: reason.code === "SIMULATION" ? reason.rpcCode : row.code,
    message: row.text(reason),
    ...(shown !== undefined && { data: shown }),
  };
}

/** What a caller sees of a fault of the node. */
export const internalError: JsonRpcError = { code: code.internal, message: "internal error" };
