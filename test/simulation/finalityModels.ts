/**
 * Exhaustive models of the finality rules (docs/consensus.md, "Finality" and "hand-off"): every set of messages that an honest
 * validator may sign without being slashable, for every honest validator, against a byzantine one that has signed everything.
 * If two branches can become final, the rules are wrong. Each rule can be left out, and then a conflict must be found: a model
 * that cannot fail proves nothing.
 *
 * All branches part at checkpoint 0, which is final; branch b has checkpoints (b, 1) … (b, epochs). Four validators per set,
 * one of them byzantine: with it two honest ones make a quorum (3·3 >= 2·4). Finality grows with the messages, so it is
 * enough to look at sets to which nothing can be added.
 */

export interface Rules {
  /** One vote per target epoch. */
  readonly doubleVote: boolean;
  /** No vote across an epoch that the same validator acknowledged. */
  readonly ackSurround: boolean;
  /** No vote around another one. */
  readonly voteSurround: boolean;
}

export const ALL_RULES: Rules = { doubleVote: true, ackSurround: true, voteSurround: true };

export interface Size {
  readonly epochs: number;
  readonly branches: number;
}

/** A vote source → target on one branch; `bit` is its place in the masks. */
interface Link {
  readonly branch: number;
  readonly source: number;
  readonly target: number;
  readonly bit: number;
}

/** What one honest validator has signed: bit masks over links, and over checkpoints. */
export interface Signed {
  readonly votes: number;
  readonly acks: number;
}

/** Result of a search: how many cases were looked at, and the first in which two branches are final. */
export interface Search<Case> {
  readonly cases: number;
  readonly conflict: Case | undefined;
}

/** Two of three honest validators; with the byzantine one a quorum of four. */
export function quorum(a: number, b: number, c: number): number {
  return (a & b) | (a & c) | (b & c);
}

/** Votes and checkpoints of a model, and what follows from quorums. */
export class Tree {
  readonly size: Size;
  readonly links: readonly Link[];
  /** By branch and mask of that branch's links: mask of its justified checkpoints. */
  readonly #justified: readonly Uint8Array[];

  constructor(size: Size) {
    this.size = size;
    const links: Link[] = [];
    for (let branch = 0; branch < size.branches; branch++)
      for (let target = 1; target <= size.epochs; target++)
        for (let source = 0; source < target; source++)
          links.push({ branch, source, target, bit: links.length });
    this.links = links;
    this.#justified = Array.from({ length: size.branches }, (_, branch) =>
      this.#justifiedTable(branch),
    );
  }

  get linksPerBranch(): number {
    return (this.size.epochs * (this.size.epochs + 1)) / 2;
  }

  /** Mask of the justified checkpoints of a branch (bit t-1: epoch t), by the mask of links that have a quorum. */
  justified(branch: number, links: number): number {
    const own = (links >> (branch * this.linksPerBranch)) & ((1 << this.linksPerBranch) - 1);
    return this.#justified[branch]?.[own] ?? 0;
  }

  /** Every set of votes, and of acks of the checkpoints `wanted`, within the rules, to which none can be added. */
  fullSets(rules: Rules, wanted: number): Signed[] {
    const sets = this.voteSets(rules).flatMap((votes) => this.#withAcks(votes, rules, wanted));
    return sets.filter((set) => !sets.some((other) => covers(other, set)));
  }

  /** Every set of votes within the rules. */
  voteSets(rules: Rules): number[] {
    const found: number[] = [];
    const extend = (next: number, chosen: readonly Link[]) => {
      const link = this.links[next];
      if (link === undefined) {
        found.push(chosen.reduce((mask, { bit }) => mask | (1 << bit), 0));
        return;
      }
      extend(next + 1, chosen);
      if (chosen.every((other) => mayStandTogether(link, other, rules)))
        extend(next + 1, [...chosen, link]);
    };
    extend(0, []);
    return found;
  }

  /** The same votes with each choice of acks: one checkpoint of an epoch that no vote crosses. */
  #withAcks(votes: number, rules: Rules, wanted: number): Signed[] {
    const chosen = this.links.filter(({ bit }) => (votes >> bit) & 1);
    let acks = [0];
    for (let epoch = 1; epoch <= this.size.epochs; epoch++) {
      const crossed = chosen.some(({ source, target }) => source < epoch && epoch < target);
      if (rules.ackSurround && crossed) continue;
      const choices = Array.from(
        { length: this.size.branches },
        (_, branch) => 1 << (branch * this.size.epochs + epoch - 1),
      ).filter((checkpoint) => (checkpoint & wanted) !== 0);
      if (choices.length > 0) acks = acks.flatMap((mask) => choices.map((one) => mask | one));
    }
    return acks.map((mask) => ({ votes, acks: mask }));
  }

  #justifiedTable(branch: number): Uint8Array {
    const base = branch * this.linksPerBranch;
    const own = this.links.filter((link) => link.branch === branch);
    const table = new Uint8Array(1 << this.linksPerBranch);
    for (let mask = 0; mask < table.length; mask++)
      for (const { source, target, bit } of own) {
        const fromJustified = source === 0 || ((table[mask] ?? 0) >> (source - 1)) & 1;
        if ((mask >> (bit - base)) & 1 && fromJustified)
          table[mask] = (table[mask] ?? 0) | (1 << (target - 1));
      }
    return table;
  }
}

/** Looks at every choice of sets of three honest validators, in any order. */
export function searchTriples<T>(
  sets: readonly T[],
  conflicts: (a: T, b: T, c: T) => boolean,
): Search<readonly [T, T, T]> {
  let cases = 0;
  for (const [i, a] of sets.entries())
    for (let j = i; j < sets.length; j++)
      for (let k = j; k < sets.length; k++) {
        cases++;
        const b = sets[j] as T;
        const c = sets[k] as T;
        if (conflicts(a, b, c)) return { cases, conflict: [a, b, c] };
      }
  return { cases, conflict: undefined };
}

/**
 * Finality by acks: justified, and acknowledged by a quorum. Each pair of checkpoints on two branches is searched by itself,
 * so that no ack of a third one has to be told apart; branches are alike, hence 0 and 1 alone, the nearer one on 0.
 */
export function searchAckFinality(size: Size, rules: Rules): Search<unknown> {
  const tree = new Tree(size);
  let cases = 0;
  for (let near = 1; near <= size.epochs; near++)
    for (let far = near; far <= size.epochs; far++) {
      const wanted = (1 << (near - 1)) | (1 << (size.epochs + far - 1));
      const search = searchTriples(tree.fullSets(rules, wanted), (a, b, c) => {
        if (quorum(a.acks, b.acks, c.acks) !== wanted) return false;
        const links = quorum(a.votes, b.votes, c.votes);
        const justified = (branch: number, epoch: number) =>
          (tree.justified(branch, links) >> (epoch - 1)) & 1;
        return justified(0, near) === 1 && justified(1, far) === 1;
      });
      cases += search.cases;
      if (search.conflict !== undefined) return { cases, conflict: search.conflict };
    }
  return { cases, conflict: undefined };
}

/**
 * Finality as the chain itself reads it: a quorum of votes from a checkpoint to the next epoch. Honest votes have a justified source,
 * so a link counts from justified ones only.
 */
export function searchChainFinality(size: Size, rules: Rules): Search<unknown> {
  const tree = new Tree(size);
  const next = Array.from({ length: size.branches }, (_, branch) =>
    tree.links.filter((link) => link.branch === branch && link.target === link.source + 1),
  );
  const isFinal = (branch: number, links: number) => {
    const justified = tree.justified(branch, links);
    return next[branch]?.some(
      ({ source, bit }) =>
        source > 0 && ((links >> bit) & 1) === 1 && ((justified >> (source - 1)) & 1) === 1,
    );
  };
  return searchTriples(tree.voteSets(rules), (a, b, c) => {
    const links = quorum(a, b, c);
    let final = 0;
    for (let branch = 0; branch < size.branches; branch++) if (isFinal(branch, links)) final++;
    return final > 1;
  });
}

function mayStandTogether(a: Link, b: Link, rules: Rules): boolean {
  if (rules.doubleVote && a.target === b.target) return false;
  const around =
    (a.source < b.source && b.target < a.target) || (b.source < a.source && a.target < b.target);
  return !(rules.voteSurround && around);
}

/** Whether `a` has all that `b` has, and more. */
function covers(a: Signed, b: Signed): boolean {
  if (a.votes === b.votes && a.acks === b.acks) return false;
  return (a.votes & b.votes) === b.votes && (a.acks & b.acks) === b.acks;
}
