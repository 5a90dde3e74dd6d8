import assert from "node:assert/strict";
import fc from "fast-check";
import type { Bytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { decodeFlat, recoverFlatSender } from "../../../src/types/flatTransaction.ts";
import { DecodeError } from "../../../src/types/rlp.ts";
import { senderOf } from "../../../src/types/sender.ts";
import type { Transaction } from "../../../src/types/transaction.ts";
import { decodeByItems, signTransaction } from "../../../src/types/transactionCodec.ts";
import {
  anyFields,
  fieldsOf,
  PLAIN_FIELDS,
  TEST_ADDRESS,
  TEST_KEY,
} from "../../support/transactions.ts";

/** What the reader of items makes of it; undefined where it refuses. */
function byItems(raw: Bytes): Transaction | undefined {
  try {
    return decodeByItems(raw);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function senderByItems(raw: Bytes): string | undefined {
  const transaction = byItems(raw);
  try {
    return transaction && senderOf(transaction);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** The fast way may give up on anything, but never say something else. */
function assertAgrees(raw: Bytes): void {
  const flat = decodeFlat(raw);
  if (flat !== undefined) assert.deepEqual(flat, byItems(raw));
  const sender = recoverFlatSender(raw);
  if (sender !== undefined) assert.equal(bytesToHex(sender), senderByItems(raw));
}

const plainFields = fc
  .constantFrom(0, 1, 2)
  .chain((type) => fieldsOf(type))
  .map((fields) => ({ ...fields, accessList: [] }));

describe("decodeFlat", () => {
  it("reads every plain transaction as the reader of items does, and knows its sender", () => {
    fc.assert(
      fc.property(plainFields, (fields) => {
        const { raw } = signTransaction(fields, TEST_KEY);
        assert.deepEqual(decodeFlat(raw), decodeByItems(raw));
        const sender = recoverFlatSender(raw);
        assert.equal(sender && bytesToHex(sender), TEST_ADDRESS);
      }),
      { numRuns: 400 },
    );
  });

  it("reads data of every length around the limits of heads", () => {
    for (const length of [0, 1, 2, 55, 56, 57, 200, 255, 256, 257, 65_535, 65_536]) {
      for (const type of [0, 1, 2]) {
        const data = new Uint8Array(length).fill(0x7f);
        const { raw } = signTransaction({ ...PLAIN_FIELDS, type, data }, TEST_KEY);
        assert.deepEqual(decodeFlat(raw), decodeByItems(raw));
        const sender = recoverFlatSender(raw);
        assert.equal(sender && bytesToHex(sender), TEST_ADDRESS);
      }
    }
  });

  it("never says another thing of changed, shortened or lengthened bytes", () => {
    const mutations = fc.record({
      fields: anyFields,
      at: fc.nat(),
      byte: fc.nat(255),
      kind: fc.constantFrom("set", "cut", "insert", "append"),
    });
    fc.assert(
      fc.property(mutations, ({ fields, at, byte, kind }) => {
        const bytes = [...signTransaction(fields, TEST_KEY).raw];
        const index = at % bytes.length;
        if (kind === "set") bytes[index] = byte;
        else if (kind === "cut") bytes.splice(index, 1);
        else if (kind === "insert") bytes.splice(index, 0, byte);
        else bytes.push(byte);
        assertAgrees(Uint8Array.from(bytes));
      }),
      { numRuns: 10_000 },
    );
  });

  it("agrees on every change of one byte in the heads and the signature of a transfer", () => {
    const { raw } = signTransaction({ ...PLAIN_FIELDS, type: 2, value: 5n }, TEST_KEY);
    for (let at = 0; at < raw.length; at++) {
      for (const byte of [
        0, 1, 2, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xc1, 0xf7, 0xf8, 0xff,
      ]) {
        const changed = Uint8Array.from(raw);
        changed[at] = byte;
        assertAgrees(changed);
      }
    }
  });

  it("knows no sender where `to` is no address", () => {
    const { raw } = signTransaction({ ...PLAIN_FIELDS, type: 1, to: undefined }, TEST_KEY);
    const bytes = Array.from(raw);
    // `to` is the last empty string before value and data, both empty too, and the access list
    const at = bytes.lastIndexOf(0xc0) - 3;
    assert.equal(bytes[at], 0x80);
    bytes[at] = 0;
    assertAgrees(Uint8Array.from(bytes));
    assert.equal(recoverFlatSender(Uint8Array.from(bytes)), undefined);
  });

  it("leaves access lists, other types and nonsense to the reader of items", () => {
    for (const raw of [[], [0xc0], [0x03], [0x7f], [0x80], [0x02], [0x02, 0xc0], [0xf8, 0xff]])
      assert.equal(decodeFlat(Uint8Array.from(raw)), undefined);
    const accessList = [{ address: TEST_ADDRESS, storageKeys: [] }] as never;
    const { raw } = signTransaction({ ...PLAIN_FIELDS, type: 2, accessList }, TEST_KEY);
    assert.equal(decodeFlat(raw), undefined);
  });
});
