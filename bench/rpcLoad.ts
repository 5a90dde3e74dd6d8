/** Read methods against QNet and anvil, alternating, with the peer-neutral tool of bench/load. */
import { parseArgs } from "node:util";
import { loadBeside, numberAt, type Peer } from "./peers.ts";
import { median, table } from "./report.ts";

const METHODS =
  "eth_chainId eth_blockNumber eth_getBalance eth_getTransactionCount eth_call eth_estimateGas eth_getBlockByNumber eth_getBlockByNumberFull eth_getTransactionByHash eth_getTransactionReceipt eth_getLogs eth_getStorageAt eth_getProof eth_feeHistory".split(
    " ",
  );

interface Sample {
  readonly callsPerSecond: number;
  readonly cpuMicros: number;
  readonly p95Ms: number;
}

/** Runs both nodes in turn and returns a table with the ratio of the medians for each method. */
export async function rpcLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "3" },
      seconds: { type: "string", default: "2" },
      connections: { type: "string", default: "8" },
    },
  });
  const samples: Record<Peer, Map<string, Sample[]>> = { qnet: new Map(), anvil: new Map() };
  const load = `rpc-load.mjs --methods all --seconds ${values.seconds} --connections ${values.connections}`;
  for (let run = 0; run < Number(values.runs); run++) {
    // who goes first changes: the machine's mood then falls on both
    const order: readonly Peer[] = run % 2 === 0 ? ["anvil", "qnet"] : ["qnet", "anvil"];
    for (const peer of order) {
      const report = await loadBeside(peer, "--gas-limit 1000000000", load);
      for (const method of METHODS) {
        const at = `results.${method}`;
        const sample = {
          callsPerSecond: numberAt(report, `${at}.callsPerSec`),
          cpuMicros: numberAt(report, `${at}.nodeCpuUsPerCall`),
          p95Ms: numberAt(report, `${at}.requestLatencyMs.p95`),
        };
        samples[peer].set(method, [...(samples[peer].get(method) ?? []), sample]);
      }
      console.error(`${peer} run ${run + 1} done`);
    }
  }
  return summary(samples, values);
}

function summary(
  samples: Record<Peer, Map<string, Sample[]>>,
  { runs, seconds, connections }: Readonly<Record<"runs" | "seconds" | "connections", string>>,
): string {
  const rows = METHODS.map((method) => {
    const of = (peer: Peer, key: keyof Sample) =>
      median((samples[peer].get(method) ?? []).map((sample) => sample[key]));
    const ratio = of("qnet", "callsPerSecond") / of("anvil", "callsPerSecond");
    return [
      method,
      of("anvil", "callsPerSecond").toFixed(0),
      of("qnet", "callsPerSecond").toFixed(0),
      ratio.toFixed(2),
      of("anvil", "cpuMicros").toFixed(0),
      of("qnet", "cpuMicros").toFixed(0),
      of("anvil", "p95Ms").toFixed(2),
      of("qnet", "p95Ms").toFixed(2),
    ];
  });
  return [
    `${connections} connections, one request in flight on each, ${seconds} s a method, ${runs} runs of either node in turn; medians. A block of 100 ERC-20 transfers is read. Load client and node share the machine. Full blocks are eth_getBlockByNumberFull.`,
    "",
    table(
      [
        "method",
        "anvil calls/s",
        "QNet calls/s",
        "ratio",
        "anvil CPU us/call",
        "QNet CPU us/call",
        "anvil p95 ms",
        "QNet p95 ms",
      ],
      rows,
    ),
  ].join("\n");
}
