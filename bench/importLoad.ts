/** `qnet import` of a chain of transfers: blocks, transactions and gas per second, as the command itself reports them. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { buildBlock } from "../src/chain/buildBlock.ts";
import { Chain } from "../src/chain/chain.ts";
import { networkRules } from "../src/chain/networkRules.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { silentLogger } from "../src/runtime/log.ts";
import { openDatabase } from "../src/storage/database.ts";
import { encodeBlock } from "../src/types/block.ts";
import { parseGenesisText } from "../src/types/genesis.ts";
import { median, table } from "./report.ts";
import { draftOnHead, genesisText, recipientsOf, SENDERS, transfer } from "./transfers.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
const TIMEOUT_MS = 1_800_000;
const WATCH_MS = 200;
interface Shape {
  readonly transactions: number;
  readonly perBlock: number;
  /** Distinct recipients. */
  readonly accounts: number;
}

/** Imports the chain `runs` times into new directories. */
export async function importLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      txs: { type: "string", default: "100000" },
      "per-block": { type: "string", default: "1000" },
      accounts: { type: "string", default: "1000,10000,100000" },
      runs: { type: "string", default: "3" },
    },
  });
  const rows: (readonly (string | number)[])[] = [];
  for (const accounts of values.accounts.split(",").map(Number)) {
    const shape = {
      transactions: Number(values.txs),
      perBlock: Number(values["per-block"]),
      accounts,
    };
    rows.push(await importShape(shape, Number(values.runs)));
  }
  return [
    `${values.txs} transfers of ${SENDERS} senders, ${values["per-block"]} a block, imported by \`qnet import\` into a new data directory on disk; median of ${values.runs}.`,
    "",
    table(["recipients", "tx/s", "runs", "blocks/s", "Mgas/s", "peak RSS MiB"], rows),
  ].join("\n");
}

async function importShape(shape: Shape, runs: number): Promise<readonly (string | number)[]> {
  const folder = mkdtempSync(join(tmpdir(), "qnet-import-"));
  try {
    await writeChain(folder, shape);
    const reports: Record<string, number>[] = [];
    for (let i = 0; i < runs; i++) {
      const datadir = join(folder, `data-${i}`);
      const command = ["import", "--datadir", datadir, "--genesis", join(folder, "genesis.json")];
      const file = join(folder, "chain.rlp");
      const { stdout, peakMib } = await runImport([...command, file]);
      reports.push({ ...JSON.parse(stdout), peakMib });
      rmSync(datadir, { recursive: true, force: true });
      console.error(`${shape.accounts} recipients, run ${i + 1}: ${stdout.trim()}`);
    }
    const of = (key: string) => median(reports.map((report) => report[key] ?? Number.NaN));
    const each = reports.map((report) => report["transactionsPerSecond"]?.toFixed(0)).join(", ");
    return [
      shape.accounts,
      of("transactionsPerSecond").toFixed(0),
      each,
      of("blocksPerSecond").toFixed(1),
      of("mgasPerSecond").toFixed(1),
      of("peakMib").toFixed(0),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the command and watches the most memory it has resident. */
async function runImport(command: readonly string[]): Promise<{ stdout: string; peakMib: number }> {
  const running = run(process.execPath, [join(root, "cli/main.ts"), ...command], {
    timeout: TIMEOUT_MS,
  });
  let peakMib = 0;
  const watch = setInterval(() => {
    peakMib = Math.max(peakMib, peakMibOf(running.child.pid));
  }, WATCH_MS);
  try {
    const { stdout } = await running;
    return { stdout, peakMib };
  } finally {
    clearInterval(watch);
  }
}

/** The kernel's own record; 0 where there is none. */
function peakMibOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0; // it has just ended, or this is not Linux
  }
}

/** Writes genesis.json and chain.rlp. */
async function writeChain(folder: string, shape: Shape): Promise<void> {
  const text = genesisText();
  writeFileSync(join(folder, "genesis.json"), text);
  const genesis = parseGenesisText(text);
  await using database = await openDatabase();
  const chain = await Chain.open(database, genesis, {
    ...networkRules(genesis.config),
    log: silentLogger,
  });
  const blocks: Bytes[] = [];
  const recipients = recipientsOf(shape.accounts);
  for (let sent = 0; sent < shape.transactions; sent += shape.perBlock) {
    const candidates = Array.from({ length: shape.perBlock }, (_, i) =>
      transfer(genesis, sent + i, recipients[(sent + i) % recipients.length]),
    );
    const built = await buildBlock(chain, draftOnHead(chain), candidates, {
      clock: { nowMs: () => performance.now() },
    });
    await chain.importBlock(built.block, built);
    blocks.push(encodeBlock(built.block));
  }
  writeFileSync(join(folder, "chain.rlp"), Buffer.concat(blocks));
  await chain.close();
}
