/** Many users who read and write at once, on a chain with a block each second: how long they wait. */
import { parseArgs } from "node:util";
import { loadBeside, numberAt } from "./peers.ts";
import { table } from "./report.ts";

/** What the node promises: nineteen of twenty requests are answered in this time. */
const P95_TARGET_MS = 50;

/** Runs the load and returns latency by method, with a verdict. */
export async function mixedLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      users: { type: "string", default: "200" },
      seconds: { type: "string", default: "20" },
      think: { type: "string", default: "500" },
    },
  });
  const { users, seconds, think } = values;
  const load = `mixed-load.mjs --users ${users} --seconds ${seconds} --think ${think}`;
  const report = await loadBeside("qnet", `--accounts ${users} --block-time 1`, load);
  const methods = Object.keys(Object(Reflect.get(Object(report), "methods")));
  const row = (name: string, at: string) => [
    name,
    ...["n", "mean", "p50", "p95", "p99", "max"].map((key) => numberAt(report, `${at}.${key}`)),
  ];
  const p95 = numberAt(report, "all.p95");
  const verdict = p95 < P95_TARGET_MS ? "kept" : "missed";
  return [
    `${users} users, each over a connection of its own, ${think} ms on average between a reply and the next request; one request in five sends a transfer; blocks of 1 s; ${seconds} s measured. Load client and node share the machine.`,
    "",
    `p95 of all requests **${p95} ms**: the target of ${P95_TARGET_MS} ms is ${verdict}. ${numberAt(report, "requestsPerSec")} requests/s, ${numberAt(report, "errorCount")} errors, ${numberAt(report, "blocks")} blocks, node CPU share ${numberAt(report, "nodeCpuShare")}, client CPU share ${numberAt(report, "clientCpuShare")}.`,
    "",
    table(
      ["method", "requests", "mean ms", "p50", "p95", "p99", "max"],
      [row("all", "all"), ...methods.map((method) => row(method, `methods.${method}`))],
    ),
  ].join("\n");
}
