/** Why the recovery workers give no sender. */
import { NodeError } from "../primitives/errors.ts";

export type WorkerErrorReason =
  | { readonly code: "INVALID_SENDER"; readonly problem: string }
  | { readonly code: "INVALID_SIDECAR"; readonly problem: string }
  | { readonly code: "WORKERS_BUSY"; readonly limit: number }
  | { readonly code: "WORKERS_STOPPED" };

/** A sender that cannot be recovered, or a pool of workers that takes no more. */
export class WorkerError extends NodeError<WorkerErrorReason> {}
