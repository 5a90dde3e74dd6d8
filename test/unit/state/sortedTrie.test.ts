import assert from "node:assert/strict";
import fc from "fast-check";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import type { Bytes } from "../../../src/primitives/bytes.ts";
import { SortedTrie } from "../../../src/state/sortedTrie.ts";
import { Trie } from "../../../src/state/trie.ts";
import { diffTries } from "../../../src/state/trieDiff.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { MapStore } from "./mapStore.ts";

const hex = (bytes: Bytes) => Buffer.from(bytes).toString("hex");

/** Short keys share prefixes and make embedded nodes, extensions and full branches. */
const shortKeys = fc.uint8Array({ minLength: 2, maxLength: 2 });
const hashedKeys = fc.uint8Array({ minLength: 1, maxLength: 2 }).map(keccak256);
const entriesOf = (keys: fc.Arbitrary<Bytes>) =>
  fc.uniqueArray(fc.tuple(keys, fc.uint8Array({ minLength: 1, maxLength: 40 })), {
    selector: ([key]) => hex(key),
    maxLength: 120,
  });
const eitherEntries = fc.oneof(entriesOf(shortKeys), entriesOf(hashedKeys));

describe("SortedTrie", () => {
  it("gives the root that a trie of the same entries has", () => {
    fc.assert(
      fc.property(eitherEntries, (entries) => {
        const trie = new Trie(new MapStore(), EMPTY_TRIE_ROOT);
        for (const [key, value] of entries) trie.put(key, value);
        const sorted = new SortedTrie();
        for (const [key, value] of entries.toSorted(([a], [b]) => Buffer.compare(a, b)))
          sorted.add(key, value);
        assert.equal(sorted.root(), trie.rootHash());
      }),
      { numRuns: 500 },
    );
  });

  it("asserts that keys rise", () => {
    const sorted = new SortedTrie();
    sorted.add(Uint8Array.of(2, 1), Uint8Array.of(1));
    for (const key of [Uint8Array.of(2, 1), Uint8Array.of(1, 9)])
      assert.throws(() => sorted.add(key, Uint8Array.of(1)), /keys come in order/);
  });
});

describe("diffTries", () => {
  it("names exactly the keys whose values differ", () => {
    const values = fc.uint8Array({ minLength: 0, maxLength: 34 });
    const changes = (keys: fc.Arbitrary<Bytes>) =>
      fc.array(fc.tuple(keys, values), { maxLength: 60 });
    const both = fc.oneof(
      fc.tuple(entriesOf(shortKeys), changes(shortKeys)),
      fc.tuple(entriesOf(hashedKeys), changes(hashedKeys)),
    );
    fc.assert(
      fc.property(both, ([entries, changed]) => {
        const store = new MapStore();
        const trie = new Trie(store, EMPTY_TRIE_ROOT);
        const before = new Map(entries.map(([key, value]) => [hex(key), value]));
        for (const [key, value] of entries) trie.put(key, value);
        const from = trie.rootHash();
        const after = new Map(before);
        for (const [key, value] of changed) {
          trie.put(key, value);
          if (value.length === 0) after.delete(hex(key));
          else after.set(hex(key), value);
        }
        const to = trie.rootHash();
        store.add(trie.takeNodes());
        const textOf = (map: Map<string, Bytes>, key: string) =>
          hex(map.get(key) ?? new Uint8Array(0));
        const expected = [...new Set([...before.keys(), ...after.keys()])]
          .map((key) => [key, textOf(before, key), textOf(after, key)])
          .filter(([, one, other]) => one !== other)
          .sort();
        const found = [...diffTries(store, from, to)].map((one) => [
          hex(one.key),
          hex(one.before),
          hex(one.after),
        ]);
        assert.deepEqual(found.sort(), expected);
        assert.deepEqual([...diffTries(store, to, to)], []);
      }),
      { numRuns: 500 },
    );
  });

  it("reads nothing below what both tries share", () => {
    const store = new MapStore();
    const trie = new Trie(store, EMPTY_TRIE_ROOT);
    const keyOf = (n: number) => keccak256(Uint8Array.of(n >> 8, n));
    for (let n = 0; n < 5_000; n++) trie.put(keyOf(n), Uint8Array.of(1, n >> 8, n));
    const from = trie.rootHash();
    trie.put(keyOf(77), Uint8Array.of(9));
    const to = trie.rootHash();
    store.add(trie.takeNodes());
    let reads = 0;
    const counting = {
      getNode: (hash: Bytes) => {
        reads++;
        return store.getNode(hash);
      },
    };
    assert.equal([...diffTries(counting, from, to)].length, 1);
    assert.ok(reads <= 12, `${reads} nodes were read`);
  });
});
