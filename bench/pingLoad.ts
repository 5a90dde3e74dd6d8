/** How long a small read waits while heavy calls and traces are in flight. */
import { parseArgs } from "node:util";
import { loadBeside, numberAt } from "./peers.ts";
import { table } from "./report.ts";

const MAX_MINUTES = 15;

/** Runs every attack of bench/load/ping-load.mjs and returns the waits of eth_blockNumber. */
export async function pingLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "6" },
      attackers: { type: "string", default: "8" },
    },
  });
  const load = `ping-load.mjs --seconds ${values.seconds} --attackers ${values.attackers}`;
  const report = await loadBeside("qnet", "", load, MAX_MINUTES * 60_000);
  return [
    `eth_blockNumber every 20 ms on a connection of its own, ${values.seconds} s each, while ${values.attackers} heavy calls of up to 50,000,000 gas are in flight; a call ends after 5 s. Load client and node share the machine.`,
    "",
    table(
      ["in flight", "p50 ms", "p99 ms", "longest ms", "pings", "heavy calls ended"],
      attacksOf(report).map((attack) => {
        const of = (key: string) => numberAt(report, `results.${attack}.${key}`);
        const waits = ["p50", "p99", "max"].map((key) => of(key).toFixed(1));
        return [attack, ...waits, String(of("n")), String(of("heavyCalls"))];
      }),
    ),
  ].join("\n");
}

function attacksOf(report: unknown): string[] {
  if (typeof report !== "object" || report === null || !("results" in report)) return [];
  const { results } = report;
  return typeof results === "object" && results !== null ? Object.keys(results) : [];
}
