import assert from "node:assert/strict";
import { parseAddress } from "../../../src/primitives/hex.ts";
import { impersonate, isImpersonated } from "../../../src/types/impersonation.ts";
import { senderOf } from "../../../src/types/sender.ts";
import type { TransactionFields } from "../../../src/types/transaction.ts";
import { decodeTransaction } from "../../../src/types/transactionCodec.ts";

const alice = parseAddress(`0x${"aa".repeat(20)}`);
const zero = parseAddress(`0x${"00".repeat(20)}`);
const fields: TransactionFields = {
  type: 2,
  chainId: 31337n,
  nonce: 0n,
  maxFeePerGas: 10n,
  maxPriorityFeePerGas: 1n,
  gasLimit: 21_000n,
  to: zero,
  value: 1n,
  data: new Uint8Array(0),
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizationList: [],
};

describe("impersonate", () => {
  it("remembers the sender and gives each sender another hash", () => {
    const one = impersonate(fields, alice);
    const other = impersonate(fields, zero);
    assert.equal(senderOf(one), alice);
    assert.equal(senderOf(other), zero);
    assert.notEqual(one.hash, other.hash);
  });

  it("survives encoding for every type without blobs", () => {
    for (const type of [0, 1, 2]) {
      const made = impersonate({ ...fields, type, maxPriorityFeePerGas: 10n }, alice);
      const read = decodeTransaction(made.raw);
      assert.equal(read.hash, made.hash);
      assert.equal(isImpersonated(read, alice), true);
      assert.equal(isImpersonated(read, zero), false);
    }
  });

  it("is nobody's signature: recovery gives another address", () => {
    const read = decodeTransaction(impersonate(fields, alice).raw);
    let recovered: string | undefined;
    try {
      recovered = senderOf(read);
    } catch {
      recovered = undefined;
    }
    assert.notEqual(recovered, alice);
  });
});
