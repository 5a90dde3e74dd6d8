import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockError } from "../../../src/chain/blockError.ts";
import { plainHeadRule } from "../../../src/chain/importBlock.ts";
import { type Block, decodeBlock, encodeBlock } from "../../../src/types/block.ts";
import { hashHeader } from "../../../src/types/header.ts";
import { DecodeError } from "../../../src/types/rlp.ts";
import { openTestChain, readFixtureChain } from "../../support/chains.ts";

const RUNS = 400;

describe("importBlock with damaged bytes", () => {
  it("gives a typed error for a changed byte that matters, and the block itself still goes in", async () => {
    const { genesis, blocks } = readFixtureChain();
    await using test = await openTestChain(genesis, { headRule: plainHeadRule });
    const { chain } = test;
    // block 2 is huge; from 45 on all kinds of transactions and requests occur
    const until = 46;
    for (const block of blocks.slice(0, until))
      if (block.header.number > 0n) await chain.importBlock(block);
    const next = blocks[until] as Block;
    const raw = encodeBlock(next);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(raw.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const changed = Uint8Array.from(raw);
          changed[at] = (changed[at] ?? 0) ^ flip;
          const problem = await attempt(changed);
          assert.equal(problem, undefined);
        },
      ),
      { numRuns: RUNS },
    );
    assert.equal((await chain.importBlock(next)).isHead, true);

    /** What is wrong with the outcome. Without a seal, prevRandao, extraData, a later timestamp and a gas limit near the parent's are free. */
    async function attempt(bytes: Uint8Array): Promise<unknown> {
      const before = chain.head.hash;
      try {
        const block = decodeBlock(bytes);
        await chain.importBlock(block);
        const { mixHash, extraData, timestamp, gasLimit } = next.header;
        const hash = hashHeader({ ...block.header, mixHash, extraData, timestamp, gasLimit });
        return hash === next.hash ? undefined : `${block.hash} was imported`;
      } catch (error) {
        if (!(error instanceof BlockError || error instanceof DecodeError)) return error;
        return chain.head.hash === before ? undefined : "the head moved";
      }
    }
  });

  it("refuses a block of an unknown parent as such", async () => {
    const { genesis, blocks } = readFixtureChain();
    await using test = await openTestChain(genesis);
    await assert.rejects(test.chain.importBlock(blocks[5] as Block), (error) => {
      assert.ok(error instanceof BlockError);
      assert.equal(error.reason.code, "UNKNOWN_PARENT");
      return true;
    });
  });
});
