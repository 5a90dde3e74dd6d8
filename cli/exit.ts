/** Exit statuses and the one place that turns an error into a status and a line of text. */
import { type ErrorReason, NodeError } from "../src/primitives/errors.ts";
import { StorageError, type StorageErrorReason } from "../src/storage/storageError.ts";

/** Exit statuses of all commands but t8n, which keeps geth's. */
export const EXIT = {
  ok: 0,
  general: 1,
  usage: 2,
  locked: 3,
  genesis: 4,
  damaged: 5,
  portBusy: 6,
} as const;

export type UsageReason = { readonly code: "USAGE"; readonly problem: string };

/** The command line, a variable or the configuration file says something that cannot be done. */
export class UsageError extends NodeError<UsageReason> {
  constructor(problem: string, options?: ErrorOptions) {
    super({ code: "USAGE", problem }, { ...options, message: problem });
  }
}

export type CommandReason =
  | { readonly code: "FAILED"; readonly problem: string }
  | { readonly code: "GENESIS_FILE"; readonly problem: string };

/** A command cannot do what it was asked for, and says why in words for its user. */
export class CommandError extends NodeError<CommandReason> {
  constructor(reason: CommandReason, options?: ErrorOptions) {
    super(reason, { ...options, message: reason.problem });
  }
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  LOCKED: EXIT.locked,
  BAD_GENESIS: EXIT.genesis,
  GENESIS_MISMATCH: EXIT.genesis,
  BAD_PREDEPLOY: EXIT.genesis,
  GENESIS_FILE: EXIT.genesis,
  DAMAGED: EXIT.damaged,
  MISSING_NODE: EXIT.damaged,
  MISSING_CODE: EXIT.damaged,
  BAD_NODE: EXIT.damaged,
  BAD_VALUE: EXIT.damaged,
  STATE_UNAVAILABLE: EXIT.damaged,
  PORT_BUSY: EXIT.portBusy,
  IPC_BUSY: EXIT.portBusy,
};

const MAX_CAUSES = 8;

/** Exit status of a failed command: that of the error, or of what caused it. */
export function exitStatusOf(error: unknown): number {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    const status = cause instanceof NodeError ? STATUS_BY_CODE[cause.reason.code] : undefined;
    if (status !== undefined) return status;
    cause = cause.cause;
  }
  return EXIT.general;
}

/** What the user reads after "Fatal: "; an error that nobody expected comes with its stack. */
export function describeFailure(error: unknown): string {
  if (error instanceof StorageError) return describeStorage(error.reason);
  if (error instanceof NodeError) return describePort(error.reason) ?? error.message;
  if (!(error instanceof Error)) return String(error);
  // errors of the operating system say what was tried, mostly on which file, and need no stack
  return "code" in error && "syscall" in error ? error.message : (error.stack ?? error.message);
}

function describeStorage(reason: StorageErrorReason): string {
  const { code, path } = reason;
  switch (code) {
    case "LOCKED": {
      const holder = reason.pid === undefined ? "another process" : `process ${reason.pid}`;
      return `${path} is in use by ${holder}; stop it, or give another --datadir`;
    }
    case "DAMAGED":
      return `the database in ${path} is damaged: ${reason.detail}; qnet db repair may mend it`;
    case "UNAVAILABLE":
      return `${path} cannot be used: ${reason.detail}`;
    case "NEWER_SCHEMA":
      return `${path} was written by a later version: its layout is ${reason.found}, this program knows ${reason.supported}`;
    case "WRITE_FAILED":
      return `writing to ${path} failed: ${reason.detail}`;
    case "CLOSED":
      return `the database in ${path} is closed`;
  }
}

/** Why an address cannot be listened on, by the operating system's codes. */
const NO_ADDRESS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "no such host is known",
  EAI_AGAIN: "no name server answers for this host",
  EACCES: "ports below 1024 are for root",
};

/** The server's own class is not imported: it would load the server for every command. */
function describePort(
  reason: ErrorReason & { host?: unknown; port?: unknown; cause?: unknown },
): string | undefined {
  const [host, port, cause] = [reason.host, reason.port, reason.cause].map(String);
  if (reason.code === "PORT_BUSY") {
    return `port ${port} of ${host} is in use by another program; choose another port`;
  }
  if (reason.code !== "CANNOT_LISTEN") return undefined;
  return `cannot listen on port ${port} of ${host}: ${NO_ADDRESS[cause ?? ""] ?? "refused"} (${cause})`;
}
