import assert from "node:assert/strict";
import { hashTypedData } from "viem";
import { CodecError } from "../../../rpc/codec.ts";
import { typedDataDigest } from "../../../rpc/typedData.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";

const domain = {
  name: "Ether Mail",
  version: "1",
  chainId: 1,
  verifyingContract: "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
} as const;
const types = {
  Person: [
    { name: "name", type: "string" },
    { name: "wallets", type: "address[]" },
  ],
  Mail: [
    { name: "from", type: "Person" },
    { name: "to", type: "Person[]" },
    { name: "contents", type: "string" },
    { name: "size", type: "int16" },
    { name: "flags", type: "bool[2]" },
    { name: "tag", type: "bytes4" },
    { name: "attachment", type: "bytes" },
  ],
} as const;
const message = {
  from: { name: "Cow", wallets: ["0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"] },
  to: [{ name: "Bob", wallets: [] }],
  contents: "Hello, Bob!",
  size: -5,
  flags: [true, false],
  tag: "0x01020304",
  attachment: "0xdeadbeef",
} as const;

describe("typedDataDigest", () => {
  it("agrees with viem on structs, arrays, signed numbers and bytes", () => {
    const expected = hashTypedData({ domain, types, primaryType: "Mail", message });
    const json = { domain, types, primaryType: "Mail", message };
    assert.equal(bytesToHex(typedDataDigest(json, "typedData")), expected);
  });

  it("gives the example of EIP-712", () => {
    const example = {
      domain,
      primaryType: "Mail",
      types: {
        EIP712Domain: [
          { name: "name", type: "string" },
          { name: "version", type: "string" },
          { name: "chainId", type: "uint256" },
          { name: "verifyingContract", type: "address" },
        ],
        Person: [
          { name: "name", type: "string" },
          { name: "wallet", type: "address" },
        ],
        Mail: [
          { name: "from", type: "Person" },
          { name: "to", type: "Person" },
          { name: "contents", type: "string" },
        ],
      },
      message: {
        from: { name: "Cow", wallet: "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826" },
        to: { name: "Bob", wallet: "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB" },
        contents: "Hello, Bob!",
      },
    };
    assert.equal(
      bytesToHex(typedDataDigest(example, "typedData")),
      "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    );
  });

  it("refuses what does not fit its type", () => {
    for (const change of [
      { message: { ...message, size: 40_000 } },
      { message: { ...message, tag: "0x0102" } },
      { message: { ...message, flags: [true] } },
      { primaryType: "Letter" },
      { types: 5 },
    ]) {
      const json = { domain, types, primaryType: "Mail", message, ...change };
      assert.throws(() => typedDataDigest(json, "typedData"), CodecError);
    }
  });

  it("is quick with long types and with many structs of large types", () => {
    const brackets = { M: [{ name: "a", type: `uint8${"[]".repeat(500_000)}x` }] };
    const many: Record<string, unknown[]> = { M: [{ name: "a", type: "T0[]" }] };
    for (let i = 0; i < 40; i++) {
      many[`T${i}`] = Array.from({ length: 40 }, (_, j) => ({
        name: `m${j}`,
        type: `T${(i + j) % 40}`,
      }));
    }
    const start = performance.now();
    const bracketed = { domain, types: brackets, primaryType: "M", message: { a: 1 } };
    assert.throws(() => typedDataDigest(bracketed, "typedData"), CodecError);
    const structs = {
      domain,
      types: many,
      primaryType: "M",
      message: { a: Array.from({ length: 5_000 }, () => ({})) },
    };
    const digest = typedDataDigest(structs, "typedData");
    assert.equal(digest.length, 32);
    // a second for what took minutes
    assert.ok(performance.now() - start < 5_000);
  });

  it("refuses a recursive type without an end", () => {
    const deep: { next?: unknown } = {};
    let at = deep;
    for (let i = 0; i < 100; i++) {
      const next = {};
      at.next = next;
      at = next;
    }
    const json = {
      domain: {},
      types: { Node: [{ name: "next", type: "Node" }] },
      primaryType: "Node",
      message: deep,
    };
    assert.throws(() => typedDataDigest(json, "typedData"), CodecError);
  });
});
