import assert from "node:assert/strict";
import { BoundedCache } from "../../../src/runtime/cache.ts";
import { Emitter } from "../../../src/runtime/emitter.ts";
import { Metrics } from "../../../src/runtime/metrics.ts";
import { type Service, ServiceGroup } from "../../../src/runtime/service.ts";

describe("ServiceGroup", () => {
  const recorder =
    (events: string[], failing?: string) =>
    (name: string): Service => ({
      name,
      start: async () => {
        events.push(`+${name}`);
        if (name === failing) throw new Error(`${name} cannot start`);
      },
      stop: async () => {
        events.push(`-${name}`);
      },
    });

  it("starts in order and stops in reverse, once", async () => {
    const events: string[] = [];
    const group = new ServiceGroup();
    await group.start(["a", "b", "c"].map(recorder(events)));
    await Promise.all([group.stop(), group.stop()]);
    assert.deepEqual(events, ["+a", "+b", "+c", "-c", "-b", "-a"]);
  });

  it("stops what was started when one fails, the failed one too", async () => {
    const events: string[] = [];
    const group = new ServiceGroup();
    await assert.rejects(group.start(["a", "b", "c"].map(recorder(events, "b"))), /b cannot/);
    assert.deepEqual(events, ["+a", "+b", "-b", "-a"]);
  });
});

describe("Emitter", () => {
  it("calls listeners until they unsubscribe", () => {
    const emitter = new Emitter<{ head: number }>();
    const heard: number[] = [];
    const listener = (head: number): undefined => {
      heard.push(head);
    };
    const off = emitter.on("head", listener);
    emitter.on("head", listener);
    emitter.emit("head", 1);
    off();
    off();
    emitter.emit("head", 2);
    assert.deepEqual(heard, [1, 1, 2]);
    assert.equal(emitter.count("head"), 1);
  });
});

describe("BoundedCache", () => {
  it("forgets what was used longest ago, by count and by bytes", () => {
    const cache = new BoundedCache<string, Uint8Array>({
      entries: 3,
      bytes: 10,
      sizeOf: (value) => value.length,
    });
    const present = (...keys: string[]) => keys.filter((key) => cache.has(key)).join("");
    for (const key of ["a", "b", "c"]) cache.set(key, new Uint8Array(2));
    cache.get("a");
    cache.set("d", new Uint8Array(2));
    assert.equal(present("a", "b", "c", "d"), "acd");
    cache.set("e", new Uint8Array(7));
    assert.equal(present("a", "c", "d", "e"), "de");
  });
});

describe("Metrics", () => {
  it("tells Prometheus what each folder declared", async () => {
    const metrics = new Metrics();
    const handles = metrics.register("test", {
      done_total: { kind: "counter", help: "Things done.", labels: ["kind"] },
      size_bytes: { kind: "gauge", help: "Size." },
      wait_seconds: { kind: "histogram", help: "Waiting.", buckets: [1, 2] },
    });
    handles.done_total.add(2, { kind: "a" });
    let size = 5;
    handles.size_bytes.read(() => size);
    size = 7;
    handles.wait_seconds.observe(1.5);
    const text = await metrics.text();
    assert.match(text, /qnet_test_done_total\{kind="a"\} 2/);
    assert.match(text, /qnet_test_size_bytes 7/);
    assert.match(text, /qnet_test_wait_seconds_bucket\{le="2"\} 1/);
    assert.throws(() => metrics.register("test", { done_total: { kind: "counter", help: "x" } }));
  });

  it("has a registry of its own in every node", () => {
    const specs = { done_total: { kind: "counter", help: "Things done." } } as const;
    new Metrics().register("test", specs);
    new Metrics().register("test", specs);
  });
});
