import assert from "node:assert/strict";
import { RLP } from "@ethereumjs/rlp";
import fc from "fast-check";
import { bigIntToBytes, stripZeros } from "../../../src/primitives/bytes.ts";
import { bigIntToHash, hexToBytes } from "../../../src/primitives/hex.ts";
import { decodeAccount, encodeAccount } from "../../../src/state/accountCodec.ts";
import { decodeSlot, encodeSlot } from "../../../src/state/slotCodec.ts";
import { StateError } from "../../../src/state/stateError.ts";
import { EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";

const word = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
const hash = (empty: typeof EMPTY_CODE_HASH) =>
  fc.oneof(fc.constant(empty), word.map(bigIntToHash));
const account = fc.record({
  nonce: fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
  balance: fc.oneof(fc.bigInt({ min: 0n, max: 300n }), word),
  storageRoot: hash(EMPTY_TRIE_ROOT),
  codeHash: hash(EMPTY_CODE_HASH),
});

describe("encodeAccount", () => {
  it("is RLP of the four fields, and decodeAccount reads it back", () => {
    fc.assert(
      fc.property(account, (given) => {
        const items = [
          bigIntToBytes(given.nonce),
          bigIntToBytes(given.balance),
          hexToBytes(given.storageRoot),
          hexToBytes(given.codeHash),
        ];
        const raw = encodeAccount(given);
        assert.deepEqual(raw, RLP.encode(items));
        assert.deepEqual(decodeAccount(raw), { ...given });
      }),
    );
  });
});

describe("decodeAccount", () => {
  it("refuses every truncation, and bytes that follow", () => {
    const raw = encodeAccount({
      nonce: 1n,
      balance: 1_000n,
      storageRoot: EMPTY_TRIE_ROOT,
      codeHash: EMPTY_CODE_HASH,
    });
    for (let length = 0; length < raw.length; length++) {
      assert.throws(() => decodeAccount(raw.subarray(0, length)), StateError);
    }
    assert.throws(() => decodeAccount(Uint8Array.of(...raw, 0)), StateError);
    assert.throws(
      () => decodeAccount(Uint8Array.of(0xf8, raw.length, ...raw.subarray(2))),
      StateError,
    );
  });
});

describe("encodeSlot", () => {
  it("is RLP of the value, and decodeSlot reads it back", () => {
    const value = fc.uint8Array({ minLength: 1, maxLength: 32 }).map(stripZeros);
    fc.assert(
      fc.property(value, (given) => {
        if (given.length === 0) return;
        const raw = encodeSlot(given);
        assert.deepEqual(raw, RLP.encode(given));
        assert.deepEqual(Uint8Array.from(decodeSlot(raw)), Uint8Array.from(given));
      }),
    );
  });

  it("has an inverse that refuses anything but one number", () => {
    for (const raw of [[], [0xc0], [0x82, 1], [0x81, 1, 2], [0xa1, ...new Uint8Array(33)]]) {
      assert.throws(() => decodeSlot(Uint8Array.from(raw)), StateError);
    }
  });
});
