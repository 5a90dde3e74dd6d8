/** The latest blocks that were refused, for whoever has to find out why. */
import type { Hash } from "../primitives/hex.ts";
import type { Block } from "../types/block.ts";
import type { BlockErrorReason } from "./blockError.ts";

/** A refused block and what was wrong with it. */
export interface BadBlock {
  readonly block: Block;
  readonly reason: BlockErrorReason;
}

/** Refused blocks that are remembered. */
const MAX_BAD_BLOCKS = 10;

/** A bounded list, newest first. Nothing of it is stored. */
export class BadBlocks {
  #blocks: readonly BadBlock[] = [];

  get all(): readonly BadBlock[] {
    return this.#blocks;
  }

  find(hash: Hash): Block | undefined {
    return this.#blocks.find(({ block }) => block.hash === hash)?.block;
  }

  note(bad: BadBlock): void {
    const others = this.#blocks.filter(({ block }) => block.hash !== bad.block.hash);
    this.#blocks = [bad, ...others].slice(0, MAX_BAD_BLOCKS);
  }
}
