import assert from "node:assert/strict";
import { SECP256K1_ORDER } from "../../../src/crypto/secp256k1.ts";
import { parseAddress } from "../../../src/primitives/hex.ts";
import { knownSender, rememberSender, senderOf } from "../../../src/types/sender.ts";
import { encodeTransaction, signTransaction } from "../../../src/types/transactionCodec.ts";
import { codeOf } from "../../support/errors.ts";
import { PLAIN_FIELDS, TEST_ADDRESS, TEST_KEY } from "../../support/transactions.ts";

const OTHER = parseAddress(`0x${"ab".repeat(20)}`);
const signed = () => signTransaction(PLAIN_FIELDS, TEST_KEY);

/** The same transaction with the other valid s. */
function withHighS() {
  const { r, s, yParity } = signed().signature;
  return encodeTransaction(PLAIN_FIELDS, {
    r,
    s: SECP256K1_ORDER - s,
    yParity: yParity === 0 ? 1 : 0,
  });
}

describe("senderOf", () => {
  it("recovers the signer and remembers it for this object", () => {
    const transaction = signed();
    assert.equal(knownSender(transaction), undefined);
    assert.equal(senderOf(transaction), TEST_ADDRESS);
    assert.equal(knownSender(transaction), TEST_ADDRESS);
  });

  it("takes a remembered sender without recovering", () => {
    const transaction = signed();
    rememberSender(transaction, OTHER);
    assert.equal(senderOf(transaction), OTHER);
  });

  it("accepts a high s under Frontier's rules only, remembered or not", () => {
    const transaction = withHighS();
    assert.equal(
      codeOf(() => senderOf(transaction)),
      "BAD_SIGNATURE",
    );
    assert.equal(senderOf(transaction, { allowHighS: true }), TEST_ADDRESS);
    assert.equal(
      codeOf(() => senderOf(transaction)),
      "BAD_SIGNATURE",
    );
  });

  it("refuses a signature from which no key can be recovered", () => {
    // 5 is no x-coordinate of the curve; the others are beyond its order
    for (const r of [5n, SECP256K1_ORDER, 2n ** 256n - 1n]) {
      const transaction = encodeTransaction(PLAIN_FIELDS, { r, s: 1n, yParity: 0 });
      assert.equal(
        codeOf(() => senderOf(transaction)),
        "BAD_SIGNATURE",
      );
    }
  });
});
