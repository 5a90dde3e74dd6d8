/** `qnet export`: canonical blocks into one file that `qnet import` reads. */
import { once } from "node:events";
import { rename, rm, stat } from "node:fs/promises";
import type { Chain } from "../../src/chain/chain.ts";
import { ConsensusStore } from "../../src/consensus/consensusStore.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { encodeBlock } from "../../src/types/block.ts";
import { encodeSealedBlock } from "../../src/types/sealedBlock.ts";
import { createBlockFile } from "../blockFiles.ts";
import { openChain } from "../chainAccess.ts";
import { requireDataFolder } from "../dataFolder.ts";
import { exportDefinition } from "../definitions.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine, type TextStream } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { parseOptions } from "../parseOptions.ts";
import { Progress } from "../progress.ts";

interface Export {
  readonly chain: Chain;
  /** Sidecars and seals of blocks that have them */
  readonly store: ConsensusStore;
  readonly first: bigint;
  readonly last: bigint;
  readonly io: CommandIo;
  readonly progress: Progress;
}

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(exportDefinition, args, io);
  const [file, ...extra] = operands;
  if (file === undefined || extra.length > 0) throw new UsageError("usage: qnet export FILE");
  const log = createCommandLog(values, io);
  const access = await openChain(requireDataFolder(values.datadir), undefined, { log });
  try {
    const { chain, database } = access;
    const head = chain.head.header.number;
    const { first, last = head } = values;
    if (first > last || last > head) {
      const problem = `blocks ${first} to ${last} are not all there: the head is ${head}`;
      throw new CommandError({ code: "FAILED", problem });
    }
    const store = new ConsensusStore(database, { isRewindable: false });
    const work = {
      chain,
      store,
      first,
      last,
      io,
      progress: new Progress(log, "Exporting blocks", 100),
    };
    const bytes = file === "-" ? await toStdout(work) : await toFile(work, file);
    const line = jsonLine({ exported: last - first + 1n, first, last, bytes });
    if (file === "-") io.stderr.write(`${line}\n`);
    else printLine(io, line);
  } finally {
    await access.close();
  }
  return EXIT.ok;
}

async function toStdout(work: Export): Promise<number> {
  const { stdout } = work.io;
  return writeBlocks(work, async (raw) => {
    if (stdout.write(raw) === false && isEmitter(stdout)) await once(stdout, "drain");
  });
}

async function toFile(work: Export, file: string): Promise<number> {
  const temporary = `${file}.${process.pid}.tmp`;
  const sink = createBlockFile(temporary, file);
  try {
    await writeBlocks(work, (raw) => sink.write(raw));
    await sink.finish();
    await rename(temporary, file);
  } catch (error) {
    sink.destroy();
    await rm(temporary, { force: true });
    throw error;
  }
  return (await stat(file)).size;
}

/** Writes the blocks one by one, waiting whenever the reader is slower; returns the bytes of RLP. */
async function writeBlocks(work: Export, write: (raw: Bytes) => Promise<void>): Promise<number> {
  const { chain, store, first, last, io, progress } = work;
  let bytes = 0;
  for (let number = first; number <= last; number++) {
    if (io.stop.aborted) throw new CommandError({ code: "FAILED", problem: "interrupted" });
    const block = chain.blockByNumber(number);
    if (block === undefined) {
      throw new CommandError({ code: "FAILED", problem: `block ${number} is not stored` });
    }
    const sealed = store.sealed(block);
    const raw = sealed === undefined ? encodeBlock(block) : encodeSealedBlock(sealed);
    bytes += raw.length;
    await write(raw);
    progress.step(number, Number(number - first + 1n) / Number(last - first + 1n));
  }
  return bytes;
}

function isEmitter(target: TextStream): target is TextStream & NodeJS.EventEmitter {
  return "once" in target;
}
