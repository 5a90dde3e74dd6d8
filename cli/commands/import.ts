/** `qnet import`: blocks from files through the same door as the node's own, one atomic batch per block. */
import { BlockError } from "../../src/chain/blockError.ts";
import type { Chain } from "../../src/chain/chain.ts";
import { refuseGenesis } from "../../src/chain/genesis.ts";
import type { ConsensusEngine } from "../../src/consensus/engine.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import type { Block } from "../../src/types/block.ts";
import { DecodeError } from "../../src/types/rlp.ts";
import type { SealedBlock } from "../../src/types/sealedBlock.ts";
import { readBlockFile } from "../blockFiles.ts";
import { requireDataFolder } from "../dataFolder.ts";
import { importDefinition } from "../definitions.ts";
import { type Fault, openForImport, takeSealed } from "../devImport.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { loadGenesis } from "../genesisFiles.ts";
import { type ReadBlock, readAhead } from "../importAhead.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { parseOptions } from "../parseOptions.ts";
import { Progress } from "../progress.ts";
import { stateHistoryOf } from "../stateHistory.ts";

/** Why the import ended early. */
interface Refusal {
  readonly number: bigint | null;
  readonly hash: string | null;
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

interface Import {
  readonly chain: Chain;
  /** Judges sealed blocks; undefined: the chain's rules suffice. */
  readonly engine: ConsensusEngine | undefined;
  readonly workers: WorkerPool;
  readonly datadir: string;
  readonly until: bigint | undefined;
  readonly io: CommandIo;
  readonly progress: Progress;
  imported: number;
  skipped: number;
}

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
  });
  try {
    const { chain, engine } = access;
    const progress = new Progress(log, "Importing blocks", values.batch);
    const { until } = values;
    const work = { chain, engine, workers, datadir, until, io, progress, imported: 0, skipped: 0 };
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

function summary({ chain, imported, skipped, progress }: Import) {
  const { hash, header } = chain.head;
  const head = { number: header.number, hash, stateRoot: header.stateRoot };
  return { imported, skipped, head, ...progress.summary() };
}

/** A file that is cut off ends the import, and what was imported up to there counts as final all the same. */
async function importFiles(work: Import, files: readonly string[]): Promise<Refusal | undefined> {
  try {
    return await importEach(work, files);
  } catch (error) {
    if (error instanceof CommandError) await settle(work.chain);
    throw error;
  }
}

async function importEach(work: Import, files: readonly string[]): Promise<Refusal | undefined> {
  for (const file of files) {
    for await (const read of readAhead(readBlockFile(file), work.workers)) {
      if (work.io.stop.aborted) return undefined;
      const outcome = await importEntry(work, read);
      if (outcome === "done") return undefined;
      if (outcome !== "next") return outcome;
    }
  }
  return undefined;
}

async function importEntry(work: Import, read: ReadBlock): Promise<"next" | "done" | Refusal> {
  const { entry, decoded: block } = read;
  if (block instanceof DecodeError) return refusalOf(block, undefined);
  if (work.until !== undefined && block.header.number > work.until) return "done";
  try {
    const fault = await importOne(work, block, read.sealed);
    if (fault !== undefined) return { number: block.header.number, hash: block.hash, ...fault };
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    return refusalOf(error, block);
  }
  work.progress.step(block.header.number, entry.readBytes / entry.fileBytes, {
    transactions: block.transactions.length,
    gas: Number(block.header.gasUsed),
  });
  return "next";
}

/** Returns the rule of consensus that the block breaks. Throws BlockError. */
async function importOne(
  work: Import,
  block: Block,
  sealed: SealedBlock | undefined,
): Promise<Fault | undefined> {
  const { chain, engine } = work;
  if (block.header.number === chain.genesis.number) {
    if (block.hash !== chain.genesisHash)
      refuseGenesis(chain.genesisHash, block.hash, work.datadir);
    work.skipped++;
    return undefined;
  }
  if (engine !== undefined && sealed !== undefined) {
    const isKnown = chain.header(block.hash) !== undefined;
    const fault = isKnown ? undefined : await takeSealed({ chain, engine }, sealed);
    if (fault !== undefined) return fault;
    work[isKnown ? "skipped" : "imported"]++;
    return undefined;
  }
  const { status } = await chain.importBlock(block);
  work[status === "imported" ? "imported" : "skipped"]++;
  return undefined;
}

function refusalOf(error: BlockError | DecodeError, block: Block | undefined): Refusal {
  const { reason } = error;
  const field = "field" in reason ? reason.field : reason.where;
  const { expected, got } = reason;
  const number = block?.header.number ?? null;
  return { number, hash: block?.hash ?? null, field, expected: String(expected), got: String(got) };
}

/** Without consensus nothing else finalises: what was imported from the command line counts as final. */
async function settle(chain: Chain): Promise<void> {
  if (chain.config.qnet?.consensus !== undefined) return;
  const { hash } = chain.head;
  await chain.setForkchoice({ head: hash, safe: hash, finalized: hash });
}
