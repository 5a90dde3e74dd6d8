import assert from "node:assert/strict";
import { EVM, getActivePrecompiles } from "@ethereumjs/evm";
import { loadBls12381 } from "../../../../src/crypto/bls12381.ts";
import { commonFor } from "../../../../src/execution/ethereumjs.ts";
import { activePrecompiles } from "../../../../src/execution/precompiles/active.ts";
import { BLS12381, BLS12381_CALLS } from "../../../../src/execution/precompiles/bls12381.ts";
import { type Bytes, concatBytes, padBytes } from "../../../../src/primitives/bytes.ts";
import { hexToBytes } from "../../../../src/primitives/hex.ts";
import { addressAt, rulesOf } from "../../../support/execution.ts";

const ALL_GAS = 10_000_000;
const rules = rulesOf("Osaka");
const ours = activePrecompiles(rules);
const common = commonFor(rules);
/** Stock, with noble's BLS12-381. */
const host = new EVM({ common, params: {} });
const stock = getActivePrecompiles(common);

const element = (hex: `0x${string}`) => padBytes(hexToBytes(hex), 64);
const PRIME = element(
  "0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
);
const G1 = concatBytes(
  element(
    "0x17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
  ),
  element(
    "0x08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
  ),
);
/** Of order 3: on the curve, not in the subgroup. */
const OUTSIDE = concatBytes(element("0x00"), element("0x02"));
const ZERO1 = new Uint8Array(128);
const ZERO2 = new Uint8Array(256);
const K = new Uint8Array(32).fill(0x77);

async function answers(at: number, input: Bytes, gas = ALL_GAS) {
  const address = addressAt(at);
  const run = stock.get(address.slice(2));
  assert.ok(run !== undefined);
  const call = { data: input, gasLimit: BigInt(gas), common, _EVM: host };
  const { executionGasUsed, returnValue, exceptionError } = await run(call);
  const mine = await ours.get(address)?.(input, gas);
  assert.ok(mine !== undefined);
  return {
    theirs: {
      gasUsed: Number(executionGasUsed),
      output: [...returnValue],
      failure: exceptionError?.error,
    },
    mine: { ...mine, output: [...mine.output] },
  };
}

describe("the precompiles of EIP-2537", () => {
  it("give the outputs, the gas and the errors of the library's", async () => {
    const map2 = concatBytes(element("0x05"), element("0x07"));
    const g2 = (await answers(0x11, map2)).theirs.output;
    const G2 = Uint8Array.from(g2);
    assert.equal(G2.length, 256);
    const cases: readonly (readonly [number, Bytes])[] = [
      [0x0b, concatBytes(G1, G1)],
      [0x0b, concatBytes(OUTSIDE, G1)],
      [0x0b, concatBytes(ZERO1, ZERO1)],
      [0x0b, concatBytes(G1, element("0x01"), element("0x01"))],
      [0x0b, concatBytes(G1, G1.with(0, 1))],
      [0x0b, G1],
      [0x0c, concatBytes(G1, K)],
      [0x0c, concatBytes(G1, K, G1, K, ZERO1, K)],
      [0x0c, concatBytes(OUTSIDE, K)],
      [0x0c, concatBytes(G1, K).subarray(1)],
      [0x0c, new Uint8Array(0)],
      [0x0d, concatBytes(G2, G2)],
      [0x0d, concatBytes(ZERO2, G2)],
      [0x0d, concatBytes(PRIME, element("0x01"), element("0x01"), element("0x01"), G2)],
      [0x0d, concatBytes(element("0x01"), element("0x01"), element("0x01"), element("0x01"), G2)],
      [0x0e, concatBytes(G2, K, G2, K)],
      [0x0e, concatBytes(G2.with(255, 0), K)],
      [0x0e, new Uint8Array(287)],
      [0x0f, concatBytes(G1, G2)],
      [0x0f, concatBytes(ZERO1, G2)],
      [0x0f, concatBytes(OUTSIDE, ZERO2)],
      [0x0f, concatBytes(G1, G2, G1)],
      [0x10, element("0x05")],
      [0x10, PRIME],
      [0x10, element("0x05").with(3, 1)],
      [0x11, map2],
      [0x11, concatBytes(PRIME, element("0x01"))],
      [0x11, element("0x05")],
    ];
    for (const [at, input] of cases) {
      const { theirs, mine } = await answers(at, input);
      assert.deepEqual(mine, theirs, `${at}: ${Buffer.from(input).toString("hex")}`);
      const short = await answers(at, input, Math.max(0, theirs.gasUsed - 1));
      assert.deepEqual(short.mine, short.theirs);
    }
  });

  it("say of coordinates of G1 above the prime what the library says of all others", async () => {
    for (const input of [concatBytes(PRIME, PRIME, G1), concatBytes(G1, PRIME, element("0x02"))]) {
      const { theirs, mine } = await answers(0x0b, input);
      assert.deepEqual(mine, { ...theirs, failure: "fp point not in field" });
      assert.equal(theirs.failure, "revert");
    }
  });

  it("answer with memory of their own", async () => {
    const pairing = concatBytes(ZERO1, ZERO2);
    const run = ours.get(addressAt(0x0f));
    const first = await run?.(pairing, ALL_GAS);
    first?.output.fill(9);
    const second = await run?.(pairing, ALL_GAS);
    assert.equal(second?.output[31], 1);
  });
});

describe("BLS12381", () => {
  it("is called at seven addresses", async () => {
    await loadBls12381();
    assert.equal(BLS12381_CALLS.length, 7);
    assert.deepEqual(BLS12381.addG1(concatBytes(G1, ZERO1)), G1);
  });
});
