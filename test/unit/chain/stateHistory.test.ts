import assert from "node:assert/strict";
import { ChainError } from "../../../src/chain/chainError.ts";
import { LEAST_HISTORY, readHorizon } from "../../../src/chain/stateHistory.ts";
import { bigIntToHash, type Hash, hexToBytes, parseAddress } from "../../../src/primitives/hex.ts";
import { decodeAccount } from "../../../src/state/accountCodec.ts";
import { auditTrie } from "../../../src/state/auditTrie.ts";
import { columns } from "../../../src/storage/columns.ts";
import type { Database } from "../../../src/storage/database.ts";
import { markStates } from "../../../src/storage/pruneNodes.ts";
import { uncheckedStateStore } from "../../../src/storage/stateStore.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { type Genesis, parseGenesis } from "../../../src/types/genesis.ts";
import {
  buildTestBlock,
  mineTestBlock,
  networkText,
  openTestChain,
  type TestChain,
  testTransaction,
} from "../../support/chains.ts";

/** sstore(calldata[0..32], calldata[32..64]) */
const STORE_CODE = "0x6020356000355500";
const TWINS = [0xa1, 0xb2].map((byte) => parseAddress(`0x${byte.toString(16).repeat(20)}`));
const [FIRST = parseAddress(`0x${"00".repeat(20)}`), SECOND = FIRST] = TWINS;
const SLOTS = 40;

/** A plain chain with two contracts whose storage is the same. */
function twinGenesis(): Genesis {
  const json = JSON.parse(networkText("devnet"));
  delete json.config.qnet;
  const storage = Object.fromEntries(
    Array.from({ length: SLOTS }, (_, slot) => [bigIntToHash(BigInt(slot)), bigIntToHash(7n)]),
  );
  const twin = { balance: "0x0", nonce: "0x1", code: STORE_CODE, storage };
  const alloc = { ...json.alloc, [FIRST]: twin, [SECOND]: twin };
  return parseGenesis({ ...json, alloc });
}

const word = (value: number) => bigIntToHash(BigInt(value)).slice(2);
const calldata = (slot: number, value: number) => hexToBytes(`0x${word(slot)}${word(value)}`);

/** Hashes of all nodes below these roots, by a walk that checks every hash and finds nothing missing. */
function reachable(database: Database, roots: Iterable<Hash>): Set<string> {
  const store = uncheckedStateStore(database);
  const found = new Set<string>();
  const counting = {
    getNode: (hash: Uint8Array) => {
      found.add(Buffer.from(hash).toString("hex"));
      return store.getNode(hash);
    },
  };
  for (const root of roots) {
    for (const step of auditTrie(counting, root)) {
      assert.notEqual(step.kind, "problem");
      if (step.kind !== "value") continue;
      const { storageRoot } = decodeAccount(step.value);
      if (storageRoot === EMPTY_TRIE_ROOT) continue;
      for (const below of auditTrie(counting, storageRoot)) assert.notEqual(below.kind, "problem");
    }
  }
  return found;
}

async function storedNodes(database: Database): Promise<Set<string>> {
  const stored = new Set<string>();
  for await (const [hash] of database.iterate(columns.nodes))
    stored.add(Buffer.from(hash).toString("hex"));
  return stored;
}

/** Mines blocks that write slots of the first twin only. */
async function mineWrites(test: TestChain, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) {
    const data = calldata(i % SLOTS, 1_000 + i);
    const fields = { to: FIRST, data, value: 0n, gasLimit: 60_000n };
    await mineTestBlock(test.chain, [testTransaction(test.chain, 0, i, fields)]);
  }
}

describe("StateHistory", function () {
  this.timeout(60_000);
  const history = LEAST_HISTORY;
  let test: TestChain;
  beforeEach(async () => {
    test = await openTestChain(twinGenesis(), { stateHistory: history });
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
      assert.deepEqual(state.slot(SECOND, bigIntToHash(BigInt(slot))), Uint8Array.of(7));
  });

  it("says of a removed state that it is not there, and goes on with the chain", async () => {
    const { chain, database } = test;
    await mineWrites(test, 150);
    const old = chain.canonicalHash(5n);
    const young = chain.canonicalHash(140n);
    assert.ok(old && young);
    await chain.states.prune();
    assert.equal(readHorizon(database), 150n - history + 1n);
    assert.throws(
      () => chain.stateAt(old),
      (error) => error instanceof ChainError && error.reason.code === "STATE_UNAVAILABLE",
    );
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
    await using archive = await openTestChain(twinGenesis());
    await mineWrites(archive, 140);
    assert.equal(await archive.chain.states.prune(), undefined);
    archive.chain.stateAt(archive.chain.canonicalHash(3n) ?? assert.fail()).account(FIRST);
  });
});
