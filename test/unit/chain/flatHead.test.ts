import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chain } from "../../../src/chain/chain.ts";
import { bigIntToHash, type Hash } from "../../../src/primitives/hex.ts";
import { State } from "../../../src/state/state.ts";
import { columns, del } from "../../../src/storage/columns.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { readFlatRoot } from "../../../src/storage/flatColumns.ts";
import { databaseStateStore } from "../../../src/storage/stateStore.ts";
import { verifyFlat } from "../../../src/storage/verifyFlat.ts";
import { EMPTY_ACCOUNT } from "../../../src/types/account.ts";
import {
  buildTestBlock,
  devnetGenesis,
  mineTestBlock,
  openTestChain,
  TEST_ADDRESSES,
  TEST_MINER,
  type TestChain,
  testTransaction,
} from "../../support/chains.ts";
import { randomOf } from "../../support/random.ts";
import { mineTwinWrite, TWINS, twinGenesis } from "../../support/twins.ts";

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

const SLOTS = 30;
const ROUNDS = 9;
/** Blocks of a round at most: more than wait for the columns. */
const LONGEST = 90;
/** CALLER SELFDESTRUCT as creation code: the contract is gone with the transaction that made it. */
const SHORT_LIVED = { to: undefined, data: Uint8Array.of(0x33, 0xff), gasLimit: 200_000n };

/** A block that writes or empties slots, makes a contract that dies at once, or does nothing. */
async function mineAny(chain: Chain, below: (limit: number) => number): Promise<void> {
  const kind = below(4);
  if (kind === 0) {
    const nonce = chain.stateAt(chain.head.hash).account(TEST_ADDRESSES[1] ?? assert.fail())?.nonce;
    await mineTestBlock(chain, [testTransaction(chain, 1, Number(nonce ?? 0n), SHORT_LIVED)]);
  } else if (kind === 1) await mineTestBlock(chain);
  else {
    const from = below(SLOTS);
    const value = below(3) === 0 ? 0 : 1 + below(1_000);
    await mineTwinWrite(chain, { both: below(3) === 0, from, count: 1 + below(4), value });
  }
}

/** Some blocks more, perhaps from a block far back on. */
async function goOn(
  chain: Chain,
  below: (limit: number) => number,
  goesBack: boolean,
): Promise<void> {
  const { number } = chain.head.header;
  const from = chain.canonicalHash(number - BigInt(goesBack ? below(Number(number)) : 0));
  await chain.setForkchoice({ head: from ?? assert.fail() });
  for (let i = below(LONGEST); i >= 0; i--) await mineAny(chain, below);
}

/** What the head's State reads through its caches and the flat entries is what the trie has. */
function assertReads({ chain, database }: TestChain, seed: number): void {
  const { hash } = chain.head;
  const state = chain.stateAt(hash);
  const trie = new State(databaseStateStore(database), chain.stateRootAt(hash));
  for (const address of [...TEST_ADDRESSES, ...TWINS, TEST_MINER])
    assert.deepEqual(state.account(address), trie.account(address), `seed ${seed}`);
  for (const twin of TWINS)
    for (let i = 0; i < SLOTS + 4; i++) {
      const slot = bigIntToHash(BigInt(i));
      assert.deepEqual(state.slot(twin, slot), trie.slot(twin, slot), `seed ${seed}`);
    }
}

async function isLagging(path: string, head: Hash): Promise<boolean> {
  await using database = await openDatabase({ path });
  return readFlatRoot(database) !== head;
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

  it("is behind by up to 64 blocks when the process dies, and right again after any way of the head", async function () {
    this.timeout(240_000);
    const seed = Number(process.env["QNET_TEST_SEED"] ?? Date.now() % 100_000);
    const random = randomOf(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    let test = await openTestChain(twinGenesis(SLOTS), { path });
    let lagging = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { chain } = test;
      await goOn(chain, below, round % 3 === 2);
      assertReads(test, seed);
      if (round % 2 === 1) continue;
      // as if killed: what waited in memory is gone
      await test.database.close();
      if (await isLagging(path, chain.head.header.stateRoot)) lagging++;
      test = await openTestChain(twinGenesis(SLOTS), { path });
      await assertFlat(test, test.chain.stateRootAt(test.chain.head.hash));
      assertReads(test, seed);
    }
    assert.ok(lagging > 0, `seed ${seed}`);
    await test[Symbol.asyncDispose]();
  });
});
