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
import { residentMib } from "./residentMemory.ts";
import { draftOnHead, genesisText, recipientsOf, SENDERS, transfer } from "./transfers.ts";

const clock = { nowMs: () => performance.now() };
/** The chain holds its accounts before anything is measured. */
const FILL_PER_BLOCK = 20_000;

const MEMORY_COLUMNS = ["anonymous MiB, first warm", "last"];

interface Measured {
  readonly coldMs: number;
  readonly warmMs: number;
  readonly cpuMicros: number;
  /** Anonymous memory after the first warm block and after the last: does it grow? */
  readonly anonymousMib: readonly [first: number, last: number];
}

/** A row for each size of block and number of accounts. */
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
  for (const accounts of values.accounts.split(",").map(Number)) {
    for (const size of values.blocks.split(",").map(Number)) {
      const measured = await measure(accounts, size, Number(values.runs));
      const times = [measured.coldMs.toFixed(0), measured.warmMs.toFixed(0)];
      const [first, last] = measured.anonymousMib;
      const row = [accounts, size, ...times, measured.cpuMicros.toFixed(1), first, last];
      console.error(row.join(" "));
      rows.push(row);
    }
  }
  return [
    `Transfers of ${SENDERS} senders to the accounts in turn, senders known; the first block of a process is cold, the median of ${values.runs} later ones warm.`,
    "",
    table(
      ["accounts", "transfers", "cold ms", "warm ms", "CPU us/transfer, warm", ...MEMORY_COLUMNS],
      rows,
    ),
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
    const anonymous: number[] = [];
    for (let i = 0; i < runs; i++) {
      warm.push(await make(size));
      anonymous.push(residentMib("self").anonymous);
    }
    await chain.close();
    return {
      coldMs: cold.ms,
      warmMs: median(warm.map(({ ms }) => ms)),
      cpuMicros: median(warm.map(({ cpuMicros }) => cpuMicros)),
      anonymousMib: [anonymous[0] ?? 0, anonymous.at(-1) ?? 0],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
