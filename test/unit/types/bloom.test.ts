import assert from "node:assert/strict";
import { Bloom } from "@ethereumjs/vm";
import fc from "fast-check";
import { hexToBytes, parseAddress, parseHash } from "../../../src/primitives/hex.ts";
import {
  addToBloom,
  bloomBits,
  bloomMayContain,
  bloomOf,
  orBlooms,
} from "../../../src/types/bloom.ts";
import { addresses, hashes } from "../../support/transactions.ts";

describe("bloomOf", () => {
  it("agrees with @ethereumjs/vm", () => {
    fc.assert(
      fc.property(fc.array(hashes, { maxLength: 30 }), (values) => {
        const [ours, theirs] = [new Uint8Array(256), new Bloom()];
        for (const value of values.map(hexToBytes)) {
          addToBloom(ours, bloomBits(value));
          theirs.add(value);
        }
        assert.deepEqual(ours, theirs.bitvector);
      }),
      { numRuns: 20 },
    );
  });

  it("contains every address and topic of the logs, and nothing is in an empty filter", () => {
    fc.assert(
      fc.property(addresses, fc.array(hashes, { maxLength: 4 }), (address, topics) => {
        const bloom = bloomOf([{ address, topics, data: new Uint8Array(0) }]);
        for (const value of [address, ...topics]) {
          assert.equal(bloomMayContain(bloom, bloomBits(hexToBytes(value))), true);
          assert.equal(bloomMayContain(new Uint8Array(256), bloomBits(hexToBytes(value))), false);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("orBlooms", () => {
  it("is the filter of all logs together", () => {
    const log = (byte: string) => ({
      address: parseAddress(`0x${byte.repeat(20)}`),
      topics: [parseHash(`0x${byte.repeat(32)}`)],
      data: new Uint8Array(0),
    });
    const [a, b] = [log("0a"), log("0b")];
    assert.deepEqual(orBlooms([bloomOf([a]), bloomOf([b])]), bloomOf([a, b]));
    assert.deepEqual(orBlooms([]), new Uint8Array(256));
  });
});
