import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockPlaceFacts } from "../../src/consensus/queries.ts";
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

  it("keeps signatures as long as evidence counts, sidecars and certificates for ever", async () => {
    const folder = mkdtempSync(join(tmpdir(), "qnet-validators-"));
    const times = { unbonding: 40, evidenceWindow: 20, trustPeriod: 10 };
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(1, times),
      factor: 10,
      random: seededNumbers(SEED),
      folder,
    });
    const node = await network.start(0);
    await network.until("seven epochs", (one) => finalEpoch(one) >= 7, 60_000);
    await assertSignaturesOf(node, times.evidenceWindow);
    await network.stop(0);
    const again = await network.start(0);
    await assertSignaturesOf(again, times.evidenceWindow);
    await network.until("two epochs more", (one) => finalEpoch(one) >= 9, 60_000);
    await assertSignaturesOf(again, times.evidenceWindow);
    rmSync(folder, { recursive: true, force: true });
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
    await assertReplay(network);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** A node that starts with nothing executes every block again and comes to the same finality, state and receipts (P6). */
async function assertReplay(network: ValidatorNetwork): Promise<void> {
  const { chain: made } = network.nodes.get(0) ?? assert.fail();
  const late = await network.start(4, []);
  assert.equal(late.chain.head.header.number, 0n);
  const target = made.finalized;
  await network.until(
    "the late node's finality",
    () => late.chain.finalized.header.number >= target.header.number,
    60_000,
  );
  assert.equal(late.chain.canonicalHash(target.header.number), target.hash);
  for (let number = 1n; number <= target.header.number; number++) {
    const hash = made.canonicalHash(number) ?? assert.fail();
    assert.deepEqual(late.chain.receipts(hash), made.receipts(hash), `block ${number}`);
  }
}

/** Blocks within the window before the last final checkpoint have seals, older ones none; nothing else is missing. */
async function assertSignaturesOf(node: QNode, evidenceWindow: number): Promise<void> {
  const { chain, consensus } = node;
  assert.ok(consensus !== undefined);
  // a batch under way would show between two reads, since LevelDB writes in a thread of its own
  await consensus.engine.settled();
  const { header } = chain.finalized;
  let dropped = 0;
  for (let number = 1n; number <= header.number; number++) {
    const block = chain.blockByNumber(number);
    assert.ok(block !== undefined, `block ${number}`);
    const facts: BlockPlaceFacts | undefined = consensus.sidecar(block);
    assert.ok(facts !== undefined, `sidecar of block ${number}`);
    const age = Number(header.timestamp - block.header.timestamp);
    assert.equal(
      facts.sealed.seal === undefined,
      age > evidenceWindow,
      `block ${number}, ${age} s`,
    );
    if (facts.sealed.seal === undefined) dropped++;
  }
  assert.ok(dropped > 8, `${dropped} blocks without signatures`);
  assert.ok(consensus.certificate(1) !== undefined && consensus.checkpoint(1) !== undefined);
  const hash = chain.canonicalHash(BigInt(dropped + 1));
  assert.ok(hash !== undefined);
  const fetched = (from: number) =>
    consensus.engine.blocks({ tip: hash, from, to: dropped + 1 }).length;
  assert.deepEqual([fetched(1), fetched(dropped), fetched(dropped + 1)], [0, 0, 1]);
}
