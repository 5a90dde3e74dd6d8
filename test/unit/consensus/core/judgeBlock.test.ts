import assert from "node:assert/strict";
import type { ChainPoint } from "../../../../src/consensus/core/chainPoint.ts";
import { judgeBlock, judgeVote } from "../../../../src/consensus/core/judgeBlock.ts";
import { type Hash, parseHash, ZERO_HASH } from "../../../../src/primitives/hex.ts";
import { makeBlock } from "../../../../src/types/block.ts";
import type { Header } from "../../../../src/types/header.ts";
import type { SealedBlock } from "../../../../src/types/sealedBlock.ts";
import {
  hashSidecar,
  hashVoteSignatures,
  type SidecarCore,
} from "../../../../src/types/sidecar.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { World } from "../../../simulation/world.ts";

const OTHER = parseHash(`0x${"5e".repeat(32)}`);

/** A chain of 4 validators with blocks of every kind: busy slots, votes, reveals, first blocks of epochs. */
const world = new World(
  quietScenario(5, { validators: 4, durationMs: 90_000, load: [10_000, 500, 0] }),
);
const { params, genesis } = world;
const points = new Map<Hash, ChainPoint>([[genesis.hash, genesis]]);
world.onHead = (_node, point) => points.set(point.hash, point);
world.run();

/** A node's blocks with their parents' points. */
const chain = [...(world.nodes[0]?.disk.blocks.values() ?? [])].flatMap(({ block }) => {
  const parent = points.get(block.block.header.parentHash);
  return parent === undefined ? [] : [{ block, parent }];
});

function find(name: string, matches: (block: SealedBlock, parent: ChainPoint) => boolean) {
  const found = chain.find(({ block, parent }) => matches(block, parent));
  assert.ok(found !== undefined, `the chain has ${name}`);
  return found;
}

/** The same block with another sidecar or header, its hashes made to fit. */
function altered(
  { block: sealed }: { block: SealedBlock },
  changes: { core?: Partial<SidecarCore>; header?: Partial<Header>; voteSigs?: Uint8Array[] },
): SealedBlock {
  const { block, seal } = sealed;
  const voteSigs = changes.voteSigs ?? sealed.voteSigs;
  const core = { ...sealed.core, ...changes.core };
  const extraData = Uint8Array.from(Buffer.from(hashSidecar(core).slice(2), "hex"));
  const header = { ...block.header, extraData, ...changes.header };
  return { block: makeBlock(header, block), core, voteSigs, seal };
}

function codeOf(parent: ChainPoint, block: SealedBlock): string | undefined {
  return judgeBlock(params, parent, block).fault?.code;
}

describe("judgeBlock", () => {
  const busy = find("a second block of a slot", ({ core }) => core.seq === 1);
  const voting = find("a block with votes", ({ core }) => core.votes.length > 1);
  const revealing = find("a reveal", ({ core }) => core.reveal !== undefined);
  const opening = find(
    "a first block of an epoch",
    (_, { closing, number }) => closing !== undefined && number > 0,
  );
  const silent = find(
    "a block without reveal",
    ({ core }) => core.reveal === undefined && core.seq === 0,
  );
  const [vote] = voting.block.core.votes;
  assert.ok(vote !== undefined);
  const gas = params.config.slotGasLimit;

  it("finds every block of the network valid", () => {
    assert.ok(chain.length > 40);
    for (const { block, parent } of chain) assert.equal(codeOf(parent, block), undefined);
  });

  it("wants one signature for the seal and for each vote", () => {
    const judged = judgeBlock(params, voting.parent, voting.block);
    assert.equal(
      judged.fault === undefined ? judged.checks.length : 0,
      1 + voting.block.core.votes.length,
    );
  });

  const cases: readonly (readonly [
    string,
    { block: SealedBlock; parent: ChainPoint },
    Parameters<typeof altered>[1],
    string,
  ])[] = [
    ["a tick that a slot has not", silent, { core: { tick: 8 } }, "BAD_ORDER"],
    ["seq 1 in a new slot", silent, { core: { seq: 1 } }, "BAD_ORDER"],
    ["a slot before the parent's", busy, { core: { slot: busy.parent.slot - 1 } }, "BAD_ORDER"],
    ["a seq left out", busy, { core: { seq: 2 } }, "BAD_ORDER"],
    ["the parent's tick", busy, { core: { tick: busy.parent.tick } }, "BAD_ORDER"],
    [
      "another's slot",
      silent,
      { core: { proposer: (silent.block.core.proposer + 1) % 4 } },
      "WRONG_LEADER",
    ],
    [
      "another's turn inside a slot",
      busy,
      { core: { proposer: (busy.parent.proposer + 1) % 4 } },
      "WRONG_LEADER",
    ],
    ["a number left out", silent, { header: { number: 9999n } }, "BAD_HEADER"],
    [
      "another second",
      silent,
      { header: { timestamp: silent.block.block.header.timestamp + 1n } },
      "BAD_HEADER",
    ],
    ["another base fee", silent, { header: { baseFeePerGas: 1n } }, "BAD_HEADER"],
    [
      "a base fee that moves inside a slot",
      busy,
      { header: { baseFeePerGas: busy.parent.baseFeePerGas + 1n } },
      "BAD_HEADER",
    ],
    ["another gas limit", silent, { header: { gasLimit: 30_000_001n } }, "BAD_HEADER"],
    ["another prevRandao", silent, { header: { mixHash: OTHER } }, "BAD_HEADER"],
    ["another macro hash", silent, { header: { parentBeaconBlockRoot: OTHER } }, "BAD_HEADER"],
    ["another sidecar's hash", silent, { header: { extraData: new Uint8Array(32) } }, "BAD_HEADER"],
    [
      "extra data that is no hash",
      silent,
      { header: { extraData: new Uint8Array(0) } },
      "BAD_HEADER",
    ],
    ["more gas than the slot has", silent, { header: { gasUsed: gas + 1n } }, "SLOT_GAS"],
    [
      "more gas than the slot has left",
      busy,
      { header: { gasUsed: gas - busy.parent.slotGasUsed + 1n } },
      "SLOT_GAS",
    ],
    ["no reveal where one is due", revealing, { core: { reveal: undefined } }, "BAD_REVEAL"],
    ["another secret", revealing, { core: { reveal: OTHER } }, "BAD_REVEAL"],
    ["a reveal where none is due", silent, { core: { reveal: OTHER } }, "BAD_REVEAL"],
    ["a vote without its signature", voting, { voteSigs: [] }, "PRUNED"],
    ["other signatures", voting, { core: { sigsHash: ZERO_HASH } }, "BAD_VOTE"],
  ];
  for (const [name, of, changes, code] of cases)
    it(`refuses ${name}`, () => {
      assert.equal(codeOf(of.parent, altered(of, changes)), code);
    });

  it("refuses a second block of a slot without transactions, and issuance that is not due", () => {
    const { block } = busy.block;
    const empty = makeBlock(block.header, { ...block, transactions: [] });
    assert.equal(codeOf(busy.parent, { ...busy.block, block: empty }), "NO_TRANSACTION");
    const [issued] = opening.block.block.withdrawals ?? [];
    assert.ok(issued !== undefined && issued.amount > 0n);
    const other = makeBlock(opening.block.block.header, {
      ...opening.block.block,
      withdrawals: [],
    });
    assert.equal(codeOf(opening.parent, { ...opening.block, block: other }), "BAD_HEADER");
    const gift = makeBlock(silent.block.block.header, {
      ...silent.block.block,
      withdrawals: [issued],
    });
    assert.equal(codeOf(silent.parent, { ...silent.block, block: gift }), "BAD_HEADER");
  });

  it("refuses pruned seals and too many votes", () => {
    assert.equal(codeOf(silent.parent, { ...silent.block, seal: undefined }), "PRUNED");
    const votes = Array(65).fill(vote);
    const voteSigs = Array(65).fill(new Uint8Array(2420));
    const core = { votes, sigsHash: hashVoteSignatures(voteSigs) };
    assert.equal(codeOf(voting.parent, altered(voting, { core, voteSigs })), "TOO_MANY_VOTES");
    const twice = { votes: [vote, vote], sigsHash: hashVoteSignatures(voteSigs.slice(0, 2)) };
    const block = altered(voting, { core: twice, voteSigs: voteSigs.slice(0, 2) });
    assert.equal(codeOf(voting.parent, block), "BAD_VOTE");
  });

  it("takes votes of members for checkpoints of the chain, once", () => {
    const { parent } = voting;
    assert.equal(judgeVote(parent, vote), undefined);
    const wrong = [
      { ...vote, validator: 99 },
      { ...vote, tgtEpoch: 0, srcEpoch: 0 },
      { ...vote, tgtEpoch: vote.tgtEpoch + 1 },
      { ...vote, srcEpoch: vote.tgtEpoch },
      { ...vote, tgtHash: OTHER },
      { ...vote, srcHash: OTHER },
    ];
    for (const each of wrong) assert.equal(judgeVote(parent, each)?.code, "BAD_VOTE");
    const after = points.get(voting.block.block.hash);
    assert.ok(after !== undefined && judgeVote(after, vote)?.code === "BAD_VOTE");
  });
});

describe("the chain", () => {
  it("has timestamps that never decrease and are equal only inside a slot (P8)", () => {
    for (const { block, parent } of chain) {
      const before = chain.find((other) => other.block.block.hash === parent.hash);
      if (before === undefined) continue;
      const [a, b] = [before.block.block.header.timestamp, block.block.header.timestamp];
      assert.ok(b > a || (b === a && block.core.slot === parent.slot));
    }
  });

  it("mints what the rewards add up to, within the schedule (P7)", () => {
    const closings = [...points.values()].flatMap(({ closing }) => closing ?? []);
    assert.ok(closings.length > 4);
    for (const { checkpoint, next } of closings) {
      const { summary } = checkpoint;
      const sum = summary.rows.reduce((total, { reward }) => total + reward, 0n);
      assert.equal(summary.minted, sum);
      assert.ok(sum <= BigInt(summary.slots) * params.config.issuancePerSlot);
      const total = next.checkpoints.reduce((all, each) => all + each.summary.minted, 0n);
      assert.ok(next.mintedTotal >= total);
    }
  });
});
