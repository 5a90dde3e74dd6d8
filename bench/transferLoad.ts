/** Plain transfers against QNet and anvil, alternating, with the peer-neutral tool of bench/load. */
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

/** Runs both nodes `runs` times in turn and returns a table with the ratio of the medians. */
export async function transferLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      txs: { type: "string", default: "100000" },
      runs: { type: "string", default: "3" },
      batch: { type: "string", default: "20" },
    },
  });
  const results: Record<Peer, LoadReport[]> = { qnet: [], anvil: [] };
  const keep = mkdtempSync(join(tmpdir(), "qnet-bench-"));
  try {
    for (let run = 0; run < Number(values.runs); run++) {
      for (const peer of ["anvil", "qnet"] as const) {
        const datadir = join(keep, `data-${run}`);
        const result = await runOnce(peer, datadir, [
          "--txs",
          values.txs,
          "--batch",
          values.batch,
          "--file",
          join(keep, "signed.json"),
        ]);
        console.error(
          `${peer} run ${run + 1}: ${result.tps.toFixed(0)} tx/s, ${result.cpuMicros.toFixed(0)} us/tx, ${result.rssMegabytes.toFixed(0)} MB`,
        );
        results[peer].push(result);
        rmSync(datadir, { recursive: true, force: true });
      }
    }
  } finally {
    rmSync(keep, { recursive: true, force: true });
  }
  return summary(results, values.txs, values.batch);
}

function summary(results: Record<Peer, LoadReport[]>, txs: string, batch: string): string {
  const row = (peer: Peer) => {
    const of = (key: keyof LoadReport) => median(results[peer].map((result) => result[key]));
    const runs = results[peer].map((result) => result.tps.toFixed(0)).join(", ");
    return [
      peer,
      of("tps").toFixed(0),
      runs,
      of("cpuMicros").toFixed(0),
      of("rssMegabytes").toFixed(0),
    ];
  };
  const ratio = median(results.qnet.map((r) => r.tps)) / median(results.anvil.map((r) => r.tps));
  return [
    `${txs} signed transfers of 100 senders to 1,000 recipients, batches of ${batch}, 8 connections, blocks every second. QNet writes every block to LevelDB on disk; anvil keeps its state in memory. Load client and node share the machine.`,
    "",
    table(
      ["node", "tx/s, median", "runs", "node CPU us/tx", "RSS MiB at the end"],
      [row("anvil"), row("qnet")],
    ),
    "",
    `Ratio QNet / anvil: **${ratio.toFixed(2)}**`,
  ].join("\n");
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
