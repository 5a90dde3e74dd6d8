import assert from "node:assert/strict";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { GenerationalCache, NodeCache } from "../../../src/state/nodeCache.ts";
import { Trie } from "../../../src/state/trie.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { MapStore } from "./mapStore.ts";

describe("GenerationalCache", () => {
  it("holds no more than its limit, by count or by weight", () => {
    const counted = new GenerationalCache<number, string>(100);
    const weighed = new GenerationalCache<number, string>(100, (text) => text.length);
    for (let i = 0; i < 10_000; i++) {
      counted.set(i, "x");
      weighed.set(i, "ten chars.");
      assert.ok(counted.size <= 100);
      assert.ok(weighed.size <= 10);
    }
  });

  it("keeps what is asked for and drops what is not", () => {
    const cache = new GenerationalCache<number, string>(100);
    for (let i = 0; i < 1_000; i++) {
      cache.set(i, "x");
      assert.equal(cache.get(0), "x");
    }
    assert.equal(cache.get(999), "x");
    assert.equal(cache.get(500), undefined);
  });
});

describe("NodeCache", () => {
  it("stays within its limit while a trie larger than it is written and read", () => {
    const store = new MapStore();
    const cache = new NodeCache(100_000);
    const keys = Array.from({ length: 3_000 }, (_, i) => keccak256(Uint8Array.of(i >> 8, i)));
    let root = EMPTY_TRIE_ROOT;
    for (let from = 0; from < keys.length; from += 500) {
      const trie = new Trie(store, root, cache);
      for (const key of keys.slice(from, from + 500)) trie.put(key, key);
      root = trie.rootHash();
      store.add(trie.takeNodes());
      assert.ok(cache.size < 500, `${cache.size} nodes`);
    }
    const trie = new Trie(store, root, cache);
    for (const key of keys) assert.deepEqual(trie.get(key), key);
    assert.ok(cache.size < 500);
  });
});
