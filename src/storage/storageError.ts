/** What can go wrong between us and the disk. */
import { NodeError } from "../primitives/errors.ts";

export type StorageErrorReason =
  /** Another process has the database open; `pid` is undefined when it has left no trace. */
  | { readonly code: "LOCKED"; readonly path: string; readonly pid: number | undefined }
  /** What is on disk is not what was written: restore a backup, or try `repairDatabase`. */
  | { readonly code: "DAMAGED"; readonly path: string; readonly detail: string }
  /** The directory cannot be used: permissions, a full disk, a file in its place. */
  | { readonly code: "UNAVAILABLE"; readonly path: string; readonly detail: string }
  /** Written by a later version of this program. */
  | {
      readonly code: "NEWER_SCHEMA";
      readonly path: string;
      readonly found: number;
      readonly supported: number;
    }
  | { readonly code: "WRITE_FAILED"; readonly path: string; readonly detail: string }
  | { readonly code: "CLOSED"; readonly path: string };

/** A failure of the database; `cause` has what LevelDB or the system said. */
export class StorageError extends NodeError<StorageErrorReason> {}

/** `code` of an error from Node or LevelDB; undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The text of an error, that of its cause where it has one. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
