import assert from "node:assert/strict";
import { createMerkleProof, createMPT } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import fc from "fast-check";
import { bytesToHash } from "../../../src/primitives/hex.ts";
import { orderedTrieProof, orderedTrieRoot } from "../../../src/state/orderedTrie.ts";
import { verifyOrderedProof } from "../../../src/state/proof.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";

async function expected(values: readonly Uint8Array[]) {
  const trie = await createMPT();
  for (const [index, value] of values.entries()) await trie.put(RLP.encode(index), value);
  return bytesToHash(trie.root());
}

describe("orderedTrieRoot", () => {
  it("is the empty root for no values", () => {
    assert.equal(orderedTrieRoot([]), EMPTY_TRIE_ROOT);
  });

  for (const count of [1, 2, 3, 16, 17, 127, 128, 129, 130, 255, 256, 257, 300]) {
    it(`is the root of @ethereumjs/mpt for ${count} values, short and long`, async () => {
      for (const length of [1, 20, 110]) {
        const values = Array.from({ length: count }, (_, i) =>
          new Uint8Array(length).fill((i % 255) + 1),
        );
        assert.equal(orderedTrieRoot(values), await expected(values));
      }
    });
  }

  it("is that root for values of any content", async () => {
    const values = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(values, async (list) => {
        assert.equal(orderedTrieRoot(list), await expected(list));
      }),
      { numRuns: 60 },
    );
  });

  it("takes values above 64 KiB", async () => {
    const values = [new Uint8Array(70_000).fill(1), new Uint8Array(200_000).fill(2)];
    assert.equal(orderedTrieRoot(values), await expected(values));
  });
});

describe("orderedTrieProof", () => {
  for (const [count, length] of [
    [1, 110],
    [2, 1],
    [16, 3],
    [127, 20],
    [129, 110],
    [300, 1],
    [300, 200],
  ] as const)
    it(`is the proof of @ethereumjs/mpt for each of ${count} values of ${length} bytes`, async () => {
      const values = Array.from({ length: count }, (_, i) =>
        new Uint8Array(length).fill((i % 255) + 1),
      );
      const trie = await createMPT();
      for (const [index, value] of values.entries()) await trie.put(RLP.encode(index), value);
      const root = orderedTrieRoot(values);
      for (const [index, value] of values.entries()) {
        const proof = orderedTrieProof(values, index);
        const nodes = await createMerkleProof(trie, RLP.encode(index));
        // the library lists nodes once more that are embedded in their parents; eth_getProof does not
        const own = nodes.filter((node, depth) => depth === 0 || node.length >= 32);
        assert.deepEqual(proof, own);
        assert.deepEqual(await verifyOrderedProof(root, index, proof), value);
      }
    });

  it("is refused under another root and for no value", async () => {
    const values = [Uint8Array.of(1), Uint8Array.of(2)];
    const proof = orderedTrieProof(values, 1);
    await assert.rejects(verifyOrderedProof(orderedTrieRoot([Uint8Array.of(1)]), 1, proof));
    assert.throws(() => orderedTrieProof(values, 2), RangeError);
  });
});
