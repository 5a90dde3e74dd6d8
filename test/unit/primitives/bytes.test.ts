import assert from "node:assert/strict";
import fc from "fast-check";
import { Arena } from "../../../src/primitives/arena.ts";
import { bigIntToBytes, bytesToBigInt } from "../../../src/primitives/bytes.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";

describe("bigIntToBytes", () => {
  it("is minimal and big-endian, whatever the length, and bytesToBigInt reads it again", () => {
    const edges = [8, 16, 64, 128, 192, 256, 264, 2_048]
      .map((bits) => 2n ** BigInt(bits))
      .flatMap((power) => [power - 1n, power, power + 1n]);
    for (const value of [1n, 127n, 128n, ...edges]) {
      const hex = value.toString(16);
      assert.equal(bytesToHex(bigIntToBytes(value)), `0x${hex.length % 2 === 0 ? "" : "0"}${hex}`);
    }
    assert.equal(bigIntToBytes(0n).length, 0);
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 300n), (value) => {
        assert.equal(bytesToBigInt(bigIntToBytes(value)), value);
      }),
    );
  });

  it("is shown in hex whatever the length", () => {
    for (const length of [0, 1, 32, 63, 64, 65, 200]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      const expected = `0x${Buffer.from(bytes).toString("hex")}`;
      assert.equal(bytesToHex(bytes), expected);
      const larger = new Uint8Array(length + 8);
      larger.set(bytes, 4);
      assert.equal(bytesToHex(larger.subarray(4, 4 + length)), expected);
    }
  });

  it("gives bytes that later calls leave alone", () => {
    const first = bigIntToBytes(0x0102n);
    bigIntToBytes(2n ** 255n);
    assert.deepEqual(first, Uint8Array.of(1, 2));
  });
});

describe("Arena", () => {
  it("cuts zero bytes that do not overlap, short and long", () => {
    const arena = new Arena();
    const cuts = Array.from({ length: 3_000 }, (_, i) => arena.take((i * 37) % 9_000));
    for (const [i, cut] of cuts.entries()) {
      assert.ok(cut.every((byte) => byte === 0));
      assert.equal(cut.length, (i * 37) % 9_000);
      cut.fill((i % 255) + 1);
    }
    for (const [i, cut] of cuts.entries()) assert.ok(cut.every((byte) => byte === (i % 255) + 1));
  });
});
