import assert from "node:assert/strict";
import { checkAgainstRules } from "../../../src/execution/checkTransaction.ts";
import type { TransactionFields } from "../../../src/types/transaction.ts";
import { codeOf } from "../../support/errors.ts";
import { hashOf, rulesOf } from "../../support/execution.ts";
import { BLOB_HASH, PLAIN_FIELDS } from "../../support/transactions.ts";

function verdict(fields: Partial<TransactionFields>, fork = "Osaka"): string | undefined {
  return codeOf(() => checkAgainstRules({ ...PLAIN_FIELDS, ...fields }, rulesOf(fork)));
}

const BLOBS = { type: 3, maxFeePerBlobGas: 1n, gasLimit: 100_000n };

describe("checkAgainstRules", () => {
  it("accepts a plain transfer", () => assert.equal(verdict({}), undefined));

  it("knows from which fork on each type exists", () => {
    assert.equal(verdict({ type: 1 }, "Istanbul"), "TYPE_NOT_SUPPORTED");
    assert.equal(verdict({ type: 2 }, "Berlin"), "TYPE_NOT_SUPPORTED");
    assert.equal(verdict({ type: 3 }, "Shanghai"), "TYPE_NOT_SUPPORTED");
    assert.equal(verdict({ type: 4 }, "Cancun"), "TYPE_NOT_SUPPORTED");
    assert.equal(verdict({ type: 1 }, "Berlin"), undefined);
  });

  it("refuses the chain id of another chain, and any before EIP-155", () => {
    assert.equal(verdict({ chainId: 2n }), "WRONG_CHAIN_ID");
    assert.equal(verdict({ chainId: 1n }, "Homestead"), "PROTECTED_NOT_SUPPORTED");
    assert.equal(verdict({ chainId: undefined }), undefined);
  });

  it("refuses gas under the intrinsic price and under the floor of data", () => {
    assert.equal(verdict({ gasLimit: 20_999n }), "INTRINSIC_GAS");
    const data = new Uint8Array(1_000).fill(1);
    assert.equal(verdict({ data, gasLimit: 40_000n }), "FLOOR_DATA_GAS");
    assert.equal(verdict({ data, gasLimit: 40_000n }, "Cancun"), undefined);
  });

  it("caps the gas of one transaction from Osaka on (EIP-7825)", () => {
    assert.equal(verdict({ gasLimit: 16_777_217n }), "TX_GAS_LIMIT_TOO_HIGH");
    assert.equal(verdict({ gasLimit: 16_777_216n }), undefined);
    assert.equal(verdict({ gasLimit: 16_777_217n }, "Prague"), undefined);
  });

  it("refuses the last nonce (EIP-2681), a tip above the maximum and fees beyond 256 bits", () => {
    assert.equal(verdict({ nonce: 2n ** 64n - 1n }), "NONCE_MAX");
    assert.equal(verdict({ type: 2, maxPriorityFeePerGas: 2n }), "TIP_ABOVE_MAX_FEE");
    const high = { maxFeePerGas: 2n ** 255n, maxPriorityFeePerGas: 0n };
    assert.equal(verdict({ type: 2, ...high }), "FEE_OVERFLOW");
  });

  it("limits creation code from Shanghai on (EIP-3860)", () => {
    const fields = { to: undefined, data: new Uint8Array(49_153), gasLimit: 1_000_000n };
    assert.equal(verdict(fields), "INIT_CODE_TOO_LARGE");
    assert.equal(verdict(fields, "Paris"), undefined);
  });

  it("checks the number and version of blobs", () => {
    assert.equal(verdict(BLOBS), "BLOB_COUNT_ZERO");
    assert.equal(verdict({ ...BLOBS, blobVersionedHashes: [hashOf(2)] }), "BLOB_HASH_VERSION");
    const blobs = (count: number) => new Array(count).fill(BLOB_HASH);
    assert.equal(verdict({ ...BLOBS, blobVersionedHashes: blobs(6) }), undefined);
    assert.equal(verdict({ ...BLOBS, blobVersionedHashes: blobs(7) }), "BLOB_COUNT_TOO_HIGH");
    assert.equal(verdict({ ...BLOBS, blobVersionedHashes: blobs(9) }, "Prague"), undefined);
    assert.equal(
      verdict({ ...BLOBS, blobVersionedHashes: blobs(10) }, "Prague"),
      "BLOB_GAS_LIMIT_REACHED",
    );
    assert.equal(
      verdict({ ...BLOBS, to: undefined, blobVersionedHashes: blobs(1) }),
      "BLOB_CREATION",
    );
  });

  it("wants an authorization in a type 4 transaction, and a recipient", () => {
    assert.equal(verdict({ type: 4 }), "AUTHORIZATION_LIST_EMPTY");
    assert.equal(verdict({ type: 4, to: undefined }), "AUTHORIZATION_CREATION");
  });
});
