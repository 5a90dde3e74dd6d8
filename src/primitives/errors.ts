/** The one shape of errors: a `reason` that carries a code and the evidence. Each layer declares its own union of reasons. */

/** What every reason has; the other fields are the evidence. */
export interface ErrorReason {
  readonly code: string;
}

/** Base of all errors that a caller may be expected to handle. `message` is made from the reason unless given. */
export class NodeError<R extends ErrorReason = ErrorReason> extends Error {
  readonly reason: R;

  constructor(reason: R, options?: ErrorOptions & { readonly message?: string }) {
    super(options?.message ?? describeReason(reason), options);
    this.name = new.target.name;
    this.reason = reason;
  }
}

function describeReason(reason: ErrorReason): string {
  const evidence = Object.entries(reason)
    .filter(([key]) => key !== "code")
    .map(
      ([key, value]) =>
        `${key}: ${typeof value === "object" ? JSON.stringify(value, bigints) : String(value)}`,
    );
  return evidence.length === 0 ? reason.code : `${reason.code} (${evidence.join(", ")})`;
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** A broken invariant: a fault of this program, never of its input. It stops the node. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws AssertionError unless `condition` holds; `because` says why it always should. */
export function assert(condition: unknown, because: string): asserts condition {
  if (!condition) throw new AssertionError(because);
}
