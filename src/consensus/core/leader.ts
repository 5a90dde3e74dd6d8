/** Who leads a slot: drawn by stake and reputation from a beacon value two epochs old. Source: docs/consensus.md §3. */
import { type Bytes, bytesToBigInt, concatBytes } from "../../primitives/bytes.ts";
import { type Hash, hexToBytes } from "../../primitives/hex.ts";
import { taggedHash } from "../../types/consensusMessage.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import { FixedWriter } from "../../types/fixedBytes.ts";
import type { SetMember } from "./configuration.ts";

/** The draw of one epoch. */
export interface LeaderTable {
  /** 32 bytes */
  readonly seed: Bytes;
  /** by id */
  readonly members: readonly SetMember[];
  /** running sums of the weights */
  readonly sums: readonly bigint[];
}

/** Weight of a stake at reputation 0, and what reputation adds to it. */
const BASE_WEIGHT = 2_500n;

/** Table of an epoch: its newest set, the beacon's R of two epochs before, reputations of a finalised summary (missing: 0). */
export function leaderTable(
  members: readonly SetMember[],
  mix: Hash,
  candidates: readonly Candidate[],
): LeaderTable {
  const reputations = new Map(candidates.map(({ id, reputation }) => [id, reputation]));
  let sum = 0n;
  const sums = members.map(({ id, stake }) => {
    sum += stake * (BASE_WEIGHT + (3n * BigInt(reputations.get(id) ?? 0)) / 4n);
    return sum;
  });
  return { seed: taggedHash("seed", hexToBytes(mix)), members, sums };
}

/** The last draw of each table: a block asks for its leader half a dozen times on its way into the tree. */
const lastDraws = new WeakMap<LeaderTable, { readonly slot: number; readonly leader: SetMember }>();

/** The leader of a slot, if no block of that slot was made in the epoch before. */
export function leaderOf(table: LeaderTable, slot: number): SetMember {
  const last = lastDraws.get(table);
  if (last?.slot === slot) return last.leader;
  const leader = drawLeader(table, slot);
  lastDraws.set(table, { slot, leader });
  return leader;
}

function drawLeader({ seed, members, sums }: LeaderTable, slot: number): SetMember {
  const draw = taggedHash("leader", concatBytes(seed, new FixedWriter(8, "slot").u64(slot).bytes));
  const total = sums.at(-1);
  if (total === undefined || total === 0n)
    throw new RangeError("a set without stake has no leader");
  const x = bytesToBigInt(draw) % total;
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0n) > x) high = middle;
    else low = middle + 1;
  }
  const leader = members[low];
  if (leader === undefined) throw new RangeError("a table without members");
  return leader;
}
