/** `qnet db`: what the database of a data directory holds, and whether it is sound. */
import { existsSync } from "node:fs";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { clearFlat } from "../../src/storage/flatColumns.ts";
import { repairDatabase } from "../../src/storage/repair.ts";
import { StorageError } from "../../src/storage/storageError.ts";
import { databaseStats, type VerifyCounts, verifyDatabase } from "../../src/storage/verify.ts";
import { openChain } from "../chainAccess.ts";
import { chainFolder, requireDataFolder } from "../dataFolder.ts";
import { dbDefinition } from "../definitions.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import type { OptionValues } from "../options.ts";
import { parseOptions } from "../parseOptions.ts";
import { keptBlocks } from "../stateHistory.ts";

const PROGRESS_INTERVAL_MS = 5_000;

type DbValues = OptionValues<"datadir" | "history.state" | "verbosity" | "log.format">;

/** Runs the command. `verify`, also at the end of `repair`, ends with status 5 when it finds damage. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(dbDefinition, args, io);
  const [verb, ...extra] = operands;
  if (!isVerb(verb) || extra.length > 0) {
    throw new UsageError("usage: qnet db verify | stats | prune | repair");
  }
  if (verb === "prune") return await prune(values, io);
  const path = chainFolder(requireDataFolder(values.datadir));
  if (!existsSync(path)) {
    throw new CommandError({ code: "FAILED", problem: `there is no database in ${path}` });
  }
  if (verb === "repair") await repair(path, values, io);
  await using database = await openDatabase({ path });
  if (verb === "stats") {
    printLine(io, jsonLine(await databaseStats(database)));
    return EXIT.ok;
  }
  const log = createCommandLog(values, io);
  let toldMs = Date.now();
  const onProgress = (counts: VerifyCounts) => {
    if (Date.now() - toldMs < PROGRESS_INTERVAL_MS) return;
    toldMs = Date.now();
    log.info("Verifying database", { ...counts });
  };
  // awaited here: the database closes when this function returns
  return await verify(database, io, onProgress);
}

const VERBS = ["stats", "verify", "prune", "repair"] as const;

function isVerb(verb: string | undefined): verb is (typeof VERBS)[number] {
  return VERBS.some((known) => known === verb);
}

/** Removes the states before the last `--history.state` blocks and gives their space back. */
async function prune(values: DbValues, io: CommandIo): Promise<number> {
  const stateHistory = keptBlocks(values["history.state"]);
  if (stateHistory === undefined) throw new UsageError("--history.state 0 keeps all states");
  const log = createCommandLog(values, io);
  const access = await openChain(requireDataFolder(values.datadir), undefined, {
    log,
    stateHistory,
  });
  try {
    if (access.chain.isDev)
      throw new UsageError("a development chain goes back to any block: its states stay");
    const report = await access.chain.states.prune();
    printLine(io, jsonLine(report ?? { kept: null, removed: 0, horizon: null }));
  } finally {
    await access.close();
  }
  return EXIT.ok;
}

/**
 * Index files that LevelDB cannot open are made anew, the head goes back to the newest whole block, and the flat state is
 * made from the trie. Throws StorageError, ChainError DAMAGED where that is not enough.
 */
async function repair(path: string, values: DbValues, io: CommandIo): Promise<void> {
  const log = createCommandLog(values, io);
  const database = await openDatabase({ path }).catch(async (error: unknown) => {
    if (!(error instanceof StorageError && error.reason.code === "DAMAGED")) throw error;
    log.warn("Making the index files of the database anew", { error });
    await repairDatabase(path);
    return await openDatabase({ path });
  });
  try {
    await clearFlat(database);
  } finally {
    await database.close();
  }
  const { close } = await openChain(requireDataFolder(values.datadir), undefined, { log });
  await close();
}

async function verify(
  database: Database,
  io: CommandIo,
  onProgress: (counts: VerifyCounts) => void,
): Promise<number> {
  try {
    const report = await verifyDatabase(database, { signal: io.stop, onProgress });
    printLine(io, jsonLine(report));
    return report.problemCount === 0 ? EXIT.ok : EXIT.damaged;
  } catch (error) {
    if (!io.stop.aborted) throw error;
    throw new CommandError({ code: "FAILED", problem: "interrupted" }, { cause: error });
  }
}
