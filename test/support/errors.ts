import { NodeError } from "../../src/primitives/errors.ts";

/** Code of the NodeError that `action` throws, or undefined if it returns; any other error passes through. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof NodeError) return error.reason.code;
    throw error;
  }
}

/** Code of the NodeError with which `promise` rejects, or undefined if it resolves; any other error passes through. */
export async function codeOfRejection(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof NodeError) return error.reason.code;
    throw error;
  }
}
