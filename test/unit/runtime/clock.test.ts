import assert from "node:assert/strict";
import { ManualClock, systemClock } from "../../../src/runtime/clock.ts";

describe("ManualClock", () => {
  it("wakes sleepers in the order of their times", async () => {
    const clock = new ManualClock(100);
    const { signal } = new AbortController();
    const woken: [string, number][] = [];
    const sleep = (name: string, ms: number) =>
      clock.sleepUntil(ms, signal).then(() => woken.push([name, clock.nowMs()]));
    const all = Promise.all([sleep("late", 130), sleep("early", 110), sleep("past", 50)]);
    await clock.advance(40);
    await all;
    assert.deepEqual(woken, [
      ["past", 100],
      ["early", 110],
      ["late", 130],
    ]);
    assert.equal(clock.nowMs(), 140);
  });

  it("ends a sleep with the signal's reason", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleep = clock.sleepUntil(10, controller.signal);
    controller.abort(new Error("enough"));
    await assert.rejects(sleep, /enough/);
    assert.equal(clock.sleeping, 0);
  });
});

describe("systemClock", () => {
  it("sleeps until a time and can be woken by its signal", async () => {
    const startMs = systemClock.nowMs();
    await systemClock.sleepUntil(startMs + 15, new AbortController().signal);
    assert.ok(systemClock.nowMs() >= startMs + 15);
    const signal = AbortSignal.timeout(5);
    await assert.rejects(systemClock.sleepUntil(startMs + 60_000, signal), {
      name: "TimeoutError",
    });
  });
});
