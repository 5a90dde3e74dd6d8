/** Failures of the RPC layer, and the error object that a caller sees for any failure. The texts stand in errorTable.ts. */
import type { Bytes } from "../src/primitives/bytes.ts";
import { NodeError } from "../src/primitives/errors.ts";
import type { Hash } from "../src/primitives/hex.ts";
import { StateError } from "../src/state/stateError.ts";
import { StorageError } from "../src/storage/storageError.ts";
import type { Json } from "./codec.ts";
import type { KnownReason, Row } from "./errorRow.ts";
import { rows } from "./errorTable.ts";

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
  /** The caller has used up its units of work for now. */
  | { readonly code: "RATE_LIMITED"; readonly retryAfterMs: number }
  /** A method that rules the node, asked for by somebody who is not trusted. */
  | { readonly code: "NOT_TRUSTED"; readonly method: string }
  /** eth_sendRawTransactionSync: accepted, not included in time. */
  | { readonly code: "NOT_INCLUDED_IN_TIME"; readonly hash: Hash; readonly timeoutMs: number }
  /** Engine API: the payload belongs to another version of the method. */
  | { readonly code: "UNSUPPORTED_FORK"; readonly fork: string; readonly version: number }
  /** Engine API: safe or final blocks that are no ancestors of the head. */
  | { readonly code: "INVALID_FORKCHOICE"; readonly hash: Hash }
  /** Engine API: asked to build, which it does not. */
  | { readonly code: "NO_PAYLOADS" }
  | { readonly code: "REQUEST_TOO_LARGE"; readonly limit: bigint }
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

function isKnown(reason: { readonly code: string }): reason is KnownReason {
  return Object.hasOwn(rows, reason.code);
}

function rowOf(reason: KnownReason): Row<KnownReason> | "fault" {
  // the row under a reason's own code takes that reason: the mapped type of `rows` says so
  return rows[reason.code] as Row<KnownReason> | "fault";
}

/** Error object of a reply for what was thrown; undefined for a fault that is not the caller's and must be logged. */
export function knownError(error: unknown, dev = false): JsonRpcError | undefined {
  if (!(error instanceof NodeError) || !isKnown(error.reason)) return undefined;
  const { reason } = error;
  const row = rowOf(reason);
  if (row === "fault") return undefined;
  const shown = row.data?.(reason);
  return {
    code: typeof row.code === "number" ? row.code : row.code(reason),
    message: row.text(reason, dev),
    ...(shown !== undefined && { data: shown }),
  };
}

/** What a caller sees of a fault of the node. */
export const internalError: JsonRpcError = { code: -32603, message: "internal error" };

const SERVER_ERROR = -32000;
const MAX_CAUSES = 8;

/**
 * The same, but where state is missing or damaged the reply names it, as geth's does: no request will succeed until an
 * operator acts, and clients repeat an internal error. Names of files stay in the log.
 */
export function faultError(error: unknown): JsonRpcError {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    const message = damageText(cause);
    if (message !== undefined) return { code: SERVER_ERROR, message };
    cause = cause.cause;
  }
  return internalError;
}

function damageText(error: Error): string | undefined {
  if (error instanceof StorageError) {
    return error.reason.code === "DAMAGED" ? `database damaged: ${error.reason.detail}` : undefined;
  }
  if (!(error instanceof StateError)) return undefined;
  const { reason } = error;
  switch (reason.code) {
    case "MISSING_NODE":
      return `missing trie node ${reason.hash} (path 0x${reason.path}) state ${reason.root} is not available`;
    case "MISSING_CODE":
      return `missing contract code ${reason.hash}`;
    case "BAD_NODE":
      return `damaged trie node ${reason.hash}: ${reason.detail}`;
    case "BAD_VALUE":
      return `damaged state: ${reason.detail}`;
  }
}
