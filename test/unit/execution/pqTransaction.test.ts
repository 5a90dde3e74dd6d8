import assert from "node:assert/strict";
import { pqAlgorithm } from "../../../src/crypto/pqAlgorithms.ts";
import { checkAgainstRules } from "../../../src/execution/checkTransaction.ts";
import { floorDataGas, intrinsicGas } from "../../../src/execution/gas.ts";
import { EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import type { Rules } from "../../../src/types/forks.ts";
import type { TransactionFields } from "../../../src/types/transaction.ts";
import { codeOf } from "../../support/errors.ts";
import { addressAt, hashOf, rulesOf } from "../../support/execution.ts";
import { PQ_FIELDS, pqRules } from "../../support/pqTransactions.ts";

const rules = pqRules();

/** A transfer signed by this algorithm; gas and limits do not look at the key. */
function transferBy(name: Parameters<typeof pqAlgorithm>[0]): TransactionFields {
  return { ...PQ_FIELDS, pqSender: { algorithm: pqAlgorithm(name), publicKey: EMPTY_BYTES } };
}

const fields = transferBy("ML-DSA-44");

function verdict(change: Partial<TransactionFields>, under: Rules = rules): string | undefined {
  return codeOf(() => checkAgainstRules({ ...fields, ...change }, under));
}

describe("gas of a transaction of type 0x51", () => {
  it("is that of key and signature more than 18,000, for each algorithm", () => {
    const prices = [
      ["ML-DSA-44", 84_212n],
      ["ML-DSA-65", 111_176n],
      ["ML-DSA-87", 147_004n],
      ["SLH-DSA-SHA2-128s", 161_208n],
      ["SLH-DSA-SHA2-256s", 535_696n],
    ] as const;
    for (const [name, price] of prices) {
      assert.equal(intrinsicGas(transferBy(name), rules), price, name);
      assert.equal(floorDataGas(transferBy(name), rules), price, name);
    }
  });

  it("follows the prices of the genesis", () => {
    const cheap = pqRules({ witnessGasPerByte: 4 });
    assert.equal(intrinsicGas(fields, cheap), 39_428n);
    assert.equal(intrinsicGas(transferBy("ML-DSA-65"), cheap), 48_044n);
    const free = pqRules({ witnessGasPerByte: 0, verifyGas: { "ML-DSA-44": 0 } });
    assert.equal(intrinsicGas(fields, free), 18_000n);
  });

  it("prices data, access list and creation as other types; the witness stands outside the floor's maximum", () => {
    const data = new Uint8Array(100).fill(1);
    assert.equal(intrinsicGas({ ...fields, data }, rules), 84_212n + 1_600n);
    assert.equal(floorDataGas({ ...fields, data }, rules), 84_212n + 4_000n);
    const accessList = [{ address: addressAt(1), storageKeys: [hashOf(1)] }];
    assert.equal(intrinsicGas({ ...fields, accessList }, rules), 84_212n + 4_300n);
    const created = { ...fields, to: undefined, data: new Uint8Array(33) };
    assert.equal(intrinsicGas(created, rules), 84_212n + 132n + 32_000n + 4n);
  });
});

describe("checkAgainstRules on type 0x51", () => {
  it("accepts a transfer with exactly its gas", () => {
    assert.equal(verdict({ gasLimit: 84_212n }), undefined);
    assert.equal(verdict({ gasLimit: 84_211n }), "INTRINSIC_GAS");
    const data = new Uint8Array(100).fill(1);
    assert.equal(verdict({ data, gasLimit: 88_212n }), undefined);
    assert.equal(verdict({ data, gasLimit: 88_211n }), "FLOOR_DATA_GAS");
  });

  it("does not know the type without the genesis' section, before its time, or before Osaka", () => {
    assert.equal(verdict({ chainId: 1n }, rulesOf("Osaka")), "TYPE_NOT_SUPPORTED");
    const later = { time: 500 };
    assert.equal(verdict({}, pqRules(later, 499n)), "TYPE_NOT_SUPPORTED");
    assert.equal(verdict({}, pqRules(later, 500n)), undefined);
    const prague: Rules = { ...rules, has: (fork) => fork !== "osaka" };
    assert.equal(verdict({}, prague), "TYPE_NOT_SUPPORTED");
  });

  it("takes the algorithms of the genesis alone", () => {
    const gasLimit = 1_000_000n;
    for (const name of ["SLH-DSA-SHA2-128f", "SLH-DSA-SHAKE-128s", "Falcon-512"] as const) {
      const { pqSender } = transferBy(name);
      assert.equal(verdict({ pqSender, gasLimit }), "ALGORITHM_NOT_ENABLED", name);
    }
    const only65 = pqRules({ verifyGas: { "ML-DSA-65": 9_000 } });
    assert.equal(verdict({ gasLimit }, only65), "ALGORITHM_NOT_ENABLED");
  });

  it("keeps the limits of every type", () => {
    assert.equal(verdict({ chainId: 1n }), "WRONG_CHAIN_ID");
    assert.equal(verdict({ nonce: 2n ** 64n - 1n }), "NONCE_MAX");
    assert.equal(verdict({ maxPriorityFeePerGas: 3_000_000_001n }), "TIP_ABOVE_MAX_FEE");
    assert.equal(verdict({ maxFeePerGas: 2n ** 255n }), "FEE_OVERFLOW");
    assert.equal(verdict({ gasLimit: 16_777_217n }), "TX_GAS_LIMIT_TOO_HIGH");
    const data = new Uint8Array(49_153);
    assert.equal(verdict({ to: undefined, data, gasLimit: 10_000_000n }), "INIT_CODE_TOO_LARGE");
  });
});
