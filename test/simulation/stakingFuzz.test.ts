/**
 * 10,000 random calls, epochs and waits on the staking contract, each compared with the model: QNET_TEST_SEED repeats one run,
 * QNET_TEST_CALLS changes the number.
 */
import assert from "node:assert/strict";
import {
  readCandidates,
  readStakedValidator,
  readStakingTotals,
} from "../../src/chain/stakingState.ts";
import { bytesToHex, ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import { keyProofBody, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { addressAt } from "../support/execution.ts";
import {
  GWEI,
  ownerOf,
  StakingChain,
  type StakingOutcome,
  TIMES,
  testKey,
  withdrawalOf,
} from "../support/stakingChain.ts";
import {
  ack,
  evidence,
  seal,
  seededNumbers,
  summary,
  type TestMessage,
  vote,
} from "../support/stakingEvidence.ts";
import { StakingModel, type Verdict } from "../support/stakingModel.ts";

const SEED = Number(process.env["QNET_TEST_SEED"] ?? 20_814);
const CALLS = Number(process.env["QNET_TEST_CALLS"] ?? 10_000);
const CHECK_EVERY = 50;
/** Validators with stake at a time; those who withdrew stay on record. */
const MAX_BONDED = 16;
const MAX_VALIDATORS = 1_000;
/** Epochs for which those who left or were slashed are still members. */
const LEAVING_EPOCHS = 3;
const MIN = 10_000n * GWEI;
const REPORTER = addressAt(0xdd);
const GENESIS = [MIN, 2n * MIN, 3n * MIN, MIN + 1n, 5n * MIN];

class Fuzz {
  readonly chain: StakingChain;
  readonly model: StakingModel;
  readonly below: (limit: number) => number;
  /** numbers of the keys of each validator, in order */
  readonly keys: number[][] = GENESIS.map((_, id) => [id]);
  #nextKey = 1_000;
  /** coins given to owners, in wei */
  #funded = 0n;

  constructor(chain: StakingChain) {
    this.chain = chain;
    this.below = seededNumbers(SEED);
    this.model = new StakingModel(
      {
        minStake: MIN,
        unbonding: BigInt(TIMES.unbonding),
        evidenceWindow: BigInt(TIMES.evidenceWindow),
        genesisTime: chain.genesis.timestamp,
      },
      GENESIS,
    );
  }

  /** One random step; its name. */
  async step(): Promise<string> {
    const steps = [
      this.epoch,
      this.epoch,
      this.wait,
      this.register,
      this.topUp,
      this.exit,
      this.rotate,
      this.unjail,
      this.claim,
      this.withdraw,
      this.withdraw,
      this.slashVotes,
      this.slashSeals,
    ];
    const step = steps[this.below(steps.length)];
    assert.ok(step);
    // the destructive ones are rare enough for validators to live a while
    if ((step === this.slashVotes || step === this.exit) && this.below(3) > 0) return this.wait();
    return step.call(this);
  }

  async wait(): Promise<string> {
    this.chain.timestamp += BigInt(this.below(120));
    return "wait";
  }

  async epoch(): Promise<string> {
    const { model, below, chain } = this;
    const rows = model.validators.flatMap(({ status, since }, id) => {
      const leaving = status === "exiting" || status === "slashed" || status === "withdrawn";
      if (leaving && model.epoch > since + LEAVING_EPOCHS) return [];
      if (below(4) === 0) return [];
      const lazy = id % 7 === 3;
      const row = {
        id,
        made: lazy ? 0 : below(4),
        missed: below(3),
        voted: !lazy && below(10) > 0,
        voteExpected: below(10) > 0,
        reward: BigInt(below(1_000_000)),
      };
      return [row];
    });
    const made = summary(model.epoch + 1, rows, { frozen: below(8) === 0 });
    chain.timestamp += BigInt(below(60));
    const result = await chain.endEpoch(made);
    assert.equal(result.epochFailure, undefined);
    model.endEpoch(made, chain.timestamp);
    return "epoch";
  }

  async register(): Promise<string> {
    const { chain, model, below } = this;
    const bonded = model.validators.filter(({ status }) => status !== "withdrawn").length;
    if (bonded >= MAX_BONDED || model.validators.length >= MAX_VALIDATORS) return this.wait();
    const id = model.validators.length;
    const stake = MIN - 2n + BigInt(below(20)) * (below(2) === 0 ? 1n : MIN);
    const verdict = model.register(stake);
    const key = this.#nextKey++;
    const args = [...this.#keyArgs(key, id), withdrawalOf(id), addressAt(0xfee)];
    await this.#send(ownerOf(id), "register", args, { verdict, gwei: stake });
    if (verdict === undefined) this.keys.push([key]);
    assert.equal(readStakingTotals(chain.state, chain.config.staking).validators, this.keys.length);
    return "register";
  }

  async topUp(): Promise<string> {
    const id = this.#anyone();
    const gwei = BigInt(this.below(3)) * MIN + BigInt(this.below(1000));
    await this.#send(ownerOf(id), "topUp", [id], { verdict: this.model.topUp(id, gwei), gwei });
    return "topUp";
  }

  async exit(): Promise<string> {
    const id = this.#anyone();
    await this.#send(ownerOf(id), "requestExit", [id], { verdict: this.model.requestExit(id) });
    return "requestExit";
  }

  async rotate(): Promise<string> {
    const id = this.#anyone();
    const key = this.#nextKey++;
    const verdict = this.model.rotateKey(id);
    await this.#send(ownerOf(id), "rotateKey", [id, ...this.#keyArgs(key, id)], { verdict });
    if (verdict === undefined) this.keys[id]?.push(key);
    return "rotateKey";
  }

  async unjail(): Promise<string> {
    const id = this.#anyone();
    await this.#send(ownerOf(id), "unjail", [id], { verdict: this.model.unjail(id) });
    return "unjail";
  }

  async claim(): Promise<string> {
    const id = this.#anyone();
    await this.#send(withdrawalOf(id), "claim", [id], { verdict: this.model.claim(id) });
    return "claim";
  }

  async withdraw(): Promise<string> {
    const id = this.#anyone();
    const verdict = this.model.withdraw(id, this.chain.timestamp);
    await this.#send(ownerOf(id), "withdraw", [id], { verdict });
    return "withdraw";
  }

  async slashVotes(): Promise<string> {
    const id = this.#anyone();
    const epoch = this.#someEpoch();
    const pairs: readonly (readonly [TestMessage, TestMessage, number])[] = [
      [vote(id, 0, epoch), vote(id, 0, epoch, 1), epoch],
      [ack(id, epoch), ack(id, epoch, 1), epoch],
      [ack(id, epoch), vote(id, epoch - 1, epoch + 1), epoch + 1],
      [vote(id, epoch, epoch + 3), vote(id, epoch + 1, epoch + 2), epoch + 3],
    ];
    const pair = pairs[this.below(pairs.length)];
    assert.ok(pair);
    const verdict = this.model.slashVotes(id, pair[2], this.chain.timestamp);
    await this.#slash("slashDoubleVote", id, [pair[0], pair[1]], verdict);
    return "slashDoubleVote";
  }

  async slashSeals(): Promise<string> {
    const id = this.#anyone();
    const elapsed = Number(this.chain.timestamp - this.chain.genesis.timestamp);
    const slot = Math.max(0, elapsed - this.below(900));
    const seq = this.below(3);
    const verdict = this.model.slashSeals(id, slot, this.chain.timestamp);
    await this.#slash(
      "slashDoubleSeal",
      id,
      [seal(id, slot, seq), seal(id, slot, seq, 1)],
      verdict,
    );
    return "slashDoubleSeal";
  }

  /** Everything the contract's state says against everything the model says, and every coin. */
  demandAgreement(): void {
    const { chain, model } = this;
    const { staking } = chain.config;
    for (const [id, expected] of model.validators.entries()) {
      const found = readStakedValidator(chain.state, staking, id);
      assert.ok(found);
      const { stake, rewards, reputation, status, lastListed, since, strikes, keyCount } = found;
      assert.deepEqual(
        { stake, rewards, reputation, status, lastListed, since, strikes, keys: keyCount },
        pick(expected),
        `validator ${id}`,
      );
      // nothing of a deposit is lost or paid twice, and what was slashed is never paid out
      assert.equal(expected.deposited, expected.stake + expected.lost + expected.paid);
    }
    const eligible = [...model.validators.entries()].filter(([, one]) => model.isEligible(one));
    const candidates = readCandidates(chain.state, staking, MAX_VALIDATORS);
    assert.deepEqual(
      candidates.map(({ id }) => id).sort((a, b) => a - b),
      eligible.map(([id]) => id),
    );
    const paid = model.validators.reduce((sum, one) => sum + one.paid, 0n);
    const received = model.validators.reduce(
      (sum, _, id) => sum + chain.balance(withdrawalOf(id)),
      0n,
    );
    assert.equal(received, (paid + model.claimed) * GWEI);
    this.demandConservation();
  }

  /** The contract holds what it owes, and owes what the model says. */
  demandCoins(): void {
    const { chain, model } = this;
    const { staking } = chain.config;
    const totals = readStakingTotals(chain.state, staking);
    assert.equal(totals.stake, model.total("stake"));
    assert.equal(totals.rewards, model.total("rewards"));
    assert.equal(totals.minted, model.minted);
    assert.equal(totals.activeStake, model.activeStake);
    assert.equal(chain.balance(staking), (totals.stake + totals.rewards) * GWEI);
    assert.equal(chain.balance(ZERO_ADDRESS), model.burnt * GWEI);
    assert.equal(chain.balance(REPORTER), model.rewarded * GWEI);
  }

  /** No wei is created or lost: what was there at genesis, given to owners or minted is somewhere. */
  demandConservation(): void {
    this.demandCoins();
    const { chain, model } = this;
    const { staking } = chain.config;
    let held = chain.balance(staking) + chain.balance(ZERO_ADDRESS) + chain.balance(REPORTER);
    for (let id = 0; id <= model.validators.length; id++)
      held += chain.balance(ownerOf(id)) + chain.balance(withdrawalOf(id));
    const genesis = GENESIS.reduce((sum, stake) => sum + stake, 0n) * GWEI;
    assert.equal(held, genesis + this.#funded + model.minted * GWEI);
  }

  async #slash(
    name: string,
    id: number,
    [a, b]: readonly [TestMessage, TestMessage],
    verdict: Verdict,
  ): Promise<void> {
    const side = (message: TestMessage) => {
      const keys = this.keys[id] ?? [];
      const index = this.below(keys.length);
      return { message, key: testKey(keys[index] ?? 0), index };
    };
    await this.#send(REPORTER, name, evidence(this.chain, id, side(a), side(b)), { verdict });
  }

  async #send(
    from: typeof REPORTER,
    name: string,
    args: readonly unknown[],
    { verdict, gwei = 0n }: { readonly verdict: Verdict; readonly gwei?: bigint },
  ): Promise<StakingOutcome> {
    if (gwei > 0n) {
      this.chain.fund(from, gwei * GWEI);
      this.#funded += gwei * GWEI;
    }
    const outcome = await this.chain.send(from, name, args, gwei * GWEI);
    assert.equal(outcome.error, verdict, name);
    return outcome;
  }

  #keyArgs(key: number, owner: number): readonly string[] {
    const { publicKey, sign } = testKey(key);
    const body = keyProofBody(this.chain.config.staking, ownerOf(owner), publicKey);
    const proof = sign(this.chain.message(MESSAGE_KIND.keyProof, body));
    return [bytesToHex(publicKey), bytesToHex(proof)];
  }

  #anyone(): number {
    return this.below(this.model.validators.length);
  }

  /** An epoch near the newest, at times one to come. */
  #someEpoch(): number {
    return Math.max(1, this.model.epoch + 2 - this.below(40));
  }
}

function pick(one: StakingModel["validators"][number]): object {
  const { stake, rewards, reputation, status, lastListed, since, strikes, keys } = one;
  return { stake, rewards, reputation, status, lastListed, since, strikes, keys };
}

describe("Staking under random calls", function () {
  this.timeout(1_800_000);

  it(`does what the model does in ${CALLS} calls (QNET_TEST_SEED=${SEED})`, async () => {
    const fuzz = new Fuzz(await StakingChain.create({ stakes: GENESIS }));
    for (let call = 0; call < CALLS; call++) {
      await fuzz.step();
      fuzz.demandCoins();
      if (call % CHECK_EVERY === 0) fuzz.demandAgreement();
    }
    fuzz.demandAgreement();
    // a run that never gets there shows nothing
    const { validators } = fuzz.model;
    const slashed = validators.filter(({ guilt }) => guilt !== undefined);
    assert.ok(
      slashed.some(({ status }) => status === "withdrawn"),
      "a slashed one withdrew",
    );
    assert.ok(
      validators.some(({ status, guilt }) => status === "withdrawn" && guilt === undefined),
    );
    assert.ok(validators.some(({ strikes }) => strikes === 3));
  });
});
