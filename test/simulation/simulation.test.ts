import assert from "node:assert/strict";
import { type CampaignRun, describeFailure, runCampaign, runScenario } from "./campaign.ts";
import { randomScenario, splitAttack } from "./scenario.ts";
import { World } from "./world.ts";

const DURATION_MS = 10 * 60_000;
/** 200 seeds: number of validators → how many. */
const SEEDS: readonly (readonly [validators: number, seeds: number])[] = [
  [4, 140],
  [7, 40],
  [10, 15],
  [20, 5],
];

describe("simulation", function () {
  this.timeout(1_200_000);

  for (const [validators, seeds] of SEEDS)
    it(`keeps ${validators} validators safe, live and innocent in ${seeds} seeds (P1, P3, P4)`, async () => {
      const wish = { validators, durationMs: DURATION_MS };
      const runs = Array.from(
        { length: seeds },
        (_, index): CampaignRun => ({ seed: index + 1, wish }),
      );
      const failures: string[] = [];
      let finalEpochs = 0;
      await runCampaign(runs, (result) => {
        finalEpochs += result.finalEpoch;
        if (result.violations.length > 0) failures.push(describeFailure(result));
      });
      assert.deepEqual(failures, []);
      assert.ok(finalEpochs > seeds, "the runs finalise");
    });

  it("is the same for the same seed", () => {
    const run = () => runScenario(randomScenario(7, { validators: 4, durationMs: 120_000 }));
    assert.deepEqual({ ...run(), cpuMs: 0 }, { ...run(), cpuMs: 0 });
  });

  it("loses an epoch to a traitor that closes it with two blocks, where votes do not wait", () => {
    // found by the campaign: validator 2 closed epochs 32 and 33 that way, and K is 0
    const scenario = randomScenario(1188, { validators: 4, durationMs: DURATION_MS });
    assert.equal(scenario.config.voteDelaySlots, 0);
    assert.deepEqual(runScenario(scenario).violations, []);
    for (const voteDelaySlots of [1, 2]) {
      const waiting = { ...scenario, config: { ...scenario.config, voteDelaySlots } };
      assert.deepEqual(runScenario(waiting).violations, []);
    }
  });

  it("runs on real ML-DSA-44 signatures", () => {
    const wish = { validators: 4, durationMs: 120_000, realSignatures: true };
    const result = runScenario(randomScenario(3, wish));
    assert.deepEqual(result.violations, []);
    assert.ok(result.finalEpoch > 0);
  });

  for (const validators of [4, 7, 10])
    it(`breaks ${validators} validators with a third of traitors, and finds them out (P2)`, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const observer = new World(splitAttack(seed, validators)).run();
        assert.ok(observer.conflicts > 0, `seed ${seed}: the attack succeeds`);
        const innocent = observer.violations.filter(({ kind }) => kind === "honest key slashable");
        assert.deepEqual(innocent, []);
        const [checkpoint] = observer.checkpoints.values();
        assert.ok(checkpoint !== undefined && observer.guiltyShare(checkpoint) >= 1 / 3);
      }
    });
});
