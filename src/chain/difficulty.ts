/** Difficulty of proof-of-work blocks, all forks before the merge. */
import type { ForkName, Rules } from "../types/forks.ts";
import { EMPTY_OMMERS_HASH } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";

const MIN_DIFFICULTY = 131_072n;
const BOUND_DIVISOR = 2_048n;
const FRONTIER_LIMIT_SECONDS = 13n;
const HOMESTEAD_STEP_SECONDS = 10n;
const BYZANTIUM_STEP_SECONDS = 9n;
const LARGEST_FALL = -99n;
const BOMB_PERIOD_BLOCKS = 100_000n;

/** Blocks by which forks put the bomb off, latest first. Sources: EIPs 5133, 4345, 3554, 2384, 1234, 649. */
const BOMB_DELAYS: readonly (readonly [ForkName, bigint])[] = [
  ["grayGlacier", 11_400_000n],
  ["arrowGlacier", 10_700_000n],
  ["london", 9_700_000n],
  ["muirGlacier", 9_000_000n],
  ["constantinople", 5_000_000n],
  ["byzantium", 3_000_000n],
];

/** Difficulty that a child of `parent` must have at `timestamp` (seconds). Sources: EIPs 2, 100, Yellow Paper 4.4.4. */
export function difficultyOfChild(
  parent: Pick<Header, "difficulty" | "number" | "timestamp" | "sha3Uncles">,
  timestamp: bigint,
  rules: Rules,
): bigint {
  const step = parent.difficulty / BOUND_DIVISOR;
  const adjusted = parent.difficulty + step * stepsOf(parent, timestamp, rules);
  const armed = adjusted + bombOf(parent.number + 1n, rules);
  return armed < MIN_DIFFICULTY ? MIN_DIFFICULTY : armed;
}

function stepsOf(
  parent: Pick<Header, "timestamp" | "sha3Uncles">,
  timestamp: bigint,
  rules: Rules,
): bigint {
  const elapsed = timestamp - parent.timestamp;
  if (!rules.has("homestead")) return elapsed < FRONTIER_LIMIT_SECONDS ? 1n : -1n;
  const steps = rules.has("byzantium")
    ? (parent.sha3Uncles === EMPTY_OMMERS_HASH ? 1n : 2n) - elapsed / BYZANTIUM_STEP_SECONDS
    : 1n - elapsed / HOMESTEAD_STEP_SECONDS;
  return steps < LARGEST_FALL ? LARGEST_FALL : steps;
}

function bombOf(number: bigint, rules: Rules): bigint {
  const delay = BOMB_DELAYS.find(([fork]) => rules.has(fork))?.[1] ?? 0n;
  const period = (number > delay ? number - delay : 0n) / BOMB_PERIOD_BLOCKS;
  return period > 1n ? 1n << (period - 2n) : 0n;
}
