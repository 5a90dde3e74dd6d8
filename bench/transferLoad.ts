/** Plain transfers against QNet and anvil, alternating, with the peer-neutral tool of bench/load. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { median, table } from "./report.ts";

const root = join(import.meta.dirname, "..");
const RUN_TIMEOUT_MS = 600_000;

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
  const results: Record<"qnet" | "anvil", LoadReport[]> = { qnet: [], anvil: [] };
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

function summary(
  results: Record<"qnet" | "anvil", LoadReport[]>,
  txs: string,
  batch: string,
): string {
  const row = (peer: "qnet" | "anvil") => {
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

async function runOnce(
  peer: "qnet" | "anvil",
  datadir: string,
  flags: readonly string[],
): Promise<LoadReport> {
  const port = await freePort();
  const common = `--port ${port} --accounts 100 --block-time 1 --gas-limit 1000000000 --silent`;
  const node =
    peer === "anvil"
      ? `${anvilBinary()} ${common}`
      : `${process.execPath} ${root}/cli/main.ts dev ${common} --datadir ${datadir}`;
  const load = `${process.execPath} ${root}/bench/load/load.mjs --url $URL --pid $NPID --quiet ${flags.join(" ")}`;
  const output = await capture(`${root}/bench/load/with-node.sh`, [
    String(port),
    "/dev/stderr",
    node,
    "--",
    load,
  ]);
  return readReport(output);
}

/** The program itself: the command in .bin is a wrapper, whose CPU time and memory say nothing. */
function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  return join(
    dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)),
    "bin",
    "anvil",
  );
}

function readReport(output: string): LoadReport {
  const line = output.split("\n").findLast((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`the load tool printed no report:\n${output}`);
  const json: Record<string, unknown> = JSON.parse(line);
  const number = (key: string) => {
    const value = key
      .split(".")
      .reduce<unknown>(
        (at, part) => (typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined),
        json,
      );
    if (typeof value !== "number") throw new Error(`no ${key} in ${line}`);
    return value;
  };
  return {
    tps: number("inclusion.tps"),
    cpuMicros: number("nodeCpu.usPerTx"),
    rssMegabytes: number("nodeCpu.rssMiB"),
  };
}

function capture(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: RUN_TIMEOUT_MS,
    });
    let output = "";
    child.stdout.on("data", (data) => {
      output += String(data);
    });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}`)),
    );
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object"
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
