import assert from "node:assert/strict";
import type { Action, Origin } from "../../../../src/consensus/core/events.ts";
import { messageWindow } from "../../../../src/consensus/core/finality.ts";
import { openConsensus, type StoredBlock } from "../../../../src/consensus/core/openConsensus.ts";
import { domainOf } from "../../../../src/consensus/core/params.ts";
import { type ConsensusState, LIMITS } from "../../../../src/consensus/core/state.ts";
import { step } from "../../../../src/consensus/core/step.ts";
import { bigIntToHash } from "../../../../src/primitives/hex.ts";
import type { AckQC } from "../../../../src/types/certificate.ts";
import { consensusMessage, MESSAGE_KIND } from "../../../../src/types/consensusMessage.ts";
import { hashHeader } from "../../../../src/types/header.ts";
import { encodeSeal } from "../../../../src/types/seal.ts";
import { type SealedBlock, sealOf } from "../../../../src/types/sealedBlock.ts";
import { encodeAck, encodeVote, type SignedVote } from "../../../../src/types/vote.ts";
import { feed, follow, newFollower, recordMessages } from "../../../simulation/follower.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { World } from "../../../simulation/world.ts";

/** Long enough for more epochs than a validator's short history has places. */
const world = new World(
  quietScenario(9, { validators: 4, durationMs: 150_000, load: [1000, 200] }),
);
const said = recordMessages(world);
const blocks = said.filter(({ topic }) => topic === "micro");
const { params } = world;
const { nowMs } = world.timeline;

const from = (peer: string, token: number): Origin => ({ peer, token });
const verdicts = (actions: readonly Action[]) =>
  actions.flatMap((action) => (action.type === "verdict" ? [action.verdict] : []));
const verifies = (actions: readonly Action[]) =>
  actions.flatMap((action) => (action.type === "verify" ? [action] : []));

/** Answers checks as the keys would. */
function answer(state: ConsensusState, actions: readonly Action[]): readonly Action[] {
  return verifies(actions).flatMap(({ id, checks }) => {
    const valid = checks.map((check) => world.verify(check));
    return step(state, { type: "verified", id, valid, nowMs })[1];
  });
}

function signed(validator: number, kind: number, body: Uint8Array): Uint8Array {
  const key = world.keys[validator]?.[0];
  assert.ok(key !== undefined);
  return key.sign(consensusMessage(domainOf(params), kind, body));
}

/** Another block of the same place, with its leader's seal. */
function variant({ block, core, voteSigs }: SealedBlock, fork: number): SealedBlock {
  const header = { ...block.header, stateRoot: bigIntToHash(BigInt(fork)) };
  const unsealed = { block: { ...block, header, hash: hashHeader(header) }, core, voteSigs };
  const seal = signed(core.proposer, MESSAGE_KIND.seal, encodeSeal(sealOf(unsealed)));
  return { ...unsealed, seal };
}

function blockAt(index: number): SealedBlock {
  const found = blocks[index];
  assert.ok(found?.topic === "micro");
  return found.block;
}

describe("takeCertificate", () => {
  const qc = follow(world, said).certificate;

  const take = (state: ConsensusState, given: AckQC, origin: Origin) =>
    step(state, { type: "ackCertificate", qc: given, origin, nowMs })[1];

  it("gives its verdict after the signatures were checked: what is forged is not passed on", () => {
    assert.ok(qc !== undefined);
    const state = follow(world, blocks);
    const forged = { ...qc, signatures: qc.signatures.map(() => new Uint8Array(2420)) };
    const actions = take(state, forged, from("peer", 1));
    assert.deepEqual(verdicts(actions), []);
    assert.deepEqual(verdicts(answer(state, actions)), ["reject"]);
    assert.deepEqual(verdicts(answer(state, take(state, qc, from("peer", 2)))), ["accept"]);
  });

  it("checks one of a peer and checkpoint at a time, and another peer's beside it", () => {
    assert.ok(qc !== undefined);
    const state = follow(world, blocks);
    const first = take(state, qc, from("a", 1));
    assert.equal(verifies(first).length, 1);
    const again = take(state, qc, from("a", 2));
    assert.deepEqual([verifies(again).length, verdicts(again)], [0, ["ignore"]]);
    assert.equal(verifies(take(state, qc, from("b", 3))).length, 1);
  });

  it("keeps what waits for its block apart by peer, and blames who sent a forged one", () => {
    assert.ok(qc !== undefined);
    const state = newFollower(world);
    for (let n = 0; n < 100; n++)
      take(state, { ...qc, macroHash: bigIntToHash(BigInt(n)) }, from("flood", n));
    take(state, qc, from("honest", 200));
    const forged = { ...qc, signatures: qc.signatures.map(() => new Uint8Array(2420)) };
    for (let n = 0; n < 100; n++) take(state, forged, from("flood", 300 + n));
    assert.ok(state.heldCertificates.size <= LIMITS.heldOfPeer + 1);
    const blamed: string[] = [];
    feed(world, state, blocks, {
      onAction: (action) => {
        if (action.type === "blame") blamed.push(action.peer);
      },
    });
    assert.equal(state.finalized.hash, qc.macroHash);
    assert.deepEqual(blamed, ["flood"]);
  });
});

describe("takeVote", () => {
  const TRAITOR = 2;
  const voteOf = (tgtEpoch: number, fork: number): SignedVote => {
    const hash = bigIntToHash(BigInt(1_000 * tgtEpoch + fork));
    const vote = {
      validator: TRAITOR,
      srcEpoch: 0,
      srcHash: hash,
      tgtEpoch,
      tgtHash: hash,
      commit: hash,
    };
    return { vote, signature: signed(TRAITOR, MESSAGE_KIND.vote, encodeVote(vote)) };
  };

  it("bounds what one validator can have kept while finality stalls", () => {
    const state = follow(world, blocks);
    const [lowest, highest] = messageWindow(state);
    assert.ok(4 * (highest - lowest) > LIMITS.history, "a window beyond the short history");
    const before = state.tallies.size;
    let evidence = 0;
    for (let round = 0; round < 8; round++)
      for (let epoch = Math.max(1, lowest); epoch <= highest; epoch++) {
        const vote = voteOf(epoch, round);
        const asked = step(state, { type: "vote", vote, origin: from("peer", round), nowMs })[1];
        const actions = answer(state, asked);
        evidence += actions.filter(({ type }) => type === "evidence").length;
      }
    const epochs = highest - Math.max(1, lowest) + 1;
    assert.ok(state.tallies.size - before <= LIMITS.messagesOfEpoch * epochs);
    assert.ok(evidence <= LIMITS.messagesOfEpoch * epochs, `${evidence} pieces of evidence`);
    assert.ok(evidence > 0);
    const again = voteOf(highest, 0);
    const known = step(state, { type: "vote", vote: again, origin: from("peer", 1), nowMs })[1];
    assert.deepEqual(verifies(known), []);
  });

  it("leaves room for other peers when one floods", () => {
    const state = follow(world, blocks);
    const [, highest] = messageWindow(state);
    const flood = (peer: string, n: number) => {
      const ack = { validator: n % 4, epoch: highest, macroHash: bigIntToHash(BigInt(n)) };
      const signature = new Uint8Array(2420);
      const event = { type: "ack", ack: { ack, signature }, origin: from(peer, n), nowMs } as const;
      return step(state, event)[1];
    };
    for (let n = 0; n < 5_000; n++) flood("flood", n);
    assert.equal(state.pending.size, LIMITS.pendingOfPeer);
    const ack = { validator: 1, epoch: highest, macroHash: bigIntToHash(77n) };
    const honest = { ack, signature: signed(1, MESSAGE_KIND.ack, encodeAck(ack)) };
    const asked = step(state, { type: "ack", ack: honest, origin: from("peer", 1), nowMs })[1];
    assert.deepEqual(verdicts(answer(state, asked)), ["accept"]);
  });
});

describe("takeBlock", () => {
  it("executes two blocks of one place, however many were being checked at a time", () => {
    const state = newFollower(world);
    const asked = Array.from({ length: 64 }, (_, n) => {
      const block = variant(blockAt(0), n + 1);
      const origin = from(`peer ${n % 8}`, n);
      return step(state, { type: "block", block, origin, nowMs })[1];
    });
    const after = asked.flatMap((actions) => answer(state, actions));
    assert.equal(after.filter(({ type }) => type === "execute").length, LIMITS.blocksOfPlace);
    assert.equal(after.filter(({ type }) => type === "evidence").length, 1);
    assert.equal(verdicts(after).filter((verdict) => verdict === "accept").length, 2);
    assert.equal(state.flying.size, LIMITS.blocksOfPlace);
  });

  it("checks so many blocks of one peer at a time", () => {
    const state = newFollower(world);
    for (let n = 0; n < 100; n++) {
      const block = variant(blockAt(0), n + 1);
      step(state, { type: "block", block, origin: from("peer", n), nowMs });
    }
    assert.equal(state.flying.size, LIMITS.flyingOfPeer);
  });

  const megabytes = (block: SealedBlock, n: number): SealedBlock => {
    const parentHash = bigIntToHash(BigInt(n + 1));
    const header = { ...block.block.header, parentHash };
    const hash = hashHeader(header);
    return { ...block, block: { ...block.block, header, hash, sizeBytes: 4 * 1024 * 1024 } };
  };

  it("counts the bytes of blocks without a parent, of a peer and of all", () => {
    const state = newFollower(world);
    const bytes = () =>
      [...state.orphans.values()].reduce((sum, o) => sum + o.block.block.sizeBytes, 0);
    for (let n = 0; n < 64; n++) {
      const block = megabytes(blockAt(9), n);
      step(state, { type: "block", block, origin: from("flood", n), nowMs });
    }
    assert.equal(bytes(), LIMITS.waitingBytesOfPeer);
    for (let n = 0; n < 512; n++) {
      const block = megabytes(blockAt(9), 1_000 + n);
      step(state, { type: "block", block, origin: from(`flood ${n}`, n), nowMs });
    }
    assert.equal(bytes(), LIMITS.waitingBytes);
  });

  it("keeps room for the early blocks of others", () => {
    const state = newFollower(world);
    const { slotMs } = params.config;
    const slot = Math.floor((nowMs - params.genesisMs) / slotMs) + 1;
    const early = (n: number) => {
      const { core, ...rest } = megabytes(blockAt(0), n);
      return { ...rest, core: { ...core, slot }, block: { ...rest.block, sizeBytes: 3_000 } };
    };
    for (let n = 0; n < 100; n++)
      step(state, { type: "block", block: early(n), origin: from("flood", n), nowMs });
    assert.equal(state.early.size, LIMITS.earlyOfPeer);
    const actions = step(state, {
      type: "block",
      block: early(500),
      origin: from("honest", 1),
      nowMs,
    })[1];
    assert.deepEqual(verdicts(actions), []);
    assert.equal(state.early.size, LIMITS.earlyOfPeer + 1);
  });
});

describe("openConsensus", () => {
  it("knows after a restart which leaders made two blocks of one place", () => {
    const [first, second] = [blockAt(0), variant(blockAt(0), 1)];
    const stored = [first, second].map((block): StoredBlock => ({ block, candidates: undefined }));
    const start = {
      nowMs,
      point: world.genesis,
      certificate: undefined,
      justifications: [],
      blocks: stored,
    };
    const [state, actions] = openConsensus({ ...params, ownKeys: [] }, start);
    const { slot, proposer } = first.core;
    assert.deepEqual([...state.equivocations], [`${slot}/${proposer}`]);
    assert.deepEqual(
      [...state.tree.values()].map(({ weight }) => weight),
      [0, 0, 0],
    );
    assert.equal(actions.filter(({ type }) => type === "evidence").length, 1);
    const third = step(state, {
      type: "block",
      block: variant(first, 2),
      origin: from("peer", 1),
      nowMs,
    })[1];
    assert.deepEqual(verdicts(third), ["ignore"]);
  });
});
