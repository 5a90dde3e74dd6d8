import assert from "node:assert/strict";
import { ZERO_ADDRESS } from "../../../src/primitives/hex.ts";
import {
  GWEI,
  ownerOf,
  type StakingChain,
  TIMES,
  testKey,
  withdrawalOf,
} from "../../support/stakingChain.ts";
import {
  ack,
  evidence,
  seal,
  summary,
  type TestMessage,
  vote,
} from "../../support/stakingEvidence.ts";

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

/** Each relation, in either order, and pairs that are none. */
const PAIRS: readonly [
  name: string,
  a: TestMessage,
  b: TestMessage,
  offence: number | undefined,
][] = [
  ["two votes for one target", vote(1, 0, 5), vote(1, 0, 5, 1), 1],
  ["two votes for one target from two sources", vote(1, 0, 5), vote(1, 2, 5), 1],
  ["two acks of one epoch", ack(1, 5), ack(1, 5, 1), 2],
  ["a vote across an ack", vote(1, 4, 6), ack(1, 5), 3],
  ["a vote around a vote", vote(1, 1, 6), vote(1, 2, 5), 4],
  ["the same vote", vote(1, 0, 5), vote(1, 0, 5), undefined],
  ["the same ack", ack(1, 5), ack(1, 5), undefined],
  ["acks of two epochs", ack(1, 5), ack(1, 6, 1), undefined],
  ["a vote up to an ack", vote(1, 4, 5), ack(1, 5), undefined],
  ["a vote from an ack", vote(1, 5, 6), ack(1, 5), undefined],
  ["votes one after the other", vote(1, 0, 5), vote(1, 5, 6), undefined],
  ["votes from one source", vote(1, 2, 5), vote(1, 2, 6), undefined],
];

describe("Staking: finality offences", function () {
  this.timeout(60_000);

  for (const [name, a, b, offence] of PAIRS)
    it(`${offence === undefined ? "does not punish" : "punishes"} ${name}`, async () => {
      const key = testKey(1);
      for (const [first, second] of [
        [a, b],
        [b, a],
      ] as const) {
        const chain = await chainOf();
        const args = evidence(chain, 1, { message: first, key }, { message: second, key });
        const outcome = await chain.send(REPORTER, "slashDoubleVote", args);
        if (offence === undefined) {
          assert.equal(outcome.error, "NoOffence");
          continue;
        }
        assert.equal(outcome.error, undefined);
        const lost = (2n * MIN) / 20n;
        assert.equal(chain.balance(REPORTER), (lost / 8n) * GWEI);
        assert.equal(chain.balance(ZERO_ADDRESS), (lost - lost / 8n) * GWEI);
        assert.equal(read(chain, 1).status, "slashed");
        assert.equal(read(chain, 1).stake, 2n * MIN - lost);
        assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, "AlreadySlashed");
        demandSolvent(chain);
      }
    });

  it("refuses foreign, unsigned, cut and other chains' messages", async () => {
    const chain = await chainOf();
    const other = await chainOf(STAKES, { salt: `0x${"77".repeat(32)}` });
    const [a, b] = [vote(1, 0, 5), vote(1, 0, 5, 1)];
    const [key, stranger] = [testKey(1), testKey(2)];
    const good = evidence(chain, 1, { message: a, key }, { message: b, key });
    const cases: readonly [readonly unknown[], string][] = [
      [evidence(chain, 1, { message: a, key: stranger }, { message: b, key }), "BadSignature"],
      [evidence(chain, 1, { message: a, key }, { message: b, key: stranger }), "BadSignature"],
      [evidence(other, 1, { message: a, key }, { message: b, key }), "BadSignature"],
      [evidence(chain, 2, { message: a, key }, { message: b, key }), "ForeignMessage"],
      [evidence(chain, 1, { message: a, key, index: 1 }, { message: b, key }), "UnknownKey"],
      [good.with(2, "0x00"), "BadBody"],
      [good.with(3, "0x00"), "BadSignature"],
      [good.with(0, 99), "UnknownValidator"],
      // a seal's bytes as a vote's: the kind is signed too
      [
        evidence(chain, 1, { message: { ...a, kind: 3 }, key }, { message: b, key }),
        "BadSignature",
      ],
    ];
    for (const [args, error] of cases)
      assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, error);
    assert.equal(read(chain, 1).status, "registered");
  });

  it("takes evidence up to the window's age, by the time of the newer epoch", async () => {
    const chain = await chainOf();
    await passEpochs(chain, 1, 2, [0, 1, 2, 3]);
    const key = testKey(1);
    const args = evidence(
      chain,
      1,
      { message: vote(1, 0, 2), key },
      { message: vote(1, 0, 2, 1), key },
    );
    const last = chain.timestamp + BigInt(TIMES.evidenceWindow);
    chain.timestamp = last + 1n;
    assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, "EvidenceTooOld");
    chain.timestamp = last;
    assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, undefined);
  });

  it("holds a validator to both keys of a rotation", async () => {
    const chain = await chainOf();
    const [publicKey, proof] = await registerArgs(chain, 9, ownerOf(1));
    await chain.send(ownerOf(1), "rotateKey", [1, publicKey, proof]);
    const args = evidence(
      chain,
      1,
      { message: ack(1, 3), key: testKey(1), index: 0 },
      { message: ack(1, 3, 1), key: testKey(9), index: 1 },
    );
    assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, undefined);
  });

  it("takes everything from an attack with a third, and a tenth as much from a thirtieth", async () => {
    const chain = await chainOf(Array.from({ length: 30 }, () => MIN));
    const all = Array.from({ length: 30 }, (_, id) => id);
    await passEpochs(chain, 1, 1, all);
    const slash = async (id: number) => {
      const key = testKey(id);
      const args = evidence(
        chain,
        id,
        { message: ack(id, 1), key },
        { message: ack(id, 1, 1), key },
      );
      assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, undefined);
    };
    await slash(0);
    const rest = MIN - MIN / 20n;
    assert.equal(await chain.view("correlatedPenalty", 0), rest / 10n);
    for (let id = 1; id < 10; id++) await slash(id);
    assert.equal(await chain.view("correlatedPenalty", 0), rest);
    await passEpochs(chain, 2, 2, []);
    chain.timestamp += BigInt(TIMES.unbonding);
    const burnt = chain.balance(ZERO_ADDRESS);
    assert.equal((await chain.send(ownerOf(0), "withdraw", [0])).error, undefined);
    assert.equal(chain.balance(withdrawalOf(0)), 0n);
    assert.equal(chain.balance(ZERO_ADDRESS) - burnt, rest * GWEI);
    demandSolvent(chain);
  });

  it("measures by the stake known before, after an epoch in which no vote was due", async () => {
    const chain = await chainOf(Array.from({ length: 30 }, () => MIN));
    const rows = Array.from({ length: 30 }, (_, id) => ({ id, voteExpected: false, voted: false }));
    await chain.endEpoch(summary(1, rows));
    const key = testKey(0);
    const args = evidence(chain, 0, { message: ack(0, 1), key }, { message: ack(0, 1, 1), key });
    assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, undefined);
    assert.equal(await chain.view("correlatedPenalty", 0), (MIN - MIN / 20n) / 10n);
  });

  it("does not add up offences that lie further apart than the window", async () => {
    const chain = await chainOf(Array.from({ length: 30 }, () => MIN));
    const slash = async (id: number) => {
      const key = testKey(id);
      const message = (tag: number) => ack(id, 900, tag);
      const args = evidence(chain, id, { message: message(0), key }, { message: message(1), key });
      assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, undefined);
    };
    await slash(0);
    chain.timestamp += BigInt(TIMES.evidenceWindow);
    await slash(1);
    chain.timestamp += 1n;
    await slash(2);
    const rest = MIN - MIN / 20n;
    const penalties: unknown[] = [];
    for (const id of [0, 1, 2]) penalties.push(await chain.view("correlatedPenalty", id));
    assert.deepEqual(penalties, [(rest * 2n) / 10n, (rest * 3n) / 10n, (rest * 2n) / 10n]);
  });
});

describe("Staking: double seals", function () {
  this.timeout(60_000);

  const strike = (
    chain: StakingChain,
    slot: number,
    fields: { seq?: number; other?: number } = {},
  ) => {
    const key = testKey(1);
    const [a, b] = [
      seal(1, slot, fields.seq ?? 0),
      seal(1, slot, fields.other ?? fields.seq ?? 0, 1),
    ];
    const args = evidence(chain, 1, { message: a, key }, { message: b, key });
    return chain.send(REPORTER, "slashDoubleSeal", args);
  };

  it("burn 1 %, jail for 960 epochs, once per slot, and are final the third time", async () => {
    const chain = await chainOf();
    assert.equal((await strike(chain, 3)).error, undefined);
    let stake = 2n * MIN - (2n * MIN) / 100n;
    assert.deepEqual([read(chain, 1).status, read(chain, 1).stake], ["jailed", stake]);
    assert.equal(read(chain, 1).since, 960);
    assert.equal((await strike(chain, 3)).error, "AlreadySlashed");
    assert.equal((await strike(chain, 3, { seq: 1 })).error, "AlreadySlashed");
    assert.equal((await strike(chain, 4, { seq: 0, other: 1 })).error, "NoOffence");
    assert.equal((await strike(chain, 5)).error, undefined);
    stake -= stake / 100n;
    assert.equal((await strike(chain, 6)).error, undefined);
    stake -= stake / 100n;
    assert.deepEqual([read(chain, 1).status, read(chain, 1).stake], ["slashed", stake]);
    assert.equal((await strike(chain, 7)).error, "AlreadySlashed");
    assert.equal(await chain.view("correlatedPenalty", 1), 0n);
    demandSolvent(chain);
  });

  it("are forgotten with the evidence window, by the slot's time", async () => {
    const chain = await chainOf();
    chain.timestamp = chain.genesis.timestamp + 3n + BigInt(TIMES.evidenceWindow) + 1n;
    assert.equal((await strike(chain, 3)).error, "EvidenceTooOld");
    chain.timestamp--;
    assert.equal((await strike(chain, 3)).error, undefined);
  });

  it("do not save a validator from a finality offence found later", async () => {
    const chain = await chainOf();
    for (const slot of [1, 2, 3]) await strike(chain, slot);
    assert.equal(read(chain, 1).status, "slashed");
    const key = testKey(1);
    const args = evidence(chain, 1, { message: ack(1, 9), key }, { message: ack(1, 9, 1), key });
    assert.equal((await chain.send(REPORTER, "slashDoubleVote", args)).error, undefined);
  });
});
