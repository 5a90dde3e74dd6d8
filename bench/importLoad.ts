/** `qnet import` of a chain of transfers: blocks, transactions and gas per second, as the command itself reports them. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { median, table } from "./report.ts";
import { higher, NOTHING_RESIDENT, type ResidentMib, residentMib } from "./residentMemory.ts";
import { type ChainShape, writeTransferChain } from "./transferChain.ts";
import { SENDERS } from "./transfers.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
const TIMEOUT_MS = 1_800_000;
const WATCH_MS = 200;

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
    table(
      [
        "recipients",
        "tx/s",
        "runs",
        "blocks/s",
        "Mgas/s",
        "peak RSS MiB",
        "of it anonymous",
        "mapped files",
      ],
      rows,
    ),
    "",
    "Anonymous memory is the process's own. Mapped files are its program and the tables of LevelDB it has open; each has its own peak.",
  ].join("\n");
}

async function importShape(shape: ChainShape, runs: number): Promise<readonly (string | number)[]> {
  const folder = mkdtempSync(join(tmpdir(), "qnet-import-"));
  try {
    await writeTransferChain(folder, shape);
    const reports: Record<string, number>[] = [];
    for (let i = 0; i < runs; i++) {
      const datadir = join(folder, `data-${i}`);
      const command = ["import", "--datadir", datadir, "--genesis", join(folder, "genesis.json")];
      const file = join(folder, "chain.rlp");
      const { stdout, peak } = await runImport([...command, file]);
      reports.push({ ...JSON.parse(stdout), ...peak });
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
      ...(["peak", "anonymous", "mapped"] as const).map((key) => of(key).toFixed(0)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the command and watches the most memory it has resident. */
async function runImport(
  command: readonly string[],
): Promise<{ stdout: string; peak: ResidentMib }> {
  const running = run(process.execPath, [join(root, "cli/main.ts"), ...command], {
    timeout: TIMEOUT_MS,
  });
  let peak = NOTHING_RESIDENT;
  const watch = setInterval(() => {
    peak = higher(peak, residentMib(running.child.pid ?? 0));
  }, WATCH_MS);
  try {
    const { stdout } = await running;
    return { stdout, peak };
  } finally {
    clearInterval(watch);
  }
}
