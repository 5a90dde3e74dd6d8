/** What admin_exportChain and admin_importChain do: the work of `qnet export` and `qnet import` on a node that runs. */
import { existsSync } from "node:fs";
import type { ChainFiles } from "../rpc/context.ts";
import { RpcError } from "../rpc/errors.ts";
import type { QNode } from "../src/node/node.ts";
import { WorkerPool } from "../src/runtime/workers.ts";
import { demandStored, exportToFile } from "./chainExport.ts";
import { importBlocks } from "./chainImport.ts";
import { CommandError } from "./exit.ts";
import { Progress } from "./progress.ts";

/** At most one line of progress for so many blocks. */
const PROGRESS_BLOCKS = 100;

function refused(text: string, cause?: unknown): RpcError {
  return new RpcError({ code: "REFUSED", text }, { cause });
}

/** What the caller may be told; anything else is a fault of this program. */
function told(error: unknown): unknown {
  if (error instanceof CommandError) return refused(error.message, error);
  // errors of the file system name the file
  return error instanceof Error && "syscall" in error ? refused(error.message, error) : error;
}

/** Files of blocks for the callers of `node`, one at a time, until `stop` is aborted. */
export function createChainFiles(node: QNode, stop: AbortSignal): ChainFiles {
  const { chain, database, log } = node;
  let isBusy = false;
  const alone = async (work: () => Promise<void>): Promise<void> => {
    if (isBusy) throw refused("another export or import is under way");
    isBusy = true;
    try {
      await work();
    } catch (error) {
      throw told(error);
    } finally {
      isBusy = false;
    }
  };
  return {
    exportChain: (file, first, last = chain.head.header.number) =>
      alone(async () => {
        if (existsSync(file)) throw refused("location would overwrite an existing file");
        demandStored(chain, { first, last });
        const progress = new Progress(log, "Exporting blocks", PROGRESS_BLOCKS);
        await exportToFile({ chain, database, first, last, stop, progress }, file, "keep");
      }),
    importChain: (file) => alone(() => importFile(node, file, stop)),
  };
}

/** Throws RpcError where consensus decides which blocks there are, and where a block is refused. */
async function importFile(
  { chain, consensus, log, dataDir = "this node" }: QNode,
  file: string,
  stop: AbortSignal,
): Promise<void> {
  if (consensus !== undefined) {
    const text =
      "admin_importChain is not supported yet while consensus runs: stop the node and use qnet import";
    throw refused(text);
  }
  const workers = new WorkerPool({ log });
  const progress = new Progress(log, "Importing blocks", PROGRESS_BLOCKS);
  const sources = { chain, engine: undefined, workers, datadir: dataDir, until: undefined };
  try {
    const work = { ...sources, stop, progress, imported: 0, skipped: 0 };
    const refusal = await importBlocks(work, [file]);
    if (refusal === undefined) return;
    const { number, field, expected, got } = refusal;
    throw refused(`block ${number ?? "?"}: ${field}: expected ${expected}, got ${got}`);
  } finally {
    await workers.stop();
  }
}
