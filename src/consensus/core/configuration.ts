/**
 * Which sets of validators must reach a quorum on an epoch's checkpoint, and how one set hands over to the next: joint
 * quorums of both until the hand-off is final on chain, one change at a time. Source: docs/consensus.md §3.
 */

import type { Hash } from "../../primitives/hex.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import { isQuorum, type Member, type Members } from "../../types/validatorSet.ts";

/** A validator as it is in one set. */
export interface SetMember {
  readonly id: number;
  /** gwei */
  readonly stake: bigint;
  readonly keyHash: Hash;
}

/** Sets of a target epoch: one, or two during a hand-off. */
export interface Configuration {
  /** First epoch of the hand-off that this configuration is in; 0 = none. */
  readonly handoff: number;
  /** By id. */
  readonly current: readonly SetMember[];
  /** By id; the set that takes over. */
  readonly next: readonly SetMember[] | undefined;
  /** Of either set, by id, with the key that is in force here. */
  readonly members: Members;
  /** gwei */
  readonly totalOld: bigint;
  readonly totalNew: bigint;
}

/** A stake change of this part of the whole set is worth a hand-off. */
const STAKE_CHANGE_DIVISOR = 256n;

/** Configuration of one set; `candidates` in any order. */
export function singleSet(candidates: readonly SetMember[]): Configuration {
  return configurationOf(byId(candidates), undefined, 0);
}

/** Configuration of these sets, each by id. */
export function configurationOf(
  current: readonly SetMember[],
  next: readonly SetMember[] | undefined,
  handoff: number,
): Configuration {
  const members = next === undefined ? current.map(alone) : union(current, next);
  const totalOld = members.reduce((sum, { stakeOld }) => sum + stakeOld, 0n);
  const totalNew = members.reduce((sum, { stakeNew }) => sum + stakeNew, 0n);
  return { handoff, current, next, members, totalOld, totalNew };
}

/** What cfg(x + 2) depends on, beside cfg(x + 1). */
export interface HandoffFacts {
  /** x: the epoch that ended */
  readonly epoch: number;
  /** F(x - 1) and F(x) */
  readonly finalizedBefore: number;
  readonly finalized: number;
  /** of the summary of epoch F(x) */
  readonly candidates: readonly Candidate[];
}

/** cfg(x + 2) from cfg(x + 1). */
export function nextConfiguration(config: Configuration, facts: HandoffFacts): Configuration {
  const { epoch, finalizedBefore, finalized, candidates } = facts;
  if (config.next !== undefined)
    return finalized >= config.handoff ? singleSet(config.next) : config;
  if (finalized <= finalizedBefore || candidates.length === 0) return config;
  const next = byId(candidates);
  return differs(config.current, next) ? configurationOf(config.current, next, epoch + 2) : config;
}

/** V: the newest set, which proposes, commits and reveals; with the keys in force. By id. */
export function proposers({ members }: Configuration): readonly SetMember[] {
  return members
    .filter(({ stakeNew }) => stakeNew > 0n)
    .map(({ id, stakeNew, keyHash }) => ({ id, stake: stakeNew, keyHash }));
}

/** The member with this id. */
export function memberOf({ members }: Configuration, id: number): Member | undefined {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((members[middle]?.id ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  const found = members[low];
  return found?.id === id ? found : undefined;
}

/** The member that signs with one of these keys. */
export function memberByKey({ members }: Configuration, keys: readonly Hash[]): Member | undefined {
  return keys.length === 0 ? undefined : members.find(({ keyHash }) => keys.includes(keyHash));
}

/** Whether these ids hold a quorum in every set. */
export function isQuorumIn(config: Configuration, ids: Iterable<number>): boolean {
  let [old, young] = [0n, 0n];
  for (const id of ids) {
    const member = memberOf(config, id);
    old += member?.stakeOld ?? 0n;
    young += member?.stakeNew ?? 0n;
  }
  return isQuorum(old, config.totalOld) && isQuorum(young, config.totalNew);
}

function byId(members: readonly SetMember[]): readonly SetMember[] {
  return members
    .map(({ id, stake, keyHash }) => ({ id, stake, keyHash }))
    .sort((a, b) => a.id - b.id);
}

function alone({ id, stake, keyHash }: SetMember): Member {
  return { id, stakeOld: stake, stakeNew: stake, keyHash };
}

/** A member of both sets keeps its old key until the hand-off is over. */
function union(current: readonly SetMember[], next: readonly SetMember[]): Members {
  const members = new Map<number, Member>();
  for (const { id, stake, keyHash } of next)
    members.set(id, { id, stakeOld: 0n, stakeNew: stake, keyHash });
  for (const { id, stake, keyHash } of current)
    members.set(id, { id, stakeOld: stake, stakeNew: members.get(id)?.stakeNew ?? 0n, keyHash });
  return [...members.values()].sort((a, b) => a.id - b.id);
}

function differs(current: readonly SetMember[], next: readonly SetMember[]): boolean {
  if (current.length !== next.length) return true;
  let change = 0n;
  let total = 0n;
  for (const [index, { id, stake, keyHash }] of current.entries()) {
    const other = next[index];
    if (other === undefined || other.id !== id || other.keyHash !== keyHash) return true;
    change += other.stake > stake ? other.stake - stake : stake - other.stake;
    total += stake;
  }
  return change * STAKE_CHANGE_DIVISOR >= total;
}
