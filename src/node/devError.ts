/** Wishes that even a development chain does not grant. */
import { NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";

export type DevErrorReason =
  | { readonly code: "BEYOND_GENESIS"; readonly depth: bigint; readonly head: bigint }
  /** The dump needs the names of accounts and slots that this database never noted. */
  | { readonly code: "UNNAMED_STATE"; readonly hash: Hash };

/** Refused by the development side of a node. */
export class DevError extends NodeError<DevErrorReason> {}
