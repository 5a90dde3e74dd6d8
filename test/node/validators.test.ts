import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QNode } from "../../src/node/node.ts";
import { testTransaction } from "../support/chains.ts";
import { validatorGenesis } from "../support/validatorGenesis.ts";
import { seededNumbers, ValidatorNetwork } from "../support/validatorNetwork.ts";

const SEED = 20814;

const finalEpoch = (node: QNode) => node.consensus?.engine.status.finalizedEpoch ?? 0;

describe("validators", function () {
  this.timeout(120_000);

  it("one validator finalises its own chain", async () => {
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(1),
      factor: 10,
      random: seededNumbers(SEED),
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
      random: seededNumbers(SEED),
      loss: 0.02,
      folder,
    });
    for (let index = 0; index < 4; index++) await network.start(index);
    const load = network.startLoad((node, sent) => testTransaction(node.chain, 0, sent));
    await network.until("two epochs", (one) => finalEpoch(one) >= 2, 60_000);
    await network.stop(2);
    await network.until("four epochs without one", (one) => finalEpoch(one) >= 4, 60_000);
    await network.start(2);
    await network.until("six epochs", (one) => finalEpoch(one) >= 6, 60_000);
    await load.stop();
    network.assertAgreement();
    assert.ok(load.sent > 50, `${load.sent} transfers`);
    rmSync(folder, { recursive: true, force: true });
  });
});
