/** Layout version of the database, and the steps from older ones. */
import { columns, put } from "./columns.ts";
import type { Database } from "./database.ts";
import { StorageError } from "./storageError.ts";

/** Layout this program writes. Raise it with each migration. */
export const SCHEMA_VERSION = 1;

/** A step that turns the layout `to - 1` into `to`. It may be interrupted and run again, so it must be idempotent. */
export interface Migration {
  readonly to: number;
  run(database: Database): Promise<void>;
}

const migrations: readonly Migration[] = [];
const SCHEMA_KEY = "schema";
const VERSION_BYTES = 4;

/**
 * Writes the version into a new database; brings an older one up to date, one step and one version at a time.
 * Throws StorageError NEWER_SCHEMA, or DAMAGED when there are entries but no version.
 */
export async function migrate(
  database: Database,
  steps: readonly Migration[] = migrations,
  target: number = SCHEMA_VERSION,
): Promise<void> {
  const found = await foundVersion(database);
  if (found === undefined) {
    await writeVersion(database, target);
    return;
  }
  if (found > target) {
    const { path } = database;
    throw new StorageError({ code: "NEWER_SCHEMA", path, found, supported: target });
  }
  for (let version = found + 1; version <= target; version++) {
    const step = steps.find((candidate) => candidate.to === version);
    if (step !== undefined) await step.run(database);
    await writeVersion(database, version);
  }
}

/** Version of a database; undefined for an empty one. */
async function foundVersion(database: Database): Promise<number | undefined> {
  const raw = database.get(columns.meta, SCHEMA_KEY);
  if (raw?.length === VERSION_BYTES) {
    return new DataView(raw.buffer, raw.byteOffset).getUint32(0);
  }
  if (raw === undefined && (await database.isEmpty())) return undefined;
  const detail = raw === undefined ? "entries but no schema version" : "unreadable schema version";
  throw new StorageError({ code: "DAMAGED", path: database.path, detail });
}

async function writeVersion(database: Database, version: number): Promise<void> {
  const raw = new Uint8Array(VERSION_BYTES);
  new DataView(raw.buffer).setUint32(0, version);
  await database.batch([put(columns.meta, SCHEMA_KEY, raw)]);
}
