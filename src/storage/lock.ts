/**
 * The files beside LevelDB's own: CREATED tells a damaged database from a new one (LevelDB opens a directory without
 * CURRENT as new), PID says who has it open (LevelDB's lock only says that someone has).
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, errorText, StorageError } from "./storageError.ts";

/** Files of a database directory. */
export interface DatabaseFiles {
  readonly path: string;
  /** LevelDB's directory. */
  readonly level: string;
  readonly created: string;
  readonly pid: string;
}

/** Files of the database at `path`. */
export function databaseFiles(path: string): DatabaseFiles {
  return {
    path,
    level: join(path, "level"),
    created: join(path, "CREATED"),
    pid: join(path, "PID"),
  };
}

/** Makes the directory, readable by its owner only. Throws StorageError UNAVAILABLE. */
export function makeDirectory(files: DatabaseFiles): void {
  try {
    mkdirSync(files.path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StorageError(
      { code: "UNAVAILABLE", path: files.path, detail: errorText(error) },
      { cause: error },
    );
  }
}

/** True when a database was created here once. */
export function wasCreated(files: DatabaseFiles): boolean {
  return existsSync(files.created);
}

/** True when LevelDB's entry file is there. */
export function hasLevelFiles(files: DatabaseFiles): boolean {
  return existsSync(join(files.level, "CURRENT"));
}

/** Records that the database exists, durably. */
export async function markCreated(files: DatabaseFiles): Promise<void> {
  await writeDurably(
    files.created,
    "This directory holds a database. Without this file a damaged one would be opened as new.\n",
  );
}

/** Records this process as the one that has the database open. */
export async function writePid(files: DatabaseFiles): Promise<void> {
  await writeDurably(files.pid, `${process.pid}\n`);
}

/** Removes the record if it is this process's. */
export function removePid(files: DatabaseFiles): void {
  if (recordedPid(files) === process.pid) rmSync(files.pid, { force: true });
}

/** Process that has the database open; undefined when none is recorded or the recorded one is gone. */
export function holderPid(files: DatabaseFiles): number | undefined {
  const pid = recordedPid(files);
  return pid !== undefined && isAlive(pid) ? pid : undefined;
}

function recordedPid(files: DatabaseFiles): number | undefined {
  if (!existsSync(files.pid)) return undefined;
  const pid = Number(readFileSync(files.pid, "utf8").trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM"; // another user's process
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, "w", 0o600);
  await file.writeFile(text);
  await file.sync();
}
