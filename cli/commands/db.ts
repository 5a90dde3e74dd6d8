/** `qnet db`: what the database of a data directory holds, and whether it is sound. */
import { existsSync } from "node:fs";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { databaseStats, type VerifyCounts, verifyDatabase } from "../../src/storage/verify.ts";
import { chainFolder, requireDataFolder } from "../dataFolder.ts";
import { dbDefinition } from "../definitions.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { parseOptions } from "../parseOptions.ts";

const PROGRESS_INTERVAL_MS = 5_000;

/** Runs the command. `verify` ends with status 5 when it finds damage. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(dbDefinition, args, io);
  const [verb, ...extra] = operands;
  if ((verb !== "stats" && verb !== "verify") || extra.length > 0) {
    throw new UsageError("usage: qnet db verify | stats");
  }
  const path = chainFolder(requireDataFolder(values.datadir));
  if (!existsSync(path)) {
    throw new CommandError({ code: "FAILED", problem: `there is no database in ${path}` });
  }
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
