import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chain } from "../../src/chain/chain.ts";
import { findSoundHead } from "../../src/chain/repair.ts";
import { type Hash, parseHash } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import type { Database } from "../../src/storage/database.ts";
import { StorageError } from "../../src/storage/storageError.ts";
import { verifyFlat } from "../../src/storage/verifyFlat.ts";
import { encodeBlock } from "../../src/types/block.ts";
import {
  devnetGenesis,
  mineTestBlock,
  openTestChain,
  TEST_ADDRESSES,
  type TestChain,
  testTransaction,
} from "../support/chains.ts";
import { randomOf } from "../support/random.ts";
import { Victim } from "../support/victim.ts";

const ROUNDS = 50;
const SEED = 20_814;
/** A kill comes so many acknowledged blocks, then so many milliseconds, after the chain is open: however slow the machine is. */
const MOST_BLOCKS = 12;
const LONGEST_MS = 40;
/** Children that load their modules while another one runs. */
const AHEAD = 2;
const IMPORTED_BLOCKS = 1_600;
const CHILD = join(import.meta.dirname, "../support/crashChild.ts");

/** A block the child said it had stored. */
interface Told {
  readonly number: bigint;
  readonly hash: Hash;
}

function toldBy(lines: readonly string[]): Told[] {
  return lines
    .filter((line) => /^\d+ 0x[0-9a-f]{64}$/.test(line))
    .map((line) => {
      const [number = "", hash = ""] = line.split(" ");
      return { number: BigInt(number), hash: parseHash(hash) };
    });
}

/** Lets a child run, kills it `afterMs` after it told of `blocks` blocks, and gives all it told of. */
async function killAfter(victim: Victim, blocks: number, afterMs: number): Promise<Told[]> {
  await victim.go();
  await victim.until((lines) => lines.includes("ready") && toldBy(lines).length >= blocks);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  return toldBy(await victim.end());
}

async function writeBlocks(file: string): Promise<void> {
  await using test = await openTestChain(devnetGenesis());
  const parts: Uint8Array[] = [];
  for (let number = 0; number < IMPORTED_BLOCKS; number++)
    parts.push(
      encodeBlock(await mineTestBlock(test.chain, [testTransaction(test.chain, 0, number)])),
    );
  writeFileSync(file, Buffer.concat(parts));
}

/** Opening has brought the flat state to the head, and it is the head's. */
async function assertFlat(chain: Chain, database: Database): Promise<void> {
  const note = (problem: string) => assert.fail(problem);
  const flat = await verifyFlat(database, { note, turn: async () => {} });
  assert.equal(flat?.rebuilt, chain.head.header.stateRoot);
}

/** Everything about the blocks from `from` to the head is there and fits together. */
async function assertWhole({ chain, database }: TestChain, from: bigint): Promise<void> {
  const sound = await findSoundHead(database, { hash: chain.genesisHash, number: 0n });
  assert.deepEqual(sound.damaged, [], "no half block");
  for (let number = from; number <= chain.head.header.number; number++) {
    const block = chain.blockByNumber(number);
    assert.ok(block, `block ${number}`);
    assert.equal(block.header.parentHash, chain.canonicalHash(number - 1n));
    assert.equal(chain.receipts(block.hash)?.length, block.transactions.length);
    for (const [index, { hash }] of block.transactions.entries())
      assert.equal(chain.transaction(hash)?.index, index);
    const state = chain.stateAt(block.hash);
    for (const address of TEST_ADDRESSES) assert.ok(state.account(address));
  }
  assert.equal(chain.canonicalHash(chain.head.header.number + 1n), undefined);
  await assertFlat(chain, database);
}

describe("a node killed at any moment", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "qnet-crash-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`loses no acknowledged block and leaves no half one, ${ROUNDS} rounds, seed ${SEED}`, async function () {
    this.timeout(300_000);
    const random = randomOf(SEED);
    const file = join(folder, "blocks.rlp");
    await writeBlocks(file);
    const start = (round: number) => {
      const mode = round % 2 === 0 ? "produce" : "import";
      const path = join(folder, mode);
      return { path, victim: new Victim(CHILD, [mode, path, file]) };
    };
    const waiting = Array.from({ length: AHEAD }, (_, round) => start(round));
    let acknowledged = 0;
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(async () => {
      for (const { victim } of waiting) await victim.end();
    });
    for (let round = 0; round < ROUNDS; round++) {
      const { path, victim } = waiting.shift() ?? start(round);
      if (round + AHEAD < ROUNDS) waiting.push(start(round + AHEAD));
      const told = await killAfter(
        victim,
        Math.floor(random() * (MOST_BLOCKS + 1)),
        Math.floor(random() * LONGEST_MS),
      );
      acknowledged += told.length;
      await using test = await openTestChain(devnetGenesis(), { path, log: silentLogger });
      for (const { number, hash } of told)
        assert.equal(
          test.chain.canonicalHash(number),
          hash,
          `round ${round}: block ${number} is lost`,
        );
      await assertWhole(test, told[0]?.number ?? 1n);
    }
    assert.ok(acknowledged > ROUNDS, `${acknowledged} blocks were acknowledged`);
  });

  it("keeps a second process out and names the first", async () => {
    const path = join(folder, "locked");
    await using first = await openTestChain(devnetGenesis(), { path });
    assert.ok(first.chain.head);
    await assert.rejects(openTestChain(devnetGenesis(), { path }), (error) => {
      assert.ok(error instanceof StorageError);
      assert.deepEqual(error.reason, { code: "LOCKED", path, pid: process.pid });
      return true;
    });
  });
});
