import assert from "node:assert/strict";
import { DevClock } from "../../src/consensus/devClock.ts";
import { HeadView } from "../../src/consensus/headView.ts";
import { Producer } from "../../src/consensus/producer.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { Metrics } from "../../src/runtime/metrics.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import { TxPool } from "../../src/txpool/pool.ts";
import { devnetGenesis, openTestChain, TEST_MINER, testTransaction } from "../support/chains.ts";

async function setUp(threads: number) {
  const test = await openTestChain(devnetGenesis());
  const { chain } = test;
  const clock = new DevClock(systemClock);
  const log = silentLogger;
  const metrics = new Metrics();
  const recovery = new WorkerPool({ log }, { threads });
  const head = new HeadView({ chain, clock });
  const pool = new TxPool({ head, recovery, log, clock, metrics });
  chain.on("head", (event): undefined => {
    pool.onHead(event);
  });
  const producer = new Producer(
    { chain, pool, clock, log, metrics },
    { mode: "instant", blockTimeMs: 0, emptyBlocks: false, miner: TEST_MINER },
  );
  producer.start();
  const close = async () => {
    await producer.stop();
    await recovery.stop();
    await test[Symbol.asyncDispose]();
  };
  return { chain, pool, producer, metrics, [Symbol.asyncDispose]: close };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 8_000;
  while (!condition()) {
    assert.ok(performance.now() < deadlineMs, "it happens in time");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe("pool, workers, producer and chain together", () => {
  it("mine a burst of three senders, every transaction once and in nonce order", async () => {
    await using test = await setUp(2);
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
    await using test = await setUp(0);
    const { chain, pool, producer } = test;
    const hashes = [];
    for (let nonce = 0; nonce < 3; nonce++) {
      hashes.push((await pool.add(testTransaction(chain, 0, nonce).raw, "local")).hash);
      await until(() => chain.head.header.number === BigInt(nonce + 1));
    }
    await producer.exclusive(() => chain.setForkchoice({ head: chain.genesisHash }));
    assert.equal(chain.head.header.number, 0n);
    assert.equal(pool.stats().pending, 3);
    await producer.mine();
    const mined = chain.block(chain.head.hash)?.transactions.map(({ hash }) => hash);
    assert.deepEqual(mined, hashes);
  });
});
