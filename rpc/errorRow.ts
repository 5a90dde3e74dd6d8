/** What a row of the table of errors is: one for each reason code of every layer, and no fewer. */
import type { BlockErrorReason } from "../src/chain/blockError.ts";
import type { ChainErrorReason } from "../src/chain/chainError.ts";
import type { EvidenceErrorReason } from "../src/consensus/evidenceIntake.ts";
import type { ProducerErrorReason } from "../src/consensus/producerError.ts";
import type { PqErrorReason } from "../src/crypto/pqVerifier.ts";
import type { ExecutionFaultReason } from "../src/execution/evm.ts";
import type { BlockInvalidReason } from "../src/execution/requests.ts";
import type { SimulationErrorReason } from "../src/execution/simulationPlan.ts";
import type { OverrideErrorReason } from "../src/execution/stateOverrides.ts";
import type { TraceErrorReason } from "../src/execution/tracers/tracer.ts";
import type { TransactionErrorReason } from "../src/execution/transactionError.ts";
import type { DevErrorReason } from "../src/node/devError.ts";
import type { HexErrorReason } from "../src/primitives/hex.ts";
import type { QueueErrorReason } from "../src/runtime/queue.ts";
import type { WorkerErrorReason } from "../src/runtime/workerError.ts";
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
  | EvidenceErrorReason
  | ExecutionFaultReason
  | HexErrorReason
  | OverrideErrorReason
  | PoolErrorReason
  | PqErrorReason
  | ProducerErrorReason
  | QueueErrorReason
  | RpcReason
  | SimulationErrorReason
  | StateErrorReason
  | StorageErrorReason
  | TraceErrorReason
  | TransactionErrorReason
  | WorkerErrorReason;

/** What a caller sees of one reason. */
export interface Row<R> {
  readonly code: number | ((reason: R) => number);
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
export type Rows = { readonly [C in KnownReason["code"]]: Row<ReasonOf<C>> | "fault" };

/** The rows of some unions of reasons. */
export type RowsOf<R extends KnownReason> = Pick<Rows, R["code"]>;

/** JSON-RPC codes: the specification's, EIP-1474's, and geth's for reverts and waits. */
export const code = {
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
  // Engine API
  forkchoice: -38002,
  attributes: -38003,
  requestTooLarge: -38004,
  unsupportedFork: -38005,
  reverted: 3,
  notIncluded: 4,
} as const;
