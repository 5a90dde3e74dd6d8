/**
 * A campaign by command: `node test/simulation/run.ts --seeds 10000 --validators 4,7,10,20 --minutes 10`, or with an own
 * number of seeds for each network: `--seeds 4:6000,7:2500`. Prints every seed that went wrong, a line each 50 seeds and for
 * each number of validators, and ends with status 1 if anything did.
 */
import { parseArgs } from "node:util";
import { type CampaignRun, describeFailure, type RunResult, runCampaign } from "./campaign.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    validators: { type: "string", default: "4,7,10,20" },
    minutes: { type: "string", default: "10" },
    real: { type: "boolean", default: false },
    threads: { type: "string" },
  },
});

const PROGRESS_SEEDS = 50;

let failed = 0;
for (const [validators, seeds] of seedsOf(values.seeds, values.validators)) {
  const results: RunResult[] = [];
  const wish = {
    validators,
    durationMs: Number(values.minutes) * 60_000,
    realSignatures: values.real,
  };
  const runs = Array.from(
    { length: seeds },
    (_, index): CampaignRun => ({ seed: Number(values.first) + index, wish }),
  );
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  await runCampaign(
    runs,
    (result) => {
      results.push(result);
      if (result.violations.length > 0) print(describeFailure(result));
      if (results.length % PROGRESS_SEEDS === 0) print(`… ${describe(validators, results)}`);
    },
    threads,
  );
  failed += wrongOf(results);
  print(describe(validators, results));
}
process.exitCode = failed === 0 ? 0 : 1;

/** Number of seeds for each number of validators: one for all, or `4:6000,7:2500`. */
function seedsOf(seeds: string, validators: string): readonly (readonly [number, number])[] {
  if (!seeds.includes(":"))
    return validators.split(",").map((each) => [Number(each), Number(seeds)]);
  return seeds.split(",").map((pair) => {
    const [each, count] = pair.split(":").map(Number);
    return [each ?? 0, count ?? 0];
  });
}

function wrongOf(results: readonly RunResult[]): number {
  return results.filter(({ violations }) => violations.length > 0).length;
}

function describe(validators: number, results: readonly RunResult[]): string {
  return [
    `${validators} validators: ${results.length} seeds, ${wrongOf(results)} with violations`,
    `${sum(results, "finalEpoch")} epochs final`,
    `${sum(results, "blocks")} blocks, ${sum(results, "orphans")} orphans`,
    `deepest reorganisation ${Math.max(...results.map(({ maxDepth }) => maxDepth))}`,
    `${sum(results, "evidence")} pieces of evidence`,
    `${Math.round(sum(results, "cpuMs") / 1000)} s of CPU`,
  ].join(", ");
}

function sum(
  results: readonly RunResult[],
  field: "finalEpoch" | "blocks" | "orphans" | "evidence" | "cpuMs",
) {
  return results.reduce((total, result) => total + result[field], 0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
