/** Blocks for a peer that fetches them. */
import type { Chain } from "../chain/chain.ts";
import type { Hash } from "../primitives/hex.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import { LIMITS } from "./core/state.ts";

/** Blocks between a canonical one and a tip beside it that are walked back over. */
const MAX_WALK = 1_024;

/** Stored blocks `from`..`to` of the chain that ends in `tip`, ascending; empty if that chain is not here. */
export function storedRange(
  { chain, store }: { readonly chain: Chain; readonly store: ConsensusStore },
  { tip, from, to }: { readonly tip: Hash; readonly from: number; readonly to: number },
): readonly SealedBlock[] {
  const end = Math.min(to, from + LIMITS.fetchedBlocks - 1);
  const found: SealedBlock[] = [];
  let hash: Hash | undefined = tip;
  for (let steps = 0; steps < MAX_WALK && hash !== undefined; steps++) {
    const header = chain.header(hash);
    if (header === undefined) return [];
    const number = Number(header.number);
    if (number < from) break;
    // from here down the numbering tells the way
    if (number > end && chain.isCanonical(hash)) {
      hash = chain.canonicalHash(BigInt(end));
      continue;
    }
    const block = number <= end ? chain.block(hash) : undefined;
    const sealed = block && store.sealed(block);
    if (sealed !== undefined) found.push(sealed);
    hash = header.parentHash;
  }
  // a block without its signatures is of no use to a peer, nor are those above it without it
  return found.some(({ seal }) => seal === undefined) ? [] : found.reverse();
}
