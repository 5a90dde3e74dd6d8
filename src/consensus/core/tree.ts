/** The block tree above F* and the choice of its head. Source: docs/consensus.md §6. */
import type { Hash } from "../../primitives/hex.ts";
import type { SidecarCore } from "../../types/sidecar.ts";
import { type ChainPoint, type Checkpoint, checkpointOn } from "./chainPoint.ts";
import type { ConsensusState, TreeNode } from "./state.ts";

/** The tree's node of this block, which must be there. */
export function nodeOf(state: ConsensusState, hash: Hash): TreeNode {
  const node = state.tree.get(hash);
  if (node === undefined) throw new RangeError(`block ${hash} is not in the tree`);
  return node;
}

/** The head's consensus state. */
export function headPoint(state: ConsensusState): ChainPoint {
  return nodeOf(state, state.head).point;
}

/** Adds a leaf whose parent is in the tree. */
export function addNode(
  state: ConsensusState,
  point: ChainPoint,
  core: SidecarCore,
  timely: boolean,
): void {
  const parent = nodeOf(state, point.parentHash);
  const closed = parent.point.closing?.checkpoint.header.epoch;
  const isCarried = closed !== undefined && point.slot === parent.point.slot;
  const isAboveFinal = (epoch: number) => epoch >= state.finalized.header.epoch;
  state.tree.set(point.hash, {
    point,
    core,
    timely,
    weight: parent.weight + ownWeight(state, parent.point, point),
    carried: isCarried ? [...parent.carried.filter(isAboveFinal), closed] : parent.carried,
  });
  state.leaves.delete(point.parentHash);
  state.leaves.add(point.hash);
}

/** The best leaf among the descendants of J*, or J*'s own block. */
export function chooseHead(state: ConsensusState): Hash {
  let best: TreeNode | undefined;
  for (const hash of state.leaves) {
    const leaf = nodeOf(state, hash);
    if (!descendsFrom(state, leaf.point, state.justified)) continue;
    if (best === undefined || isBetter(state, leaf, best)) best = leaf;
  }
  return best?.point.hash ?? state.justified.header.lastBlockHash;
}

/** Number of distinct slots with a block after J*, those of equivocating leaders left out. */
export function weightAfterJustified(state: ConsensusState, node: TreeNode): number {
  const { header } = state.justified;
  const base = nodeOf(state, header.lastBlockHash);
  const shared = node.carried.includes(header.epoch) && !isEquivocated(state, base.point);
  return node.weight - base.weight + (shared ? 1 : 0);
}

/** Whether the checkpoint is the point's, or an ancestor's. */
export function descendsFrom(
  state: ConsensusState,
  point: ChainPoint,
  checkpoint: Checkpoint,
): boolean {
  const { epoch, lastNumber, lastBlockHash } = checkpoint.header;
  if (point.number < lastNumber) return false;
  const own = checkpointOn(point, epoch);
  if (own !== undefined) return own.hash === checkpoint.hash;
  // older than what the point remembers: J* lags behind finality on the chain
  let at: ChainPoint | undefined = point;
  while (at !== undefined && at.number > lastNumber) at = state.tree.get(at.parentHash)?.point;
  return at?.hash === lastBlockHash;
}

/** Marks a slot's leader as equivocating: the slot counts nothing any more, on any branch. */
export function markEquivocation(state: ConsensusState, slot: number, proposer: number): boolean {
  const key = `${slot}/${proposer}`;
  if (state.equivocations.has(key)) return false;
  state.equivocations.add(key);
  for (const node of byNumber(state)) {
    const parent = state.tree.get(node.point.parentHash);
    if (parent !== undefined && node.point.hash !== state.root)
      node.weight = parent.weight + ownWeight(state, parent.point, node.point);
  }
  return true;
}

/** Drops what does not descend from the block, which becomes the root. */
export function pruneTree(state: ConsensusState, root: Hash): void {
  const kept = new Set<Hash>([root]);
  for (const { point } of byNumber(state)) {
    if (point.hash === root || kept.has(point.parentHash)) kept.add(point.hash);
    else drop(state, point);
  }
  state.root = root;
}

/** How many blocks of `from`'s chain are not in `to`'s; both are in the tree. */
export function reorgDepth(state: ConsensusState, from: Hash, to: Hash): number {
  let old = nodeOf(state, from).point;
  let young = nodeOf(state, to).point;
  let depth = 0;
  while (old.hash !== young.hash) {
    if (young.number > old.number) young = nodeOf(state, young.parentHash).point;
    else {
      old = nodeOf(state, old.parentHash).point;
      depth++;
    }
  }
  return depth;
}

function isBetter(state: ConsensusState, a: TreeNode, b: TreeNode): boolean {
  const [weightA, weightB] = [weightAfterJustified(state, a), weightAfterJustified(state, b)];
  if (weightA !== weightB) return weightA > weightB;
  if (a.timely !== b.timely) return a.timely;
  if (a.point.number !== b.point.number) return a.point.number > b.point.number;
  return a.point.hash < b.point.hash;
}

function ownWeight(state: ConsensusState, parent: ChainPoint, point: ChainPoint): number {
  return point.slot !== parent.slot && !isEquivocated(state, point) ? 1 : 0;
}

function isEquivocated({ equivocations }: ConsensusState, { slot, proposer }: ChainPoint): boolean {
  return equivocations.size > 0 && equivocations.has(`${slot}/${proposer}`);
}

function byNumber(state: ConsensusState): readonly TreeNode[] {
  return [...state.tree.values()].sort((a, b) => a.point.number - b.point.number);
}

function drop(state: ConsensusState, { hash, closing }: ChainPoint): void {
  state.tree.delete(hash);
  state.leaves.delete(hash);
  if (closing === undefined) return;
  state.checkpoints.delete(closing.checkpoint.hash);
  state.justifiedHashes.delete(closing.checkpoint.hash);
}
