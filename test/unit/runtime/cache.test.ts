import assert from "node:assert/strict";
import { BoundedCache } from "../../../src/runtime/cache.ts";

describe("BoundedCache", () => {
  const cache = () =>
    new BoundedCache<string, number>({ entries: 4, bytes: 100, sizeOf: (size) => size });

  it("drops what was used least recently when the bytes are full", () => {
    const kept = cache();
    for (const key of ["a", "b"]) kept.set(key, 40);
    kept.get("a");
    kept.set("c", 40);
    assert.deepEqual([kept.has("a"), kept.has("b"), kept.has("c")], [true, false, true]);
  });

  it("keeps a value larger than all of it alone", () => {
    const kept = cache();
    kept.set("a", 40);
    kept.set("large", 1_000);
    assert.deepEqual([kept.size, kept.get("large")], [1, 1_000]);
    kept.set("b", 1);
    assert.deepEqual([kept.size, kept.has("b")], [1, true]);
  });

  it("holds no more entries than it may", () => {
    const kept = cache();
    for (const key of ["a", "b", "c", "d", "e"]) kept.set(key, 0);
    assert.deepEqual([kept.size, kept.has("a")], [4, false]);
  });
});
