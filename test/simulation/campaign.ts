/** Many seeds on all processors: what went wrong in which, and a summary. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Violation } from "./observer.ts";
import { randomScenario, type Scenario, type ScenarioWish } from "./scenario.ts";
import { World } from "./world.ts";

export interface RunResult {
  readonly seed: number;
  readonly name: string;
  readonly violations: readonly Violation[];
  /** Checkpoints that nodes made final, over all nodes. */
  readonly finalized: number;
  /** Checkpoints that were made, on whatever branch. */
  readonly made: number;
  readonly finalEpoch: number;
  readonly blocks: number;
  readonly orphans: number;
  readonly reorgs: number;
  readonly maxDepth: number;
  readonly evidence: number;
  /** From the last block of an epoch to its finality, ms; NaN if nothing was final. */
  readonly medianLagMs: number;
  /** Of the thread that ran it. */
  readonly cpuMs: number;
}

/** A seed of a campaign. */
export interface CampaignRun {
  readonly seed: number;
  readonly wish: ScenarioWish;
}

/** Runs one scenario to its end. */
export function runScenario(scenario: Scenario): RunResult {
  const before = process.threadCpuUsage();
  const observer = new World(scenario).run();
  const used = process.threadCpuUsage(before);
  const lags = observer.lagsMs.sort((a, b) => a - b);
  return {
    seed: scenario.seed,
    name: scenario.name,
    violations: observer.violations,
    finalized: observer.finalized,
    made: observer.checkpoints.size,
    finalEpoch: observer.finalEpoch,
    blocks: observer.blocks.size,
    orphans: observer.orphans,
    reorgs: observer.reorgs,
    maxDepth: observer.maxDepth,
    evidence: observer.evidence,
    medianLagMs: lags[lags.length >> 1] ?? Number.NaN,
    cpuMs: (used.user + used.system) / 1000,
  };
}

/** Runs them all, `threads` at a time; `onResult` hears of each. */
export async function runCampaign(
  runs: readonly CampaignRun[],
  onResult: (result: RunResult) => void,
  threads = availableParallelism(),
): Promise<void> {
  const queue = [...runs];
  await Promise.all(
    Array.from({ length: Math.min(threads, runs.length) }, () => work(queue, onResult)),
  );
}

/** Text that names the run and says what was wrong. */
export function describeFailure({ seed, name, violations }: RunResult): string {
  const shown = violations.slice(0, 3).map(({ kind, text }) => `${kind}: ${text}`);
  return `seed ${seed} (${name}): ${shown.join("; ")}`;
}

/** The run of a campaign's seed, as a worker does it. */
export function runSeed({ seed, wish }: CampaignRun): RunResult {
  return runScenario(randomScenario(seed, wish));
}

/** One thread: takes runs from the queue until it is empty. */
function work(queue: CampaignRun[], onResult: (result: RunResult) => void): Promise<void> {
  const worker = new Worker(new URL("./campaignThread.ts", import.meta.url));
  return new Promise<void>((resolve, reject) => {
    const next = () => {
      const run = queue.shift();
      if (run === undefined) resolve();
      else worker.postMessage(run);
    };
    worker.on("message", (result: RunResult) => {
      onResult(result);
      next();
    });
    worker.on("error", reject);
    next();
  }).finally(() => worker.terminate());
}
