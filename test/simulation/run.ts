/**
 * A campaign by command: `node test/simulation/run.ts --seeds 10000 --validators 4,7,10,20 --minutes 10`. Prints every seed
 * that went wrong, a line for each number of validators, and ends with status 1 if anything did.
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

let failed = 0;
for (const validators of values.validators.split(",").map(Number)) {
  const results: RunResult[] = [];
  const wish = {
    validators,
    durationMs: Number(values.minutes) * 60_000,
    realSignatures: values.real,
  };
  const runs = Array.from(
    { length: Number(values.seeds) },
    (_, index): CampaignRun => ({ seed: Number(values.first) + index, wish }),
  );
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  await runCampaign(
    runs,
    (result) => {
      results.push(result);
      if (result.violations.length > 0) print(describeFailure(result));
    },
    threads,
  );
  const wrong = results.filter(({ violations }) => violations.length > 0).length;
  failed += wrong;
  print(
    [
      `${validators} validators: ${results.length} seeds, ${wrong} with violations`,
      `${sum(results, "finalEpoch")} epochs final`,
      `${sum(results, "blocks")} blocks, ${sum(results, "orphans")} orphans`,
      `deepest reorganisation ${Math.max(...results.map(({ maxDepth }) => maxDepth))}`,
      `${sum(results, "evidence")} pieces of evidence`,
      `${Math.round(sum(results, "cpuMs") / 1000)} s of CPU`,
    ].join(", "),
  );
}
process.exitCode = failed === 0 ? 0 : 1;

function sum(
  results: readonly RunResult[],
  field: "finalEpoch" | "blocks" | "orphans" | "evidence" | "cpuMs",
) {
  return results.reduce((total, result) => total + result[field], 0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
