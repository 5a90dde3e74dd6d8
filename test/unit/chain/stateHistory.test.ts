import assert from "node:assert/strict";
import { ChainError } from "../../../src/chain/chainError.ts";
import { LEAST_HISTORY, readHorizon } from "../../../src/chain/stateHistory.ts";
import { bigIntToHash } from "../../../src/primitives/hex.ts";
import { markStates } from "../../../src/storage/pruneNodes.ts";
import {
  buildTestBlock,
  mineTestBlock,
  openTestChain,
  type TestChain,
  testTransaction,
} from "../../support/chains.ts";
import {
  mineTwinWrite,
  reachable,
  storedNodes,
  TWIN_VALUE,
  TWINS,
  twinGenesis,
} from "../../support/twins.ts";

const [FIRST, SECOND] = TWINS;
const SLOTS = 40;

const isUnavailable = (error: unknown) =>
  error instanceof ChainError && error.reason.code === "STATE_UNAVAILABLE";

/** Mines blocks that write slots of the first twin only. */
async function mineWrites({ chain }: TestChain, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++)
    await mineTwinWrite(chain, { both: false, from: i % SLOTS, count: 1, value: 1_000 + i });
}

describe("StateHistory", function () {
  this.timeout(60_000);
  const history = LEAST_HISTORY;
  let test: TestChain;
  beforeEach(async () => {
    test = await openTestChain(twinGenesis(SLOTS), { stateHistory: history });
  });
  afterEach(() => test[Symbol.asyncDispose]());

  it("keeps exactly the nodes of the last blocks and of pinned ones", async () => {
    const { chain, database } = test;
    await mineWrites(test, 200);
    const before = await storedNodes(database);
    const report = await chain.states.prune();
    assert.ok(report !== undefined && report.removed > 0);
    assert.equal(report.horizon, 200n - history + 1n);
    const headers = Array.from({ length: Number(history) }, (_, i) =>
      chain.headerByNumber(200n - BigInt(i)),
    );
    const roots = [...headers, chain.headerByNumber(0n)].map((header) => {
      assert.ok(header);
      return header.stateRoot;
    });
    const kept = await storedNodes(database);
    assert.deepEqual([...kept].sort(), [...reachable(database, roots)].sort());
    assert.equal(kept.size, before.size - report.removed);
    assert.equal(kept.size, report.kept);
  });

  it("leaves what a contract shares with one whose old nodes went", async () => {
    const { chain } = test;
    await mineWrites(test, 200);
    await chain.states.prune();
    const state = chain.stateAt(chain.head.hash);
    for (let slot = 0; slot < SLOTS; slot++)
      assert.deepEqual(state.slot(SECOND, bigIntToHash(BigInt(slot))), Uint8Array.of(TWIN_VALUE));
  });

  it("says of a removed state that it is not there, and goes on with the chain", async () => {
    const { chain, database } = test;
    await mineWrites(test, 150);
    const old = chain.canonicalHash(5n);
    const young = chain.canonicalHash(140n);
    assert.ok(old && young);
    await chain.states.prune();
    assert.equal(readHorizon(database), 150n - history + 1n);
    assert.throws(() => chain.stateAt(old), isUnavailable);
    chain.stateAt(young).account(FIRST);
    chain.stateAt(chain.genesisHash).account(FIRST);
    await mineWrites(test, 5, 150);
    assert.equal(chain.head.header.number, 155n);
    assert.equal(chain.preStateOf(chain.blockByNumber(155n) ?? assert.fail()).depth, 0);
  });

  it("keeps side branches within the history, so that the chain can go over to them", async () => {
    const { chain } = test;
    await mineWrites(test, 150);
    const fork = chain.blockByNumber(140n);
    assert.ok(fork);
    const parent = { header: fork.header, hash: fork.hash };
    const side = await buildTestBlock(chain, [testTransaction(chain, 1, 0)], { parent });
    await chain.importBlock(side.block, side, { role: "aside" });
    await chain.states.prune();
    await chain.setForkchoice({ head: side.block.hash });
    const next = await mineTestBlock(chain, [testTransaction(chain, 1, 1)]);
    assert.equal(next.header.number, 142n);
  });

  it("loses nothing that blocks write while it works", async () => {
    const { chain, database } = test;
    await mineWrites(test, 180);
    const pruning = chain.states.prune();
    await mineWrites(test, 40, 180);
    assert.ok(await pruning);
    const { head } = chain;
    assert.equal(head.header.number, 220n);
    reachable(database, [head.header.stateRoot]);
    await markStates(database, [head.header.stateRoot]);
  });

  it("keeps everything without a history, and removes nothing before there is enough", async () => {
    await mineWrites(test, 20);
    assert.equal(await test.chain.states.prune(), undefined);
    await using archive = await openTestChain(twinGenesis(SLOTS));
    await mineWrites(archive, 140);
    assert.equal(await archive.chain.states.prune(), undefined);
    archive.chain.stateAt(archive.chain.canonicalHash(3n) ?? assert.fail()).account(FIRST);
  });

  it("keeps what is not final yet, however far back that is", async () => {
    const { chain } = test;
    await mineWrites(test, 150);
    const final = (number: bigint) => chain.canonicalHash(number) ?? assert.fail();
    await chain.setForkchoice({ finalized: final(10n) });
    assert.equal((await chain.states.prune())?.horizon, 10n);
    await chain.setForkchoice({ finalized: final(15n) });
    chain.stateAt(final(15n)).account(FIRST);
    await mineWrites(test, 20, 150);
    assert.equal((await chain.states.prune())?.horizon, 15n);
    assert.throws(() => chain.stateAt(final(14n)), isUnavailable);
    reachable(test.database, [chain.finalized.header.stateRoot]);
  });

  it("goes on when a block whose state has gone becomes final, and says so after a restart", async () => {
    const { chain, database } = test;
    await mineWrites(test, 150);
    await chain.states.prune();
    const late = chain.canonicalHash(5n) ?? assert.fail();
    await chain.setForkchoice({ finalized: late });
    assert.throws(() => chain.stateAt(late), isUnavailable);
    await mineWrites(test, 20, 150);
    assert.equal((await chain.states.prune())?.horizon, 150n - history + 1n);
    await chain.close();
    const again = await openTestChain(twinGenesis(SLOTS), { database, stateHistory: history });
    assert.equal(again.chain.finalized.hash, late);
    assert.throws(() => again.chain.stateAt(late), isUnavailable);
    again.chain.stateAt(again.chain.genesisHash).account(FIRST);
    await mineWrites(again, 20, 170);
    assert.ok(await again.chain.states.prune());
  });

  it("takes no block whose parent's state is about to go", async () => {
    const { chain, database } = test;
    await mineWrites(test, 180);
    const fork = chain.blockByNumber(180n - history) ?? assert.fail();
    const parent = { header: fork.header, hash: fork.hash };
    const side = await buildTestBlock(chain, [testTransaction(chain, 1, 0)], { parent });
    const pruning = chain.states.prune();
    const role = "aside";
    await assert.rejects(chain.importBlock(side.block, undefined, { role }), isUnavailable);
    await assert.rejects(chain.importBlock(side.block, side, { role }), isUnavailable);
    assert.ok(await pruning);
    reachable(database, [chain.head.header.stateRoot]);
  });

  it("lets the head go no further back than there are states", async () => {
    const { chain } = test;
    const first = await buildTestBlock(chain, [testTransaction(chain, 1, 0)]);
    await mineWrites(test, 150);
    await chain.states.prune();
    const { head } = chain;
    await assert.rejects(chain.setForkchoice({ head: chain.genesisHash }), isUnavailable);
    await assert.rejects(chain.importBlock(first.block), isUnavailable);
    await assert.rejects(chain.importBlock(first.block, first), isUnavailable);
    assert.equal(chain.head.hash, head.hash);
    await mineWrites(test, 1, 150);
  });
});
