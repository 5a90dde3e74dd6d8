/** `qnet db`: what the database of a data directory holds, and whether it is sound. */
import { readStoredGenesis } from "../../src/chain/genesis.ts";
import { columns } from "../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { chainFolder, requireDataFolder } from "../dataFolder.ts";
import { dbDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { parseOptions } from "../parseOptions.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(dbDefinition, args, io);
  const [verb, ...extra] = operands;
  if ((verb !== "stats" && verb !== "verify") || extra.length > 0) {
    throw new UsageError("usage: qnet db verify | stats");
  }
  await using database = await openDatabase({ path: chainFolder(requireDataFolder(values.datadir)) });
  return verb === "stats" ? stats(database, io) : EXIT.ok;
}

async function stats(database: Database, io: CommandIo): Promise<number> {
  const measured = [];
  for (const [name, column] of Object.entries(columns)) {
    measured.push({ name, ...(await database.measure(column)) });
  }
  const chainId = readStoredGenesis(database)?.config.chainId;
  printLine(io, jsonLine({ path: database.path, chainId, columns: measured }));
  return EXIT.ok;
}
