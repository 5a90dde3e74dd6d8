import assert from "node:assert/strict";
import { RLP } from "@ethereumjs/rlp";
import fc from "fast-check";
import { concatBytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes, ZERO_HASH } from "../../../src/primitives/hex.ts";
import {
  decodeReceipt,
  decodeReceiptsFromStorage,
  encodeReceipt,
  encodeReceiptsForStorage,
  makeReceipt,
  type Outcome,
} from "../../../src/types/receipt.ts";
import { codeOf } from "../../support/errors.ts";
import { addresses, hashes } from "../../support/transactions.ts";

const outcomes: fc.Arbitrary<Outcome> = fc.record(
  {
    type: fc.constantFrom(0, 1, 2, 3, 4, 0x51),
    outcome: fc.oneof(fc.constantFrom<0 | 1>(0, 1), hashes),
    cumulativeGasUsed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    logs: fc.array(
      fc.record(
        {
          address: addresses,
          topics: fc.array(hashes, { maxLength: 4 }),
          data: fc.uint8Array({ maxLength: 70 }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
  },
  { noNullPrototype: true },
);
const receipts = outcomes.map(makeReceipt);

const EMPTY = makeReceipt({ type: 0, outcome: 1, cumulativeGasUsed: 0x5208n, logs: [] });

describe("encodeReceipt", () => {
  it("writes status, gas, filter and logs", () => {
    const expected = `0xf9010801825208b90100${"00".repeat(256)}c0`;
    assert.equal(bytesToHex(encodeReceipt(EMPTY)), expected);
  });

  it("is the library's RLP of any outcome, gas and logs", () => {
    fc.assert(
      fc.property(receipts, ({ type, outcome, cumulativeGasUsed, logsBloom, logs }) => {
        const status = typeof outcome === "number" ? outcome : hexToBytes(outcome);
        const logItems = logs.map(({ address, topics, data }) => [address, [...topics], data]);
        const payload = RLP.encode([status, cumulativeGasUsed, logsBloom, logItems]);
        const raw = encodeReceipt({ type, outcome, cumulativeGasUsed, logsBloom, logs });
        assert.deepEqual(raw, type === 0 ? payload : concatBytes(Uint8Array.of(type), payload));
      }),
      { seed: 20814 },
    );
  });

  it("puts the type first unless it is legacy", () => {
    const typed = encodeReceipt({ ...EMPTY, type: 2 });
    assert.deepEqual(typed, concatBytes(Uint8Array.of(2), encodeReceipt(EMPTY)));
  });

  it("writes failure as the empty string and a state root as 32 bytes", () => {
    assert.equal(encodeReceipt({ ...EMPTY, outcome: 0 })[3], 0x80);
    assert.equal(encodeReceipt({ ...EMPTY, outcome: ZERO_HASH })[3], 0xa0);
  });
});

describe("decodeReceipt", () => {
  it("reads what encodeReceipt wrote", () => {
    fc.assert(
      fc.property(receipts, (receipt) => {
        assert.deepEqual(decodeReceipt(encodeReceipt(receipt)), receipt);
      }),
    );
  });

  it("throws nothing but DecodeError on changed bytes", () => {
    fc.assert(
      fc.property(receipts, fc.nat(), fc.nat(255), (receipt, at, byte) => {
        const raw = encodeReceipt(receipt);
        raw[at % raw.length] = byte;
        if (codeOf(() => decodeReceipt(raw)) === undefined)
          assert.deepEqual(encodeReceipt(decodeReceipt(raw)), raw);
      }),
      { numRuns: 300 },
    );
  });

  it("refuses an outcome that is neither status nor root, and types that are none", () => {
    const raw = encodeReceipt(EMPTY);
    assert.equal(
      codeOf(() => decodeReceipt(raw.with(3, 2))),
      "BAD_FIELD",
    );
    for (const first of [0x00, 0x80, 0xbf])
      assert.equal(
        codeOf(() => decodeReceipt(Uint8Array.of(first))),
        "UNKNOWN_TYPE",
      );
    assert.equal(
      codeOf(() => decodeReceipt(new Uint8Array(0))),
      "UNKNOWN_TYPE",
    );
  });
});

describe("encodeReceiptsForStorage", () => {
  it("leaves the filters out and finds them again", () => {
    fc.assert(
      fc.property(fc.array(receipts, { maxLength: 5 }), (list) => {
        assert.deepEqual(decodeReceiptsFromStorage(encodeReceiptsForStorage(list)), list);
      }),
    );
    assert.ok(encodeReceiptsForStorage([EMPTY]).length < 10);
  });
});
