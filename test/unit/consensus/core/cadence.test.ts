import assert from "node:assert/strict";
import { blockIntervalMs, dueSeq } from "../../../../src/consensus/core/cadence.ts";
import type { ChainPoint } from "../../../../src/consensus/core/chainPoint.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { World } from "../../../simulation/world.ts";

const { genesis, params } = new World(
  quietScenario(1, { validators: 4, durationMs: 0, load: [0] }),
);
const head: ChainPoint = { ...genesis, number: 5, slot: 10, seq: 1, tick: 2, closing: undefined };
const at = (slot: number, tick: number, pendingTransactions: number, finalizedEpoch = 0) => ({
  slot,
  tick,
  pendingTransactions,
  finalizedEpoch,
});
const due = (...of: Parameters<typeof at>) => dueSeq(params, head, at(...of));

describe("blockIntervalMs", () => {
  it("shortens with the pool", () => {
    const intervals = [0, 100, 101, 1000, 1001, 5000, 5001].map(blockIntervalMs);
    assert.deepEqual(intervals, [2000, 2000, 1000, 1000, 500, 500, 250]);
  });
});

describe("dueSeq", () => {
  it("opens a new slot at any tick but the quiet one", () => {
    assert.deepEqual(
      [0, 3, 6, 7].map((tick) => due(11, tick, 0)),
      [0, 0, 0, undefined],
    );
  });

  it("goes on in the slot when the interval is over and there is something to do", () => {
    assert.equal(due(10, 3, 10_000), 2);
    assert.equal(due(10, 3, 5000), undefined);
    assert.equal(due(10, 4, 5000), 2);
    assert.equal(due(10, 6, 1000), 2);
    assert.equal(due(10, 6, 100), undefined);
    assert.equal(due(10, 6, 0), undefined);
    assert.equal(due(9, 6, 10_000), undefined);
  });

  it("stops when the slot's gas is used up", () => {
    const full = { ...head, slotGasUsed: params.config.slotGasLimit - 20_999n };
    assert.equal(dueSeq(params, full, at(10, 6, 10_000)), undefined);
    assert.equal(
      dueSeq(params, { ...full, slotGasUsed: full.slotGasUsed - 1n }, at(10, 6, 10_000)),
      2,
    );
  });

  it("leaves slots empty without demand where that is wanted", () => {
    const lazy = { ...params, config: { ...params.config, emptyBlocks: false } };
    assert.equal(dueSeq(lazy, head, at(11, 0, 0)), undefined);
    assert.equal(dueSeq(lazy, head, at(11, 0, 1)), 0);
  });

  it("slows down when finality lags", () => {
    const late: ChainPoint = { ...head, epochState: { ...head.epochState, epoch: 24 } };
    const slots = [11, 13, 14, 17, 18].map((slot) => dueSeq(params, late, at(slot, 0, 9)));
    assert.deepEqual(slots, [undefined, undefined, undefined, undefined, 0]); // 2^3 slots
    assert.equal(dueSeq(params, late, at(10, 6, 10_000)), undefined);
    const dead: ChainPoint = { ...head, epochState: { ...head.epochState, epoch: 4000 } };
    assert.equal(dueSeq(params, dead, at(73, 0, 9)), undefined);
    assert.equal(dueSeq(params, dead, at(74, 0, 9)), 0);
  });
});
