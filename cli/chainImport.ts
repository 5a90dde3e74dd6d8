/** Blocks from files through the same door as the node's own, one atomic batch per block. */
import { BlockError } from "../src/chain/blockError.ts";
import type { Chain } from "../src/chain/chain.ts";
import { refuseGenesis } from "../src/chain/genesis.ts";
import type { ConsensusEngine } from "../src/consensus/engine.ts";
import type { WorkerPool } from "../src/runtime/workers.ts";
import type { Block } from "../src/types/block.ts";
import { DecodeError } from "../src/types/rlp.ts";
import type { SealedBlock } from "../src/types/sealedBlock.ts";
import { readBlockFile } from "./blockFiles.ts";
import { type Fault, takeSealed } from "./devImport.ts";
import { type ReadBlock, readAhead } from "./importAhead.ts";
import type { Progress } from "./progress.ts";

/** Why the import ended early. */
export interface Refusal {
  readonly number: bigint | null;
  readonly hash: string | null;
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** Where blocks go, who may interrupt it, and what was done so far. */
export interface ChainImport {
  readonly chain: Chain;
  /** Judges sealed blocks; undefined: the chain's rules suffice. */
  readonly engine: ConsensusEngine | undefined;
  readonly workers: WorkerPool;
  /** Folder of the chain, for messages */
  readonly datadir: string;
  readonly until: bigint | undefined;
  readonly stop: AbortSignal;
  readonly progress: Progress;
  imported: number;
  skipped: number;
}

/** Imports files one after the other; returns why it ended early. Throws CommandError where a file cannot be read. */
export async function importBlocks(
  work: ChainImport,
  files: readonly string[],
): Promise<Refusal | undefined> {
  for (const file of files) {
    const reads = withNext(readAhead(readBlockFile(file), work.workers));
    for await (const [read, next] of reads) {
      if (work.stop.aborted) return undefined;
      const outcome = await importEntry(work, read, next);
      if (outcome === "done") return undefined;
      if (outcome !== "next") return outcome;
    }
  }
  return undefined;
}

/** Each entry with the one after it. */
async function* withNext(
  reads: AsyncIterable<ReadBlock>,
): AsyncGenerator<readonly [ReadBlock, ReadBlock | undefined]> {
  let before: ReadBlock | undefined;
  for await (const read of reads) {
    if (before !== undefined) yield [before, read];
    before = read;
  }
  if (before !== undefined) yield [before, undefined];
}

async function importEntry(
  work: ChainImport,
  read: ReadBlock,
  next: ReadBlock | undefined,
): Promise<"next" | "done" | Refusal> {
  const { entry, decoded: block } = read;
  if (block instanceof DecodeError) return refusalOf(block, undefined);
  if (work.until !== undefined && block.header.number > work.until) return "done";
  try {
    const fault = await importOne(work, block, read.sealed, childIn(work, next));
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
  work: ChainImport,
  block: Block,
  sealed: SealedBlock | undefined,
  next: Block | undefined,
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
  const { status } = await chain.importBlock(block, undefined, { next });
  work[status === "imported" ? "imported" : "skipped"]++;
  return undefined;
}

/** The block that will be imported next, if it will. */
function childIn({ until }: ChainImport, read: ReadBlock | undefined): Block | undefined {
  if (read === undefined || read.decoded instanceof DecodeError) return undefined;
  const { header } = read.decoded;
  return until !== undefined && header.number > until ? undefined : read.decoded;
}

function refusalOf(error: BlockError | DecodeError, block: Block | undefined): Refusal {
  const { reason } = error;
  const field = "field" in reason ? reason.field : reason.where;
  const { expected, got } = reason;
  const number = block?.header.number ?? null;
  return { number, hash: block?.hash ?? null, field, expected: String(expected), got: String(got) };
}
