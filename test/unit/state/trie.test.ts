import assert from "node:assert/strict";
import { createMPT } from "@ethereumjs/mpt";
import fc from "fast-check";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import { bytesToHash, hexToBytes, parseHash } from "../../../src/primitives/hex.ts";
import { NodeCache } from "../../../src/state/nodeCache.ts";
import { StateError } from "../../../src/state/stateError.ts";
import { Trie } from "../../../src/state/trie.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { MapStore } from "./mapStore.ts";

type Write = readonly [key: Bytes, value: Bytes];

/** Few distinct keys, so that writes meet; values from empty (deletes) over embedded sizes to long ones. */
const hashedKey = fc.integer({ min: 0, max: 60 }).map((n) => keccak256(Uint8Array.of(n)));
const shortKey = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((bytes) => bytes.map((b) => b & 0x33));
const value = fc.oneof(
  fc.constant(EMPTY_BYTES),
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
  fc.uint8Array({ minLength: 28, maxLength: 80 }),
);
const batches = (key: fc.Arbitrary<Bytes>) =>
  fc.array(fc.array(fc.tuple(key, value), { maxLength: 40 }), { minLength: 1, maxLength: 6 });

/** The library's trie with exactly this content, made without a deletion. */
async function libraryTrie(model: ReadonlyMap<string, Bytes>) {
  const oracle = await createMPT();
  for (const [hex, entry] of model) await oracle.put(Buffer.from(hex, "hex"), entry);
  return oracle;
}

/**
 * @ethereumjs/mpt 10.1.3 loses the value of a branch when the deletion of another key leaves that branch with one child
 * (put 2010, 20, 2000, delete 2000: its root is no longer that of {2010, 20}). State keys are hashes, where no branch
 * has a value; for keys that are prefixes of each other the oracle is made anew each round.
 */
async function compare(rounds: readonly (readonly Write[])[], prefixes = false): Promise<void> {
  const store = new MapStore();
  let oracle = await createMPT();
  const model = new Map<string, Bytes>();
  let trie = new Trie(store, EMPTY_TRIE_ROOT);
  for (const [index, writes] of rounds.entries()) {
    for (const [key, entry] of writes) {
      trie.put(key, entry);
      if (entry.length === 0) {
        await oracle.del(key);
        model.delete(Buffer.from(key).toString("hex"));
      } else {
        await oracle.put(key, entry);
        model.set(Buffer.from(key).toString("hex"), entry);
      }
    }
    if (prefixes) oracle = await libraryTrie(model);
    const root = trie.rootHash();
    assert.equal(root, bytesToHash(oracle.root()));
    store.add(trie.takeNodes());
    if (index % 2 === 1) trie = new Trie(store, root, new NodeCache(2_000));
    for (const [key] of writes) {
      const known = model.get(Buffer.from(key).toString("hex"));
      assert.deepEqual(trie.get(key), known);
    }
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    const walked = [...trie.entries()].map(([k, v]) => [Buffer.from(k).toString("hex"), v]);
    assert.deepEqual(walked, sorted);
    const from = writes[0]?.[0];
    if (from !== undefined) {
      const hex = Buffer.from(from).toString("hex");
      const rest = [...trie.entries(from)].map(([k]) => Buffer.from(k).toString("hex"));
      assert.deepEqual(
        rest,
        sorted.map(([k]) => k).filter((k) => k >= hex),
      );
    }
  }
}

describe("Trie", () => {
  it("has the roots, values and order of @ethereumjs/mpt for hashed keys", async () => {
    await fc.assert(
      fc.asyncProperty(batches(hashedKey), (rounds) => compare(rounds)),
      { numRuns: 60 },
    );
  });

  it("has them for short keys that are prefixes of each other", async () => {
    await fc.assert(
      fc.asyncProperty(batches(shortKey), (rounds) => compare(rounds, true)),
      { numRuns: 120 },
    );
  });

  it("is empty again, and stores nothing, once every key is deleted", () => {
    const trie = new Trie(new MapStore(), EMPTY_TRIE_ROOT);
    const keys = Array.from({ length: 50 }, (_, i) => keccak256(Uint8Array.of(i)));
    for (const key of keys) trie.put(key, key);
    for (const key of keys) trie.put(key, EMPTY_BYTES);
    assert.equal(trie.rootHash(), EMPTY_TRIE_ROOT);
    assert.equal(trie.takeNodes().size, 0);
  });

  it("writes no node when a value is set to what it is", () => {
    const store = new MapStore();
    const trie = new Trie(store, EMPTY_TRIE_ROOT);
    for (let i = 0; i < 50; i++) trie.put(keccak256(Uint8Array.of(i)), Uint8Array.of(i + 1));
    const root = trie.rootHash();
    store.add(trie.takeNodes());
    for (let i = 0; i < 50; i++) trie.put(keccak256(Uint8Array.of(i)), Uint8Array.of(i + 1));
    assert.equal(trie.rootHash(), root);
    assert.equal(trie.takeNodes().size, 0);
  });

  it("leaves nodes shared through the cache untouched when another trie writes", () => {
    const store = new MapStore();
    const cache = new NodeCache();
    const first = new Trie(store, EMPTY_TRIE_ROOT, cache);
    for (let i = 0; i < 50; i++) first.put(keccak256(Uint8Array.of(i)), Uint8Array.of(i + 1));
    const root = first.rootHash();
    store.add(first.takeNodes());
    const second = new Trie(store, root, cache);
    for (let i = 0; i < 40; i++) second.put(keccak256(Uint8Array.of(i)), EMPTY_BYTES);
    second.rootHash();
    const third = new Trie(store, root, cache);
    for (let i = 0; i < 50; i++) {
      assert.deepEqual(third.get(keccak256(Uint8Array.of(i))), Uint8Array.of(i + 1));
    }
  });
});

describe("Trie over a damaged store", () => {
  const keys = Array.from({ length: 200 }, (_, i) => keccak256(Uint8Array.of(i)));
  const build = () => {
    const store = new MapStore();
    const trie = new Trie(store, EMPTY_TRIE_ROOT);
    for (const key of keys) trie.put(key, key);
    const root = trie.rootHash();
    store.add(trie.takeNodes());
    return { store, root };
  };

  it("names root, path and hash of a missing node, and never reads it as absent", () => {
    const { store, root } = build();
    for (const hex of [...store.nodes.keys()]) {
      const raw = store.nodes.get(hex);
      assert.ok(raw !== undefined);
      store.nodes.delete(hex);
      const trie = new Trie(store, root);
      let failures = 0;
      for (const key of keys) {
        try {
          assert.deepEqual(trie.get(key), key);
        } catch (error) {
          assert.ok(error instanceof StateError);
          assert.equal(error.reason.code, "MISSING_NODE");
          assert.ok(error.reason.code === "MISSING_NODE");
          assert.equal(error.reason.root, root);
          assert.equal(error.reason.hash, parseHash(`0x${hex}`));
          assert.ok(Buffer.from(key).toString("hex").startsWith(error.reason.path));
          failures++;
        }
      }
      assert.ok(failures > 0, "some key needs the node");
      store.nodes.set(hex, raw);
    }
  });

  it("refuses a delete that has to look at a missing sibling", () => {
    const store = new MapStore();
    const trie = new Trie(store, EMPTY_TRIE_ROOT);
    const [a, b] = [hexToBytes(`0x${"11".repeat(32)}`), hexToBytes(`0x${"12".repeat(32)}`)];
    trie.put(a, a);
    trie.put(b, b);
    const root = trie.rootHash();
    store.add(trie.takeNodes());
    const sibling = new Trie(store, root);
    for (const [hex, raw] of store.nodes)
      if (raw.length < 80 && raw[0] === 0xf8) store.nodes.delete(hex);
    assert.throws(
      () => sibling.put(a, EMPTY_BYTES),
      (error) => error instanceof StateError && error.reason.code === "MISSING_NODE",
    );
  });

  it("refuses a node that is not RLP of 2 or 17 items", () => {
    const { store, root } = build();
    for (const damage of [
      "0x",
      "0x80",
      "0xc0",
      "0xc101",
      "0xc3010203",
      `0xf8ff${"01".repeat(9)}`,
    ]) {
      store.nodes.set(root.slice(2), hexToBytes(damage));
      assert.throws(
        () => new Trie(store, root).get(EMPTY_BYTES),
        (error) => error instanceof StateError && error.reason.code === "BAD_NODE",
      );
    }
  });
});
