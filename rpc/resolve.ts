/** From what a caller calls a block to the block, and to the state after it. */
import type { Chain } from "../src/chain/chain.ts";
import type { ChainHead } from "../src/chain/chainEvents.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { State } from "../src/state/state.ts";
import type { Block } from "../src/types/block.ts";
import type { BlockId, BlockTag } from "./blockId.ts";
import type { RpcContext } from "./context.ts";
import { RpcError } from "./errors.ts";
import type { StateView } from "./headStates.ts";
import { pendingWork } from "./pending.ts";

function hashByTag(chain: Chain, tag: BlockTag): Hash {
  switch (tag) {
    case "earliest":
      return chain.genesisHash;
    case "finalized":
      return chain.finalized.hash;
    case "safe":
      return chain.safe.hash;
    case "latest":
    // what is pending is built on the head; its own fields are the caller's concern
    case "pending":
      return chain.head.hash;
  }
}

/** Hash of the block; "pending" gives the head. undefined: no such block. Throws NOT_CANONICAL when asked to. */
export function hashOfBlock(chain: Chain, id: BlockId): Hash | undefined {
  if (typeof id === "string") return hashByTag(chain, id);
  if (typeof id === "bigint") return chain.canonicalHash(id);
  const header = chain.header(id.hash);
  if (header === undefined) return undefined;
  if (id.requireCanonical && chain.canonicalHash(header.number) !== id.hash) {
    throw new RpcError({ code: "NOT_CANONICAL", hash: id.hash });
  }
  return id.hash;
}

/** The block with its transactions; undefined: no such block. */
export function findBlock(chain: Chain, id: BlockId): Block | undefined {
  const hash = hashOfBlock(chain, id);
  return hash && chain.block(hash);
}

/** Header and hash; undefined: no such block. */
export function findHeader(chain: Chain, id: BlockId): ChainHead | undefined {
  const hash = hashOfBlock(chain, id);
  const header = hash && chain.header(hash);
  return hash && header && { hash, header };
}

/** Header and hash of a block that must be there. Throws HEADER_NOT_FOUND. */
export function needHeader(chain: Chain, id: BlockId): ChainHead {
  const found = findHeader(chain, id);
  if (found === undefined) throw new RpcError({ code: "HEADER_NOT_FOUND" });
  return found;
}

/**
 * What `read` gives of the state after a block that must be there; "pending": with what the pool would do to it.
 * Throws HEADER_NOT_FOUND, and ChainError when the state is not stored.
 */
export function readState<T>(
  { node, states }: RpcContext,
  id: BlockId,
  read: (state: StateView) => T,
): T | Promise<T> {
  if (id === "pending") return pendingWork(node).then(({ state }) => read(state));
  return states.read(needHeader(node.chain, id).hash, read);
}

/** A State of its own after a block that must be there. Throws as `readState` does. */
export function needState({ node }: RpcContext, id: Exclude<BlockId, "pending">): State {
  return node.chain.stateAt(needHeader(node.chain, id).hash);
}
