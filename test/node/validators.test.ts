import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QNode } from "../../src/node/node.ts";
import { testTransaction } from "../support/chains.ts";
import { validatorGenesis } from "../support/validatorGenesis.ts";
import { ValidatorNetwork } from "../support/validatorNetwork.ts";

const SEED = 20814;

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const finalEpoch = (node: QNode) => node.engine?.status.finalizedEpoch ?? 0;

describe("validators", function () {
  this.timeout(120_000);

  it("one validator finalises its own chain", async () => {
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(1),
      factor: 10,
      random: seeded(SEED),
    });
    const node = await network.start(0);
    await network.until("three epochs", (one) => finalEpoch(one) >= 3, 60_000);
    assert.equal(node.chain.finalized.header.number >= 24n, true);
  });

  it("four validators finalise under load with delays, losses and restarts, and agree", async () => {
    const folder = mkdtempSync(join(tmpdir(), "qnet-validators-"));
    const genesis = validatorGenesis(4);
    await using network = new ValidatorNetwork({
      genesis,
      factor: 5,
      random: seeded(SEED),
      loss: 0.02,
      folder,
    });
    for (let index = 0; index < 4; index++) await network.start(index);
    const load = startLoad(network);
    await network.until("two epochs", (one) => finalEpoch(one) >= 2, 60_000);
    await network.stop(2);
    await network.until("four epochs without one", (one) => finalEpoch(one) >= 4, 60_000);
    await network.start(2);
    await network.until("six epochs", (one) => finalEpoch(one) >= 6, 60_000);
    await load.stop();
    assertAgreement(network);
    assert.ok(load.sent > 50, `${load.sent} transfers`);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** All nodes have the same blocks up to the lowest finalised one. */
function assertAgreement(network: ValidatorNetwork): void {
  const nodes = [...network.nodes.values()];
  const finals = nodes.map((node) => node.chain.finalized.header.number);
  const lowest = finals.sort((a, b) => Number(a - b))[0] ?? 0n;
  for (let number = 0n; number <= lowest; number++) {
    const hashes = new Set(nodes.map((node) => node.chain.canonicalHash(number)));
    assert.equal(hashes.size, 1, `block ${number}`);
  }
}

/** Sends transfers until stopped. */
function startLoad(network: ValidatorNetwork) {
  let running = true;
  const load = {
    sent: 0,
    stop: async () => {
      running = false;
      await done;
    },
  };
  const done = (async () => {
    while (running) {
      const [node] = network.nodes.values();
      if (node !== undefined) await network.submit(testTransaction(node.chain, 0, load.sent));
      load.sent++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return load;
}
