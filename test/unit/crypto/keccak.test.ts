import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { keccak256, keccakBackend, keccakHash, sha256 } from "../../../src/crypto/keccak.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";

const EMPTY = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";

describe("keccak256", () => {
  it("runs in WebAssembly here", () => assert.equal(keccakBackend, "wasm"));

  it("gives the known answer for nothing", () => {
    assert.equal(bytesToHex(keccak256(new Uint8Array(0))), EMPTY);
    assert.equal(keccakHash(new Uint8Array(0)), EMPTY);
  });

  it("agrees with noble for every length around the sponge's rate", () => {
    for (let length = 0; length < 300; length++) {
      const data = new Uint8Array(length).fill(length);
      assert.deepEqual(keccak256(data), keccak_256(data));
    }
  });

  it("agrees with noble on random and on large data", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => {
        assert.deepEqual(keccak256(data), keccak_256(data));
      }),
    );
    // as many blocks as the module's memory holds, and one byte more or less
    for (const length of [64_871, 64_872, 64_873, 65_008, 100_001, 129_744, 129_745]) {
      const large = new Uint8Array(length).fill(7);
      assert.deepEqual(keccak256(large), keccak_256(large), String(length));
    }
  });

  it("returns a new array each time", () => {
    const first = keccak256(new Uint8Array(0));
    keccak256(Uint8Array.of(1));
    assert.equal(bytesToHex(first), EMPTY);
  });

  it("hashes a part of a larger buffer", () => {
    const buffer = Buffer.from("xabcx");
    assert.deepEqual(
      keccak256(buffer.subarray(1, 4)),
      keccak_256(Uint8Array.from(Buffer.from("abc"))),
    );
  });
});

describe("sha256", () => {
  it("is SHA-256 and no view of a shared pool", () => {
    const digest = sha256(Buffer.from("abc"));
    assert.equal(bytesToHex(digest), `0x${createHash("sha256").update("abc").digest("hex")}`);
    assert.equal(digest.buffer.byteLength, 32);
  });
});
