import assert from "node:assert/strict";
import type { Worker } from "node:worker_threads";
import { nativeBackend, type PqBackend } from "../../../src/crypto/pqBackends.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { addressOf, recoverAddress } from "../../../src/crypto/secp256k1.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { packTransactions, unpackTransactions } from "../../../src/runtime/recoverPacket.ts";
import { WorkerError } from "../../../src/runtime/workerError.ts";
import { WorkerPool } from "../../../src/runtime/workers.ts";
import { knownSender } from "../../../src/types/sender.ts";
import type { Transaction } from "../../../src/types/transaction.ts";
import {
  decodeTransaction,
  signingDigest,
  signTransaction,
} from "../../../src/types/transactionCodec.ts";
import { codeOfRejection } from "../../support/errors.ts";
import { PQ_SEEDS, pqAccount, signPq } from "../../support/pqTransactions.ts";
import { transactionOf } from "../../support/testPool.ts";

const KEYS = [1, 2, 3].map((value) => new Uint8Array(32).fill(value));

function signed(count: number): { transaction: Transaction; key: Uint8Array }[] {
  return Array.from({ length: count }, (_, index) => {
    const key = KEYS[index % KEYS.length] ?? new Uint8Array(32).fill(9);
    const { raw } = signTransaction(transactionOf({ nonce: BigInt(index) }), key);
    // decoded anew: signing may have told the sender
    return { transaction: decodeTransaction(raw), key };
  });
}

/** Well-formed, but its r belongs to no point of the curve. */
function brokenTransaction(): Transaction {
  const [one] = signed(1);
  assert.ok(one);
  const broken = Uint8Array.from(one.transaction.raw);
  const r = broken.length - 65;
  broken.fill(0, r, r + 32);
  broken[r] = 1;
  // every second number is the x of a point
  for (let last = 0; last < 256; last++) {
    broken[r + 31] = last;
    const tried = decodeTransaction(Uint8Array.from(broken));
    const { r: x, s, yParity } = tried.signature;
    if (recoverAddress(signingDigest(tried), x, s, yParity) === undefined) return tried;
  }
  throw new RangeError("256 points in a row");
}

/** Well-formed, but its signature is not its key's. */
function damagedPq(): Transaction {
  const raw = Uint8Array.from(signPq(pqAccount(PQ_SEEDS[1])).raw);
  raw[raw.length - 1_000] = (raw[raw.length - 1_000] ?? 0) ^ 1;
  return decodeTransaction(raw);
}

/** Passes its self test, whose message has 17 bytes, and takes every signature of a transaction. */
const lenientBackend: PqBackend = {
  name: "noble",
  load: async (algorithm) => {
    const sound = await nativeBackend.load(algorithm);
    return (publicKey, message, signature, context) =>
      message.length === 32 || sound?.(publicKey, message, signature, context) === true;
  },
};

async function untilReady(pool: WorkerPool): Promise<void> {
  pool.warmUp();
  for (let tries = 0; pool.ready === 0 && tries < 1_000; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(pool.ready > 0, "a worker answers");
}

describe("packTransactions", () => {
  it("is undone by unpackTransactions", () => {
    const raws = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(70_000).fill(7)];
    assert.deepEqual(unpackTransactions(packTransactions(raws)), raws);
  });
});

for (const threads of [0, 2])
  describe(`WorkerPool with ${threads} threads`, () => {
    let pool: WorkerPool;
    before(async function () {
      this.timeout(20_000);
      pool = new WorkerPool({ log: silentLogger }, { threads });
      if (threads > 0) await untilReady(pool);
    });
    after(() => pool.stop());

    it("recovers one and many, and resolves in the order of the calls", async () => {
      for (const count of [1, 3, 40]) {
        const order: number[] = [];
        const transactions = signed(count);
        const recovered = transactions.map(({ transaction }, index) =>
          pool.recover(transaction).then(() => order.push(index)),
        );
        await Promise.all(recovered);
        assert.deepEqual(order, [...transactions.keys()]);
        for (const { transaction, key } of transactions)
          assert.equal(knownSender(transaction), addressOf(key));
        assert.equal(pool.waiting, 0);
      }
    });

    it("verifies post-quantum signatures among others, of every algorithm", async () => {
      const accounts = [
        pqAccount(PQ_SEEDS[0]),
        pqAccount(PQ_SEEDS[1], "ML-DSA-65"),
        pqAccount(PQ_SEEDS[1], "ML-DSA-87"),
      ];
      const good = accounts.map((account) => decodeTransaction(signPq(account).raw));
      const ecdsa = signed(2).map(({ transaction }) => transaction);
      const bad = damagedPq();
      const all = [...ecdsa, ...good, bad];
      const results = await Promise.allSettled(all.map((one) => pool.recover(one)));
      assert.deepEqual(
        good.map((one) => knownSender(one)),
        accounts.map(({ address }) => address),
      );
      const last = results.pop();
      assert.ok(results.every(({ status }) => status === "fulfilled"));
      assert.ok(last?.status === "rejected" && last.reason instanceof WorkerError);
      assert.equal(last.reason.reason.code, "INVALID_SENDER");
      assert.equal(knownSender(bad), undefined);
    });

    it("tells which signature has no sender, and recovers its neighbours", async () => {
      const good = signed(6).map(({ transaction }) => transaction);
      const all = [...good, brokenTransaction()];
      const results = await Promise.allSettled(all.map((one) => pool.recover(one)));
      const last = results.pop();
      assert.ok(results.every(({ status }) => status === "fulfilled"));
      assert.ok(last?.status === "rejected" && last.reason instanceof WorkerError);
      assert.equal(last.reason.reason.code, "INVALID_SENDER");
    });
  });

describe("WorkerPool", () => {
  for (const threads of [0, 2])
    it(`gives the error of a paranoid verifier whose back ends disagree, with ${threads} threads`, async function () {
      this.timeout(20_000);
      const heard: unknown[] = [];
      const verifier = new PqVerifier(
        { backends: [nativeBackend, lenientBackend], onDisagreement: (error) => heard.push(error) },
        { paranoid: true },
      );
      const pool = new WorkerPool({ log: silentLogger, verifier }, { threads });
      if (threads > 0) await untilReady(pool);
      const good = decodeTransaction(signPq(pqAccount(PQ_SEEDS[0])).raw);
      await pool.recover(good);
      assert.equal(await codeOfRejection(pool.recover(damagedPq())), "PQ_BACKENDS_DISAGREE");
      assert.equal(heard.length, 1);
      await pool.stop();
    });

  it("loses no promise when its workers die", async function () {
    this.timeout(30_000);
    const workers: Worker[] = [];
    const collect = (worker: Worker) => workers.push(worker);
    process.on("worker", collect);
    const pool = new WorkerPool({ log: silentLogger }, { threads: 2 });
    await untilReady(pool);
    const transactions = signed(400).map(({ transaction }) => transaction);
    const all = Promise.all(transactions.map((transaction) => pool.recover(transaction)));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(workers.map((worker) => worker.terminate()));
    await all;
    process.off("worker", collect);
    assert.ok(workers.length > 2, "others took their place");
    assert.ok(transactions.every((transaction) => knownSender(transaction) !== undefined));
    await pool.stop();
  });

  it("refuses what waits when it stops", async () => {
    const pool = new WorkerPool({ log: silentLogger }, { threads: 0 });
    const [one] = signed(1);
    assert.ok(one);
    const waiting = assert.rejects(pool.recover(one.transaction), WorkerError);
    await pool.stop();
    await waiting;
    await assert.rejects(pool.recover(one.transaction), WorkerError);
  });
});
