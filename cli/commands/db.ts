/** `qnet db`: what the database of a data directory holds, and whether it is sound. */
import { existsSync } from "node:fs";
import { type Database, openDatabase } from "../../src/storage/database.ts";
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

/** Runs the command. `verify` ends with status 5 when it finds damage. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(dbDefinition, args, io);
  const [verb, ...extra] = operands;
  if (!isVerb(verb) || extra.length > 0) {
    throw new UsageError("usage: qnet db verify | stats | prune");
  }
  if (verb === "prune") return await prune(values, io);
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

const VERBS = ["stats", "verify", "prune"] as const;

function isVerb(verb: string | undefined): verb is (typeof VERBS)[number] {
  return VERBS.some((known) => known === verb);
}

/** Removes the states before the last `--history.state` blocks and gives their space back. */
async function prune(
  values: OptionValues<"datadir" | "history.state" | "verbosity" | "log.format">,
  io: CommandIo,
): Promise<number> {
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
