/** Computing contracts by eth_call: our EVM, @ethereumjs/evm and anvil in turn, with the peer-neutral tool of bench/load. */
import { parseArgs } from "node:util";
import { loadBeside, numberAt, type Peer } from "./peers.ts";
import { median, table } from "./report.ts";

const PROGRAMS = [
  "rawArith",
  "rawKeccak",
  "arith",
  "fibRec",
  "hashes",
  "mul256",
  "mandel",
  "sort",
  "sload",
  "sstore",
  "warm",
  "tokens",
] as const;

/** What is measured: a node and its options. */
const ENGINES = {
  anvil: ["anvil", "--gas-limit 1000000000"],
  fast: ["qnet", "--gas-limit 1000000000"],
  reference: ["qnet", "--gas-limit 1000000000 --rpc.evmtimeout 60s --evm reference"],
} as const satisfies Readonly<Record<string, readonly [Peer, string]>>;

type Engine = keyof typeof ENGINES;

interface Sample {
  /** Gas by the shortest call less an empty one, in wall-clock time. */
  readonly best: number;
  /** Gas by the processor time of the node, all calls. */
  readonly perCpu: number;
}

/** `--runs N` of each engine in turn, `--seconds N` for a program; returns Mgas/s by program and engine. */
export async function evmLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "3" },
      seconds: { type: "string", default: "1" },
    },
  });
  const samples = new Map<string, Sample[]>();
  for (let run = 0; run < Number(values.runs); run++) {
    for (const engine of ["anvil", "fast", "reference"] as const) {
      const [peer, options] = ENGINES[engine];
      const report = await loadBeside(peer, options, `evm-load.mjs --seconds ${values.seconds}`);
      for (const program of PROGRAMS) {
        const key = `${engine} ${program}`;
        const sample = {
          best: numberAt(report, `programs.${program}.mgasBest`),
          perCpu: numberAt(report, `programs.${program}.mgasPerCpuSec`),
        };
        samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
      console.error(`${engine} run ${run + 1} done`);
    }
  }
  return summary(samples, values);
}

function summary(
  samples: ReadonlyMap<string, readonly Sample[]>,
  { runs, seconds }: Readonly<Record<"runs" | "seconds", string>>,
): string {
  const rows = PROGRAMS.map((program) => {
    const of = (engine: Engine, key: keyof Sample) =>
      median((samples.get(`${engine} ${program}`) ?? []).map((sample) => sample[key]));
    return [
      program,
      of("anvil", "best").toFixed(0),
      of("fast", "best").toFixed(0),
      of("reference", "best").toFixed(1),
      (of("fast", "best") / of("reference", "best")).toFixed(1),
      of("anvil", "perCpu").toFixed(0),
      of("fast", "perCpu").toFixed(0),
      of("reference", "perCpu").toFixed(1),
      (of("fast", "perCpu") / of("reference", "perCpu")).toFixed(1),
    ];
  });
  return [
    `Mgas/s of eth_call, ${seconds} s a program, ${runs} runs of each engine in turn, medians. "best" is the shortest call less an empty one, "CPU" all calls by the node's processor time.`,
    "",
    table(
      [
        "program",
        "anvil best",
        "QNet best",
        "@ethereumjs best",
        "ratio",
        "anvil CPU",
        "QNet CPU",
        "@ethereumjs CPU",
        "ratio",
      ],
      rows,
    ),
  ].join("\n");
}
