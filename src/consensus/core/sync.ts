/**
 * Fetching what is missing, one request at a time: by number range on the branch of a known tip, and further back where the
 * branch starts below. Source: docs/consensus.md §12 (status, blocks_by_range).
 */
import type { Hash } from "../../primitives/hex.ts";
import type { JustQC } from "../../types/certificate.ts";
import type { SealedBlock } from "../../types/sealedBlock.ts";
import { type ChainPoint, checkpointOn } from "./chainPoint.ts";
import type { Action, PeerStatus } from "./events.ts";
import { justificationOf } from "./finality.ts";
import { type ConsensusState, LIMITS, type Sync } from "./state.ts";
import { headPoint, nodeOf } from "./tree.ts";

/** The first request starts a little below the head: most branches are short. */
const OVERLAP = 8;
/** A request that brought nothing for this long is given up. */
const SYNC_TIMEOUT_MS = 10_000;

/** Where a branch ends that this node lacks, and who has it. */
export interface MissingTip {
  readonly peer: string;
  readonly tip: Hash;
  readonly tipNumber: number;
}

/** A block's parent is unknown and not on its way. */
export function missingParent(state: ConsensusState, missing: MissingTip, out: Action[]): void {
  if (state.sync !== undefined && !isStale(state, state.sync)) return;
  const root = nodeOf(state, state.root).point.number;
  if (missing.tipNumber <= root) return;
  const from = Math.max(root + 1, Math.min(missing.tipNumber, headPoint(state).number) - OVERLAP);
  request(state, { ...missing, from, stepBack: LIMITS.fetchedBlocks }, out);
}

/** A peer says where it stands: it gets certificates it lacks, and is asked for blocks that are lacking here. */
export function takeStatus(
  state: ConsensusState,
  peer: string,
  status: PeerStatus,
  out: Action[],
): void {
  const { finalizedEpoch, finalizedHash } = status;
  const own = checkpointOn(nodeOf(state, state.root).point, finalizedEpoch);
  if (own !== undefined && own.hash !== finalizedHash) {
    const alarm = { code: "FOREIGN_FINALITY", peer, epoch: finalizedEpoch } as const;
    out.push({ type: "alarm", alarm });
    out.push({ type: "blame", peer, reason: "status: another final checkpoint" });
    return;
  }
  const { certificate } = state;
  if (certificate !== undefined && certificate.epoch > finalizedEpoch)
    out.push({ type: "send", peer, letter: { type: "ackCertificate", qc: certificate } });
  for (const qc of justificationsAbove(state, status.justifiedEpoch))
    out.push({ type: "send", peer, letter: { type: "voteCertificate", qc } });
  const { headHash: tip, headNumber: tipNumber } = status;
  const isBehind = tipNumber > headPoint(state).number && !state.tree.has(tip);
  if (isBehind) missingParent(state, { peer, tip, tipNumber }, out);
}

/** Blocks of an answer, to be taken one by one; the peer's next step depends on where they start. */
export function takeAnswer(
  state: ConsensusState,
  id: number,
  blocks: readonly SealedBlock[],
  out: Action[],
): { readonly peer: string; readonly blocks: readonly SealedBlock[] } | undefined {
  const { sync } = state;
  if (sync?.id !== id) return undefined;
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined || !isConsecutive(blocks, sync.from)) {
    if (first !== undefined)
      out.push({ type: "blame", peer: sync.peer, reason: "fetch: other blocks than asked for" });
    stopSync(state, sync.peer);
    return undefined;
  }
  const { parentHash } = first.block.header;
  if (!state.tree.has(parentHash)) {
    const root = nodeOf(state, state.root).point.number;
    if (sync.from <= root + 1) {
      stopSync(state, sync.peer); // a chain that does not hold F*
      return undefined;
    }
    const from = Math.max(root + 1, sync.from - sync.stepBack);
    request(state, { ...sync, from, stepBack: sync.stepBack * 2 }, out);
    return undefined;
  }
  const unknown = blocks.filter(({ block }) => !state.tree.has(block.hash));
  const lastUnknown = unknown.at(-1)?.block.hash;
  state.sync = { ...sync, waitsFor: lastUnknown, startedMs: state.nowMs };
  if (lastUnknown === undefined) nextRequest(state, Number(last.block.header.number), out);
  return { peer: sync.peer, blocks: unknown };
}

/** A block is in the tree: if the sync waited for it, on it goes. */
export function afterInsertion(state: ConsensusState, point: ChainPoint, out: Action[]): void {
  if (state.sync?.waitsFor === point.hash) nextRequest(state, point.number, out);
}

/** Gives up the sync with this peer, or with anybody, and the orphans that only it could explain. */
export function stopSync(state: ConsensusState, peer: string | undefined): void {
  if (state.sync === undefined || (peer !== undefined && state.sync.peer !== peer)) return;
  const { peer: asked } = state.sync;
  state.sync = undefined;
  for (const [hash, orphan] of state.orphans)
    if (orphan.origin.peer === asked) state.orphans.delete(hash);
}

/** Certificates of what is justified above an epoch, the oldest first: each may be the source of the next. */
function justificationsAbove(state: ConsensusState, epoch: number): readonly JustQC[] {
  if (state.justified.header.epoch <= epoch) return [];
  const found: JustQC[] = [];
  for (const hash of state.justifiedHashes) {
    const checkpoint = state.checkpoints.get(hash);
    if (checkpoint === undefined || checkpoint.header.epoch <= epoch) continue;
    const qc = justificationOf(state, checkpoint);
    if (qc !== undefined) found.push(qc);
  }
  return found.sort((a, b) => a.epoch - b.epoch).slice(0, LIMITS.letters);
}

function nextRequest(state: ConsensusState, reached: number, out: Action[]): void {
  const { sync } = state;
  if (sync === undefined) return;
  if (reached >= sync.tipNumber) state.sync = undefined;
  else request(state, { ...sync, from: reached + 1, stepBack: LIMITS.fetchedBlocks }, out);
}

function request(
  state: ConsensusState,
  want: Omit<Sync, "id" | "waitsFor" | "startedMs">,
  out: Action[],
): void {
  const { peer, tip, tipNumber, from, stepBack } = want;
  const id = state.nextId++;
  const startedMs = state.nowMs;
  state.sync = { peer, tip, tipNumber, from, stepBack, id, startedMs, waitsFor: undefined };
  const to = Math.min(tipNumber, from + LIMITS.fetchedBlocks - 1);
  out.push({ type: "fetch", id, peer, tip, from, to });
}

function isStale({ nowMs }: ConsensusState, { startedMs }: Sync): boolean {
  return nowMs - startedMs > SYNC_TIMEOUT_MS;
}

function isConsecutive(blocks: readonly SealedBlock[], from: number): boolean {
  if (blocks.length > LIMITS.fetchedBlocks) return false;
  return blocks.every(({ block }, index) => {
    const before = blocks[index - 1];
    const isChild = before === undefined || block.header.parentHash === before.block.hash;
    return isChild && block.header.number === BigInt(from + index);
  });
}
