/** `qnet export`: canonical blocks into one file that `qnet import` reads. */
import { once } from "node:events";
import { openChain } from "../chainAccess.ts";
import { type ChainExport, demandStored, exportToFile, writeBlocks } from "../chainExport.ts";
import { requireDataFolder } from "../dataFolder.ts";
import { exportDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine, type TextStream } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { parseOptions } from "../parseOptions.ts";
import { Progress } from "../progress.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(exportDefinition, args, io);
  const [file, ...extra] = operands;
  if (file === undefined || extra.length > 0) throw new UsageError("usage: qnet export FILE");
  const log = createCommandLog(values, io);
  const access = await openChain(requireDataFolder(values.datadir), undefined, { log });
  try {
    const { chain, database } = access;
    const { first, last = chain.head.header.number } = values;
    demandStored(chain, { first, last });
    const progress = new Progress(log, "Exporting blocks", 100);
    const work = { chain, database, first, last, stop: io.stop, progress };
    const bytes =
      file === "-" ? await toStdout(work, io.stdout) : await exportToFile(work, file, "replace");
    const line = jsonLine({ exported: last - first + 1n, first, last, bytes });
    if (file === "-") io.stderr.write(`${line}\n`);
    else printLine(io, line);
  } finally {
    await access.close();
  }
  return EXIT.ok;
}

function toStdout(work: ChainExport, stdout: TextStream): Promise<number> {
  return writeBlocks(work, async (raw) => {
    if (stdout.write(raw) === false && isEmitter(stdout)) await once(stdout, "drain");
  });
}

function isEmitter(target: TextStream): target is TextStream & NodeJS.EventEmitter {
  return "once" in target;
}
