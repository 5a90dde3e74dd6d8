import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ChainPoint,
  type Checkpoint,
  childEpoch,
} from "../../../../src/consensus/core/chainPoint.ts";
import { openConsensus } from "../../../../src/consensus/core/openConsensus.ts";
import type { ConsensusState, TreeNode } from "../../../../src/consensus/core/state.ts";
import {
  addNode,
  chooseHead,
  markEquivocation,
  nodeOf,
  pruneTree,
  reorgDepth,
} from "../../../../src/consensus/core/tree.ts";
import { bigIntToHash, type Hash, ZERO_HASH } from "../../../../src/primitives/hex.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { World } from "../../../simulation/world.ts";

const { genesis, params } = new World(
  quietScenario(1, { validators: 4, durationMs: 0, load: [0] }),
);
const core = {
  slot: 0,
  seq: 0,
  tick: 0,
  proposer: 0,
  reveal: undefined,
  votes: [],
  sigsHash: ZERO_HASH,
};

interface Growth {
  /** Which of the blocks so far is the parent. */
  readonly parent: number;
  /** Slots after the parent's; 0: the same slot. */
  readonly gap: number;
  readonly proposer: number;
  readonly timely: boolean;
  /** Disturbs the order of hashes. */
  readonly salt: number;
  /** Afterwards some checkpoint is J*. */
  readonly justifies: boolean;
}

const growths = fc.array(
  fc.record({
    parent: fc.nat(1000),
    gap: fc.nat(3),
    proposer: fc.nat(2),
    timely: fc.boolean(),
    salt: fc.nat(255),
    justifies: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);
/** Pairs of slot and proposer that turn out to be equivocations, and when. */
const traitors = fc.array(fc.tuple(fc.nat(12), fc.nat(2), fc.nat(40)), { maxLength: 4 });

describe("chooseHead", () => {
  it("agrees with the definition on random trees with equivocating leaders (P10)", () => {
    fc.assert(
      fc.property(growths, traitors, (list, found) => {
        const state = emptyState();
        for (const [index, growth] of list.entries()) {
          grow(state, growth, index);
          if (growth.justifies) justifySomething(state, growth.salt);
          betray(
            state,
            found.filter(([, , when]) => when === index),
          );
          assert.equal(chooseHead(state), naiveHead(state));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("stays with the descendants of the root that finality chose", () => {
    fc.assert(
      fc.property(growths, fc.nat(1000), (list, pick) => {
        const state = emptyState();
        for (const [index, growth] of list.entries()) grow(state, growth, index);
        const all = [...state.tree.keys()];
        const root = all[pick % all.length] ?? genesis.hash;
        const kept = all.filter((hash) =>
          pathTo(state, hash).some(({ point }) => point.hash === root),
        );
        pruneTree(state, root);
        assert.deepEqual([...state.tree.keys()].sort(), kept.sort());
        assert.ok([...state.leaves].every((hash) => state.tree.has(hash)));
        assert.ok(state.leaves.size > 0);
      }),
    );
  });
});

describe("reorgDepth", () => {
  it("counts the blocks that are left behind", () => {
    fc.assert(
      fc.property(growths, fc.nat(1000), fc.nat(1000), (list, one, other) => {
        const state = emptyState();
        for (const [index, growth] of list.entries()) grow(state, growth, index);
        const all = [...state.tree.keys()];
        const [from, to] = [all[one % all.length], all[other % all.length]];
        if (from === undefined || to === undefined) return;
        const kept = new Set(pathTo(state, to).map(({ point }) => point.hash));
        const left = pathTo(state, from).filter(({ point }) => !kept.has(point.hash));
        assert.equal(reorgDepth(state, from, to), left.length);
      }),
    );
  });
});

function emptyState(): ConsensusState {
  const start = {
    nowMs: 0,
    point: genesis,
    certificate: undefined,
    justifications: [],
    blocks: [],
  };
  return openConsensus(params, start)[0];
}

/** Adds a leaf that nobody judges. */
function grow(state: ConsensusState, growth: Growth, index: number): void {
  const nodes = [...state.tree.values()];
  const parent = nodes[growth.parent % nodes.length]?.point ?? genesis;
  const isSame = growth.gap === 0 && parent.number > 0;
  const point: ChainPoint = {
    ...parent,
    hash: bigIntToHash((BigInt(growth.salt) << 64n) + BigInt(index + 1)),
    parentHash: parent.hash,
    number: parent.number + 1,
    slot: isSame ? parent.slot : parent.slot + Math.max(1, growth.gap),
    seq: isSame ? parent.seq + 1 : 0,
    proposer: isSame ? parent.proposer : growth.proposer,
    epochState: childEpoch(parent),
    closing: undefined,
  };
  addNode(state, closed(point), core, growth.timely);
}

/** Every third block closes an epoch. */
function closed(point: ChainPoint): ChainPoint {
  if (point.number % 3 !== 0) return point;
  const [first] = genesis.epochState.checkpoints;
  assert.ok(first !== undefined);
  const epoch = point.number / 3;
  const header = { ...first.header, epoch, lastNumber: point.number, lastBlockHash: point.hash };
  const checkpoint: Checkpoint = { ...first, header, hash: point.hash };
  const checkpoints = [...point.epochState.checkpoints, checkpoint];
  return { ...point, closing: { checkpoint, next: { ...point.epochState, epoch, checkpoints } } };
}

function betray(
  state: ConsensusState,
  found: readonly (readonly [number, number, number])[],
): void {
  for (const [slot, proposer] of found) markEquivocation(state, slot, proposer);
}

function justifySomething(state: ConsensusState, pick: number): void {
  const all = [...state.tree.values()].flatMap(({ point }) => point.closing?.checkpoint ?? []);
  state.justified = all[pick % all.length] ?? state.justified;
}

/** Source: docs/consensus.md §6, word by word. */
function naiveHead(state: ConsensusState): Hash {
  const justified = state.justified.header.lastBlockHash;
  const nodes = [...state.tree.values()];
  const leaves = nodes.filter(
    ({ point }) => !nodes.some((other) => other.point.parentHash === point.hash),
  );
  const candidates = leaves
    .map((leaf) => ({ leaf, path: pathTo(state, leaf.point.hash) }))
    .filter(({ path }) => path.some(({ point }) => point.hash === justified))
    .map(({ leaf, path }) => {
      const after = path.slice(path.findIndex(({ point }) => point.hash === justified) + 1);
      const slots = after
        .filter(({ point }) => !state.equivocations.has(`${point.slot}/${point.proposer}`))
        .map(({ point }) => point.slot);
      return { leaf, weight: new Set(slots).size };
    })
    .sort((a, b) => compare(a, b));
  return candidates[0]?.leaf.point.hash ?? justified;
}

function compare(
  a: { readonly leaf: TreeNode; readonly weight: number },
  b: { readonly leaf: TreeNode; readonly weight: number },
): number {
  if (a.weight !== b.weight) return b.weight - a.weight;
  if (a.leaf.timely !== b.leaf.timely) return a.leaf.timely ? -1 : 1;
  if (a.leaf.point.number !== b.leaf.point.number) return b.leaf.point.number - a.leaf.point.number;
  return a.leaf.point.hash < b.leaf.point.hash ? -1 : 1;
}

/** From the root to the block, both included. */
function pathTo(state: ConsensusState, hash: Hash): readonly TreeNode[] {
  const path: TreeNode[] = [];
  for (let at: Hash | undefined = hash; at !== undefined && state.tree.has(at); ) {
    const node: TreeNode = nodeOf(state, at);
    path.push(node);
    at = node.point.number === 0 ? undefined : node.point.parentHash;
  }
  return path.reverse();
}
