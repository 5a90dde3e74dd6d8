import assert from "node:assert/strict";
import fc from "fast-check";
import { decodePlain, encodePlain } from "../../../src/consensus/plainCodec.ts";

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.bigInt(),
    fc.constant(undefined),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 4 }).map((list) => new Map(list)),
    fc.array(fc.string(), { maxLength: 4 }).map((list) => new Set(list)),
    fc
      .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("value"), { maxKeys: 4 })
      .map((fields) => ({ ...fields })),
  ),
})).value;

describe("plainCodec", () => {
  it("gives back every value as it was (property)", () => {
    fc.assert(
      fc.property(values, (value) => assert.deepEqual(decodePlain(encodePlain(value)), value)),
    );
  });

  it("refuses what has no plain form, and bytes that it did not write", () => {
    assert.throws(() => encodePlain(null), TypeError);
    assert.throws(() => encodePlain(() => 1), TypeError);
    assert.throws(() => decodePlain(new TextEncoder().encode('{"$":"x"}')), TypeError);
  });
});
