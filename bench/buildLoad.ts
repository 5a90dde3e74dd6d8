/** Building, rooting and storing one block of transfers: the time from candidates to a durable head, on disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildBlock } from "../src/chain/buildBlock.ts";
import { Chain } from "../src/chain/chain.ts";
import { networkRules } from "../src/chain/networkRules.ts";
import { boundHeap } from "../src/runtime/heap.ts";
import { silentLogger } from "../src/runtime/log.ts";
import { openDatabase } from "../src/storage/database.ts";
import { parseGenesisText } from "../src/types/genesis.ts";
import { median, table } from "./report.ts";
import { type OwnMib, ownMib } from "./residentMemory.ts";
import { draftOnHead, genesisText, recipientsOf, SENDERS, transfer } from "./transfers.ts";

const clock = { nowMs: () => performance.now() };
/** The chain holds its accounts before anything is measured. */
const FILL_PER_BLOCK = 20_000;

const MEMORY_COLUMNS = ["anonymous MiB, first warm", "last"];
/** Growth of the highest anonymous memory, from the second quarter of the blocks to the last, that still counts as flat. */
const FLAT_SHARE = 0.05;
/** Warm blocks from which on a curve is shown. */
const CURVE_FROM = 20;

interface Measured {
  readonly coldMs: number;
  readonly warmMs: number;
  readonly cpuMicros: number;
  /** After each warm block: does it grow? */
  readonly memory: readonly OwnMib[];
}

/** A row for each size of block and number of accounts; of many runs a curve of memory as well. */
export async function buildLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      blocks: { type: "string", default: "500,5000,50000" },
      accounts: { type: "string", default: "1000,10000,100000" },
      runs: { type: "string", default: "5" },
    },
  });
  boundHeap(); // as the node does
  const rows: (readonly (string | number)[])[] = [];
  const curves: string[] = [];
  for (const accounts of values.accounts.split(",").map(Number)) {
    for (const size of values.blocks.split(",").map(Number)) {
      const measured = await measure(accounts, size, Number(values.runs));
      const times = [measured.coldMs.toFixed(0), measured.warmMs.toFixed(0)];
      const memory = [measured.memory[0], measured.memory.at(-1)].map((at) => at?.anonymous ?? 0);
      const row = [accounts, size, ...times, measured.cpuMicros.toFixed(1), ...memory];
      console.error(row.join(" "));
      rows.push(row);
      if (measured.memory.length >= CURVE_FROM)
        curves.push("", curveOf(`${accounts} accounts, blocks of ${size}`, measured.memory));
    }
  }
  return [
    `Transfers of ${SENDERS} senders to the accounts in turn, senders known; the first block of a process is cold, the median of ${values.runs} later ones warm.`,
    "",
    table(
      ["accounts", "transfers", "cold ms", "warm ms", "CPU us/transfer, warm", ...MEMORY_COLUMNS],
      rows,
    ),
    ...curves,
  ].join("\n");
}

function curveOf(what: string, memory: readonly OwnMib[]): string {
  const highest = (from: number, to: number) =>
    Math.max(
      ...memory
        .slice(Math.floor(memory.length * from), Math.ceil(memory.length * to))
        .map(({ anonymous }) => anonymous),
    );
  const [second, last] = [highest(0.25, 0.5), highest(0.75, 1)];
  const growth = (last - second) / second;
  const verdict = growth < FLAT_SHARE ? "flat" : "NOT flat";
  const head = ["warm block", "anonymous MiB", "V8's heap", "objects in it", "buffers"];
  const rows = memory.map(({ anonymous, heap, objects, buffers }, index) => [
    index + 1,
    anonymous,
    heap,
    objects,
    buffers,
  ]);
  return [
    `${what}: highest anonymous memory of the second quarter of the blocks ${second} MiB, of the last ${last} MiB: **${verdict}** (${(growth * 100).toFixed(1)} %, flat below ${FLAT_SHARE * 100} %). What is neither V8's heap nor buffers is malloc's: LevelDB's batch, its tables of writes and cache of blocks, and what malloc keeps for the next ones.`,
    "",
    table(head, rows),
  ].join("\n");
}

async function measure(accounts: number, size: number, runs: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "qnet-build-"));
  const genesis = parseGenesisText(genesisText());
  try {
    await using database = await openDatabase({ path: folder });
    const chain = await Chain.open(database, genesis, {
      ...networkRules(genesis.config),
      log: silentLogger,
    });
    const recipients = recipientsOf(accounts);
    let sent = 0;
    const make = async (count: number) => {
      const candidates = Array.from({ length: count }, (_, i) =>
        transfer(genesis, sent + i, recipients[(sent + i) % accounts]),
      );
      sent += count;
      const [start, startCpu] = [performance.now(), process.cpuUsage()];
      const built = await buildBlock(chain, draftOnHead(chain), candidates, { clock });
      if (built.block.transactions.length !== count) throw new Error("transfers were left out");
      await chain.importBlock(built.block, built);
      const { user, system } = process.cpuUsage(startCpu);
      return { ms: performance.now() - start, cpuMicros: (user + system) / count };
    };
    const cold = await make(size);
    while (sent < accounts) await make(Math.min(FILL_PER_BLOCK, accounts - sent));
    const warm = [];
    const memory: OwnMib[] = [];
    for (let i = 0; i < runs; i++) {
      warm.push(await make(size));
      memory.push(ownMib());
    }
    await chain.close();
    return {
      coldMs: cold.ms,
      warmMs: median(warm.map(({ ms }) => ms)),
      cpuMicros: median(warm.map(({ cpuMicros }) => cpuMicros)),
      memory,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
