import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Address,
  bigIntToHash,
  type Hash,
  parseAddress,
} from "../../../src/primitives/hex.ts";
import { State } from "../../../src/state/state.ts";
import { columns, del, put } from "../../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { clearFlat, readFlatRoot } from "../../../src/storage/flatColumns.ts";
import { FlatMoves } from "../../../src/storage/flatMoves.ts";
import { databaseStateStore, stateChangeOps } from "../../../src/storage/stateStore.ts";
import { StorageError } from "../../../src/storage/storageError.ts";
import { verifyFlat } from "../../../src/storage/verifyFlat.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { StateTrial } from "../../support/stateTrials.ts";

const addressOf = (n: number): Address => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);

/** A state of 200 accounts, of which number 7 has 30 slots, with its flat entries in the columns. */
async function filled(database: Database): Promise<{ flat: FlatMoves; root: Hash; state: State }> {
  const flat = new FlatMoves(database, databaseStateStore(database));
  const store = { ...databaseStateStore(database), flat: flat.view };
  const state = new State(store, EMPTY_TRIE_ROOT);
  for (let n = 1; n <= 200; n++)
    state.setAccount(addressOf(n), { ...EMPTY_ACCOUNT, balance: BigInt(n) });
  for (let n = 0; n < 30; n++)
    state.setSlot(addressOf(7), bigIntToHash(BigInt(n)), Uint8Array.of(n + 1));
  const changes = state.takeChanges();
  await database.batch(stateChangeOps(changes));
  assert.equal(await flat.catchUp(changes.root), "rebuilt");
  return { flat, root: changes.root, state };
}

async function problemsOf(database: Database): Promise<string[]> {
  const problems: string[] = [];
  const note = (problem: string) => problems.push(problem);
  await verifyFlat(database, { note, turn: async () => {} });
  return problems;
}

async function firstEntry(database: Database, column: typeof columns.flatAccounts) {
  for await (const [key, raw] of database.iterate(column, { limit: 1 }))
    return { key: new Uint8Array(key), raw: new Uint8Array(raw) };
  return assert.fail("there is an entry");
}

describe("FlatMoves", function () {
  this.timeout(120_000);

  it("follows random histories beside @ethereumjs/mpt, with branches, crashes and reads in between", async () => {
    for (const seed of [1, Date.now() % 1_000_000]) {
      await using database = await openDatabase();
      const shape = { operations: 12_000, perBlock: 300, accounts: 150, slots: 16 };
      try {
        const counts = await new StateTrial(database, { seed, ...shape }).run();
        const { recreations, crashes, branches, flatChecks, proofs } = counts;
        for (const count of [recreations, crashes, branches, flatChecks, proofs])
          assert.ok(count > 0);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  it("takes the mark away while a large change is written, and has it again at its end", async () => {
    await using database = await openDatabase();
    const { root } = await filled(database);
    const nodes = databaseStateStore(database);
    const small = new FlatMoves(database, nodes, { fresh: 4, freshBlocks: 2, atOnce: 16 });
    const state = new State({ ...nodes, flat: small.view }, root);
    for (let n = 1; n <= 100; n++)
      state.setAccount(addressOf(n), { ...EMPTY_ACCOUNT, balance: 5n });
    const changes = state.takeChanges();
    assert.deepEqual(await small.prepare(changes.root, changes), []);
    assert.equal(small.view.root, changes.root);
    assert.equal(readFlatRoot(database), changes.root);
    assert.deepEqual(await problemsOf(database), []);
  });

  it("removes the slots of accounts that a later piece of a large change clears", async () => {
    await using database = await openDatabase();
    const { root } = await filled(database);
    const nodes = databaseStateStore(database);
    for (const atOnce of [1, 2, 3, 7, 20]) {
      const small = new FlatMoves(database, nodes, { fresh: 4, freshBlocks: 2, atOnce });
      assert.notEqual(await small.catchUp(root), "rebuilt");
      const state = new State({ ...nodes, flat: small.view }, root);
      for (let n = 1; n <= 100; n++)
        state.setAccount(addressOf(n), { ...EMPTY_ACCOUNT, balance: 5n });
      state.clearStorage(addressOf(7));
      state.setSlot(addressOf(7), bigIntToHash(3n), Uint8Array.of(99));
      const changes = state.takeChanges();
      await small.prepare(changes.root, changes);
      await database.batch(stateChangeOps(changes));
      assert.deepEqual(await problemsOf(database), [], `pieces of ${atOnce}`);
    }
  });

  it("is made anew when its mark is gone or of a state that is not there any more", async () => {
    await using database = await openDatabase();
    const { root } = await filled(database);
    await database.batch([put(columns.meta, "flatRoot", new Uint8Array(32).fill(3))]);
    for (const spoil of [() => {}, () => clearFlat(database)]) {
      await spoil();
      const flat = new FlatMoves(database, databaseStateStore(database));
      assert.equal(await flat.catchUp(root), "rebuilt");
      assert.equal(readFlatRoot(database), root);
      assert.deepEqual(await problemsOf(database), []);
      assert.equal(await flat.catchUp(root), "current");
    }
  });

  it("knows nothing after a batch that failed", async () => {
    await using database = await openDatabase();
    const { flat, root, state } = await filled(database);
    state.setAccount(addressOf(1), EMPTY_ACCOUNT);
    const changes = state.takeChanges();
    await flat.prepare(changes.root, changes);
    flat.fail();
    for (const one of [root, changes.root])
      assert.equal(flat.view.read(one, "x".repeat(32)), undefined);
    assert.deepEqual(await flat.prepare(changes.root, changes), []);
  });

  it("answers for accounts and slots from one entry each, without a node of the trie", async () => {
    await using database = await openDatabase();
    const { flat, root } = await filled(database);
    const blind = { getNode: () => assert.fail("a node was read"), getCode: () => undefined };
    const state = new State({ ...blind, flat: flat.view }, root);
    assert.equal(state.account(addressOf(150))?.balance, 150n);
    assert.equal(state.account(addressOf(201)), undefined);
    assert.deepEqual(state.slot(addressOf(7), bigIntToHash(4n)), Uint8Array.of(5));
    assert.deepEqual(state.slot(addressOf(7), bigIntToHash(99n)), new Uint8Array(0));
  });
});

describe("verifyFlat", () => {
  it("finds a changed, a missing and an added entry, and names it", async () => {
    const cases: readonly (readonly [
      wrong: (database: Database) => Promise<unknown>,
      expected: RegExp,
    ])[] = [
      [
        async (database) => {
          const { key, raw } = await firstEntry(database, columns.flatAccounts);
          raw[10] = (raw[10] ?? 0) ^ 1;
          await database.batch([put(columns.flatAccounts, key, raw)]);
        },
        /does not have its checksum/,
      ],
      [
        async (database) => {
          const { key } = await firstEntry(database, columns.flatAccounts);
          await database.batch([del(columns.flatAccounts, key)]);
        },
        /is missing, the trie has it/,
      ],
      [
        async (database) => {
          const { raw } = await firstEntry(database, columns.flatAccounts);
          await database.batch([put(columns.flatAccounts, new Uint8Array(32), raw)]);
        },
        /is not in the trie/,
      ],
      [
        async (database) => {
          const { key } = await firstEntry(database, columns.flatSlots);
          await database.batch([del(columns.flatSlots, key)]);
        },
        /flat slots give storage root/,
      ],
      [
        async (database) => {
          const { raw } = await firstEntry(database, columns.flatSlots);
          await database.batch([put(columns.flatSlots, new Uint8Array(64), raw)]);
        },
        /belongs to no account/,
      ],
    ];
    for (const [wrong, expected] of cases) {
      await using database = await openDatabase();
      await filled(database);
      assert.deepEqual(await problemsOf(database), []);
      await wrong(database);
      assert.match((await problemsOf(database)).join("\n"), expected);
    }
  });

  it("does not let a flipped bit become a balance", async () => {
    await using database = await openDatabase();
    const { root } = await filled(database);
    for await (const [key, raw] of database.iterate(columns.flatAccounts)) {
      const flipped = new Uint8Array(raw);
      flipped[6] = (flipped[6] ?? 0) ^ 4;
      await database.batch([put(columns.flatAccounts, new Uint8Array(key), flipped)]);
    }
    const flat = new FlatMoves(database, databaseStateStore(database));
    const state = new State({ ...databaseStateStore(database), flat: flat.view }, root);
    assert.throws(
      () => state.account(addressOf(1)),
      (error) => error instanceof StorageError && error.reason.code === "DAMAGED",
    );
  });

  it("says nothing where there is no flat state", async () => {
    await using database = await openDatabase();
    assert.deepEqual(await problemsOf(database), []);
  });

  it("agrees with a state on disk that was closed and opened again", async () => {
    const path = mkdtempSync(join(tmpdir(), "qnet-flat-"));
    try {
      {
        await using database = await openDatabase({ path });
        const { flat, state } = await filled(database);
        state.clearStorage(addressOf(7));
        state.deleteAccount(addressOf(9));
        const changes = state.takeChanges();
        const ops = await flat.prepare(changes.root, changes);
        await database.batch([...stateChangeOps(changes), ...ops]);
        flat.settle();
        await flat.flush();
      }
      await using database = await openDatabase({ path });
      assert.deepEqual(await problemsOf(database), []);
      const report = await verifyFlat(database, { note: assert.fail, turn: async () => {} });
      assert.equal(report?.accounts, 199);
      assert.equal(report?.slots, 0);
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  });
});
