import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { locationCodec } from "../../../src/storage/codecs.ts";

describe("locationCodec", () => {
  it("writes 8 bytes of block number and 4 of index, and reads them again", () => {
    const encoded = locationCodec.encode({ blockNumber: 0x0102_0304_a506_0708n, index: 0xf00d });
    assert.equal(bytesToHex(encoded), "0x01020304a50607080000f00d");
    const location = fc.record(
      { blockNumber: fc.bigInt(0n, 2n ** 64n - 1n), index: fc.nat(2 ** 32 - 1) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(location, (value) => {
        assert.deepEqual(locationCodec.decode(locationCodec.encode(value)), value);
      }),
    );
  });
});
