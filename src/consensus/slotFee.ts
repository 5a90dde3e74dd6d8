/** The base fee that consensus gives the next slot, for those who look at stored blocks alone. */
import { baseFeeOfChild } from "../execution/gas.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Header } from "../types/header.ts";
import type { SidecarCore } from "../types/sidecar.ts";
import { slotGasLimitFor } from "./core/params.ts";

/** Where blocks and their sidecars are read. */
export interface SlotSources {
  readonly chain: { header(hash: Hash): Header | undefined };
  readonly store: { sidecar(hash: Hash): Pick<SidecarCore, "seq"> | undefined };
  readonly params: Parameters<typeof slotGasLimitFor>[0];
}

/**
 * Base fee of the first block of a later slot on this block, wei per gas: EIP-1559 over the gas of all blocks of the block's slot.
 * A block that still joins the slot pays what the others of it do. Source: docs/consensus.md §4.1.
 */
export function baseFeeOfNextSlot(
  { chain, store, params }: SlotSources,
  head: { readonly header: Header; readonly hash: Hash },
): bigint {
  let { gasUsed, parentHash } = head.header;
  // none for the genesis and for blocks that were imported without consensus: each is a slot of its own
  for (let seq = store.sidecar(head.hash)?.seq ?? 0; seq > 0; seq--) {
    const header = chain.header(parentHash);
    if (header === undefined) break;
    gasUsed += header.gasUsed;
    parentHash = header.parentHash;
  }
  const gasLimit = slotGasLimitFor(params, head.header.gasLimit);
  return baseFeeOfChild({ ...head.header, gasLimit, gasUsed });
}
