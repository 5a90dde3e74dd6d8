/**
 * Exhaustive model of the hand-off between two validator sets that share nobody (docs/consensus.md, "Validator set"): whatever both sets can
 * bring to a quorum without a slashable honest validator, and whenever each of two branches begins and ends its joint phase, no two
 * checkpoints of the branches become final.
 *
 * Checkpoint 0 is shared and final, so either branch may begin the hand-off at any epoch. It ends only after the chain has seen a checkpoint of the
 * joint phase become final: a quorum of both sets from that checkpoint to the next epoch.
 */
import { quorum, type Rules, type Search, searchTriples, Tree } from "./finalityModels.ts";

const SIZE = { epochs: 3, branches: 2 };

export interface HandOffRules extends Rules {
  /** Both sets must agree between the old one alone and the new one alone. */
  readonly jointPhase: boolean;
  /** The new set is alone only after a checkpoint of the joint phase is final on the chain. */
  readonly endsWhenFinal: boolean;
}

/** What three honest members and a byzantine one bring to a quorum. */
interface Outcome {
  readonly links: number;
  readonly acks: number;
}

/** Epochs on one branch: the old set alone before `begin`, the new one alone from `end`. */
interface Timing {
  readonly begin: number;
  readonly end: number;
}

/** Searches all pairs of outcomes, one of each set, for two conflicting final checkpoints. */
export function searchHandOff(rules: HandOffRules): Search<unknown> {
  const tree = new Tree(SIZE);
  const timings = allTimings(rules);
  let cases = 0;
  for (let near = 1; near <= SIZE.epochs; near++)
    for (let far = near; far <= SIZE.epochs; far++) {
      const wanted = (1 << (near - 1)) | (1 << (SIZE.epochs + far - 1));
      const outcomes = fullOutcomes(tree, rules, wanted);
      for (const old of outcomes)
        for (const young of outcomes) {
          cases++;
          const both = [old, young] as const;
          const finals = [near, far].every((epoch, branch) =>
            timings.some((timing) => isFinal({ tree, rules, branch, timing }, both, epoch)),
          );
          if (finals) return { cases, conflict: { near, far, old, young } };
        }
    }
  return { cases, conflict: undefined };
}

/** Every outcome that no other outcome contains. */
function fullOutcomes(tree: Tree, rules: Rules, wanted: number): Outcome[] {
  const found = new Map<number, Outcome>();
  searchTriples(tree.fullSets(rules, wanted), (a, b, c) => {
    const links = quorum(a.votes, b.votes, c.votes);
    const acks = quorum(a.acks, b.acks, c.acks);
    found.set(links * 64 + acks, { links, acks });
    return false;
  });
  const all = [...found.values()];
  return all.filter((one) => !all.some((other) => other !== one && contains(other, one)));
}

function contains(a: Outcome, b: Outcome): boolean {
  return (a.links & b.links) === b.links && (a.acks & b.acks) === b.acks;
}

function allTimings({ jointPhase }: HandOffRules): Timing[] {
  const timings: Timing[] = [];
  for (let begin = 1; begin <= SIZE.epochs + 1; begin++)
    if (!jointPhase) timings.push({ begin, end: begin });
    else for (let end = begin + 1; end <= SIZE.epochs + 1; end++) timings.push({ begin, end });
  timings.push({ begin: SIZE.epochs + 1, end: SIZE.epochs + 1 });
  return timings;
}

interface Branch {
  readonly tree: Tree;
  readonly rules: HandOffRules;
  readonly branch: number;
  readonly timing: Timing;
}

/** Whether the checkpoint at `epoch` is final on a branch whose hand-off has this timing, and whether that timing can be. */
function isFinal(
  { tree, rules, branch, timing }: Branch,
  [old, young]: readonly [Outcome, Outcome],
  epoch: number,
): boolean {
  const counted = (mask: "links" | "acks", target: number) =>
    (target < timing.end ? old[mask] : -1) & (target >= timing.begin ? young[mask] : -1);
  let links = 0;
  for (const { bit, target } of tree.links) links |= counted("links", target) & (1 << bit);
  const justified = tree.justified(branch, links);
  const isJustified = (at: number) => ((justified >> (at - 1)) & 1) === 1;
  const ended = tree.links.some(
    (link) =>
      link.branch === branch &&
      link.target === link.source + 1 &&
      link.source >= timing.begin &&
      link.target < timing.end &&
      ((links >> link.bit) & 1) === 1 &&
      isJustified(link.source),
  );
  if (rules.jointPhase && rules.endsWhenFinal && timing.end <= SIZE.epochs && !ended) return false;
  const acked = (counted("acks", epoch) >> (branch * SIZE.epochs + epoch - 1)) & 1;
  return isJustified(epoch) && acked === 1;
}
