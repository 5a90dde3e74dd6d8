/** Transactions against QNet and anvil, alternating, with the peer-neutral tool of bench/load. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadBeside, numberAt, type Peer } from "./peers.ts";
import { median, table } from "./report.ts";

interface LoadReport {
  readonly tps: number;
  readonly cpuMicros: number;
  readonly rssMegabytes: number;
}

/** What is sent: flags of the load tool, and how many transactions unless told. */
interface Row {
  readonly label: string;
  readonly transactions: number;
  readonly flags: readonly string[];
  /** Signed once for all runs; a row whose set-up belongs to the chain signs each time. */
  readonly signedOnce: boolean;
}

const BATCH = ["--batch", "20"] as const;
const rows = {
  transfers: {
    label: "transfers, batches of 20",
    transactions: 100_000,
    flags: BATCH,
    signedOnce: true,
  },
  fresh: {
    label: "the same, every recipient a new account",
    transactions: 100_000,
    flags: [...BATCH, "--recipients", "0"],
    signedOnce: true,
  },
  single: {
    label: "transfers, single requests",
    transactions: 50_000,
    flags: ["--batch", "1"],
    signedOnce: true,
  },
  erc20: {
    label: "ERC-20 transfers, batches of 20",
    transactions: 20_000,
    flags: [...BATCH, "--kind", "erc20"],
    signedOnce: false,
  },
} as const satisfies Record<string, Row>;

type RowName = keyof typeof rows;
function isRowName(name: string): name is RowName {
  return Object.hasOwn(rows, name);
}

/** Runs both nodes `runs` times in turn for each row and returns a table with the ratios of the medians. */
export async function transferLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string", default: Object.keys(rows).join(",") },
      txs: { type: "string" },
      runs: { type: "string", default: "5" },
    },
  });
  const runs = Number(values.runs);
  const lines: (readonly string[])[] = [];
  for (const name of values.rows.split(",")) {
    if (!isRowName(name)) throw new Error(`no row ${name}: ${Object.keys(rows).join(", ")}`);
    const row: Row = rows[name];
    const transactions = Number(values.txs ?? row.transactions);
    const results = await runRow(row, transactions, runs);
    lines.push(...linesOf(`${row.label}, ${transactions}`, results));
  }
  return [
    `100 senders to 1,000 recipients unless said, 8 connections, blocks every second; median of ${runs}, alternating. QNet writes every block to LevelDB on disk; anvil keeps its state in memory. Load client and node share the machine.`,
    "",
    table(["what", "node", "tx/s", "runs", "CPU us/tx", "RSS MiB", "ratio of tx/s"], lines),
  ].join("\n");
}

async function runRow(
  row: Row,
  transactions: number,
  runs: number,
): Promise<Record<Peer, LoadReport[]>> {
  const results: Record<Peer, LoadReport[]> = { qnet: [], anvil: [] };
  const keep = mkdtempSync(join(tmpdir(), "qnet-bench-"));
  try {
    for (let run = 0; run < runs; run++) {
      for (const peer of ["anvil", "qnet"] as const) {
        const datadir = join(keep, `data-${run}`);
        const file = row.signedOnce ? ["--file", join(keep, "signed.json")] : [];
        const flags = ["--txs", String(transactions), ...row.flags, ...file];
        const result = await runOnce(peer, datadir, flags);
        console.error(
          `${row.label}: ${peer} run ${run + 1}: ${result.tps.toFixed(0)} tx/s, ${result.cpuMicros.toFixed(0)} us/tx, ${result.rssMegabytes.toFixed(0)} MiB`,
        );
        results[peer].push(result);
        rmSync(datadir, { recursive: true, force: true });
      }
    }
  } finally {
    rmSync(keep, { recursive: true, force: true });
  }
  return results;
}

function linesOf(what: string, results: Record<Peer, LoadReport[]>): string[][] {
  const of = (peer: Peer, key: keyof LoadReport) =>
    median(results[peer].map((result) => result[key]));
  const ratio = of("qnet", "tps") / of("anvil", "tps");
  return (["anvil", "qnet"] as const).map((peer) => [
    what,
    peer,
    of(peer, "tps").toFixed(0),
    results[peer].map((result) => result.tps.toFixed(0)).join(", "),
    of(peer, "cpuMicros").toFixed(0),
    of(peer, "rssMegabytes").toFixed(0),
    peer === "qnet" ? `**${ratio.toFixed(2)}**` : "",
  ]);
}

async function runOnce(peer: Peer, datadir: string, flags: readonly string[]): Promise<LoadReport> {
  const dev = "--accounts 100 --block-time 1 --gas-limit 1000000000";
  const options = peer === "qnet" ? `${dev} --datadir ${datadir}` : dev;
  const json = await loadBeside(peer, options, `load.mjs ${flags.join(" ")}`);
  return {
    tps: numberAt(json, "inclusion.tps"),
    cpuMicros: numberAt(json, "nodeCpu.usPerTx"),
    rssMegabytes: numberAt(json, "nodeCpu.rssMiB"),
  };
}
