import assert from "node:assert/strict";
import { Chain } from "../../../src/chain/chain.ts";
import { ChainError } from "../../../src/chain/chainError.ts";
import { buildGenesisBlock } from "../../../src/chain/genesis.ts";
import { anySeal, importedIsHead } from "../../../src/chain/importBlock.ts";
import { EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import { type Address, parseAddress } from "../../../src/primitives/hex.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { columns, del } from "../../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { verifyDatabase } from "../../../src/storage/verify.ts";
import type { Genesis, GenesisAccount } from "../../../src/types/genesis.ts";
import { plainGenesis } from "../../support/chains.ts";

const dependencies = { sealRules: anySeal, headRule: importedIsHead, log: silentLogger };

/** Says how often it was gone through. */
class WatchedAlloc extends Map<Address, GenesisAccount> {
  walks = 0;
  override [Symbol.iterator]() {
    this.walks++;
    return super[Symbol.iterator]();
  }
}

/** `count` accounts more than plainGenesis has. */
function withAccounts(count: number, balance = 1n): Genesis & { alloc: WatchedAlloc } {
  const genesis = plainGenesis();
  const alloc = new WatchedAlloc(genesis.alloc);
  for (let i = 0; i < count; i++) {
    const address = parseAddress(`0x${(i + 0x10000).toString(16).padStart(40, "0")}`);
    alloc.set(address, { balance, nonce: 0n, code: EMPTY_BYTES, storage: new Map() });
  }
  return { ...genesis, alloc };
}

async function openAndClose(database: Database, genesis: Genesis): Promise<void> {
  await (await Chain.open(database, genesis, dependencies)).close();
}

describe("openStored", () => {
  it("writes a large genesis in parts, and it is the block that memory holds as a whole", async () => {
    await using database = await openDatabase();
    const genesis = withAccounts(40_000);
    const chain = await Chain.open(database, genesis, dependencies);
    const { block } = await buildGenesisBlock(genesis);
    assert.equal(chain.genesisHash, block.hash);
    const state = chain.stateAt(chain.genesisHash);
    for (const [address, { balance }] of genesis.alloc)
      assert.equal(state.account(address)?.balance, balance, address);
    await chain.close();
    const report = await verifyDatabase(database);
    assert.deepEqual(report.problems, []);
  });

  it("does not build the state again for the genesis that made the database", async () => {
    await using database = await openDatabase();
    await openAndClose(database, withAccounts(10));
    const again = withAccounts(10);
    await openAndClose(database, again);
    assert.equal(again.alloc.walks, 1, "the mark alone");
  });

  it("builds it once for a directory without a mark, and marks it", async () => {
    await using database = await openDatabase();
    await openAndClose(database, withAccounts(10));
    await database.batch([del(columns.meta, "genesisMark")]);
    for (const walks of [2, 1]) {
      const again = withAccounts(10);
      await openAndClose(database, again);
      assert.equal(again.alloc.walks, walks);
    }
  });

  it("builds it where the database has lost the root of it", async () => {
    await using database = await openDatabase();
    const genesis = withAccounts(10);
    const { block, changes } = await buildGenesisBlock(genesis);
    await openAndClose(database, genesis);
    const root = Buffer.from(block.header.stateRoot.slice(2), "hex");
    await database.batch([del(columns.nodes, root)]);
    await openAndClose(database, withAccounts(10));
    assert.deepEqual(database.get(columns.nodes, root), changes.nodes.get(root.toString("hex")));
  });

  const others: readonly (readonly [what: string, genesis: Genesis])[] = [
    ["an account more", withAccounts(11)],
    ["other balances", withAccounts(10, 2n)],
    ["another gas limit", { ...withAccounts(10), gasLimit: 29_000_000n }],
  ];
  for (const [what, other] of others)
    it(`refuses a genesis with ${what}, and writes nothing`, async () => {
      await using database = await openDatabase();
      await openAndClose(database, withAccounts(10));
      const before = await database.measure(columns.nodes);
      await assert.rejects(Chain.open(database, other, dependencies), (error) => {
        assert.ok(error instanceof ChainError);
        assert.equal(error.reason.code, "GENESIS_MISMATCH");
        return true;
      });
      assert.deepEqual(await database.measure(columns.nodes), before);
    });
});
