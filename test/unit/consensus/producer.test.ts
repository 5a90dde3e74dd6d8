import assert from "node:assert/strict";
import type { Chain } from "../../../src/chain/chain.ts";
import type { ProducerOptions } from "../../../src/consensus/producer.ts";
import { ProducerError } from "../../../src/consensus/producerError.ts";
import { parseAddress, parseHash } from "../../../src/primitives/hex.ts";
import { ManualClock } from "../../../src/runtime/clock.ts";
import type { Block } from "../../../src/types/block.ts";
import { TEST_ADDRESSES, TEST_MINER, testTransaction } from "../../support/chains.ts";
import { type DevProducer, startDevProducer } from "../../support/devProducer.ts";

const START_MS = 1_900_000_000_000;

interface Setup extends DevProducer {
  readonly real: ManualClock;
}

async function setUp(options: Partial<ProducerOptions> = {}): Promise<Setup> {
  const real = new ManualClock(START_MS);
  return { ...(await startDevProducer(real, options)), real };
}

/** Signatures are made beside the main thread, so that no number of turns is enough on a busy machine. */
async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 8_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, "it happens at last");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
}

function headBlock(chain: Chain): Block {
  const block = chain.block(chain.head.hash);
  assert.ok(block);
  return block;
}

describe("Producer, instant", () => {
  it("puts an arrival into a block at once, sealed as validators seal theirs", async () => {
    await using test = await setUp();
    const { chain, pool, engine } = test;
    const transaction = await pool.add(testTransaction(chain, 0, 0).raw, "local");
    assert.equal(chain.head.header.number, 0n, "the sender does not wait for the block");
    await until(() => chain.head.header.number === 1n);
    const { header, transactions } = headBlock(chain);
    assert.deepEqual(
      transactions.map(({ hash }) => hash),
      [transaction.hash],
    );
    assert.equal(header.extraData.length, 32);
    assert.equal(header.parentBeaconBlockRoot, engine.view.finalized.hash);
    assert.equal(header.miner, TEST_MINER);
    assert.equal(header.timestamp, BigInt(START_MS / 1000));
    assert.deepEqual(pool.stats(), { pending: 0, queued: 0, bytes: 0 });
    assert.equal(pool.status(transaction.hash)?.state, "included");
  });

  it("collects what arrives together, in order, and makes no empty block afterwards", async () => {
    await using test = await setUp();
    const { chain, pool } = test;
    const raws = Array.from({ length: 20 }, (_, nonce) => testTransaction(chain, 0, nonce).raw);
    await Promise.all(raws.map((raw) => pool.add(raw, "local")));
    await until(() => pool.stats().pending === 0);
    await settle();
    const numbers = raws.map((_, nonce) => BigInt(nonce));
    const mined: bigint[] = [];
    for (let number = 1n; number <= chain.head.header.number; number++) {
      const block = chain.blockByNumber(number);
      assert.ok(block && block.transactions.length > 0, "no block is empty");
      mined.push(...block.transactions.map(({ nonce }) => nonce));
    }
    assert.deepEqual(mined, numbers);
    assert.ok(chain.head.header.number < 20n, "arrivals share blocks");
  });

  it("raises timestamps by a second at least, however fast blocks come", async () => {
    await using test = await setUp();
    const { chain, pool } = test;
    for (let nonce = 0; nonce < 3; nonce++) {
      await pool.add(testTransaction(chain, 0, nonce).raw, "local");
      await until(() => chain.head.header.number === BigInt(nonce + 1));
    }
    assert.equal(chain.head.header.timestamp, BigInt(START_MS / 1000 + 2));
  });

  it("leaves a nonce gap waiting, and mines all when it closes", async () => {
    await using test = await setUp();
    const { chain, pool } = test;
    const { hash } = await pool.add(testTransaction(chain, 0, 1).raw, "local");
    await settle();
    assert.equal(chain.head.header.number, 0n);
    assert.deepEqual(pool.status(hash), { state: "queued", expects: 0n, got: 1n });
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    await until(() => pool.status(hash)?.state === "included");
  });

  it("lets a reader wait until what arrived was tried, also in vain", async () => {
    await using test = await setUp();
    const { chain, pool, producer } = test;
    const { hash } = await pool.add(testTransaction(chain, 0, 0).raw, "local");
    await producer.settled();
    assert.equal(pool.status(hash)?.state, "included");
    await pool.add(testTransaction(chain, 0, 7).raw, "local");
    await producer.settled();
    producer.setAutomine(false);
    await pool.add(testTransaction(chain, 0, 1).raw, "local");
    await producer.settled();
    assert.equal(chain.head.header.number, 1n);
  });

  it("fills several blocks when one is too small", async () => {
    await using test = await setUp();
    const { chain, pool, producer } = test;
    producer.setNext({ gasLimit: 50_000n });
    producer.setAutomine(false);
    for (let nonce = 0; nonce < 5; nonce++)
      await pool.add(testTransaction(chain, 0, nonce).raw, "local");
    producer.setAutomine(true);
    await until(() => pool.stats().pending === 0);
    assert.equal(chain.head.header.number, 3n);
    assert.equal(chain.head.header.gasLimit, 50_000n);
  });

  it("does not mine while automine is off", async () => {
    await using test = await setUp();
    test.producer.setAutomine(false);
    await test.pool.add(testTransaction(test.chain, 0, 0).raw, "local");
    await settle();
    assert.equal(test.chain.head.header.number, 0n);
    const [hash] = await test.producer.mine();
    assert.equal(hash, test.chain.head.hash);
    assert.equal(headBlock(test.chain).transactions.length, 1);
  });

  it("drops a transaction that cannot run and says why", async () => {
    await using test = await setUp({ mode: "manual" });
    const { chain, pool, producer } = test;
    const { hash } = await pool.add(testTransaction(chain, 0, 0).raw, "local");
    const [sender] = TEST_ADDRESSES;
    assert.ok(sender);
    await chain.editState((state) => {
      state.setCode(sender, Uint8Array.of(0x00));
    });
    await producer.mine();
    const status = pool.status(hash);
    assert.equal(status?.state === "dropped" && status.reason.code, "NOT_EXECUTABLE");
  });
});

describe("Producer.mine", () => {
  it("makes empty blocks with timestamps apart as asked", async () => {
    await using test = await setUp({ mode: "manual" });
    const { chain, producer, clock } = test;
    const hashes = await producer.mine(4, 60n);
    assert.equal(hashes.length, 4);
    const times = hashes.map((hash) => Number(chain.header(hash)?.timestamp) - START_MS / 1000);
    assert.deepEqual(times, [0, 60, 120, 180]);
    assert.equal(clock.nowMs(), START_MS + 180_000);
    await assert.rejects(producer.mine(1_000_000), ProducerError);
  });

  it("grants wishes for one block only", async () => {
    await using test = await setUp({ mode: "manual" });
    const { chain, producer, clock } = test;
    const prevRandao = parseHash(`0x${"77".repeat(32)}`);
    const miner = parseAddress(`0x${"99".repeat(20)}`);
    producer.setNext({ baseFeePerGas: 12_345n, miner });
    producer.setNext({ prevRandao });
    clock.setNextTimestamp(2_000_000_000n, 0n);
    assert.equal(producer.nextDraft().timestamp, 2_000_000_000n);
    await producer.mine(2);
    const [first, second] = [1n, 2n].map((number) => chain.headerByNumber(number));
    assert.ok(first && second);
    assert.deepEqual(
      [first.baseFeePerGas, first.miner, first.mixHash, first.timestamp],
      [12_345n, miner, prevRandao, 2_000_000_000n],
    );
    assert.equal(second.miner, TEST_MINER);
    assert.notEqual(second.mixHash, prevRandao);
    assert.ok((second.baseFeePerGas ?? 0n) < 12_345n);
    assert.equal(second.timestamp, 2_000_000_001n);
  });

  it("makes the same block of the same parent: prevRandao follows from it", async () => {
    const made: string[] = [];
    for (let round = 0; round < 2; round++) {
      await using test = await setUp({ mode: "manual" });
      const [hash] = await test.producer.mine();
      made.push(hash ?? "");
    }
    assert.equal(made[0], made[1]);
  });
});

describe("Producer, interval", () => {
  it("makes a block each interval, empty or not, and stops when told", async () => {
    await using test = await setUp({ mode: "interval", blockTimeMs: 2_000 });
    const { chain, pool, producer, real } = test;
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    await settle();
    assert.equal(chain.head.header.number, 0n);
    for (let number = 1n; number <= 3n; number++) {
      await until(() => real.sleeping === 1);
      await real.advance(2_000);
      await until(() => chain.head.header.number === number);
    }
    assert.equal(chain.blockByNumber(1n)?.transactions.length, 1);
    assert.equal(chain.blockByNumber(2n)?.transactions.length, 0);
    const times = [1n, 2n, 3n].map((number) => chain.headerByNumber(number)?.timestamp);
    assert.deepEqual(
      times,
      [2n, 4n, 6n].map((seconds) => BigInt(START_MS / 1000) + seconds),
    );
    producer.setIntervalMs(0);
    await settle();
    await real.advance(10_000);
    assert.equal(chain.head.header.number, 3n);
    assert.throws(() => producer.setIntervalMs(-1), ProducerError);
  });

  it("mines arrivals at once and by the clock when mixed", async () => {
    await using test = await setUp({ mode: "mixed", blockTimeMs: 5_000 });
    const { chain, pool, real } = test;
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    await until(() => chain.head.header.number === 1n);
    await real.advance(5_000);
    await until(() => chain.head.header.number === 2n);
  });
});

describe("Producer.exclusive", () => {
  it("keeps blocks and edits apart, and a snapshot brings everything back", async () => {
    await using test = await setUp();
    const { chain, engine, pool, producer, clock } = test;
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    await until(() => chain.head.header.number === 1n);
    producer.setNext({ baseFeePerGas: 7n });
    const snapshot = await producer.exclusive(() => ({
      hash: chain.head.hash,
      pool: pool.snapshot(),
      clock: clock.snapshot(),
      producer: producer.snapshot(),
    }));
    await pool.add(testTransaction(chain, 0, 1).raw, "local");
    await until(() => chain.head.header.number === 2n);
    clock.increase(1_000n);
    producer.setAutomine(false);
    await producer.exclusive(async () => {
      await engine.rewind(snapshot.hash, undefined);
      pool.restore(snapshot.pool);
      clock.restore(snapshot.clock);
      producer.restore(snapshot.producer);
    });
    await settle();
    assert.equal(chain.head.hash, snapshot.hash);
    assert.deepEqual(pool.stats(), { pending: 0, queued: 0, bytes: 0 });
    assert.equal(clock.offset, 0n);
    assert.equal(producer.automine, true);
    assert.equal(producer.nextDraft().overrides?.baseFeePerGas, 7n);
    await pool.add(testTransaction(chain, 0, 1, { value: 5n }).raw, "local");
    await until(() => chain.head.header.number === 2n);
    assert.equal(chain.head.header.baseFeePerGas, 7n);
  });
});
