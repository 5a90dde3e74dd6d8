/** How far behind its peers this node is, as eth_syncing and the subscription of that name tell it. */
import { quantity, type ResultCodec } from "./codec.ts";
import type { RpcNode } from "./context.ts";
import { field, view } from "./objects.ts";

/** Blocks that a node in step may be behind: what is on its way. */
const IN_STEP_BLOCKS = 4n;

/** Heights of a synchronisation under way. */
export interface SyncStatus {
  readonly startingBlock: bigint;
  readonly currentBlock: bigint;
  readonly highestBlock: bigint;
}

/** undefined: in step with the peers, or alone. */
export function syncStatusOf({ chain, network }: RpcNode): SyncStatus | undefined {
  if (network === undefined) return undefined;
  const currentBlock = chain.head.header.number;
  const highestBlock = network.highestBlock();
  if (highestBlock <= currentBlock + IN_STEP_BLOCKS) return undefined;
  return { startingBlock: network.startingBlock(), currentBlock, highestBlock };
}

export const syncStatusView: ResultCodec<SyncStatus> = view("synchronisation", {
  startingBlock: field(quantity, (status: SyncStatus) => status.startingBlock),
  currentBlock: field(quantity, (status) => status.currentBlock),
  highestBlock: field(quantity, (status) => status.highestBlock),
});

/** Heights, or false. */
export const syncing: ResultCodec<SyncStatus | undefined> = {
  schema: { oneOf: [{ type: "boolean" }, syncStatusView.schema] },
  encode: (status) => (status === undefined ? false : syncStatusView.encode(status)),
};
