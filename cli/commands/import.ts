/** `qnet import`: blocks from files into a data directory. */
import type { Chain } from "../../src/chain/chain.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import { type ChainImport, importBlocks, type Refusal } from "../chainImport.ts";
import { requireDataFolder } from "../dataFolder.ts";
import { importDefinition } from "../definitions.ts";
import { openForImport } from "../devImport.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { loadGenesis } from "../genesisFiles.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { MEBIBYTE } from "../options.ts";
import { parseOptions } from "../parseOptions.ts";
import { Progress } from "../progress.ts";
import { stateHistoryOf } from "../stateHistory.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(importDefinition, args, io);
  if (operands.length === 0) throw new UsageError("usage: qnet import --datadir DIR FILE...");
  const datadir = requireDataFolder(values.datadir);
  const genesis = values.genesis === undefined ? undefined : loadGenesis(values.genesis);
  const log = createCommandLog(values, io);
  const workers = new WorkerPool({ log });
  const access = await openForImport(datadir, genesis, {
    log,
    stateHistory: stateHistoryOf(values),
    evm: values.evm,
    cacheBytes: values.cache * MEBIBYTE,
  });
  try {
    const { chain, engine } = access;
    const progress = new Progress(log, "Importing blocks", values.batch);
    const { until } = values;
    const { stop } = io;
    const work = {
      chain,
      engine,
      workers,
      datadir,
      until,
      stop,
      progress,
      imported: 0,
      skipped: 0,
    };
    const refusal = await importFiles(work, operands);
    await settle(chain);
    if (refusal !== undefined) {
      printLine(io, jsonLine({ error: refusal }));
      return EXIT.general;
    }
    printLine(io, jsonLine(summary(work)));
  } finally {
    await access.close();
    await workers.stop();
  }
  return EXIT.ok;
}

function summary({ chain, imported, skipped, progress }: ChainImport) {
  const { hash, header } = chain.head;
  const head = { number: header.number, hash, stateRoot: header.stateRoot };
  return { imported, skipped, head, ...progress.summary() };
}

/** A file that is cut off ends the import, and what was imported up to there counts as final all the same. */
async function importFiles(
  work: ChainImport,
  files: readonly string[],
): Promise<Refusal | undefined> {
  try {
    return await importBlocks(work, files);
  } catch (error) {
    if (error instanceof CommandError) await settle(work.chain);
    throw error;
  }
}

/** Without consensus nothing else finalises: what was imported from the command line counts as final. */
async function settle(chain: Chain): Promise<void> {
  if (chain.config.qnet?.consensus !== undefined) return;
  const { hash } = chain.head;
  await chain.setForkchoice({ head: hash, safe: hash, finalized: hash });
}
