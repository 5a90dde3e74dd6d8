/** How many blocks' states the options ask for. */
import { LEAST_HISTORY } from "../src/chain/stateHistory.ts";
import { UsageError } from "./exit.ts";
import type { OptionValues } from "./options.ts";

/** Blocks whose states are kept; undefined: all. */
export function stateHistoryOf(
  values: OptionValues<"gcmode" | "history.state">,
): bigint | undefined {
  return values.gcmode === "full" ? keptBlocks(values["history.state"]) : undefined;
}

/** As geth counts: 0 stands for the whole chain. Throws UsageError for less than can be undone. */
export function keptBlocks(blocks: bigint): bigint | undefined {
  if (blocks === 0n) return undefined;
  if (blocks >= LEAST_HISTORY) return blocks;
  throw new UsageError(`--history.state: expected 0 or at least ${LEAST_HISTORY}, got ${blocks}`);
}
