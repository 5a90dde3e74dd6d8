import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Configuration,
  configurationOf,
  isQuorumIn,
  memberByKey,
  memberOf,
  nextConfiguration,
  proposers,
  singleSet,
} from "../../../../src/consensus/core/configuration.ts";
import { bigIntToHash } from "../../../../src/primitives/hex.ts";
import { hasQuorum } from "../../../../src/types/validatorSet.ts";

const key = (n: number) => bigIntToHash(BigInt(n + 1));
const member = (id: number, stake = 100n, keyNumber = id) => ({
  id,
  stake,
  keyHash: key(keyNumber),
});
const candidate = (id: number, stake = 100n, keyNumber = id) => ({
  ...member(id, stake, keyNumber),
  reputation: 5000,
});
const A = [member(0), member(1), member(2)];
const facts = {
  epoch: 10,
  finalizedBefore: 6,
  finalized: 7,
  candidates: A.map(({ id }) => candidate(id)),
};

describe("nextConfiguration", () => {
  const single = singleSet(A);

  it("keeps the set while nothing new is final, nobody is there or nothing differs", () => {
    const changed = [candidate(0), candidate(3)];
    assert.equal(
      nextConfiguration(single, { ...facts, finalizedBefore: 7, candidates: changed }),
      single,
    );
    assert.equal(nextConfiguration(single, { ...facts, candidates: [] }), single);
    assert.equal(nextConfiguration(single, facts), single);
  });

  it("starts a hand-off two epochs ahead for a member, a key or a 256th of the stake", () => {
    const cases = [
      [candidate(0), candidate(1), candidate(3)],
      [candidate(0), candidate(1), candidate(2, 100n, 9)],
      [candidate(0), candidate(1), candidate(2, 102n)],
    ];
    for (const candidates of cases)
      assert.equal(nextConfiguration(single, { ...facts, candidates }).handoff, 12);
    const little = [candidate(0), candidate(1), candidate(2, 101n)]; // 256 < 300
    assert.equal(nextConfiguration(single, { ...facts, candidates: little }), single);
  });

  it("ends the hand-off when its first epoch is final on chain, not before", () => {
    const joint = configurationOf(A, [member(3), member(4)], 12);
    assert.equal(nextConfiguration(joint, { ...facts, finalized: 11 }), joint);
    const after = nextConfiguration(joint, { ...facts, finalized: 12 });
    assert.deepEqual(
      after.members.map(({ id }) => id),
      [3, 4],
    );
    assert.equal(after.handoff, 0);
  });
});

describe("configurationOf", () => {
  const joint = configurationOf(A, [member(1, 50n, 8), member(3)], 12);

  it("keeps the old key of who stays, and lets the new set propose", () => {
    assert.equal(memberOf(joint, 1)?.keyHash, key(1));
    assert.deepEqual(proposers(joint), [member(1, 50n, 1), member(3)]);
    assert.equal(memberOf(joint, 9), undefined);
    assert.equal(memberByKey(joint, [key(3)])?.id, 3);
    assert.equal(memberByKey(joint, []), undefined);
  });

  it("wants a quorum of both sets", () => {
    assert.ok(!isQuorumIn(joint, [0, 1, 2]));
    assert.ok(!isQuorumIn(joint, [1, 3]));
    assert.ok(isQuorumIn(joint, [0, 1, 3]));
  });
});

describe("isQuorumIn", () => {
  const sets = fc.uniqueArray(
    fc.record({ id: fc.nat(12), stake: fc.bigInt({ min: 1n, max: 100n }) }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 8 },
  );
  const ordered = (list: { id: number; stake: bigint }[]) =>
    list.map(({ id, stake }) => member(id, stake)).sort((a, b) => a.id - b.id);

  it("agrees with the light client's reading of the members", () => {
    fc.assert(
      fc.property(sets, sets, fc.uniqueArray(fc.nat(12)), (old, young, ids) => {
        const config: Configuration = configurationOf(ordered(old), ordered(young), 3);
        assert.equal(isQuorumIn(config, ids), hasQuorum(config.members, new Set(ids)));
      }),
    );
  });
});
