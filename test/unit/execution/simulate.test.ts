import assert from "node:assert/strict";
import type { SimulatedCall } from "../../../src/execution/simulationPlan.ts";
import {
  bigIntToHash,
  bytesToHex,
  hexToBytes,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "../../../src/primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { BEACON_ROOTS_ADDRESS } from "../../../src/types/systemContracts.ts";
import { addressAt, ETHER, hashOf, MINER, SENDER } from "../../support/execution.ts";
import { A, B, call, refusal, Simulator, STORE } from "../../support/simulation.ts";

describe("simulate: plan", () => {
  it("counts on from the base, 12 seconds a block, and fills gaps with empty blocks", async () => {
    const blocks = await new Simulator().run([
      { overrides: {}, calls: [] },
      { overrides: { number: 14n }, calls: [] },
      { overrides: { time: 5_000n }, calls: [] },
    ]);
    const places = blocks.map(({ block }) => [block.header.number, block.header.timestamp]);
    assert.deepEqual(places, [
      [11n, 1_012n],
      [12n, 1_024n],
      [13n, 1_036n],
      [14n, 1_048n],
      [15n, 5_000n],
    ]);
    const parents = blocks.slice(1).map(({ block }) => block.header.parentHash);
    assert.deepEqual(
      parents,
      blocks.slice(0, -1).map(({ block }) => block.hash),
    );
  });

  it("refuses numbers and times that do not rise, and more than 256 blocks", async () => {
    const empty = { overrides: {}, calls: [] };
    const run = (...overrides: readonly object[]) =>
      new Simulator().run(overrides.map((one) => ({ ...empty, overrides: one })));
    await assert.rejects(run({ number: 10n }), refusal("SIMULATED_NUMBERS"));
    await assert.rejects(run({}, { number: 11n }), refusal("SIMULATED_NUMBERS"));
    await assert.rejects(run({ time: 1_000n }), refusal("SIMULATED_TIMES"));
    await assert.rejects(run({ number: 12n, time: 1_012n }), refusal("SIMULATED_TIMES"));
    await assert.rejects(run({ number: 267n }), refusal("SIMULATED_SPAN"));
    assert.equal((await run({ number: 266n })).length, 256);
  });

  it("inherits miner and gas limit, also overridden ones, and neither prevRandao nor base fee", async () => {
    const blocks = await new Simulator().run([
      {
        overrides: {
          feeRecipient: A,
          gasLimit: 123_456n,
          prevRandao: hashOf(9),
          baseFeePerGas: 5n,
        },
        calls: [],
      },
      { overrides: {}, calls: [] },
    ]);
    const [first, second] = blocks.map(({ block }) => block.header);
    assert.deepEqual([first?.mixHash, first?.baseFeePerGas], [hashOf(9), 5n]);
    assert.deepEqual([second?.miner, second?.gasLimit], [A, 123_456n]);
    assert.deepEqual([second?.mixHash, second?.baseFeePerGas], [ZERO_HASH, 0n]);
  });
});

describe("simulate: fees and checks", () => {
  it("shows the block's base fee to calls that pay nothing", async () => {
    const code = "4860005260206000f3";
    const blocks = await new Simulator([[A, { code }]]).run([
      { overrides: { baseFeePerGas: 10n }, calls: [call(A)] },
      { overrides: {}, calls: [call(A)] },
    ]);
    const seen = blocks.map(({ calls }) => bytesToHex(calls[0]?.returnData ?? new Uint8Array()));
    assert.deepEqual(seen, [bigIntToHash(10n), bigIntToHash(0n)]);
  });

  it("follows the parent's base fee when it validates, and burns it", async () => {
    const bench = new Simulator();
    const fees = { maxFeePerGas: 2_000n, maxPriorityFeePerGas: 3n };
    const { block } = await bench.calls([call(A, fees)], { validate: true });
    assert.equal(block.header.baseFeePerGas, 875n);
    assert.equal(bench.state.account(MINER)?.balance, 63_000n);
    assert.equal(bench.state.account(SENDER)?.balance, ETHER - 21_000n * 878n);
  });

  it("tells nonces before fees, fees before funds, funds before gas", async () => {
    const strict = { validate: true };
    const poor = { from: addressAt(0xbad), to: A, gasLimit: 20_000n };
    const run = (one: SimulatedCall, options = {}) => new Simulator().calls([one], options);
    const refused = (why: string) => refusal("SIMULATED_CALL", why);
    await assert.rejects(run({ ...poor, nonce: 3n, value: 1n }, strict), refused("NONCE_TOO_HIGH"));
    await assert.rejects(run({ ...poor, value: 1n }, strict), refused("MAX_FEE_BELOW_BASE_FEE"));
    await assert.rejects(
      run({ ...poor, value: 1n, maxFeePerGas: 1_000n }, strict),
      refused("INSUFFICIENT_FUNDS"),
    );
    await assert.rejects(run({ ...poor, value: 1n }), refused("INSUFFICIENT_FUNDS"));
    await assert.rejects(run(poor), refused("INTRINSIC_GAS"));
    await assert.rejects(
      run({ ...poor, maxFeePerGas: 1n, maxPriorityFeePerGas: 2n }),
      refused("TIP_ABOVE_MAX_FEE"),
    );
    await assert.rejects(run({ ...poor, chainId: 2n }), refused("WRONG_CHAIN_ID"));
  });

  it("lets contracts send, and nonces go round when it does not validate", async () => {
    const last = 2n ** 64n - 1n;
    const bench = new Simulator([[A, { code: "00", nonce: last }]]);
    await bench.calls([
      { from: A, to: B },
      { from: A, to: B },
    ]);
    assert.equal(bench.state.account(A)?.nonce, 1n);
    const creation = new Simulator([[A, { nonce: last }]]).calls([
      { from: A, data: hexToBytes("0x00") },
    ]);
    await assert.rejects(creation, refusal("SIMULATED_CALL", "NONCE_MAX"));
  });

  it("gives a call the rest of the block, then of the budget, and refuses what is beyond the block", async () => {
    const budget = { gasCap: 60_000n };
    const { block } = await new Simulator().calls([call(A), call(A)], budget);
    assert.deepEqual(
      block.transactions.map(({ gasLimit }) => gasLimit),
      [60_000n, 39_000n],
    );
    await assert.rejects(
      new Simulator().calls([call(A), call(A), call(A)], budget),
      refusal("SIMULATED_CALL", "INTRINSIC_GAS"),
    );
    const free = await new Simulator().calls([call(A), call(A)], { gasCap: 0n });
    assert.equal(free.block.transactions[1]?.gasLimit, 29_979_000n);
    await assert.rejects(
      new Simulator().calls([call(A), call(A, { gasLimit: 29_979_001n })]),
      refusal("SIMULATED_GAS_LIMIT"),
    );
  });

  it("reports the most gas that was gone before refunds", async () => {
    const bench = new Simulator([[A, { code: STORE, storage: { 0: 1n } }]]);
    const { calls } = await bench.calls([call(A)]);
    const [cleared] = calls;
    assert.ok(cleared);
    assert.equal(cleared.peakGas - cleared.gasUsed, 4_800n);
  });
});

describe("simulate: transactions", () => {
  it("makes unsigned transactions of the type that the call's fields ask for", async () => {
    const hash = bigIntToHash((1n << 248n) + 1n);
    const signed = { chainId: 1n, address: B, nonce: 0n, yParity: 0n, r: 1n, s: 1n };
    const { block } = await new Simulator().calls([
      call(A),
      call(A, { gasPrice: 0n }),
      call(A, { gasPrice: 0n, accessList: [] }),
      call(A, { blobVersionedHashes: [hash] }),
      call(A, { authorizationList: [signed] }),
    ]);
    const made = block.transactions.map(({ type, nonce, chainId }) => [type, nonce, chainId]);
    assert.deepEqual(made, [
      [2, 0n, 1n],
      [0, 1n, undefined],
      [1, 2n, 1n],
      [3, 3n, 1n],
      [4, 4n, 1n],
    ]);
    for (const { signature } of block.transactions)
      assert.deepEqual(signature, { v: 0n, r: 0n, s: 0n, yParity: 0 });
    assert.equal(block.header.blobGasUsed, 131_072n);
  });

  it("refuses blobs and authorizations without a recipient", async () => {
    const run = (one: SimulatedCall) => new Simulator().calls([one]);
    await assert.rejects(
      run({ from: SENDER, blobVersionedHashes: [] }),
      refusal("SIMULATED_CALL", "BLOB_CREATION"),
    );
    await assert.rejects(
      run({ from: SENDER, authorizationList: [] }),
      refusal("SIMULATED_CALL", "AUTHORIZATION_CREATION"),
    );
  });

  it("pays the reward of the time on a base before the merge, with legacy transactions", async () => {
    const bench = new Simulator([], "Berlin", { difficulty: 131_072n });
    const [first] = await bench.run([{ overrides: { feeRecipient: B }, calls: [call(A)] }]);
    assert.equal(bench.state.account(B)?.balance, 2n * ETHER);
    assert.equal(first?.block.transactions[0]?.type, 0);
    assert.equal(first?.block.header.difficulty, 131_072n);
    assert.equal(first?.block.header.baseFeePerGas, undefined);
    assert.equal(first?.block.withdrawals, undefined);
  });
});

describe("simulate: header overrides", () => {
  it("credits withdrawals, stores the beacon root and commits to both", async () => {
    const bench = new Simulator([[BEACON_ROOTS_ADDRESS, { code: STORE }]]);
    const withdrawal = { index: 0n, validatorIndex: 1n, address: B, amount: 7n };
    const [one] = await bench.run([
      { overrides: { withdrawals: [withdrawal], parentBeaconBlockRoot: hashOf(3) }, calls: [] },
    ]);
    assert.equal(bench.state.account(B)?.balance, 7n * 10n ** 9n);
    const stored = bench.state.slot(BEACON_ROOTS_ADDRESS, ZERO_HASH);
    assert.equal(bytesToHex(stored), hashOf(3));
    assert.deepEqual(one?.block.withdrawals, [withdrawal]);
    assert.notEqual(one?.block.header.withdrawalsRoot, EMPTY_TRIE_ROOT);
    const early = new Simulator([], "Paris").run([
      { overrides: { withdrawals: [withdrawal] }, calls: [] },
    ]);
    await assert.rejects(early, refusal("SIMULATED_WITHDRAWALS"));
  });
});

describe("simulate: pauses", () => {
  it("asks before each block and call, and stops where the answer is a throw", async () => {
    let pauses = 0;
    const pause = () => {
      pauses++;
      if (pauses > 4) throw new RangeError("enough");
      return pauses % 2 === 0 ? Promise.resolve() : undefined;
    };
    const block = { overrides: {}, calls: [call(A), call(ZERO_ADDRESS)] };
    await assert.rejects(new Simulator().run([block, block], { pause }), /enough/);
    assert.equal(pauses, 5);
  });
});
