/** Writes canonical blocks, with sidecar and seal where they have them, in the form that `qnet import` reads. */
import { link, rename, rm, stat } from "node:fs/promises";
import type { Chain } from "../src/chain/chain.ts";
import { ConsensusStore } from "../src/consensus/consensusStore.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import type { Database } from "../src/storage/database.ts";
import { encodeBlock } from "../src/types/block.ts";
import { encodeSealedBlock } from "../src/types/sealedBlock.ts";
import { createBlockFile } from "./blockFiles.ts";
import { CommandError } from "./exit.ts";
import type { Progress } from "./progress.ts";

/** Blocks to write, both ends included, and who may interrupt it. */
export interface ChainExport {
  readonly chain: Chain;
  readonly database: Database;
  readonly first: bigint;
  readonly last: bigint;
  readonly stop: AbortSignal;
  readonly progress: Progress;
}

function failed(problem: string): CommandError {
  return new CommandError({ code: "FAILED", problem });
}

/** Throws CommandError unless all of the blocks are there. */
export function demandStored(
  chain: Chain,
  { first, last }: { readonly first: bigint; readonly last: bigint },
): void {
  const head = chain.head.header.number;
  if (first > last || last > head)
    throw failed(`blocks ${first} to ${last} are not all there: the head is ${head}`);
}

/**
 * Writes the blocks into a file, which appears once it is whole; returns its size in bytes. A file that is there already is
 * replaced or kept. Throws CommandError and errors of the file system.
 */
export async function exportToFile(
  work: ChainExport,
  file: string,
  present: "replace" | "keep",
): Promise<number> {
  const temporary = `${file}.${process.pid}.tmp`;
  const sink = createBlockFile(temporary, file);
  try {
    await writeBlocks(work, (raw) => sink.write(raw));
    await sink.finish();
    if (present === "replace") await rename(temporary, file);
    else {
      // unlike a rename, a link fails where the name is taken
      await link(temporary, file);
      await rm(temporary);
    }
  } catch (error) {
    sink.destroy();
    await rm(temporary, { force: true });
    throw error;
  }
  return (await stat(file)).size;
}

/** Writes the blocks one by one, waiting whenever the reader is slower; returns the bytes of RLP. Throws CommandError. */
export async function writeBlocks(
  work: ChainExport,
  write: (raw: Bytes) => Promise<void>,
): Promise<number> {
  const { chain, first, last, stop, progress } = work;
  const store = new ConsensusStore(work.database, { isRewindable: false });
  let bytes = 0;
  for (let number = first; number <= last; number++) {
    if (stop.aborted) throw failed("interrupted");
    const block = chain.blockByNumber(number);
    if (block === undefined) throw failed(`block ${number} is not stored`);
    const sealed = store.sealed(block);
    const raw = sealed === undefined ? encodeBlock(block) : encodeSealedBlock(sealed);
    bytes += raw.length;
    await write(raw);
    progress.step(number, Number(number - first + 1n) / Number(last - first + 1n));
  }
  return bytes;
}
