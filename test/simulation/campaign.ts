/** Many seeds, one line of result each when something is wrong, and a summary. */
import type { Violation } from "./observer.ts";
import type { Scenario } from "./scenario.ts";
import { World } from "./world.ts";

export interface RunResult {
  readonly seed: number;
  readonly name: string;
  readonly violations: readonly Violation[];
  readonly finalized: number;
  readonly made: number;
  readonly maxDepth: number;
  readonly evidence: number;
  readonly medianLagMs: number;
  readonly cpuMs: number;
}

/** Runs one scenario to its end. */
export function runScenario(scenario: Scenario): RunResult {
  const before = process.cpuUsage();
  const observer = new World(scenario).run();
  const used = process.cpuUsage(before);
  const lags = observer.lagsMs.sort((a, b) => a - b);
  return {
    seed: scenario.seed,
    name: scenario.name,
    violations: observer.violations,
    finalized: observer.finalized,
    made: observer.checkpoints.size,
    maxDepth: observer.maxDepth,
    evidence: observer.evidence,
    medianLagMs: lags[lags.length >> 1] ?? Number.NaN,
    cpuMs: (used.user + used.system) / 1000,
  };
}

/** Text that repeats the run and says what was wrong. */
export function describeFailure({ seed, name, violations }: RunResult): string {
  const shown = violations.slice(0, 3).map(({ kind, text }) => `${kind}: ${text}`);
  return `seed ${seed} (${name}): ${shown.join("; ")}`;
}
