/** The seam between the pool and the chain. */
import type { Address, Hash } from "../primitives/hex.ts";
import type { Block } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";
import type { PoolAccount } from "./senderQueue.ts";

/** The head of the chain as the pool sees it; fees and rules are those of the next block. */
export interface HeadState {
  account(address: Address): PoolAccount;
  readonly rules: Rules;
  readonly gasLimit: bigint;
  /** wei per gas; undefined before London */
  readonly baseFee: bigint | undefined;
  /** wei per blob gas; undefined before Cancun */
  readonly blobBaseFee: bigint | undefined;
  /** The canonical block that holds a transaction. */
  inclusion(
    hash: Hash,
  ):
    | { readonly blockNumber: bigint; readonly blockHash: Hash; readonly finalized: boolean }
    | undefined;
}

/** How the head moved; as chain/chain.ts tells it. */
export interface HeadChange {
  /** Oldest first. */
  readonly added: readonly Block[];
  /** Newest first. */
  readonly removed: readonly Block[];
}
