/** How many blocks' states the options ask for. */
import type { OptionValues } from "./options.ts";

/** Blocks whose states are kept; undefined: all. */
export function stateHistoryOf(
  values: OptionValues<"gcmode" | "history.state">,
): bigint | undefined {
  return values.gcmode === "full" ? keptBlocks(values["history.state"]) : undefined;
}

/** As geth counts: 0 stands for the whole chain. */
export function keptBlocks(blocks: bigint): bigint | undefined {
  return blocks === 0n ? undefined : blocks;
}
