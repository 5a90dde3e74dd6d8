/** Seal rules of a chain with validators: the core judges a block before chain executes it, and only what it passed gets in. */
import { BlockError } from "../chain/blockError.ts";
import type { SealRules } from "../chain/importBlock.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Block } from "../types/block.ts";

/** Blocks that the core has passed and that are on their way into the chain; at most as many as the core lets fly. */
export class ApprovedBlocks implements SealRules {
  /** The core compares the base fee with that of its slot (docs/consensus.md §4.1). */
  readonly decidesBaseFee = true;
  readonly #approved = new Set<Hash>();

  /** Runs `work`, in which the block may be imported. */
  async during<T>(hash: Hash, work: () => Promise<T>): Promise<T> {
    this.#approved.add(hash);
    try {
      return await work();
    } finally {
      this.#approved.delete(hash);
    }
  }

  verifySeal({ hash }: Block): void {
    if (this.#approved.has(hash)) return;
    throw new BlockError({
      code: "INVALID_SEAL",
      field: "extraData",
      expected: "a block with its validator's seal, judged by consensus",
      got: `block ${hash} by another way`,
    });
  }
}
