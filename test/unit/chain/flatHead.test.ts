import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hash } from "../../../src/primitives/hex.ts";
import { columns, del } from "../../../src/storage/columns.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { readFlatRoot } from "../../../src/storage/flatColumns.ts";
import { verifyFlat } from "../../../src/storage/verifyFlat.ts";
import { EMPTY_ACCOUNT } from "../../../src/types/account.ts";
import {
  buildTestBlock,
  devnetGenesis,
  mineTestBlock,
  openTestChain,
  TEST_ADDRESSES,
  type TestChain,
  testTransaction,
} from "../../support/chains.ts";

/** Closing brings everything into the columns: then they must be the head's state, and sound. */
async function openedAgain(path: string, test: TestChain): Promise<TestChain> {
  const expected = test.chain.stateRootAt(test.chain.head.hash);
  await test[Symbol.asyncDispose]();
  {
    await using database = await openDatabase({ path });
    assert.equal(readFlatRoot(database), expected);
  }
  const opened = await openTestChain(devnetGenesis(), { path });
  await assertFlat(opened, expected);
  return opened;
}

async function assertFlat({ database }: TestChain, root: Hash): Promise<void> {
  const note = (problem: string) => assert.fail(problem);
  const report = await verifyFlat(database, { note, turn: async () => {} });
  assert.equal(report?.root, root);
  assert.equal(report.rebuilt, root);
}

describe("flat state of a chain on disk", function () {
  this.timeout(60_000);
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "qnet-flat-"));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  it("goes with the head through blocks, a reorganisation and back", async () => {
    let test = await openTestChain(devnetGenesis(), { path });
    const genesis = test.chain.head;
    for (let i = 0; i < 5; i++)
      await mineTestBlock(test.chain, [testTransaction(test.chain, 0, i)]);
    const main = test.chain.head.hash;
    test = await openedAgain(path, test);
    const { chain } = test;
    const side = await buildTestBlock(chain, [testTransaction(chain, 1, 0)], { parent: genesis });
    await chain.importBlock(side.block, side);
    assert.equal(chain.head.hash, side.block.hash);
    const miner = TEST_ADDRESSES[1] ?? assert.fail();
    assert.equal(chain.stateAt(side.block.hash).account(miner)?.nonce, 1n);
    assert.equal(chain.stateAt(main).account(miner)?.nonce ?? 0n, 0n);
    test = await openedAgain(path, test);
    await test.chain.setForkchoice({ head: main });
    assert.equal(test.chain.stateAt(main).account(miner)?.nonce ?? 0n, 0n);
    test = await openedAgain(path, test);
    await test[Symbol.asyncDispose]();
  });

  it("goes with edits by hand and with the snapshots that undo them", async () => {
    let test = await openTestChain(devnetGenesis(), { path });
    const { chain } = test;
    const block = await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
    const rich = TEST_ADDRESSES[2] ?? assert.fail();
    await chain.editState((state) => state.setAccount(rich, { ...EMPTY_ACCOUNT, balance: 5n }));
    assert.equal(chain.stateAt(block.hash).account(rich)?.balance, 5n);
    const edited = chain.overrideOf(block.hash).editedStateRoot;
    test = await openedAgain(path, test);
    await mineTestBlock(test.chain, [testTransaction(test.chain, 0, 1)]);
    assert.equal(test.chain.stateAt(test.chain.head.hash).account(rich)?.balance, 5n);
    test = await openedAgain(path, test);
    const { hash } = block;
    const finalized = test.chain.genesisHash;
    await test.chain.restoreHead({ hash, editedStateRoot: undefined, finalized });
    assert.notEqual(test.chain.stateAt(block.hash).account(rich)?.balance, 5n);
    test = await openedAgain(path, test);
    await test.chain.restoreHead({ hash, editedStateRoot: edited, finalized });
    assert.equal(test.chain.stateAt(block.hash).account(rich)?.balance, 5n);
    test = await openedAgain(path, test);
    await test[Symbol.asyncDispose]();
  });

  it("is the block's own when an edited head was left and the block comes again", async () => {
    let test = await openTestChain(devnetGenesis(), { path });
    const { chain } = test;
    const block = await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
    const rich = TEST_ADDRESSES[2] ?? assert.fail();
    await chain.editState((state) => state.setAccount(rich, { ...EMPTY_ACCOUNT, balance: 5n }));
    await chain.setForkchoice({ head: chain.genesisHash });
    assert.deepEqual(await chain.importBlock(block), {
      status: "known",
      hash: block.hash,
      isHead: true,
    });
    assert.equal(chain.stateRootAt(block.hash), block.header.stateRoot);
    assert.notEqual(chain.stateAt(block.hash).account(rich)?.balance, 5n);
    test = await openedAgain(path, test);
    await test[Symbol.asyncDispose]();
  });

  it("is made for a directory of an older version, which has none", async () => {
    let test = await openTestChain(devnetGenesis(), { path });
    await mineTestBlock(test.chain, [testTransaction(test.chain, 0, 0)]);
    test = await openedAgain(path, test);
    const { database } = test;
    const keys: Uint8Array[] = [];
    for await (const [key] of database.iterate(columns.flatAccounts))
      keys.push(new Uint8Array(key));
    await database.batch([
      del(columns.meta, "flatRoot"),
      ...keys.map((key) => del(columns.flatAccounts, key)),
    ]);
    const root = test.chain.stateRootAt(test.chain.head.hash);
    await test[Symbol.asyncDispose]();
    test = await openTestChain(devnetGenesis(), { path });
    await assertFlat(test, root);
    await test[Symbol.asyncDispose]();
  });

  it("opens without it when a node of its trie is missing, and reads what is there", async () => {
    const test = await openTestChain(devnetGenesis(), { path });
    await mineTestBlock(test.chain, [testTransaction(test.chain, 0, 0)]);
    const root = test.chain.head.header.stateRoot;
    await test[Symbol.asyncDispose]();
    {
      await using spoiled = await openTestChain(devnetGenesis(), { path });
      const victims: Uint8Array[] = [];
      for await (const [hash] of spoiled.database.iterate(columns.nodes))
        if (`0x${Buffer.from(hash).toString("hex")}` !== root) victims.push(new Uint8Array(hash));
      await spoiled.database.batch([
        del(columns.meta, "flatRoot"),
        ...victims.slice(0, 3).map((hash) => del(columns.nodes, hash)),
      ]);
    }
    await using opened = await openTestChain(devnetGenesis(), { path });
    assert.equal(readFlatRoot(opened.database), undefined);
    assert.equal(opened.chain.head.header.number, 1n);
  });
});
