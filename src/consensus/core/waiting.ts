/** What blocks on their way into the tree may take of memory: whoever sends them has proved nothing yet. */
import type { Hash } from "../../primitives/hex.ts";
import type { Origin } from "./events.ts";
import { type ConsensusState, type IncomingBlock, LIMITS } from "./state.ts";

type Waiting = ReadonlyMap<Hash, IncomingBlock>;

/** How many of these blocks the peer has sent. */
export function sentBy(waiting: Waiting, { peer }: Origin): number {
  let count = 0;
  for (const { origin } of waiting.values()) if (origin.peer === peer) count++;
  return count;
}

/** Whether one more block may wait for its time or its parent. */
export function hasBytesFor(
  { orphans, early }: ConsensusState,
  { block, origin }: IncomingBlock,
): boolean {
  let all = block.block.sizeBytes;
  let ofPeer = all;
  for (const waiting of [orphans, early])
    for (const other of waiting.values()) {
      const { sizeBytes } = other.block.block;
      all += sizeBytes;
      if (other.origin.peer === origin.peer) ofPeer += sizeBytes;
    }
  return all <= LIMITS.waitingBytes && ofPeer <= LIMITS.waitingBytesOfPeer;
}
