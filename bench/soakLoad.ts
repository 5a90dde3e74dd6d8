/** A million reads against one node: does its heap stay where it is? */
import { parseArgs } from "node:util";
import { loadBeside, numberAt } from "./peers.ts";
import { table } from "./report.ts";

/** Growth of the heap's floor, from the second quarter to the last, that still counts as flat. */
const FLAT_SHARE = 0.1;
const MINUTES = 60;

interface Sample {
  readonly requests: number;
  readonly seconds: number;
  readonly heapMiB: number;
  readonly rssMiB: number;
}

/** Runs the load and returns the heap by interval, with a verdict. */
export async function soakLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: "string", default: "1000000" },
      connections: { type: "string", default: "8" },
    },
  });
  const load = `soak-load.mjs --requests ${values.requests} --connections ${values.connections} --minutes ${MINUTES}`;
  const report = await loadBeside("qnet", "", load, (MINUTES + 5) * 60_000);
  const samples = samplesOf(report);
  const second = floorOf(samples, 0.25, 0.5);
  const last = floorOf(samples, 0.75, 1);
  const growth = (last - second) / second;
  const verdict = growth < FLAT_SHARE ? "flat" : "NOT flat";
  return [
    `${numberAt(report, "requests")} requests over ${values.connections} connections, 16 kinds in turn, two of them wrong; ${numberAt(report, "errors")} answered with an error, ${numberAt(report, "failures")} not answered; ${numberAt(report, "requestsPerSec")} requests/s. Load client and node share the machine.`,
    "",
    `Least heap of the second quarter ${second} MiB, of the last ${last} MiB: **${verdict}** (${(growth * 100).toFixed(1)} %, flat below ${FLAT_SHARE * 100} %). Heap: the least of debug_memStats every 50 ms, which comes near to what is left after a collection.`,
    "",
    table(
      ["requests", "seconds", "heap MiB", "resident MiB"],
      samples.map((sample) => [
        sample.requests,
        sample.seconds,
        sample.heapMiB.toFixed(2),
        sample.rssMiB,
      ]),
    ),
  ].join("\n");
}

function samplesOf(report: unknown): Sample[] {
  const count = numberAt(report, "samples.length");
  return Array.from({ length: count }, (_, index) => {
    const of = (key: keyof Sample) => numberAt(report, `samples.${index}.${key}`);
    return {
      requests: of("requests"),
      seconds: of("seconds"),
      heapMiB: of("heapMiB"),
      rssMiB: of("rssMiB"),
    };
  });
}

/** Least heap between two parts of the run. */
function floorOf(samples: readonly Sample[], from: number, to: number): number {
  const part = samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to));
  return Math.min(...part.map(({ heapMiB }) => heapMiB));
}
