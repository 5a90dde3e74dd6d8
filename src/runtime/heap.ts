/**
 * Keeps the heap near what it holds. V8 sizes it by the memory of the machine: on one with 24 GB the young generation may
 * take 128 MB, and the old one grows to several times what is alive before it is collected.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * Both halves of the young generation, at which it stops growing; under load it has doubled once more before it is seen.
 * Blocks and pooled transactions outlive any size, so a larger one saves nothing.
 */
const YOUNG_BYTES = 16 * 1024 * 1024;
/** How far the old generation may grow beyond what the last collection left alive. */
const OLD_GROWTH_PERCENT = 60;
const CHECK_MS = 50;
const GROW = 2;
const STAY = 1;

/**
 * Bounds this thread's heap relative to what is alive; call it once. The limit of the young generation can be set at the
 * start of the process only, but how it grows is asked each time: so it is watched, and may grow again after V8 shrank it.
 */
export function boundHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  let factor = GROW;
  setInterval(() => {
    const wanted = youngBytes() < YOUNG_BYTES ? GROW : STAY;
    if (wanted === factor) return;
    factor = wanted;
    setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  }, CHECK_MS).unref();
}

function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return young?.space_size ?? 0;
}
