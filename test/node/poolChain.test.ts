import assert from "node:assert/strict";
import { systemClock } from "../../src/runtime/clock.ts";
import { testTransaction } from "../support/chains.ts";
import { startDevProducer } from "../support/devProducer.ts";

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 8_000;
  while (!condition()) {
    assert.ok(performance.now() < deadlineMs, "it happens in time");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe("pool, workers, producer and chain together", () => {
  it("mine a burst of three senders, every transaction once and in nonce order", async () => {
    await using test = await startDevProducer(systemClock, {}, 2);
    const { chain, pool, metrics } = test;
    const perSender = 150;
    const raws = Array.from(
      { length: 3 * perSender },
      (_, index) => testTransaction(chain, index % 3, Math.floor(index / 3)).raw,
    );
    const added = await Promise.all(raws.map((raw) => pool.add(raw, "local")));
    await until(() => pool.stats().pending === 0);
    assert.equal(new Set(added.map(({ hash }) => hash)).size, raws.length);
    for (const { hash } of added) assert.equal(pool.status(hash)?.state, "included");
    assert.match(await metrics.text(), /qnet_consensus_produced_transactions_total 450/);
  });

  it("give the transactions of undone blocks back and mine them again", async () => {
    await using test = await startDevProducer(systemClock, {}, 0);
    const { chain, engine, pool, producer } = test;
    const hashes = [];
    for (let nonce = 0; nonce < 3; nonce++) {
      hashes.push((await pool.add(testTransaction(chain, 0, nonce).raw, "local")).hash);
      await until(() => chain.head.header.number === BigInt(nonce + 1));
    }
    await producer.exclusive(() => engine.rewind(chain.genesisHash, undefined));
    assert.equal(chain.head.header.number, 0n);
    assert.equal(pool.stats().pending, 3);
    await producer.mine();
    const mined = chain.block(chain.head.hash)?.transactions.map(({ hash }) => hash);
    assert.deepEqual(mined, hashes);
  });
});
