import assert from "node:assert/strict";
import { decodeErrorResult } from "viem";
import { bytesToHex, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { compileContract } from "../../support/compile.ts";
import {
  GWEI,
  ownerOf,
  type StakingChain,
  TIMES,
  testKey,
  withdrawalOf,
} from "../../support/stakingChain.ts";
import { ack, evidence, seal, summary, vote } from "../../support/stakingEvidence.ts";
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

const ALL = [0, 1, 2, 3];
const OTHERS = [0, 2, 3];

/** Double seal of validator 1 in a slot. */
function strike(chain: StakingChain, slot: number) {
  const key = testKey(1);
  const [a, b] = [seal(1, slot, 0), seal(1, slot, 0, 1)];
  const args = evidence(chain, 1, { message: a, key }, { message: b, key });
  return chain.send(REPORTER, "slashDoubleSeal", args);
}

/** Double ack of validator 1 for an epoch. */
function convict(chain: StakingChain, epoch: number, from = REPORTER) {
  const key = testKey(1);
  const [a, b] = [ack(1, epoch), ack(1, epoch, 1)];
  const args = evidence(chain, 1, { message: a, key }, { message: b, key });
  return chain.send(from, "slashDoubleVote", args);
}

async function demandDone(work: ReturnType<StakingChain["send"]>): Promise<void> {
  assert.equal((await work).error, undefined);
}

async function demandRefusal(work: ReturnType<StakingChain["send"]>, error: string): Promise<void> {
  assert.equal((await work).error, error);
}

describe("Staking: one thing after the other", function () {
  this.timeout(60_000);

  it("jailed, topped up, free again: chosen only in the end, and its rewards and stake are whole", async () => {
    const chain = await chainOf();
    await demandDone(strike(chain, 1));
    const left = 2n * MIN - (2n * MIN) / 100n;
    chain.fund(ownerOf(1), MIN * GWEI);
    await demandDone(chain.send(ownerOf(1), "topUp", [1], MIN * GWEI));
    assert.equal(read(chain, 1).status, "jailed");
    assert.deepEqual(await chain.view("eligible", 0, 9), [0, 3, 2]);
    await demandRefusal(chain.send(ownerOf(1), "unjail", [1]), "StillJailed");
    await chain.endEpoch(summary(960, [{ id: 1, reward: 7n }]));
    await demandDone(chain.send(ownerOf(1), "unjail", [1]));
    assert.deepEqual(await chain.view("eligible", 0, 9), [0, 3, 2, 1]);
    assert.deepEqual([read(chain, 1).stake, read(chain, 1).strikes], [left + MIN, 1]);
    demandSolvent(chain);
  });

  it("jailed, left: strikes do not hold it back, the third turns the exit into a conviction", async () => {
    const chain = await chainOf();
    await passEpochs(chain, 1, 1, ALL);
    await demandDone(strike(chain, 1));
    await demandDone(chain.send(ownerOf(1), "requestExit", [1]));
    await demandRefusal(chain.send(ownerOf(1), "unjail", [1]), "WrongStatus");
    await demandDone(strike(chain, 2));
    assert.equal(read(chain, 1).status, "exiting");
    await passEpochs(chain, 2, 3, OTHERS);
    const due = await chain.view("withdrawableAt", 1);
    await demandDone(strike(chain, 3));
    assert.equal(read(chain, 1).status, "slashed");
    assert.equal(await chain.view("withdrawableAt", 1), 0n);
    await passEpochs(chain, 4, 4, OTHERS);
    assert.ok(Number(await chain.view("withdrawableAt", 1)) > Number(due), "the wait starts again");
    demandSolvent(chain);
  });

  it("left, unbonded, not paid yet: still answerable; paid: not any more", async () => {
    const chain = await chainOf();
    await passEpochs(chain, 1, 1, ALL);
    await demandDone(chain.send(ownerOf(1), "requestExit", [1]));
    await passEpochs(chain, 2, 2, OTHERS);
    chain.timestamp += BigInt(TIMES.unbonding);
    // its owner waits one moment too long
    await demandDone(convict(chain, 9));
    await demandRefusal(chain.send(ownerOf(1), "withdraw", [1]), "StillBonded");
    await passEpochs(chain, 3, 3, OTHERS);
    chain.timestamp += BigInt(TIMES.unbonding);
    await demandDone(chain.send(ownerOf(1), "withdraw", [1]));
    const paid = chain.balance(withdrawalOf(1));
    await demandRefusal(convict(chain, 10), "AlreadySlashed");
    await demandRefusal(strike(chain, 5), "EvidenceTooOld");
    await demandRefusal(
      strike(chain, Number(chain.timestamp - chain.genesis.timestamp)),
      "WrongStatus",
    );
    await demandRefusal(chain.send(ownerOf(1), "withdraw", [1]), "WrongStatus");
    assert.equal(chain.balance(withdrawalOf(1)), paid);
    demandSolvent(chain);
  });

  it("withdrawn without guilt: evidence that comes late pays nobody", async () => {
    const chain = await chainOf();
    await passEpochs(chain, 1, 1, ALL);
    await demandDone(chain.send(ownerOf(1), "requestExit", [1]));
    await passEpochs(chain, 2, 2, OTHERS);
    chain.timestamp += BigInt(TIMES.unbonding);
    await demandDone(chain.send(ownerOf(1), "withdraw", [1]));
    await demandRefusal(convict(chain, 9), "WrongStatus");
    assert.equal(chain.balance(REPORTER), 0n);
    assert.equal(chain.balance(ZERO_ADDRESS), 0n);
    demandSolvent(chain);
  });

  it("slashed, withdrawn: rewards of its last epochs come on top, once", async () => {
    const chain = await chainOf();
    await passEpochs(chain, 1, 1, ALL);
    await demandDone(convict(chain, 1));
    await chain.endEpoch(summary(2, [{ id: 1, reward: 5n }]));
    await passEpochs(chain, 3, 3, OTHERS);
    chain.timestamp += BigInt(TIMES.unbonding);
    await demandDone(chain.send(ownerOf(1), "withdraw", [1]));
    const paid = chain.balance(withdrawalOf(1));
    await demandDone(chain.send(ownerOf(1), "claim", [1]));
    assert.equal(chain.balance(withdrawalOf(1)) - paid, 5n * GWEI);
    await demandRefusal(chain.send(ownerOf(1), "claim", [1]), "NothingToClaim");
    demandSolvent(chain);
  });

  it("rotates to no key that anybody has or had, its own old one included", async () => {
    const chain = await chainOf();
    const rotate = async (key: number) => {
      const [publicKey, proof] = await registerArgs(chain, key, ownerOf(1));
      return chain.send(ownerOf(1), "rotateKey", [1, publicKey, proof]);
    };
    await demandRefusal(rotate(0), "KeyTaken");
    await demandDone(rotate(9));
    await demandRefusal(rotate(1), "KeyTaken");
    await demandRefusal(rotate(9), "KeyTaken");
    // a proof of the same key for another contract's or chain's message is none
    const other = await chainOf(STAKES, { salt: `0x${"77".repeat(32)}` });
    const [publicKey, proof] = await registerArgs(other, 8, ownerOf(1));
    await demandRefusal(chain.send(ownerOf(1), "rotateKey", [1, publicKey, proof]), "BadKeyProof");
    assert.equal(read(chain, 1).keyCount, 2);
  });

  it("has room for 255 keys and says so at the next", async () => {
    const chain = await chainOf();
    for (let key = 1_000; key < 1_254; key++) {
      const [publicKey, proof] = await registerArgs(chain, key, ownerOf(1));
      await demandDone(chain.send(ownerOf(1), "rotateKey", [1, publicKey, proof]));
    }
    assert.equal(read(chain, 1).keyCount, 255);
    const [publicKey, proof] = await registerArgs(chain, 2_000, ownerOf(1));
    await demandRefusal(chain.send(ownerOf(1), "rotateKey", [1, publicKey, proof]), "TooManyKeys");
    const sides = [vote(1, 0, 3), vote(1, 0, 3, 1)] as const;
    const [newest, first] = [
      { message: sides[0], key: testKey(1_253), index: 254 },
      { message: sides[1], key: testKey(1), index: 0 },
    ];
    await demandDone(chain.send(REPORTER, "slashDoubleVote", evidence(chain, 1, newest, first)));
  });

  it("pays a reporter that calls back once, and what it calls is refused", async () => {
    const chain = await chainOf();
    const { deployedBytecode } = await compileContract("test/unit/contracts/Reenter.sol");
    chain.state.setCode(REPORTER, hexToBytes(deployedBytecode));
    await demandDone(convict(chain, 1));
    const answer = bytesToHex(chain.state.slot(REPORTER, ZERO_HASH));
    assert.equal(decodeErrorResult({ abi: chain.abi, data: answer }).errorName, "Reentered");
    assert.equal(chain.balance(REPORTER), ((2n * MIN) / 20n / 8n) * GWEI);
    demandSolvent(chain);
  });

  it("burns nothing when the reporter cannot be paid: somebody else may report", async () => {
    const chain = await chainOf();
    chain.state.setCode(REPORTER, hexToBytes("0x5f5ffd"));
    await demandRefusal(convict(chain, 1), "TransferFailed");
    assert.equal(read(chain, 1).status, "registered");
    assert.equal(chain.balance(ZERO_ADDRESS), 0n);
    await demandDone(convict(chain, 1, ownerOf(2)));
    demandSolvent(chain);
  });
});
