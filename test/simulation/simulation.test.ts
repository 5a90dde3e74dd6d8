import assert from "node:assert/strict";
import { describeFailure, runScenario } from "./campaign.ts";
import { randomScenario, splitAttack } from "./scenario.ts";
import { World } from "./world.ts";

/** Virtual minutes of each run. */
const MINUTES = 10;

describe("simulation", function () {
  this.timeout(600_000);

  for (const validators of [4, 7])
    it(`keeps ${validators} validators safe and live below a third of traitors`, () => {
      const failures: string[] = [];
      for (let seed = 1; seed <= 3; seed++) {
        const scenario = randomScenario(seed, { validators, durationMs: MINUTES * 60_000 });
        const result = runScenario(scenario);
        if (result.violations.length > 0) failures.push(describeFailure(result));
      }
      assert.deepEqual(failures, []);
    });

  it("breaks with a third of traitors, who are all found out (P2)", () => {
    const world = new World(splitAttack(1, 4));
    const observer = world.run();
    assert.ok(observer.conflicts > 0, "the attack succeeds");
    assert.ok(observer.violations.every(({ kind }) => kind !== "honest key slashable"));
    const [checkpoint] = observer.checkpoints.values();
    assert.ok(checkpoint !== undefined && observer.guiltyShare(checkpoint) >= 1 / 3);
  });
});
