/** Checks of JSON-RPC replies that many tests share. */
import assert from "node:assert/strict";

/** A JSON object whose fields are not known. */
export type JsonObject = Record<string, unknown>;

/** The value as an object; fails on anything else. */
export function asObject(value: unknown): JsonObject {
  assert.ok(typeof value === "object" && value !== null, `no object: ${JSON.stringify(value)}`);
  return value as JsonObject;
}

/** The value as an array; fails on anything else. */
export function asArray(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value), `no array: ${JSON.stringify(value)}`);
  return value;
}

/** Asserts that the call is refused with this code and text; gives the whole error. */
export async function refused(
  run: Promise<unknown>,
  code: number,
  text: RegExp | string = /./,
): Promise<JsonObject> {
  const outcome = await run.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  assert.ok("error" in outcome, `answered ${JSON.stringify(outcome)}, expected error ${code}`);
  const error = asObject(outcome.error);
  assert.equal(error["code"], code, String(error["message"]));
  if (typeof text === "string") assert.equal(error["message"], text);
  else assert.match(String(error["message"]), text);
  return error;
}

/** QUANTITY of a number. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
