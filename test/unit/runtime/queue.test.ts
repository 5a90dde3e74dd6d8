import assert from "node:assert/strict";
import { QueueError, SerialQueue } from "../../../src/runtime/queue.ts";

describe("SerialQueue", () => {
  it("runs tasks one at a time, in order, and hands out results and errors", async () => {
    const queue = new SerialQueue({ name: "test", limit: 10 });
    const events: string[] = [];
    const task = (name: string) => async () => {
      events.push(`${name} starts`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
      if (name === "b") throw new Error("b fails");
      return name;
    };
    const results = await Promise.allSettled(["a", "b", "c"].map((name) => queue.run(task(name))));
    assert.deepEqual(
      results.map((result) => (result.status === "fulfilled" ? result.value : "failed")),
      ["a", "failed", "c"],
    );
    assert.deepEqual(events, ["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
  });

  it("refuses what exceeds its limit", async () => {
    const queue = new SerialQueue({ name: "test", limit: 2 });
    const runs = [1, 2, 3].map((value) => queue.run(() => value));
    const [first, second, third] = await Promise.allSettled(runs);
    assert.equal(first?.status, "fulfilled");
    assert.equal(second?.status, "fulfilled");
    assert.ok(third?.status === "rejected" && third.reason instanceof QueueError);
    assert.deepEqual(third.reason.reason, { code: "QUEUE_FULL", queue: "test", limit: 2 });
    assert.equal(await queue.run(() => 4), 4);
  });

  it("refuses what waits when it closes, and ends what runs", async () => {
    const queue = new SerialQueue({ name: "test", limit: 5 });
    let ended = false;
    const running = queue.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended = true;
    });
    const waiting = queue.run(() => 1);
    await new Promise((resolve) => setImmediate(resolve));
    const refused = assert.rejects(waiting, QueueError);
    await queue.close();
    assert.ok(ended);
    await running;
    await refused;
    await assert.rejects(
      queue.run(() => 1),
      QueueError,
    );
  });
});
