import assert from "node:assert/strict";
import { decodeErrorResult } from "viem";
import { readStakingTotals } from "../../../src/chain/stakingState.ts";
import { bytesToHex, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { compileContract } from "../../support/compile.ts";
import { GWEI, ownerOf, TIMES, testKey, withdrawalOf } from "../../support/stakingChain.ts";
import { summary } from "../../support/stakingEvidence.ts";

import {
  chainOf,
  demandSolvent,
  MIN,
  passEpochs,
  REPORTER,
  read,
  registerArgs,
  STAKES,
} from "../../support/stakingScene.ts";

describe("Staking: life of a validator", function () {
  this.timeout(60_000);

  it("registers with stake and proof, and takes each key once", async () => {
    const chain = await chainOf();
    const args = await registerArgs(chain, 9);
    chain.fund(ownerOf(9), 100_000n * GWEI * GWEI);
    const call = (wei: bigint, changed: readonly unknown[] = args) =>
      chain.send(ownerOf(9), "register", changed, wei);
    assert.equal((await call(MIN * GWEI - GWEI)).error, "StakeTooSmall");
    assert.equal((await call(MIN * GWEI + 1n)).error, "NotWholeGwei");
    assert.equal(
      (await call(MIN * GWEI, [args[0], "0x00", args[2], args[3]])).error,
      "BadKeyProof",
    );
    assert.equal(
      (await call(MIN * GWEI, ["0x00", args[1], args[2], args[3]])).error,
      "BadKeyLength",
    );
    assert.equal(
      (await call(MIN * GWEI, [args[0], args[1], ZERO_ADDRESS, args[3]])).error,
      "BadAddress",
    );
    const self = chain.config.staking;
    assert.equal((await call(MIN * GWEI, [args[0], args[1], self, args[3]])).error, "BadAddress");
    const done = await call(MIN * GWEI);
    assert.equal("value" in done && done.value, STAKES.length);
    assert.equal((await call(MIN * GWEI)).error, "KeyTaken");
    assert.equal(read(chain, 4).status, "registered");
    demandSolvent(chain);
  });

  it("takes no proof that another account made", async () => {
    const chain = await chainOf();
    const args = await registerArgs(chain, 9, ownerOf(8));
    chain.fund(ownerOf(9), MIN * GWEI);
    assert.equal((await chain.send(ownerOf(9), "register", args, MIN * GWEI)).error, "BadKeyProof");
  });

  it("lets the owner alone top up, leave, rotate and free it", async () => {
    const chain = await chainOf();
    const key = (await registerArgs(chain, 9)).slice(0, 2);
    for (const [name, args] of [
      ["topUp", [0]],
      ["requestExit", [0]],
      ["rotateKey", [0, ...key]],
      ["unjail", [0]],
      ["claim", [0]],
      ["withdraw", [0]],
    ] as const) {
      assert.equal((await chain.send(REPORTER, name, args)).error, "OnlyOwner", name);
      const unknown = [99, ...args.slice(1)];
      assert.equal((await chain.send(REPORTER, name, unknown)).error, "UnknownValidator", name);
    }
  });

  it("pays the stake after unbonding, counted from the first summary without it", async () => {
    const chain = await chainOf();
    await passEpochs(chain, 1, 2, [0, 1, 2, 3]);
    await chain.send(ownerOf(1), "requestExit", [1]);
    assert.equal((await chain.send(ownerOf(1), "topUp", [1])).error, "WrongStatus");
    await passEpochs(chain, 3, 4, [0, 1, 2, 3]);
    assert.deepEqual(
      await chain.send(ownerOf(1), "withdraw", [1]).then((o) => "args" in o && o.args),
      [0n],
    );
    await passEpochs(chain, 5, 5, [0, 2, 3]);
    const due = chain.timestamp + BigInt(TIMES.unbonding);
    assert.equal(await chain.view("withdrawableAt", 1), due);
    chain.timestamp = due - 1n;
    assert.equal((await chain.send(ownerOf(1), "withdraw", [1])).error, "StillBonded");
    chain.timestamp = due;
    assert.equal((await chain.send(withdrawalOf(1), "withdraw", [1])).error, undefined);
    assert.equal(chain.balance(withdrawalOf(1)), 2n * MIN * GWEI);
    assert.equal(read(chain, 1).status, "withdrawn");
    assert.equal((await chain.send(ownerOf(1), "withdraw", [1])).error, "WrongStatus");
    demandSolvent(chain);
  });

  it("pays nothing out while finality is stalled: a set chosen before the exit may still come", async () => {
    const chain = await chainOf(STAKES, { unbonding: 0, evidenceWindow: 0, trustPeriod: 0 });
    await chain.send(ownerOf(1), "requestExit", [1]);
    await chain.endEpoch(summary(1, [], { frozen: true }));
    assert.equal((await chain.send(ownerOf(1), "withdraw", [1])).error, "FinalityStalled");
    await chain.endEpoch(summary(2, []));
    assert.equal((await chain.send(ownerOf(1), "withdraw", [1])).error, undefined);
  });

  it("rotates keys, and knows the old one for ever", async () => {
    const chain = await chainOf();
    const [publicKey, proof] = await registerArgs(chain, 9, ownerOf(0));
    assert.equal(
      (await chain.send(ownerOf(0), "rotateKey", [0, publicKey, proof])).error,
      undefined,
    );
    assert.equal(await chain.view("publicKeyOf", 0, 1), publicKey);
    assert.equal(await chain.view("publicKeyOf", 0, 0), bytesToHex(testKey(0).publicKey));
    assert.equal(read(chain, 0).keyCount, 2);
    assert.equal(await chain.view("idOfKey", read(chain, 0).keyHash), 0);
  });
});

describe("Staking: payments", function () {
  this.timeout(60_000);

  it("let nobody call again while being paid", async () => {
    const chain = await chainOf();
    const { deployedBytecode } = await compileContract("test/unit/contracts/Reenter.sol");
    chain.state.setCode(withdrawalOf(1), hexToBytes(deployedBytecode));
    await chain.endEpoch(summary(1, [{ id: 1, reward: 9n }]));
    assert.equal((await chain.send(ownerOf(1), "claim", [1])).error, undefined);
    assert.equal(chain.balance(withdrawalOf(1)), 9n * GWEI);
    const answer = bytesToHex(chain.state.slot(withdrawalOf(1), ZERO_HASH));
    const reentered = decodeErrorResult({ abi: chain.abi, data: answer });
    assert.equal(reentered.errorName, "Reentered");
    demandSolvent(chain);
  });

  it("that a receiver refuses change nothing", async () => {
    const chain = await chainOf();
    await chain.endEpoch(summary(1, [{ id: 1, reward: 9n }]));
    // PUSH0 PUSH0 REVERT
    chain.state.setCode(withdrawalOf(1), hexToBytes("0x5f5ffd"));
    assert.equal((await chain.send(ownerOf(1), "claim", [1])).error, "TransferFailed");
    assert.equal(read(chain, 1).rewards, 9n);
    demandSolvent(chain);
  });
});

describe("Staking: epochs", function () {
  this.timeout(60_000);

  it("credits what is minted, which comes with the withdrawal, and pays it once", async () => {
    const chain = await chainOf();
    const rows = [
      { id: 0, reward: 5n },
      { id: 2, reward: 7n },
    ];
    assert.equal((await chain.endEpoch(summary(1, rows))).epochFailure, undefined);
    demandSolvent(chain);
    assert.equal(read(chain, 2).rewards, 7n);
    const claimed = await chain.send(ownerOf(2), "claim", [2]);
    assert.equal("value" in claimed && claimed.value, 7n * GWEI);
    assert.equal(chain.balance(withdrawalOf(2)), 7n * GWEI);
    assert.equal((await chain.send(ownerOf(2), "claim", [2])).error, "NothingToClaim");
    assert.equal(readStakingTotals(chain.state, chain.config.staking).minted, 12n);
    demandSolvent(chain);
  });

  it("refuses a summary whose rewards do not add up, an old epoch, strangers, and other callers", async () => {
    const chain = await chainOf();
    const wrong = [
      summary(1, [{ id: 0, reward: 5n }], { minted: 6n }),
      summary(0, []),
      summary(1, [{ id: 77 }]),
    ];
    for (const one of wrong) {
      const before = chain.state.root();
      const { epochFailure } = await chain.endEpoch({ ...one, minted: one.minted });
      assert.equal(epochFailure, "revert");
      if (one.minted === 0n) assert.equal(chain.state.root(), before);
    }
    assert.equal((await chain.send(ownerOf(0), "onEpoch", ["0x"])).error, "OnlySystem");
  });

  it("moves reputation by votes and blocks; one half that was not due counts like the other", async () => {
    const chain = await chainOf();
    await chain.endEpoch(
      summary(1, [
        { id: 0, made: 1, missed: 2, voted: true },
        { id: 1, made: 0, missed: 0, voted: true },
        { id: 2, made: 3, missed: 0, voted: false, voteExpected: false },
        { id: 3, made: 0, missed: 0, voted: false, voteExpected: false },
      ]),
    );
    const after = [0, 1, 2, 3].map((id) => read(chain, id).reputation);
    assert.deepEqual(after, [
      Math.floor((31 * 5000 + 5000 + Math.floor(5000 / 3)) / 32),
      Math.floor((31 * 5000 + 10_000) / 32),
      Math.floor((31 * 5000 + 10_000) / 32),
      5000,
    ]);
  });

  it("leaves reputation alone while finality is stalled", async () => {
    const chain = await chainOf();
    await chain.endEpoch(
      summary(1, [{ id: 0, voted: false, made: 0, missed: 9 }], { frozen: true }),
    );
    assert.equal(read(chain, 0).reputation, 5000);
  });

  it("jails below 2000 and lets free after 40 epochs, with 2500", async () => {
    const chain = await chainOf();
    let epoch = 1;
    const idle = { id: 0, made: 0, missed: 1, voted: false };
    for (; read(chain, 0).status === "registered"; epoch++)
      await chain.endEpoch(summary(epoch, [idle]));
    let [expected, epochs] = [5000, 0];
    for (; expected >= 2000; epochs++) expected = Math.floor((31 * expected) / 32);
    assert.deepEqual([epoch - 1, read(chain, 0).reputation], [epochs, expected]);
    const { since } = read(chain, 0);
    assert.equal(since, epoch - 1 + 40);
    assert.ok(!((await chain.view("eligible", 0n, 9n)) as number[]).includes(0));
    assert.equal((await chain.send(ownerOf(0), "unjail", [0])).error, "StillJailed");
    await passEpochs(chain, epoch, since, []);
    assert.equal((await chain.send(ownerOf(0), "unjail", [0])).error, undefined);
    assert.equal(read(chain, 0).reputation, 2500);
    assert.ok(((await chain.view("eligible", 0n, 9n)) as number[]).includes(0));
  });

  it("is no fault of a block on a chain without the contract", async () => {
    const chain = await chainOf();
    chain.state.deleteAccount(chain.config.staking);
    const { epochFailure } = await chain.endEpoch(summary(1, []));
    assert.equal(epochFailure, "there is no staking contract");
  });
});
