import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chain } from "../../src/chain/chain.ts";
import { LEAST_HISTORY, readHorizon } from "../../src/chain/stateHistory.ts";
import { bigIntToHash, bytesToHash, type Hash } from "../../src/primitives/hex.ts";
import { columns } from "../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { verifyDatabase } from "../../src/storage/verify.ts";
import { openTestChain } from "../support/chains.ts";
import { randomOf } from "../support/random.ts";
import {
  mineTwinWrite,
  reachable,
  storedNodes,
  TWIN_SLOTS,
  TWIN_VALUE,
  TWINS,
  twinGenesis,
} from "../support/twins.ts";
import { Victim } from "../support/victim.ts";

const ROUNDS = 2;
const SEED = 20_814;
/** Blocks made ahead, so that there is something to remove when a child has written enough for a round. */
const AHEAD = 200;
const AHEAD_SLOTS = 120;
/** The kill comes within so many batches of removals. */
const MOST_BATCHES = 4;
const LONGEST_MS = 6;
const CHILD = join(import.meta.dirname, "../support/pruneChild.ts");
const HEIGHT_BYTES = 8;

/** Roots of the states that are promised: of all blocks from the horizon on, beside the chain as well, and of the genesis. */
async function keptRoots(database: Database): Promise<Hash[]> {
  const genesis = database.get(columns.canonical, 0n);
  const header = genesis && database.get(columns.headers, genesis);
  assert.ok(header);
  const roots = [header.stateRoot];
  const horizon = readHorizon(database);
  for await (const [key, root] of database.iterate(columns.stateRoots)) {
    const height = new DataView(key.buffer, key.byteOffset).getBigUint64(0);
    assert.equal(key.length, HEIGHT_BYTES + root.length);
    if (height >= horizon) roots.push(bytesToHash(root));
  }
  return roots;
}

/** What the database says after a kill: nothing promised is missing, and the removal was not done. */
async function examine(path: string): Promise<{ horizon: bigint; garbage: number }> {
  await using database = await openDatabase({ path });
  const { problems } = await verifyDatabase(database);
  assert.deepEqual(problems, []);
  const needed = reachable(database, await keptRoots(database));
  const stored = await storedNodes(database);
  return { horizon: readHorizon(database), garbage: stored.size - needed.size };
}

/** Blocks that write to either twin or both, with all states kept. */
async function makeAhead(path: string): Promise<void> {
  await using test = await openTestChain(twinGenesis(TWIN_SLOTS), { path });
  for (let i = 0; i < AHEAD; i++) {
    const from = (i * AHEAD_SLOTS) % (TWIN_SLOTS - AHEAD_SLOTS);
    await mineTwinWrite(test.chain, { both: i % 2 === 0, from, count: AHEAD_SLOTS, value: i });
  }
}

/** Storage roots of the twins in the state at the head. */
function twinRoots(chain: Chain): Hash[] {
  const state = chain.stateAt(chain.head.hash);
  return TWINS.map((twin) => state.account(twin)?.storageRoot ?? assert.fail());
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  return bytes;
}

/** Opens the chain, as `use` needs it, and closes it. */
async function withChain<T>(
  path: string,
  use: (test: { readonly chain: Chain; readonly database: Database }) => T | Promise<T>,
): Promise<T> {
  const genesis = twinGenesis(TWIN_SLOTS);
  await using test = await openTestChain(genesis, { path, stateHistory: LEAST_HISTORY });
  return await use(test);
}

describe("a node killed while it removes old states", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "qnet-prune-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`keeps every promised node, and the next round frees the disk: ${ROUNDS} kills, seed ${SEED}`, async function () {
    this.timeout(400_000);
    const random = randomOf(SEED);
    const path = join(folder, "chain");
    await makeAhead(path);
    let horizon = 0n;
    for (let round = 0; round < ROUNDS; round++) {
      const victim = new Victim(CHILD, [path, String(SEED + round)]);
      await using cleanup = new AsyncDisposableStack();
      cleanup.defer(async () => void (await victim.end()));
      const batches = 1 + Math.floor(random() * MOST_BATCHES);
      await victim.go();
      await victim.until((lines) => lines.includes(`removing ${batches}`));
      await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * LONGEST_MS)));
      await victim.end();
      const found = await examine(path);
      assert.ok(found.horizon > horizon, `round ${round}: the horizon is raised first`);
      assert.ok(found.garbage > 0, `round ${round}: the kill comes before the end`);
      horizon = found.horizon;
    }
    // closing writes what LevelDB holds in memory: from here on the size is that of the content
    await withChain(path, () => {});
    const before = sizeOf(path);
    await withChain(path, async ({ chain, database }) => {
      const report = await chain.states.prune();
      assert.ok(report !== undefined && report.removed > 0);
      const needed = reachable(database, await keptRoots(database));
      assert.deepEqual(await storedNodes(database), needed);
      assert.equal(report.kept, needed.size);
    });
    const after = sizeOf(path);
    assert.ok(after < before, `${before} bytes before, ${after} after`);
    await withChain(path, ({ chain, database }) => {
      const [first, second] = twinRoots(chain).map((root) => reachable(database, [root], "slots"));
      assert.ok(first?.size !== undefined && second !== undefined);
      assert.ok(
        [...first].some((hash) => second.has(hash)),
        "the twins share nodes",
      );
      const genesis = chain.stateAt(chain.genesisHash);
      for (const twin of TWINS)
        for (let slot = 0; slot < TWIN_SLOTS; slot++)
          assert.deepEqual(
            genesis.slot(twin, bigIntToHash(BigInt(slot))),
            Uint8Array.of(TWIN_VALUE),
          );
    });
    assert.deepEqual((await examine(path)).garbage, 0);
  });
});
