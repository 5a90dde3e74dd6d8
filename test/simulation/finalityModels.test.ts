import assert from "node:assert/strict";
import { ALL_RULES, searchAckFinality, searchChainFinality } from "./finalityModels.ts";
import { searchHandOff } from "./handOffModel.ts";

const NO_SURROUND = { ...ALL_RULES, voteSurround: false };

describe("finality by votes and acks, all sets of messages of 3 honest validators beside a byzantine one", function () {
  this.timeout(120_000);

  it("never makes two of 2 branches of 4 epochs final, without the rule of vote surround", () => {
    const { cases, conflict } = searchAckFinality({ epochs: 4, branches: 2 }, NO_SURROUND);
    assert.equal(conflict, undefined);
    assert.equal(cases, 185_040_000);
  });

  it("never makes two of 3 branches of 3 epochs final", () => {
    const { cases, conflict } = searchAckFinality({ epochs: 3, branches: 3 }, NO_SURROUND);
    assert.equal(conflict, undefined);
    assert.equal(cases, 11_292_624);
  });

  for (const rule of ["doubleVote", "ackSurround"] as const)
    it(`finds a conflict without the rule ${rule}`, () => {
      const { conflict } = searchAckFinality(
        { epochs: 3, branches: 2 },
        { ...NO_SURROUND, [rule]: false },
      );
      assert.notEqual(conflict, undefined);
    });
});

describe("finality as the chain reads it from the votes it includes", function () {
  this.timeout(120_000);

  it("never makes two branches of 4 epochs final", () => {
    const { cases, conflict } = searchChainFinality({ epochs: 4, branches: 2 }, ALL_RULES);
    assert.equal(conflict, undefined);
    assert.equal(cases, 44_930_915);
  });

  for (const [rule, epochs] of [
    ["doubleVote", 3],
    ["voteSurround", 4],
  ] as const)
    it(`finds a conflict without the rule ${rule}`, () => {
      const { conflict } = searchChainFinality(
        { epochs, branches: 2 },
        { ...ALL_RULES, [rule]: false },
      );
      assert.notEqual(conflict, undefined);
    });
});

describe("hand-off between two sets of 4 that share nobody", function () {
  this.timeout(120_000);
  const rules = { ...ALL_RULES, jointPhase: true, endsWhenFinal: true };

  it("never makes two branches of 3 epochs final, whenever each hands over", () => {
    const { cases, conflict } = searchHandOff(rules);
    assert.equal(conflict, undefined);
    assert.equal(cases, 17_472);
  });

  for (const rule of [
    "jointPhase",
    "endsWhenFinal",
    "doubleVote",
    "ackSurround",
    "voteSurround",
  ] as const)
    it(`finds a conflict without the rule ${rule}`, () => {
      assert.notEqual(searchHandOff({ ...rules, [rule]: false }).conflict, undefined);
    });
});
