import assert from "node:assert/strict";
import { Chain } from "../../../src/chain/chain.ts";
import { anySeal, importedIsHead } from "../../../src/chain/importBlock.ts";
import { type Hash, hexToBytes } from "../../../src/primitives/hex.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { columns, del, put, type WriteOp } from "../../../src/storage/columns.ts";
import type { Block } from "../../../src/types/block.ts";
import {
  mineTestBlock,
  openTestChain,
  plainGenesis,
  type TestChain,
  testTransaction,
} from "../../support/chains.ts";

const BLOCKS = 4;

async function minedChain(): Promise<TestChain & { readonly blocks: Block[] }> {
  const test = await openTestChain(plainGenesis());
  const blocks: Block[] = [];
  for (let nonce = 0; nonce < BLOCKS; nonce++)
    blocks.push(await mineTestBlock(test.chain, [testTransaction(test.chain, 0, nonce)]));
  return { ...test, blocks };
}

async function reopen(test: TestChain): Promise<{ chain: Chain; warnings: number }> {
  let warnings = 0;
  const log = { ...silentLogger, warn: () => void warnings++ };
  const dependencies = { sealRules: anySeal, headRule: importedIsHead, log };
  const chain = await Chain.open(test.database, test.chain.genesis, dependencies);
  return { chain, warnings };
}

describe("opening a damaged chain", () => {
  const damages: readonly (readonly [name: string, damage: (head: Block) => WriteOp])[] = [
    ["a missing header", ({ hash }) => del(columns.headers, hash)],
    ["a missing body", ({ hash }) => del(columns.bodies, hash)],
    ["missing receipts", ({ hash }) => del(columns.receipts, hash)],
    ["a missing state root", ({ header }) => del(columns.nodes, hexToBytes(header.stateRoot))],
    ["a missing number", ({ header }) => del(columns.canonical, header.number)],
    ["a body that cannot be decoded", ({ hash }) => put(columns.bodies, hash, Uint8Array.of(0xff))],
    ["receipts of another block", ({ hash }) => put(columns.receipts, hash, Uint8Array.of(0xc0))],
  ];
  for (const [name, damage] of damages)
    it(`goes back before ${name}, says so, and takes the block again`, async () => {
      await using test = await minedChain();
      const last = test.blocks[BLOCKS - 1];
      assert.ok(last);
      await test.database.batch([damage(last)]);
      const { chain, warnings } = await reopen(test);
      assert.equal(chain.head.header.number, 3n);
      assert.equal(chain.canonicalHash(4n), undefined);
      assert.equal(chain.transaction(last.transactions[0]?.hash as Hash), undefined);
      assert.equal(warnings, 2);
      const outcome = await chain.importBlock(last);
      assert.equal(outcome.isHead, true);
      const again = await reopen(test);
      assert.equal(again.chain.head.hash, last.hash);
      assert.equal(again.warnings, 0);
    });

  it("finds the head by the highest number when its pointer is gone", async () => {
    await using test = await minedChain();
    await test.database.batch([del(columns.meta, "head")]);
    const { chain } = await reopen(test);
    assert.equal(chain.head.hash, test.blocks[BLOCKS - 1]?.hash);
  });

  it("writes block 0 again when a part of it is gone", async () => {
    await using test = await minedChain();
    const root = test.chain.headerByNumber(0n)?.stateRoot;
    assert.ok(root);
    await test.database.batch([del(columns.nodes, hexToBytes(root))]);
    const { chain } = await reopen(test);
    assert.equal(chain.head.header.number, 4n);
    assert.equal(chain.stateAt(chain.genesisHash).root(), root);
  });
});
