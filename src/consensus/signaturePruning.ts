/**
 * Which signatures are of no use any more: seals and votes of blocks so old that no evidence about them counts, and of side
 * blocks that finality left behind. Sidecars stay, since epochs are computed from them, and so do certificates. Why:
 * decisions/0053.
 */
import type { Chain } from "../chain/chain.ts";
import type { Hash } from "../primitives/hex.ts";
import type { WriteOp } from "../storage/columns.ts";
import type { MacroHeader } from "../types/macroHeader.ts";
import type { ConsensusStore } from "./consensusStore.ts";

/** Old blocks that lose their signatures with one final macroblock, at most: ten epochs of a network. */
const MAX_DROPPED = 1_024;

export interface PruningSources {
  readonly chain: Pick<Chain, "header" | "headerByNumber" | "canonicalHash">;
  readonly store: ConsensusStore;
  /** seconds; 0: evidence of any age counts, and all signatures are kept */
  readonly evidenceWindow: number;
}

/** Writes that drop what has become useless now that this checkpoint is final. */
export async function pruneSignatures(
  sources: PruningSources,
  checkpoint: MacroHeader,
): Promise<readonly WriteOp[]> {
  return [...dropExpired(sources, checkpoint), ...(await dropSideBlocks(sources, checkpoint))];
}

/** Blocks of the final chain from where the last round ended, as far as they are older than the window. */
function dropExpired(
  { chain, store, evidenceWindow }: PruningSources,
  { timeMs, lastNumber }: MacroHeader,
): readonly WriteOp[] {
  if (evidenceWindow === 0) return [];
  const oldest = BigInt(Math.floor(timeMs / 1000) - evidenceWindow);
  const start = store.droppedTo;
  const end = Math.min(lastNumber, start + MAX_DROPPED);
  const dropped: Hash[] = [];
  let number = start;
  while (number < end) {
    const hash = chain.canonicalHash(BigInt(number + 1));
    const header = hash && chain.header(hash);
    if (hash === undefined || header === undefined || header.timestamp >= oldest) break;
    dropped.push(hash);
    number++;
  }
  return number === start ? [] : [...store.dropOps(dropped), store.droppedToOp(number)];
}

/** Blocks that were stored above the last checkpoint and are not on this one's chain. */
async function dropSideBlocks(
  { chain, store }: PruningSources,
  { lastNumber, lastBlockHash }: MacroHeader,
): Promise<readonly WriteOp[]> {
  const side = new Set<Hash>();
  let lowest = lastNumber;
  for (const hash of await store.unfinal()) {
    const number = Number(chain.header(hash)?.number ?? 0n);
    if (number > lastNumber) break; // they come by number
    side.add(hash);
    lowest = Math.min(lowest, number);
  }
  let hash: Hash | undefined = lastBlockHash;
  for (let number = lastNumber; number >= lowest && hash !== undefined; number--) {
    side.delete(hash);
    hash = chain.header(hash)?.parentHash;
  }
  return store.dropOps([...side]);
}
