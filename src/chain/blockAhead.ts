/** The one block that may have been executed before its turn, while its parent was being written. */
import type { Hash } from "../primitives/hex.ts";
import type { Block } from "../types/block.ts";
import {
  type ExecutedBlock,
  executeAhead,
  type ImportView,
  type ProcessedBlock,
} from "./importBlock.ts";

/** A block to execute on the State after its parent. */
export interface AheadWork {
  readonly view: ImportView;
  readonly parent: ProcessedBlock;
  readonly next: Block;
}

/** Holds at most one result. */
export class BlockAhead {
  #held: { readonly hash: Hash; readonly executed: ExecutedBlock } | undefined;

  /** The result for this block, if there is one; whatever was held is held no more. */
  take(hash: Hash): ExecutedBlock | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held?.hash === hash ? held.executed : undefined;
  }

  /** Executes `next` while `written` becomes durable. A batch that fails is thrown, and there is no block ahead of it. */
  async beside(written: Promise<void>, { view, parent, next }: AheadWork): Promise<void> {
    // a turn later: by then the batch is on its way, and the thread may be busy
    const turn = new Promise((resolve) => setImmediate(resolve));
    const [stored, result] = await Promise.allSettled([
      written,
      turn.then(() => executeAhead(view, parent, next)),
    ]);
    if (stored.status === "rejected") throw stored.reason;
    // whatever went wrong, its own import meets it again
    if (result.status === "rejected" || result.value === undefined) return;
    this.#held = { hash: next.hash, executed: result.value };
  }
}
