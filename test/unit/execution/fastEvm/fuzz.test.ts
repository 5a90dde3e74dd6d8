/** Random contracts and blocks on both EVMs; `npm run conformance -- fuzz [--blocks] --cases 100000` runs more of them. */
import assert from "node:assert/strict";
import { blockCase, blockDifference } from "../../../../cli/fixtures/blockFuzz.ts";
import { differenceOf, fuzzCase } from "../../../../cli/fixtures/evmFuzz.ts";
import { hexToBytes } from "../../../../src/primitives/hex.ts";
import { addressAt, rulesOf } from "../../../support/execution.ts";
import { PLAIN_FIELDS } from "../../../support/transactions.ts";

/** Another seed for other cases: QNET_TEST_SEED=7 npm test */
const SEED = Number(process.env["QNET_TEST_SEED"] ?? 1);
const CASES = 120;
const BLOCKS = 60;

const COUNTER = addressAt(0xc0de);
/** SSTORE(0, SLOAD(0) + 1) */
const COUNTING = new Map([[COUNTER, hexToBytes("0x600054600101600055")]]);

describe(`both EVMs, fuzz seed ${SEED}`, () => {
  it("agree on verdict, gas, output, logs and state root", async function () {
    this.timeout(120_000);
    for (let index = 0; index < CASES; index++) {
      assert.equal(await differenceOf(fuzzCase(SEED, index)), undefined);
    }
  });

  it("are seen to differ where one of them has another price", async () => {
    const one = fuzzCase(SEED, 0);
    const transaction = { ...PLAIN_FIELDS, to: COUNTER, gasLimit: 100_000n, maxFeePerGas: 10n };
    const counting = {
      ...one,
      rules: rulesOf("Osaka"),
      code: COUNTING,
      transactions: [transaction],
    };
    assert.equal(await differenceOf(counting), undefined);
    const cheaper = { ...counting, rules: rulesOf("Istanbul") };
    assert.match(String(await differenceOf(counting, cheaper)), /reference done gas \d+/);
  });

  it("agree on whole blocks of all types of transaction, with system contracts and code at the limits", async function () {
    this.timeout(240_000);
    for (let index = 0; index < BLOCKS; index++) {
      assert.equal(await blockDifference(blockCase(SEED, index)), undefined);
    }
  });

  it("are seen to differ where a block pays a withdrawal more", async () => {
    const one = { ...blockCase(SEED, 0), rules: rulesOf("Osaka"), withdrawals: [] };
    const paid = { index: 0n, validatorIndex: 0n, address: COUNTER, amount: 1n };
    assert.match(String(await blockDifference(one, { ...one, withdrawals: [paid] })), /root/);
  });
});
