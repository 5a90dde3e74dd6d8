import assert from "node:assert/strict";
import {
  effectiveGasPrice,
  effectiveTip,
  isContractCreation,
} from "../../../src/types/transaction.ts";
import { PLAIN_FIELDS } from "../../support/transactions.ts";

const legacy = { ...PLAIN_FIELDS, maxFeePerGas: 10n, maxPriorityFeePerGas: 10n };
const dynamic = { ...PLAIN_FIELDS, type: 2, maxFeePerGas: 10n, maxPriorityFeePerGas: 2n };

describe("effectiveGasPrice", () => {
  it("is the gas price of legacy transactions, whatever the base fee", () => {
    assert.equal(effectiveGasPrice(legacy, undefined), 10n);
    assert.equal(effectiveGasPrice(legacy, 7n), 10n);
  });

  it("is base fee and tip up to the maximum fee", () => {
    assert.equal(effectiveGasPrice(dynamic, 7n), 9n);
    assert.equal(effectiveGasPrice(dynamic, 9n), 10n);
  });
});

describe("effectiveTip", () => {
  it("is what remains above the base fee", () => {
    assert.equal(effectiveTip(legacy, undefined), 10n);
    assert.equal(effectiveTip(legacy, 7n), 3n);
    assert.equal(effectiveTip(dynamic, 7n), 2n);
    assert.equal(effectiveTip(dynamic, 9n), 1n);
  });

  it("is negative where the base fee is too high", () => {
    assert.equal(effectiveTip(dynamic, 11n), -1n);
  });
});

describe("isContractCreation", () => {
  it("holds without a recipient", () => {
    assert.equal(isContractCreation(legacy), false);
    assert.equal(isContractCreation({ ...legacy, to: undefined }), true);
  });
});
