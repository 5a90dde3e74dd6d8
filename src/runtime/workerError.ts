/** Why the workers give no sender, or no answer of a precompile. */
import { NodeError } from "../primitives/errors.ts";

export type WorkerErrorReason =
  | { readonly code: "INVALID_SENDER"; readonly problem: string }
  | { readonly code: "INVALID_SIDECAR"; readonly problem: string }
  | { readonly code: "WORKERS_BUSY"; readonly limit: number }
  | { readonly code: "PRECOMPILES_BUSY"; readonly limit: number }
  | { readonly code: "PRECOMPILE_TIMEOUT"; readonly timeoutMs: number }
  | { readonly code: "PRECOMPILE_FAILED"; readonly problem: string }
  | { readonly code: "WORKERS_STOPPED" };

/** What a worker could not do, or workers that take no more. */
export class WorkerError extends NodeError<WorkerErrorReason> {}
