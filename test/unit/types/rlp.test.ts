import assert from "node:assert/strict";
import { decode, encode } from "@ethereumjs/rlp";
import fc from "fast-check";
import { bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";
import {
  DecodeError,
  decodeRlp,
  encodedRlpLength,
  encodeRlp,
  type RlpInput,
  readAddress,
  readBytes,
  readHash,
  readList,
  readUint,
  rlpItemLength,
  uintItem,
} from "../../../src/types/rlp.ts";

type Nested = Uint8Array | Nested[];

const strings = fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 70 }));
const { values } = fc.letrec<{ values: Nested }>((tie) => ({
  values: fc.oneof({ maxDepth: 5 }, strings, fc.array(tie("values"), { maxLength: 6 })),
}));

/** Code of the DecodeError that `action` throws; any other error passes through. */
function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DecodeError) return error.reason.code;
    throw error;
  }
  return "none";
}

const decodeHex = (text: string) => decodeRlp(hexToBytes(text));

describe("encodeRlp", () => {
  it("agrees with @ethereumjs/rlp and tells the length beforehand", () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encodeRlp(value);
        assert.equal(bytesToHex(encoded), bytesToHex(encode(value)));
        assert.equal(encodedRlpLength(value), encoded.length);
        assert.deepEqual(decodeRlp(encoded), decode(encoded));
      }),
    );
  });

  it("writes heads of every size", () => {
    for (const length of [0, 1, 55, 56, 255, 256, 65_535, 65_536, 16_777_216]) {
      const body = new Uint8Array(length).fill(0x80);
      const encoded = encodeRlp(body);
      assert.deepEqual(encoded.subarray(0, 5), encode(body).subarray(0, 5));
      assert.equal(decodeRlp(encoded).length, length);
    }
  });

  it("takes a list of more items than a call takes arguments", () => {
    const items: RlpInput[] = Array.from({ length: 300_000 }, () => Uint8Array.of(5));
    assert.equal(encodeRlp(items).length, 300_004);
  });

  it("puts encoded values into a list as they are", () => {
    const inner: RlpInput = [Uint8Array.of(1), Uint8Array.of(200)];
    const outer: RlpInput = [{ encoded: encodeRlp(inner) }, Uint8Array.of(3)];
    assert.deepEqual(encodeRlp(outer), encodeRlp([inner, Uint8Array.of(3)]));
  });
});

describe("decodeRlp", () => {
  it("accepts exactly the canonical encodings, and throws nothing but DecodeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (raw) => {
        let decoded: RlpInput;
        try {
          decoded = decodeRlp(raw);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
          assert.throws(() => {
            if (raw.length === 0) throw new Error("the library takes nothing for a value");
            decode(raw);
          });
          return;
        }
        assert.deepEqual(encodeRlp(decoded), raw);
      }),
      { numRuns: 2000 },
    );
  });

  it("survives changed bytes in real structures", () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(255), (value, at, byte) => {
        const raw = encodeRlp(value);
        raw[at % raw.length] = byte;
        const code = codeOf(() => decodeRlp(raw));
        if (code === "none") assert.deepEqual(encodeRlp(decodeRlp(raw)), raw);
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses what is not the shortest form", () => {
    for (const text of [
      "0x8100",
      "0x817f",
      "0xb801ff",
      "0xb90001ff",
      "0xf80100",
      "0xf90000",
      "0xb800",
    ])
      assert.equal(
        codeOf(() => decodeHex(text)),
        "BAD_RLP",
        text,
      );
    const long = `00${"38"}${"11".repeat(56)}`;
    assert.equal(
      codeOf(() => decodeHex(`0xb9${long}`)),
      "BAD_RLP",
    );
  });

  it("refuses nothing, missing and trailing bytes, and items that leave their list", () => {
    for (const text of [
      "0x",
      "0x81",
      "0x8201",
      "0xb8",
      "0xc1",
      "0xc182",
      "0xc3820102ff",
      "0x0001",
      "0xc000",
    ])
      assert.equal(
        codeOf(() => decodeHex(text)),
        "BAD_RLP",
        text,
      );
    assert.equal(
      codeOf(() => decodeHex("0xc2c201")),
      "BAD_RLP",
    );
    assert.equal(
      codeOf(() => decodeHex(`0xbf${"ff".repeat(8)}`)),
      "BAD_RLP",
    );
    assert.equal(
      codeOf(() => decodeHex(`0xff${"ff".repeat(8)}00`)),
      "BAD_RLP",
    );
  });

  it("limits nested lists and items before it builds any", () => {
    const deep = (levels: number): RlpInput => (levels === 0 ? [] : [deep(levels - 1)]);
    assert.equal(
      codeOf(() => decodeRlp(encodeRlp(deep(15)))),
      "none",
    );
    assert.equal(
      codeOf(() => decodeRlp(encodeRlp(deep(16)))),
      "RLP_LIMIT",
    );
    assert.equal(
      codeOf(() => decodeRlp(new Uint8Array(1_000_000).fill(0xc1))),
      "BAD_RLP",
    );
    const many = encodeRlp(Array.from({ length: 10 }, () => new Uint8Array(0)));
    assert.equal(
      codeOf(() => decodeRlp(many, "x", { maxDepth: 1, maxItems: 10 })),
      "RLP_LIMIT",
    );
    assert.equal(
      codeOf(() => decodeRlp(many, "x", { maxDepth: 1, maxItems: 11 })),
      "none",
    );
  });

  it("copies: items of a Buffer do not change with it", () => {
    const buffer = Buffer.from("83616263", "hex");
    const item = readBytes(decodeRlp(buffer), "x");
    buffer.fill(0);
    assert.equal(bytesToHex(item), "0x616263");
    assert.equal(Buffer.isBuffer(item), false);
  });
});

describe("field readers", () => {
  const [one, zero, padded, list] = [Uint8Array.of(1), Uint8Array.of(0), Uint8Array.of(0, 1), []];

  it("read integers without leading zeros and within their bits", () => {
    assert.equal(readUint(new Uint8Array(0), "x", 64), 0n);
    assert.equal(readUint(one, "x", 64), 1n);
    assert.equal(readUint(new Uint8Array(8).fill(255), "x", 64), 2n ** 64n - 1n);
    assert.equal(readUint(new Uint8Array(32).fill(255), "x", 256), 2n ** 256n - 1n);
    for (const bad of [zero, padded, new Uint8Array(9).fill(255), list, undefined])
      assert.equal(
        codeOf(() => readUint(bad, "x", 64)),
        "BAD_FIELD",
      );
  });

  it("read bytes, hashes, addresses and lists of exact length", () => {
    assert.equal(readAddress(new Uint8Array(20), "x").length, 42);
    assert.equal(readHash(new Uint8Array(32), "x").length, 66);
    assert.equal(readList([one], "x", 1).length, 1);
    for (const action of [
      () => readAddress(new Uint8Array(19), "x"),
      () => readHash(new Uint8Array(33), "x"),
      () => readBytes(list, "x"),
      () => readBytes(undefined, "x"),
      () => readList(one, "x"),
      () => readList([one], "x", 2),
      () => uintItem(-1n),
    ])
      assert.equal(codeOf(action), "BAD_FIELD");
  });

  it("name the field and show what was there", () => {
    assert.throws(
      () => readUint(padded, "header.number", 64),
      (error) => {
        assert.ok(error instanceof DecodeError);
        assert.deepEqual(error.reason, {
          code: "BAD_FIELD",
          where: "header.number",
          expected: "an integer without leading zeros",
          got: "0x0001",
        });
        return true;
      },
    );
  });
});

describe("rlpItemLength", () => {
  it("tells the lengths from the head alone", () => {
    fc.assert(
      fc.property(values, strings, (value, before) => {
        const encoded = encodeRlp(value);
        const buffer = Buffer.concat([before, encoded.subarray(0, 9)]);
        assert.equal(rlpItemLength(buffer, before.length)?.totalLength, encoded.length);
      }),
    );
  });

  it("waits for the whole head", () => {
    assert.equal(rlpItemLength(Uint8Array.of(), 0), undefined);
    assert.equal(rlpItemLength(Uint8Array.of(0xf9, 1), 0), undefined);
    assert.deepEqual(rlpItemLength(Uint8Array.of(0xf9, 1, 0), 0), {
      headLength: 3,
      totalLength: 259,
    });
  });
});
