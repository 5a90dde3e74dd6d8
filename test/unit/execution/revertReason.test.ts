import assert from "node:assert/strict";
import { encodeErrorResult } from "viem";
import { revertReason } from "../../../src/execution/revertReason.ts";
import { hexToBytes } from "../../../src/primitives/hex.ts";

const abi = [
  { type: "error", name: "Error", inputs: [{ type: "string", name: "reason" }] },
  { type: "error", name: "Panic", inputs: [{ type: "uint256", name: "code" }] },
  { type: "error", name: "Custom", inputs: [{ type: "uint256", name: "code" }] },
] as const;

describe("revertReason", () => {
  it("reads Error(string)", () => {
    const data = encodeErrorResult({ abi, errorName: "Error", args: ["not enough: ä€"] });
    assert.equal(revertReason(hexToBytes(data)), "not enough: ä€");
  });

  it("names the panics as geth does", () => {
    const panic = (code: bigint) =>
      revertReason(hexToBytes(encodeErrorResult({ abi, errorName: "Panic", args: [code] })));
    assert.equal(panic(0x01n), "assert(false)");
    assert.equal(panic(0x11n), "arithmetic underflow or overflow");
    assert.equal(panic(0x99n), "unknown panic code: 0x99");
  });

  it("has no words for custom errors, empty and damaged data", () => {
    const custom = encodeErrorResult({ abi, errorName: "Custom", args: [1n] });
    assert.equal(revertReason(hexToBytes(custom)), undefined);
    assert.equal(revertReason(new Uint8Array(0)), undefined);
    const text = hexToBytes(encodeErrorResult({ abi, errorName: "Error", args: ["cut off"] }));
    for (let length = 0; length < 68; length++) {
      assert.equal(revertReason(text.subarray(0, length)), undefined);
    }
  });
});
