import assert from "node:assert/strict";
import type { Event } from "../../../../src/consensus/core/events.ts";
import { openConsensus } from "../../../../src/consensus/core/openConsensus.ts";
import type { ConsensusState } from "../../../../src/consensus/core/state.ts";
import { step } from "../../../../src/consensus/core/step.ts";
import type { AckQC } from "../../../../src/types/certificate.ts";
import { follow, newFollower, recordMessages } from "../../../simulation/follower.ts";
import { Random } from "../../../simulation/random.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { World } from "../../../simulation/world.ts";

const DURATION_MS = 60_000;
/** What four validators say to each other in a minute. */
const world = new World(
  quietScenario(9, { validators: 4, durationMs: DURATION_MS, load: [1000, 200] }),
);
const inOrder = recordMessages(world);
const [listener] = world.nodes;
assert.ok(listener !== undefined);
const { params } = world;
const { nowMs } = world.timeline;

const view = ({ head, finalized, justified, tree }: ConsensusState) => ({
  head,
  finalized: finalized.hash,
  justified: justified.hash,
  blocks: tree.size,
});

describe("step", () => {
  it("brings a follower to the network's view", () => {
    const state = follow(world, inOrder);
    assert.ok(state.finalized.header.epoch >= 2);
    const other = listener.state;
    assert.ok(other !== undefined);
    assert.equal(state.finalized.hash, other.finalized.hash);
    assert.equal(state.head, other.head);
  });

  it("gives the same actions for the same events (P6)", () => {
    const events: Event[] = [];
    const first = follow(world, inOrder, (event) => events.push(event));
    const state = newFollower(world);
    for (const event of events) step(state, event);
    assert.deepEqual(state, first);
  });

  it("goes on from a snapshot", () => {
    const events: Event[] = [];
    const end = follow(world, inOrder, (event) => events.push(event));
    let state = newFollower(world);
    for (const [index, event] of events.entries()) {
      if (index % 50 === 0) state = structuredClone(state);
      step(state, event);
    }
    assert.deepEqual(view(state), view(end));
  });

  it("comes to one view in whatever order messages arrive (P12)", () => {
    const expected = view(follow(world, inOrder));
    for (let seed = 1; seed <= 10; seed++) {
      // repeated, since what comes too early is not kept for ever
      const random = new Random(seed);
      const messages = [...random.shuffle(inOrder), ...random.shuffle(inOrder), ...inOrder];
      assert.deepEqual(view(follow(world, messages)), expected, `seed ${seed}`);
    }
  });

  it("starts again where it was", () => {
    const before = follow(world, inOrder);
    assert.ok(before.finalized.header.epoch > 0);
    const start = listener.disk.startState(nowMs);
    const [state] = openConsensus({ ...params, ownKeys: [] }, start);
    assert.equal(state.head, before.head);
    assert.equal(state.finalized.hash, before.finalized.hash);
    assert.equal(state.justified.hash, before.justified.hash);
  });

  it("takes a certificate alone as finality, and none of another checkpoint", () => {
    const before = follow(world, inOrder);
    const qc = before.certificate;
    assert.ok(qc !== undefined);
    const blocks = inOrder.filter(({ topic }) => topic === "micro");
    const state = follow(world, blocks);
    assert.ok(state.finalized.header.epoch < qc.epoch);
    const take = (given: AckQC) => {
      const origin = { peer: "peer", token: 1 };
      const [, actions] = step(state, { type: "ackCertificate", qc: given, origin, nowMs });
      for (const action of actions)
        if (action.type === "verify") {
          const valid = action.checks.map((check) => world.verify(check));
          step(state, { type: "verified", id: action.id, valid, nowMs });
        }
    };
    take({ ...qc, bitmap: Uint8Array.of(1), signatures: qc.signatures.slice(0, 1) });
    take({ ...qc, signatures: qc.signatures.map(() => new Uint8Array(2420)) });
    assert.ok(state.finalized.header.epoch < qc.epoch);
    take(qc);
    assert.equal(state.finalized.hash, qc.macroHash);
  });

  it("ignores answers that nobody waits for", () => {
    const state = follow(world, inOrder);
    const before = view(state);
    const ids = [0, 99_999];
    for (const id of ids) {
      assert.deepEqual(step(state, { type: "verified", id, valid: [true], nowMs })[1], []);
      assert.deepEqual(step(state, { type: "notBuilt", id, nowMs })[1], []);
      assert.deepEqual(step(state, { type: "fetched", id, blocks: [], nowMs })[1], []);
    }
    assert.deepEqual(view(state), before);
  });
});
