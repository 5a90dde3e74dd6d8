import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bigIntToHash } from "../../../src/primitives/hex.ts";
import { columns, del, put } from "../../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { repairDatabase } from "../../../src/storage/repair.ts";
import { StorageError, type StorageErrorReason } from "../../../src/storage/storageError.ts";

const HOLDER = new URL("./holdDatabase.ts", import.meta.url).pathname;

/** A directory of its own, removed at the end. */
class Directory {
  readonly path = mkdtempSync(join(tmpdir(), "qnet-storage-"));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function reasonOf(work: Promise<unknown>): Promise<StorageErrorReason> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StorageError, `a StorageError, got ${String(error)}`);
  return error.reason;
}

const hash = (n: number) => bigIntToHash(BigInt(n));

async function fill(database: Database): Promise<void> {
  const ops = Array.from({ length: 300 }, (_, n) => put(columns.canonical, BigInt(n), hash(n)));
  await database.batch(ops);
}

for (const kind of ["memory", "disk"] as const) {
  describe(`Database (${kind})`, () => {
    const opened = (directory: Directory) =>
      openDatabase(kind === "disk" ? { path: join(directory.path, "chain") } : {});

    it("gives back what was put, as plain byte arrays, and undefined for what was not", async () => {
      using directory = new Directory();
      await using database = await opened(directory);
      const location = { blockNumber: 1n << 40n, index: 77 };
      await database.batch([
        put(columns.bodies, hash(1), Uint8Array.of(1, 2)),
        put(columns.numbers, hash(1), 12n),
        put(columns.totalDifficulty, hash(1), 1n << 90n),
        put(columns.transactions, hash(2), location),
        put(columns.meta, "head", new Uint8Array(0)),
      ]);
      assert.deepEqual(database.get(columns.bodies, hash(1)), Uint8Array.of(1, 2));
      assert.equal(database.get(columns.numbers, hash(1)), 12n);
      assert.equal(database.get(columns.totalDifficulty, hash(1)), 1n << 90n);
      assert.deepEqual(database.get(columns.transactions, hash(2)), location);
      assert.deepEqual(database.get(columns.meta, "head"), new Uint8Array(0));
      assert.equal(database.get(columns.bodies, hash(2)), undefined);
      assert.equal(database.has(columns.bodies, hash(1)), true);
      assert.equal(database.has(columns.receipts, hash(1)), false);
    });

    it("keeps a stored value apart from the buffer it was put from", async () => {
      using directory = new Directory();
      await using database = await opened(directory);
      const value = Uint8Array.of(1, 2, 3);
      await database.batch([put(columns.meta, "x", value)]);
      value.fill(9);
      assert.deepEqual(database.get(columns.meta, "x"), Uint8Array.of(1, 2, 3));
    });

    it("iterates one column in number order, within bounds, both ways, up to a limit", async () => {
      using directory = new Directory();
      await using database = await opened(directory);
      await fill(database);
      const numbers = async (range: Parameters<typeof database.iterate<bigint, unknown>>[1]) => {
        const found: number[] = [];
        for await (const [number] of database.iterate(columns.canonical, range))
          found.push(Number(number));
        return found;
      };
      const count = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => from + i);
      assert.deepEqual(await numbers({}), count(0, 300));
      assert.deepEqual(await numbers({ gte: 250n, lt: 260n }), count(250, 260));
      assert.deepEqual(await numbers({ gt: 250n, lte: 260n }), count(251, 261));
      assert.deepEqual(await numbers({ reverse: true, limit: 3 }), [299, 298, 297]);
      assert.deepEqual(await numbers({ lt: 256n, reverse: true, limit: 2 }), [255, 254]);
      assert.deepEqual(await database.measure(columns.canonical), {
        entries: 300,
        bytes: 300 * 41,
      });
    });

    it("applies a batch in order and deletes", async () => {
      using directory = new Directory();
      await using database = await opened(directory);
      await database.batch([
        put(columns.numbers, hash(1), 1n),
        del(columns.numbers, hash(1)),
        put(columns.numbers, hash(2), 2n),
      ]);
      assert.equal(database.get(columns.numbers, hash(1)), undefined);
      await database.batch([del(columns.numbers, hash(2)), del(columns.numbers, hash(3))]);
      assert.equal(database.get(columns.numbers, hash(2)), undefined);
      await fill(database);
      await database.clear(columns.canonical);
      assert.equal(database.get(columns.canonical, 7n), undefined);
      assert.notEqual(database.get(columns.meta, "schema"), undefined);
    });

    it("names column and key of a value that cannot be decoded", async () => {
      using directory = new Directory();
      await using database = await opened(directory);
      await database.batch([
        {
          ...put(columns.code, hash(1), Uint8Array.of(1)),
          key: put(columns.numbers, hash(1), 1n).key,
        },
      ]);
      const reason = await reasonOf((async () => database.get(columns.numbers, hash(1)))());
      assert.ok(reason.code === "DAMAGED");
      assert.match(reason.detail, /column numbers, key 0x4e0{63}1/);
    });

    it("says so when used after it was closed", async () => {
      using directory = new Directory();
      const database = await opened(directory);
      await database.close();
      await database.close();
      assert.equal(
        (await reasonOf(database.batch([]).then(() => database.get(columns.meta, "x")))).code,
        "CLOSED",
      );
      assert.equal((await reasonOf(database.batch([del(columns.meta, "x")]))).code, "CLOSED");
    });
  });
}

describe("openDatabase on disk", () => {
  it("finds everything again after closing", async () => {
    using directory = new Directory();
    {
      await using database = await openDatabase(directory);
      await fill(database);
    }
    await using database = await openDatabase(directory);
    assert.equal(database.get(columns.canonical, 299n), hash(299));
    assert.equal(readFileSync(join(directory.path, "PID"), "utf8"), `${process.pid}\n`);
  });

  it("refuses a second opening and names the process that has the lock", async () => {
    using directory = new Directory();
    const child = fork(HOLDER, [directory.path]);
    try {
      await once(child, "message");
      const reason = await reasonOf(openDatabase(directory));
      assert.deepEqual(reason, { code: "LOCKED", path: directory.path, pid: child.pid });
      await using own = await openDatabase({ path: join(directory.path, "other") });
      assert.deepEqual(await reasonOf(openDatabase({ path: own.path })), {
        code: "LOCKED",
        path: own.path,
        pid: process.pid,
      });
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    assert.ok(existsSync(join(directory.path, "PID")), "the killed process leaves its record");
    await using database = await openDatabase(directory);
    assert.equal(database.get(columns.canonical, 1n), hash(1));
  });

  it("names nobody when the recorded process is gone", async () => {
    using directory = new Directory();
    await using _database = await openDatabase(directory);
    const gone = spawnSync(process.execPath, ["--version"]).pid;
    writeFileSync(join(directory.path, "PID"), `${gone}\n`);
    assert.deepEqual(await reasonOf(openDatabase(directory)), {
      code: "LOCKED",
      path: directory.path,
      pid: undefined,
    });
  });

  it("reports damage instead of starting over when LevelDB's files are gone", async () => {
    using directory = new Directory();
    await (await openDatabase(directory)).close();
    rmSync(join(directory.path, "level", "CURRENT"));
    assert.equal((await reasonOf(openDatabase(directory))).code, "DAMAGED");
    rmSync(join(directory.path, "level"), { recursive: true });
    assert.equal((await reasonOf(openDatabase(directory))).code, "DAMAGED");
  });

  it("reports a broken manifest, and repair brings the entries back", async () => {
    using directory = new Directory();
    {
      await using database = await openDatabase(directory);
      await fill(database);
    }
    const level = join(directory.path, "level");
    for (const name of readdirSync(level)) {
      if (name.startsWith("MANIFEST")) writeFileSync(join(level, name), "broken");
    }
    const reason = await reasonOf(openDatabase(directory));
    assert.ok(reason.code === "DAMAGED" && reason.detail.length > 0);
    await repairDatabase(directory.path);
    await using database = await openDatabase(directory);
    assert.equal(database.get(columns.canonical, 299n), hash(299));
  });

  it("says that a path cannot be used when it is a file", async () => {
    using directory = new Directory();
    const path = join(directory.path, "file");
    writeFileSync(path, "");
    assert.equal((await reasonOf(openDatabase({ path }))).code, "UNAVAILABLE");
  });

  it("refuses a database of a later version", async () => {
    using directory = new Directory();
    {
      await using database = await openDatabase(directory);
      await database.batch([put(columns.meta, "schema", Uint8Array.of(0, 0, 1, 0))]);
    }
    assert.deepEqual(await reasonOf(openDatabase(directory)), {
      code: "NEWER_SCHEMA",
      path: directory.path,
      found: 256,
      supported: 1,
    });
  });

  it("has whole batches only after kill -9 amid writing", async () => {
    using directory = new Directory();
    for (let round = 0; round < 2; round++) {
      const child = fork(HOLDER, [directory.path, "write"]);
      await once(child, "message");
      await new Promise((resolve) => setTimeout(resolve, 120));
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await using database = await openDatabase(directory);
    const batches = new Map<string, number>();
    for await (const [key] of database.iterate(columns.logIndex)) {
      const id = Buffer.from(key.subarray(0, 12)).toString("hex");
      batches.set(id, (batches.get(id) ?? 0) + 1);
    }
    assert.ok(batches.size > 2);
    for (const entries of batches.values()) assert.equal(entries, 50);
  });
});
