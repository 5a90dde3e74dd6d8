import assert from "node:assert/strict";
import { columns, del, put } from "../../../src/storage/columns.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { type Migration, migrate, SCHEMA_VERSION } from "../../../src/storage/migrations.ts";
import { StorageError } from "../../../src/storage/storageError.ts";

const name = (version: number) => put(columns.meta, `step${version}`, Uint8Array.of(version));

describe("migrate", () => {
  it("writes the version into an empty database without running a step", async () => {
    await using database = await openDatabase();
    assert.deepEqual(database.get(columns.meta, "schema"), Uint8Array.of(0, 0, 0, SCHEMA_VERSION));
  });

  it("runs the steps between the stored and the wanted version in order, and once", async () => {
    await using database = await openDatabase();
    const ran: number[] = [];
    const steps: Migration[] = [4, 2, 3].map((to) => ({
      to,
      run: async (given) => {
        ran.push(to);
        await given.batch([name(to)]);
      },
    }));
    await migrate(database, steps, 4);
    await migrate(database, steps, 4);
    assert.deepEqual(ran, [2, 3, 4]);
    assert.deepEqual(database.get(columns.meta, "schema"), Uint8Array.of(0, 0, 0, 4));
    assert.deepEqual(database.get(columns.meta, "step4"), Uint8Array.of(4));
  });

  it("continues after the last finished step when one fails", async () => {
    await using database = await openDatabase();
    let failing = true;
    const ran: number[] = [];
    const steps: Migration[] = [2, 3].map((to) => ({
      to,
      run: async () => {
        if (to === 3 && failing) throw new RangeError("interrupted");
        ran.push(to);
      },
    }));
    await assert.rejects(migrate(database, steps, 3), RangeError);
    failing = false;
    await migrate(database, steps, 3);
    assert.deepEqual(ran, [2, 3]);
  });

  it("refuses a later version, and entries without any version", async () => {
    await using database = await openDatabase();
    await assert.rejects(
      migrate(database, [], 0),
      (error) => error instanceof StorageError && error.reason.code === "NEWER_SCHEMA",
    );
    await database.batch([name(1), del(columns.meta, "schema")]);
    await assert.rejects(
      migrate(database),
      (error) => error instanceof StorageError && error.reason.code === "DAMAGED",
    );
  });
});
