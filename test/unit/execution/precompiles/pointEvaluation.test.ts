import assert from "node:assert/strict";
import { EVM, getActivePrecompiles } from "@ethereumjs/evm";
import { sha256 } from "../../../../src/crypto/keccak.ts";
import { loadKzg } from "../../../../src/crypto/kzg.ts";
import { commonFor } from "../../../../src/execution/ethereumjs.ts";
import { activePrecompiles } from "../../../../src/execution/precompiles/active.ts";
import { type Bytes, concatBytes } from "../../../../src/primitives/bytes.ts";
import { hexToBytes } from "../../../../src/primitives/hex.ts";
import { addressAt, rulesOf } from "../../../support/execution.ts";

const POINT_EVALUATION = addressAt(0x0a);
const rules = rulesOf("Osaka");
const common = commonFor(rules);
common.customCrypto.kzg ??= await loadKzg();
const host = new EVM({ common, params: {} });
const stock = getActivePrecompiles(common).get(POINT_EVALUATION.slice(2));
const ours = activePrecompiles(rules).get(POINT_EVALUATION);

/** The polynomial x: commitment τ·G1, value 7 at 7, proof G1. */
const COMMITMENT = hexToBytes(
  "0xad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81",
);
const PROOF = hexToBytes(
  "0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
);
const word = (value: number) => new Uint8Array(32).with(31, value);
const versioned = (commitment: Bytes) => sha256(commitment).with(0, 1);
const GOOD = concatBytes(versioned(COMMITMENT), word(7), word(7), COMMITMENT, PROOF);

async function answers(input: Bytes, gas: number) {
  assert.ok(stock !== undefined && ours !== undefined);
  const call = { data: input, gasLimit: BigInt(gas), common, _EVM: host };
  const { executionGasUsed, returnValue, exceptionError } = await stock(call);
  const { gasUsed, output, failure } = await ours(input, gas);
  return {
    theirs: [Number(executionGasUsed), [...returnValue], exceptionError?.error],
    mine: [gasUsed, [...output], failure],
  };
}

describe("point evaluation", () => {
  it("gives the output, the gas and the errors of the library's", async () => {
    const inputs = [
      GOOD,
      GOOD.with(95, 8),
      GOOD.with(0, 2),
      GOOD.with(5, 0),
      GOOD.with(100, 0),
      concatBytes(versioned(PROOF), GOOD.subarray(32)),
      GOOD.with(32, 0xff),
      GOOD.with(150, 1),
      GOOD.subarray(1),
      concatBytes(GOOD, word(0)),
      new Uint8Array(0),
      new Uint8Array(192),
    ];
    const failures = new Set<unknown>();
    for (const input of inputs)
      for (const gas of [50_000, 49_999, 60_000]) {
        const { theirs, mine } = await answers(input, gas);
        assert.deepEqual(mine, theirs);
        failures.add(mine[2]);
      }
    assert.equal(failures.size, 5, "success, gas, length, hash, proof");
  });

  it("answers with memory of its own", async () => {
    const first = await ours?.(GOOD, 50_000);
    first?.output.fill(1);
    const second = await ours?.(GOOD, 50_000);
    assert.equal(second?.output[30], 0x10);
  });
});
