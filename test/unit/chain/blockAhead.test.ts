import assert from "node:assert/strict";
import { BlockError } from "../../../src/chain/blockError.ts";
import type { Chain } from "../../../src/chain/chain.ts";
import { bigIntToHash, bytesToHash, parseAddress } from "../../../src/primitives/hex.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { StorageError } from "../../../src/storage/storageError.ts";
import { type Block, makeBlock } from "../../../src/types/block.ts";
import { type Genesis, parseGenesis } from "../../../src/types/genesis.ts";
import {
  mineTestBlock,
  networkText,
  openTestChain,
  readFixtureChain,
  testTransaction,
} from "../../support/chains.ts";

/** sstore(number, blockhash(number - 1)), sstore(number + 1000, blockhash(number - 3)) */
const HASHES_CODE = "0x43600190034043556003430340436103e8015500";
const KEEPER = parseAddress(`0x${"ab".repeat(20)}`);
const BLOCKS = 6;

/** A plain chain with a contract that keeps hashes of the blocks before. */
function hashesGenesis(): Genesis {
  const json = JSON.parse(networkText("devnet"));
  delete json.config.qnet;
  const keeper = { balance: "0x0", nonce: "0x1", code: HASHES_CODE };
  return parseGenesis({ ...json, alloc: { ...json.alloc, [KEEPER]: keeper } });
}

async function blocksOf(genesis: Genesis): Promise<Block[]> {
  await using test = await openTestChain(genesis);
  const call = { to: KEEPER, value: 0n, gasLimit: 200_000n };
  const blocks: Block[] = [];
  for (let nonce = 0; nonce < BLOCKS; nonce++) {
    const transaction = testTransaction(test.chain, 0, nonce, call);
    blocks.push(await mineTestBlock(test.chain, [transaction]));
  }
  return blocks;
}

async function importEach(chain: Chain, blocks: readonly Block[]): Promise<void> {
  for (const [index, block] of blocks.entries())
    await chain.importBlock(block, undefined, { next: blocks[index + 1] });
}

/** Lets `hold` run before each batch is written. */
function holdWrites(database: Database, hold: () => void | Promise<void>): void {
  const batch = database.batch.bind(database);
  database.batch = async (ops, options) => {
    await hold();
    await batch(ops, options);
  };
}

describe("BlockAhead", () => {
  const genesis = hashesGenesis();
  let blocks: Block[];
  before(async () => {
    blocks = await blocksOf(genesis);
  });

  it("comes to the head of the public chain, which has every fork", async () => {
    const fixture = readFixtureChain();
    await using test = await openTestChain(fixture.genesis);
    await importEach(test.chain, fixture.blocks);
    assert.equal(test.chain.head.hash, fixture.blocks.at(-1)?.hash);
  });

  it("gives contracts the hashes of the block under way and of those before", async () => {
    await using test = await openTestChain(genesis);
    const { chain } = test;
    await importEach(chain, blocks);
    const state = chain.stateAt(chain.head.hash);
    for (let number = 3n; number <= BLOCKS; number++) {
      const kept = (slot: bigint) => bytesToHash(state.slot(KEEPER, bigIntToHash(slot)));
      assert.equal(kept(number), chain.canonicalHash(number - 1n));
      assert.equal(kept(number + 1000n), chain.canonicalHash(number - 3n));
    }
  });

  it("executes a block while its parent is written, and announces neither before", async () => {
    const [first, second] = blocks;
    assert.ok(first && second);
    await using database = await openDatabase();
    let executed = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const observer = {
      executed: () => {
        if (++executed === 2) resolve();
      },
      stored: () => {},
    };
    await using test = await openTestChain(genesis, { database, observer });
    const { chain } = test;
    // the batch of the first block ends only after the second one ran
    holdWrites(database, () => promise);
    const importing = chain.importBlock(first, undefined, { next: second });
    await promise;
    assert.equal(chain.head.header.number, 0n);
    await importing;
    assert.equal(chain.head.hash, first.hash);
    assert.equal(chain.header(second.hash), undefined);
    await chain.importBlock(second);
    assert.equal(chain.head.hash, second.hash);
    assert.equal(executed, 2);
  });

  it("stores neither block when the first batch fails", async () => {
    const [first, second] = blocks;
    assert.ok(first && second);
    await using database = await openDatabase();
    await using test = await openTestChain(genesis, { database });
    const { chain } = test;
    let isBroken = true;
    holdWrites(database, () => {
      if (isBroken)
        throw new StorageError({ code: "WRITE_FAILED", path: "memory", detail: "full" });
    });
    await assert.rejects(chain.importBlock(first, undefined, { next: second }), StorageError);
    assert.equal(chain.head.header.number, 0n);
    isBroken = false;
    await assert.rejects(
      chain.importBlock(second),
      (error) => error instanceof BlockError && error.reason.code === "UNKNOWN_PARENT",
    );
    await importEach(chain, blocks);
    assert.equal(chain.head.hash, blocks.at(-1)?.hash);
  });

  it("refuses a wrong block in its turn as if it had not run ahead, and takes the right one then", async () => {
    const [first, second, third] = blocks;
    assert.ok(first && second && third);
    await using test = await openTestChain(genesis);
    const { chain } = test;
    const wrong = (fields: Partial<Block["header"]>) =>
      makeBlock({ ...second.header, ...fields }, second);
    await chain.importBlock(first, undefined, { next: wrong({ stateRoot: bigIntToHash(5n) }) });
    for (const [field, fields] of [
      ["stateRoot", { stateRoot: bigIntToHash(5n) }],
      ["gasLimit", { gasLimit: 1n << 60n }],
      ["gasUsed", { gasUsed: 21_000n }],
    ] as const) {
      const block = wrong(fields);
      await assert.rejects(
        chain.importBlock(block, undefined, { next: third }),
        (error) => error instanceof BlockError && error.reason.field === field,
      );
    }
    // what ran ahead is another block than the one that comes
    await chain.importBlock(second, undefined, { next: wrong({}) });
    await chain.importBlock(third);
    assert.equal(chain.head.hash, third.hash);
  });
});
