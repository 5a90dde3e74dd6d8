import assert from "node:assert/strict";
import {
  inclusionOf,
  provenAccount,
  verifyInclusion,
  verifyTransaction,
} from "../../../src/consensus/finalityProof.ts";
import { LightError } from "../../../src/consensus/light.ts";
import { orderedTrieProof } from "../../../src/state/orderedTrie.ts";
import { microRootOf } from "../../../src/types/macroHeader.ts";
import {
  mineTestBlock,
  openTestChain,
  plainGenesis,
  TEST_ADDRESSES,
  testTransaction,
} from "../../support/chains.ts";
import { headersOf, member } from "../../support/lightChain.ts";

function code(error: unknown): string {
  assert.ok(error instanceof LightError, String(error));
  return error.reason.code;
}

describe("finality proof", () => {
  /** Five blocks of a real chain as a macroblock. */
  async function macroblock() {
    const { chain } = await openTestChain(plainGenesis());
    const blocks = [];
    for (let nonce = 0; nonce < 5; nonce++)
      blocks.push(await mineTestBlock(chain, [testTransaction(chain, 0, nonce)]));
    const [template] = headersOf(1, () => [member(0)]);
    assert.ok(template !== undefined);
    const hashes = blocks.map(({ hash }) => hash);
    const macro = { ...template, firstNumber: 1, lastNumber: 5, microRoot: microRootOf(hashes) };
    return { chain, blocks, hashes, macro };
  }

  it("shows that each block is in the macroblock, and no other", async () => {
    const { blocks, hashes, macro } = await macroblock();
    for (const [index, { header }] of blocks.entries()) {
      const siblings = inclusionOf(hashes, index);
      verifyInclusion(macro, { header, siblings });
      const refused = [
        { header: { ...header, gasUsed: 0n }, siblings },
        { header, siblings: siblings.slice(1) },
        { header: { ...header, number: header.number + 5n }, siblings },
      ];
      for (const other of refused)
        assert.throws(
          () => verifyInclusion(macro, other),
          (e) => code(e) === "NOT_INCLUDED",
        );
    }
  });

  it("shows an account and a transaction under the block's header", async () => {
    const { chain, blocks } = await macroblock();
    const [block] = blocks;
    const [address] = TEST_ADDRESSES;
    assert.ok(block !== undefined && address !== undefined);
    const { account, accountProof } = chain.proofAt(block.hash, address, []);
    const proven = await provenAccount(block.header, address, accountProof);
    assert.equal(proven?.balance, account?.balance);
    await assert.rejects(
      provenAccount({ ...block.header, stateRoot: block.hash }, address, accountProof),
      (error) => code(error) === "BAD_PROOF",
    );
    const raws = block.transactions.map(({ raw }) => raw);
    const [raw] = raws;
    assert.ok(raw !== undefined);
    const proof = orderedTrieProof(raws, 0);
    await verifyTransaction(block.header, { index: 0, raw, proof });
    const other = { index: 0, raw: raw.subarray(1), proof };
    await assert.rejects(verifyTransaction(block.header, other), (e) => code(e) === "BAD_PROOF");
  });
});
