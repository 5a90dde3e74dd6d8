import assert from "node:assert/strict";
import fc from "fast-check";
import { blockId } from "../../../rpc/blockId.ts";
import {
  address,
  boolean,
  CodecError,
  count,
  data,
  dataOf,
  hash,
  list,
  looseQuantity,
  nullable,
  type ParamCodec,
  quantity,
  quantity64,
} from "../../../rpc/codec.ts";
import { RpcError } from "../../../rpc/errors.ts";
import { logArgument } from "../../../rpc/logs.ts";
import { storageKey } from "../../../rpc/storageKey.ts";

const refuses = (run: () => unknown) => assert.throws(run, CodecError);

describe("quantity", () => {
  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        assert.equal(quantity.decode(quantity.encode(value), "x"), value);
      }),
    );
  });

  for (const bad of [
    "0x",
    "0x00",
    "0x01",
    "1",
    "",
    "x1",
    "0xg",
    "-0x1",
    "0x-1",
    " 0x1",
    1,
    1n,
    true,
    [],
    {},
  ])
    it(`refuses ${typeof bad === "bigint" ? "1n" : JSON.stringify(bad)}`, () => {
      refuses(() => quantity.decode(bad, "x"));
    });

  it("keeps to its size", () => {
    assert.equal(quantity.decode(`0x${"f".repeat(64)}`, "x"), 2n ** 256n - 1n);
    refuses(() => quantity.decode(`0x1${"0".repeat(64)}`, "x"));
    assert.equal(quantity64.decode("0xffffffffffffffff", "x"), 2n ** 64n - 1n);
    refuses(() => quantity64.decode("0x10000000000000000", "x"));
    refuses(() => count.decode("0x40000000000000", "x"));
  });
});

describe("data", () => {
  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.deepEqual([...data.decode(data.encode(bytes), "x")], [...bytes]);
      }),
    );
  });

  for (const bad of ["0x1", "12", "0xzz", "", 12, null])
    it(`refuses ${JSON.stringify(bad)}`, () => refuses(() => data.decode(bad, "x")));

  it("keeps to an exact length", () => {
    assert.equal(dataOf(2).decode("0xABcd", "x").length, 2);
    refuses(() => dataOf(2).decode("0xab", "x"));
  });
});

describe("address and hash", () => {
  it("take any case and give lower case", () => {
    assert.equal(address.decode(`0x${"Ab".repeat(20)}`, "x"), `0x${"ab".repeat(20)}`);
    assert.equal(hash.decode(`0x${"Ab".repeat(32)}`, "x"), `0x${"ab".repeat(32)}`);
  });

  it("refuse every other length", () => {
    for (const length of [0, 1, 19, 21, 31, 33]) {
      refuses(() => address.decode(`0x${"ab".repeat(length)}`, "x"));
      refuses(() => hash.decode(`0x${"ab".repeat(length)}`, "x"));
    }
  });
});

describe("looseQuantity", () => {
  it("takes hex, decimal text and numbers", () => {
    for (const form of ["0x0a", "0xA", "10", 10])
      assert.equal(looseQuantity.decode(form, "x"), 10n);
    for (const bad of ["", "0x", "1.5", 1.5, -1, "ten", "1e3", "9".repeat(65)]) {
      refuses(() => looseQuantity.decode(bad, "x"));
    }
  });
});

describe("blockId", () => {
  const wanted = `0x${"12".repeat(32)}`;
  const found = { hash: wanted, requireCanonical: false };

  it("takes tags, numbers, hashes and EIP-1898 objects", () => {
    assert.equal(blockId.decode("latest", "b"), "latest");
    assert.equal(blockId.decode("0x10", "b"), 16n);
    assert.deepEqual(blockId.decode(wanted, "b"), found);
    assert.deepEqual(blockId.decode({ blockHash: wanted }, "b"), found);
    assert.deepEqual(blockId.decode({ blockHash: wanted, requireCanonical: true }, "b"), {
      hash: wanted,
      requireCanonical: true,
    });
    assert.equal(blockId.decode({ blockNumber: "0x1" }, "b"), 1n);
    assert.equal(blockId.decode({ blockNumber: "safe" }, "b"), "safe");
  });

  it("refuses the rest", () => {
    const both = { blockNumber: "0x1", blockHash: wanted };
    for (const bad of ["", "newest", "0x01", "1", 1, {}, both, [], true, `0x${"1".repeat(17)}`]) {
      refuses(() => blockId.decode(bad, "b"));
    }
  });
});

describe("storageKey", () => {
  it("is lenient about length, prefix and odd digits", () => {
    for (const form of ["0x1", "1", "0x01", "01", `0x${"0".repeat(63)}1`]) {
      assert.equal(storageKey.decode(form, "k").key, `0x${"0".repeat(63)}1`);
    }
  });

  it("echoes whole keys as they are and short ones as QUANTITY", () => {
    const whole = `0x${"0".repeat(64)}`;
    assert.equal(storageKey.decode(whole, "k").echo, whole);
    assert.equal(storageKey.decode("0x00", "k").echo, "0x0");
    assert.equal(storageKey.decode("0x00ff", "k").echo, "0xff");
  });

  it("refuses long keys and bad hex with the texts that tests expect", () => {
    assert.throws(() => storageKey.decode(`0x${"0".repeat(65)}`, "k"), RpcError);
    assert.throws(() => storageKey.decode("0xzz", "k"), RpcError);
  });
});

describe("codecs", () => {
  it("throw nothing but CodecError and RpcError at any JSON", () => {
    const codecs: readonly ParamCodec<unknown>[] = [
      ...[address, boolean, count, data, hash, quantity, looseQuantity, blockId, storageKey],
      ...[list(address), list(quantity), list(blockId), list(list(hash)), nullable(quantity)],
      logArgument,
    ];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...codecs), (json, codec) => {
        try {
          codec.decode(json, "x");
        } catch (error) {
          assert.ok(error instanceof CodecError || error instanceof RpcError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
