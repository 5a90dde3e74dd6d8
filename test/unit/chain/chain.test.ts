import assert from "node:assert/strict";
import { BlockError } from "../../../src/chain/blockError.ts";
import { Chain } from "../../../src/chain/chain.ts";
import { ChainError } from "../../../src/chain/chainError.ts";
import type { HeadEvent } from "../../../src/chain/chainEvents.ts";
import { anySeal, importedIsHead, plainHeadRule } from "../../../src/chain/importBlock.ts";
import { type Hash, parseAddress, parseHash } from "../../../src/primitives/hex.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { columns } from "../../../src/storage/columns.ts";
import type { Database } from "../../../src/storage/database.ts";
import { EMPTY_ACCOUNT as EMPTY } from "../../../src/types/account.ts";
import { type Block, makeBlock } from "../../../src/types/block.ts";
import type { Header } from "../../../src/types/header.ts";
import {
  buildTestBlock,
  devnetGenesis,
  mineTestBlock,
  openTestChain,
  plainGenesis,
  readFixtureChain,
  TEST_ADDRESSES,
  testTransaction,
} from "../../support/chains.ts";

const HEAD_54 = parseHash("0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7");
const SINK = parseAddress(`0x${"ee".repeat(20)}`);

/** Everything in the database, for comparing before and after. */
async function contentOf(database: Database): Promise<string[]> {
  const lines: string[] = [];
  for (const name of [
    "nodes",
    "headers",
    "bodies",
    "receipts",
    "canonical",
    "transactions",
    "logIndex",
    "addressIndex",
    "meta",
  ] as const) {
    const { entries, bytes } = await database.measure(columns[name]);
    lines.push(`${name}: ${entries}, ${bytes} bytes`);
  }
  for await (const [key, value] of database.iterate(columns.meta))
    lines.push(`${key} = ${Buffer.from(value).toString("hex")}`);
  return lines;
}

function withHeader(block: Block, changes: Partial<Header>): Block {
  return makeBlock({ ...block.header, ...changes }, block);
}

describe("Chain", () => {
  describe("with the public chain of 54 blocks", () => {
    it("imports every block with its state root and ends at the published head", async () => {
      const { genesis, blocks } = readFixtureChain();
      await using test = await openTestChain(genesis, { headRule: plainHeadRule });
      const { chain } = test;
      const seen: Hash[] = [];
      chain.on("head", (event) => {
        seen.push(event.head.hash);
        return undefined;
      });
      for (const block of blocks.filter(({ header }) => header.number > 0n)) {
        const outcome = await chain.importBlock(block);
        assert.deepEqual(outcome, { status: "imported", hash: block.hash, isHead: true });
        assert.equal(chain.stateAt(block.hash).root(), block.header.stateRoot);
      }
      assert.equal(chain.head.hash, HEAD_54);
      assert.equal(seen.length, 54);
      // archive: the first block's state can still be read, and every block executes again to the same root
      const first = chain.blockByNumber(1n);
      assert.ok(first);
      assert.equal(chain.preStateOf(first).root(), chain.headerByNumber(0n)?.stateRoot);
      for (const block of blocks) {
        const [transaction] = block.transactions;
        if (transaction === undefined) continue;
        assert.deepEqual(chain.transaction(transaction.hash)?.block.hash, block.hash);
      }
      const again = await chain.importBlock(blocks[10] as Block);
      assert.equal(again.status, "known");
      assert.equal(chain.head.hash, HEAD_54);
    });

    it("is the same after it is opened again", async () => {
      const { genesis, blocks } = readFixtureChain();
      await using test = await openTestChain(genesis, { headRule: plainHeadRule });
      for (const block of blocks.slice(0, 12))
        if (block.header.number > 0n) await test.chain.importBlock(block);
      const head = test.chain.head.hash;
      await test.chain.setForkchoice({ safe: head, finalized: head });
      const opened = await Chain.open(test.database, genesis, {
        sealRules: anySeal,
        headRule: plainHeadRule,
        log: silentLogger,
      });
      assert.equal(opened.head.hash, head);
      assert.equal(opened.finalized.hash, head);
      assert.equal(opened.safe.hash, head);
    });
  });

  it("refuses a database of another genesis and names both hashes", async () => {
    await using test = await openTestChain(plainGenesis());
    const other = plainGenesis(29_000_000);
    const dependencies = { sealRules: anySeal, headRule: importedIsHead, log: silentLogger };
    await assert.rejects(Chain.open(test.database, other, dependencies), (error) => {
      assert.ok(error instanceof ChainError);
      assert.equal(error.reason.code, "GENESIS_MISMATCH");
      assert.ok(error.message.includes(test.chain.genesisHash));
      assert.match(error.message, /genesis file that made it/);
      return true;
    });
  });

  describe("importBlock", () => {
    const wrong = parseHash(`0x${"12".repeat(32)}`);
    const cases: readonly (readonly [field: string, changes: Partial<Header>])[] = [
      ["stateRoot", { stateRoot: wrong }],
      ["receiptsRoot", { receiptsRoot: wrong }],
      ["logsBloom", { logsBloom: new Uint8Array(256).fill(1) }],
      ["gasUsed", { gasUsed: 21_001n }],
      ["requestsHash", { requestsHash: wrong }],
      ["transactionsRoot", { transactionsRoot: wrong }],
      ["withdrawalsRoot", { withdrawalsRoot: wrong }],
      ["sha3Uncles", { sha3Uncles: wrong }],
      ["baseFeePerGas", { baseFeePerGas: 7n }],
      ["parentHash", { parentHash: wrong }],
    ];
    for (const [field, changes] of cases)
      it(`refuses a wrong ${field} and writes nothing`, async () => {
        await using test = await openTestChain(plainGenesis());
        const { chain, database } = test;
        const built = await buildTestBlock(chain, [testTransaction(chain, 0, 0)]);
        const before = await contentOf(database);
        await assert.rejects(chain.importBlock(withHeader(built.block, changes)), (error) => {
          assert.ok(error instanceof BlockError);
          assert.equal(error.reason.field, field);
          return true;
        });
        assert.deepEqual(await contentOf(database), before);
        assert.equal(chain.head.hash, chain.genesisHash);
        const good = await chain.importBlock(built.block);
        assert.equal(good.isHead, true, "the refused block left no trace in the state");
      });

    it("refuses a transaction that cannot be applied", async () => {
      await using test = await openTestChain(plainGenesis());
      const { chain } = test;
      const built = await buildTestBlock(chain, [testTransaction(chain, 0, 0)]);
      const twice = { ...built.block, transactions: [testTransaction(chain, 0, 1)] };
      const { orderedTrieRoot } = await import("../../../src/state/orderedTrie.ts");
      const transactionsRoot = orderedTrieRoot(twice.transactions.map(({ raw }) => raw));
      const block = makeBlock({ ...built.block.header, transactionsRoot }, twice);
      await assert.rejects(chain.importBlock(block), (error) => {
        assert.ok(error instanceof BlockError);
        assert.equal(error.reason.code, "INVALID_TRANSACTION");
        assert.equal(error.reason.field, "transactions[0]");
        return true;
      });
    });

    it("takes an own block with its result and a foreign one to the same state", async () => {
      await using own = await openTestChain(plainGenesis());
      await using foreign = await openTestChain(plainGenesis());
      for (let nonce = 0; nonce < 3; nonce++) {
        const block = await mineTestBlock(own.chain, [testTransaction(own.chain, 0, nonce)]);
        await foreign.chain.importBlock(block);
      }
      assert.deepEqual(await contentOf(own.database), await contentOf(foreign.database));
    });
  });

  describe("a reorganisation", () => {
    it("rewrites numbers and indexes and reports both sides", async () => {
      await using test = await openTestChain(plainGenesis());
      const { chain } = test;
      const events: HeadEvent[] = [];
      chain.on("head", (event) => {
        events.push(event);
        return undefined;
      });
      const shared = testTransaction(chain, 0, 0);
      const undone = testTransaction(chain, 1, 0);
      const a1 = await mineTestBlock(chain, [shared]);
      const a2 = await mineTestBlock(chain, [undone]);
      const genesis = { header: chain.headerByNumber(0n) as Header, hash: chain.genesisHash };
      const side = await buildTestBlock(chain, [], {
        parent: genesis,
        timestamp: a1.header.timestamp + 5n,
      });
      await chain.importBlock(side.block, side);
      assert.equal(chain.head.hash, side.block.hash);
      assert.equal(chain.transaction(shared.hash), undefined);
      const b2 = await mineTestBlock(chain, [shared]);
      assert.deepEqual(
        events.map(({ added, removed }) =>
          [added, removed].map((list) => list.map(({ hash }) => hash)),
        ),
        [
          [[a1.hash], []],
          [[a2.hash], []],
          [[side.block.hash], [a2.hash, a1.hash]],
          [[b2.hash], []],
        ],
      );
      assert.equal(chain.canonicalHash(1n), side.block.hash);
      assert.equal(chain.transaction(shared.hash)?.block.hash, b2.hash);
      assert.equal(chain.transaction(undone.hash), undefined);
      const history = await chain.addressTransactions(SINK, { order: "oldestFirst", limit: 10 });
      assert.deepEqual(
        history.map(({ blockNumber }) => blockNumber),
        [2n],
      );
      const sender = TEST_ADDRESSES[1];
      assert.ok(sender);
      assert.deepEqual(
        await chain.addressTransactions(sender, { order: "oldestFirst", limit: 10 }),
        [],
      );
      await chain.setForkchoice({ head: a2.hash });
      assert.equal(chain.canonicalHash(2n), a2.hash);
      assert.equal(chain.transaction(undone.hash)?.block.hash, a2.hash);
      assert.equal(chain.stateAt(a2.hash).account(sender)?.nonce, 1n);
    });
  });

  describe("edits by hand", () => {
    it("change what is read at the head and what the next block starts from", async () => {
      await using test = await openTestChain(devnetGenesis());
      const { chain } = test;
      await mineTestBlock(chain);
      const before = chain.head;
      await chain.editState((state) => {
        const account = state.account(SINK);
        state.setAccount(SINK, { ...(account ?? EMPTY), balance: 5n });
      });
      assert.equal(chain.stateAt(before.hash).account(SINK)?.balance, 5n);
      const block = await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
      assert.equal(chain.stateAt(block.hash).account(SINK)?.balance, 6n);
      assert.equal(
        chain.stateAt(before.hash).account(SINK),
        undefined,
        "history is as it was mined",
      );
      assert.equal(chain.preStateOf(block).account(SINK)?.balance, 5n);
      const finalized = chain.genesisHash;
      await chain.restoreHead({ hash: before.hash, editedStateRoot: undefined, finalized });
      assert.equal(chain.stateAt(before.hash).account(SINK), undefined);
      const clean = await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
      assert.equal(chain.stateAt(clean.hash).account(SINK)?.balance, 1n);
    });

    it("are refused on other chains", async () => {
      await using test = await openTestChain(plainGenesis());
      await assert.rejects(
        test.chain.editState(() => {}),
        { reason: { code: "NOT_A_DEV_CHAIN" } },
      );
    });

    it("lets the builder set the base fee of one block", async () => {
      await using test = await openTestChain(devnetGenesis());
      const { chain } = test;
      const block = await mineTestBlock(chain, [], { overrides: { baseFeePerGas: 123n } });
      assert.equal(block.header.baseFeePerGas, 123n);
      assert.ok(chain.overrideOf(block.hash).exempt.has("baseFeePerGas"));
      const next = await mineTestBlock(chain);
      assert.equal(next.header.baseFeePerGas, 123n - 123n / 8n);
    });
  });
});
