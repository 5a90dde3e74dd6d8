import assert from "node:assert/strict";
import fc from "fast-check";
import type { ChainPoint } from "../../src/consensus/core/chainPoint.ts";
import { proposerFor } from "../../src/consensus/core/extendChain.ts";
import { slotAt } from "../../src/consensus/core/time.ts";
import { headPoint } from "../../src/consensus/core/tree.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import { LATENCIES, quietScenario, type Scenario, TREASONS } from "./scenario.ts";
import { World } from "./world.ts";

const DURATION_MS = 10 * 60_000;
/** Slots of ten minutes in which an honest leader may go without a block of the chain: 5 %. */
const TOLERANCE = 0.05;
const RUNS = Number(process.env["QNET_TEST_RUNS"] ?? 10);

const scenarios = fc
  .record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    validators: fc.constantFrom(4, 7, 10),
    treason: fc.constantFrom(...TREASONS),
    latency: fc.constantFrom(...LATENCIES.slice(0, 3)),
    load: fc.constantFrom([0], [50, 1000], [10_000, 0, 3000]),
  })
  .map(({ seed, validators, treason, latency, load }): Scenario => {
    const quiet = quietScenario(seed, { validators, durationMs: DURATION_MS, load });
    const traitors = Math.floor((validators - 1) / 3);
    const nodes = quiet.nodes.map((node) =>
      node.validator < traitors ? { ...node, treason } : node,
    );
    const [minDelayMs, maxDelayMs] = latency;
    const name = `n${validators} ${Object.keys(treason).join("+")} ${maxDelayMs} ms load ${load}`;
    return { ...quiet, name, nodes, network: { ...quiet.network, minDelayMs, maxDelayMs } };
  });

describe("growth", function () {
  this.timeout(600_000);

  it("of the chain is the slots of honest leaders less 5 %, whatever traitors do (P5)", () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const { slots, honest, occupied } = growthOf(scenario);
        assert.ok(slots > 290, `${slots} slots were looked at`);
        const least = honest - TOLERANCE * slots;
        assert.ok(
          occupied >= least,
          `${scenario.name}: ${occupied} of ${honest} in ${slots} slots`,
        );
      }),
      { numRuns: RUNS },
    );
  });
});

/** Slots of a run, those of honest leaders by the chain's own schedule, and those with a block on the chain. */
function growthOf(scenario: Scenario) {
  const world = new World(scenario);
  const honestIds = new Set(
    world.nodes.flatMap(({ isHonest, index }) => (isHonest ? [index] : [])),
  );
  const chain = chainOf(world);
  const [{ slot: first }] = [world.genesis];
  const last = slotAt(world.params, world.timeline.nowMs) - 1;
  const occupied = new Set(chain.map(({ slot }) => slot)).size - 1; // genesis is no slot's block
  let honest = 0;
  for (const [index, parent] of chain.entries()) {
    const end = chain[index + 1]?.slot ?? last;
    for (let slot = parent.slot + 1; slot <= end; slot++)
      if (honestIds.has(proposerFor(parent, slot).id)) honest++;
  }
  return { slots: last - first, honest, occupied };
}

/** Runs the world: the last honest node's chain from the genesis to its head. */
function chainOf(world: World): readonly ChainPoint[] {
  const points = new Map<Hash, ChainPoint>([[world.genesis.hash, world.genesis]]);
  const watched = world.nodes.at(-1);
  assert.ok(watched?.isHonest);
  // from all nodes: finality may prune a block before the head of this one passes it
  world.onHead = (node, head) => {
    for (let at: ChainPoint | undefined = head; at !== undefined && !points.has(at.hash); ) {
      points.set(at.hash, at);
      at = node.state?.tree.get(at.parentHash)?.point;
    }
  };
  world.run();
  assert.ok(watched.state !== undefined);
  const chain: ChainPoint[] = [];
  let at: ChainPoint | undefined = headPoint(watched.state);
  while (at !== undefined) {
    chain.push(at);
    at = points.get(at.parentHash);
  }
  assert.equal(chain.at(-1)?.hash, world.genesis.hash);
  return chain.reverse();
}
