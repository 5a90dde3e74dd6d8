import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { readBlockFile } from "../../../cli/blockFiles.ts";
import { concatBytes } from "../../../src/primitives/bytes.ts";
import { encodeRlp } from "../../../src/types/rlp.ts";
import { temporaryFolder } from "../../support/cli.ts";

/** Does not compress, so that every form is read in several chunks. */
const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(
  Buffer.alloc(3_000_000),
);
const items = Array.from({ length: 30 }, (_, index) =>
  encodeRlp([new Uint8Array(noise.subarray(index * 99_000, index * 100_000 + 50))]),
);
const content = concatBytes(...items);
const cuts = fc.uniqueArray(fc.integer({ min: 1, max: content.length - 1 }), { maxLength: 5 });

describe("readBlockFile", () => {
  it("gives all blocks of a file, however its parts were compressed and joined", async function () {
    this.timeout(30_000);
    using folder = temporaryFolder();
    const file = join(folder.path, "blocks");
    const packs = fc.constantFrom(
      (part: Uint8Array) => gzipSync(part, { level: 1 }),
      (part: Uint8Array) => zstdCompressSync(part),
      (part: Uint8Array) => part,
    );
    await fc.assert(
      fc.asyncProperty(packs, cuts, async (pack, unsorted) => {
        const edges = [0, ...unsorted.sort((a, b) => a - b), content.length];
        const parts = edges.slice(1).map((end, index) => pack(content.subarray(edges[index], end)));
        writeFileSync(file, concatBytes(...parts));
        let index = 0;
        for await (const { raw } of readBlockFile(file)) {
          assert.deepEqual(Buffer.from(raw), Buffer.from(items[index] ?? []));
          index++;
        }
        assert.equal(index, items.length);
      }),
      { numRuns: 12 },
    );
  });
});
