import assert from "node:assert/strict";
import { DevClock, MAX_TIMESTAMP } from "../../../src/consensus/devClock.ts";
import { ProducerError } from "../../../src/consensus/producerError.ts";
import { ManualClock } from "../../../src/runtime/clock.ts";

function clockAt(seconds: number): { readonly real: ManualClock; readonly clock: DevClock } {
  const real = new ManualClock(seconds * 1000);
  return { real, clock: new DevClock(real) };
}

describe("DevClock", () => {
  it("gives the time of day, and at least a second more than the parent's", () => {
    const { clock } = clockAt(1_000);
    assert.equal(clock.nextTimestamp(900n), 1_000n);
    assert.equal(clock.nextTimestamp(1_000n), 1_001n);
    assert.equal(clock.nextTimestamp(1_005n), 1_006n);
    assert.equal(clock.nextTimestamp(1_000n, 0n), 1_000n);
  });

  it("moves by increase and setTime and goes on from there", async () => {
    const { real, clock } = clockAt(1_000);
    assert.equal(clock.increase(500n), 500n);
    assert.equal(clock.increase(100n), 600n);
    await real.advance(10_000);
    assert.equal(clock.nextTimestamp(0n), 1_610n);
    clock.setTime(200_000);
    assert.equal(clock.nextTimestamp(0n), 200n);
  });

  it("uses a wished timestamp once and lets time go on from it", async () => {
    const { real, clock } = clockAt(1_000);
    clock.setNextTimestamp(5_000n, 1_000n);
    assert.equal(clock.nextTimestamp(1_000n), 5_000n);
    assert.equal(clock.nextTimestamp(1_000n), 5_000n);
    clock.used(5_000n);
    await real.advance(7_000);
    assert.equal(clock.nextTimestamp(5_000n), 5_007n);
  });

  it("refuses timestamps that do not rise or are out of range", () => {
    const { clock } = clockAt(1_000);
    const code = (act: () => void) => {
      try {
        act();
      } catch (error) {
        assert.ok(error instanceof ProducerError);
        return error.reason.code;
      }
      return undefined;
    };
    assert.equal(
      code(() => clock.setNextTimestamp(10n, 10n)),
      "TIMESTAMP_TOO_LOW",
    );
    assert.equal(
      code(() => clock.setNextTimestamp(MAX_TIMESTAMP + 1n, 10n)),
      "TIMESTAMP_TOO_HIGH",
    );
    assert.equal(
      code(() => clock.increase(MAX_TIMESTAMP)),
      "TIMESTAMP_TOO_HIGH",
    );
    assert.equal(clock.nextTimestamp(0n), 1_000n);
  });

  it("keeps a set distance between blocks", () => {
    const { clock } = clockAt(1_000);
    clock.setBlockInterval(12n);
    assert.equal(clock.nextTimestamp(500n), 512n);
    clock.setBlockInterval(undefined);
    assert.equal(clock.nextTimestamp(500n), 1_000n);
  });

  it("is brought back by restore", () => {
    const { clock } = clockAt(1_000);
    clock.increase(50n);
    clock.setNextTimestamp(2_000n, 0n);
    const snapshot = clock.snapshot();
    clock.used(2_000n);
    clock.increase(1_000n);
    clock.setBlockInterval(3n);
    clock.restore(snapshot);
    assert.equal(clock.offset, 50n);
    assert.equal(clock.nextTimestamp(0n), 2_000n);
    assert.equal(clock.blockInterval, undefined);
  });
});
