import assert from "node:assert/strict";
import { addressOf } from "../../../src/crypto/secp256k1.ts";
import { NodeError } from "../../../src/primitives/errors.ts";
import { describeStatus } from "../../../src/txpool/statusLog.ts";
import { senderOf } from "../../../src/types/sender.ts";
import type { Transaction } from "../../../src/types/transaction.ts";
import { decodeTransaction, signTransaction } from "../../../src/types/transactionCodec.ts";
import {
  account,
  blockOf,
  CHAIN_ID,
  include,
  type TestPool,
  testPool,
  transactionOf,
  type Wanted,
} from "../../support/testPool.ts";

const KEY = new Uint8Array(32).fill(7);

function signed(wanted: Wanted = {}): Transaction {
  return signTransaction(transactionOf(wanted), KEY);
}

async function refusal(promise: Promise<unknown>): Promise<NodeError["reason"]> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof NodeError, String(error));
    return error.reason;
  }
  throw new assert.AssertionError({ message: "the transaction was taken" });
}

async function fill({ pool }: TestPool, wanted: readonly Wanted[]): Promise<Transaction[]> {
  const transactions = wanted.map(transactionOf);
  for (const transaction of transactions) await pool.addTransaction(transaction, "peer");
  return transactions;
}

describe("TxPool.add", () => {
  it("takes signed bytes, recovers the sender and tells of it", async () => {
    const { pool } = testPool();
    const events: unknown[] = [];
    pool.on("transaction", (event): undefined => {
      events.push(event.sender, event.origin, event.expects);
    });
    const { raw, hash } = signed();
    const taken = await pool.add(raw, "local");
    assert.equal(taken.hash, hash);
    assert.deepEqual(events, [addressOf(KEY), "local", undefined]);
    assert.deepEqual(pool.status(hash), { state: "pending", waiting: undefined });
    assert.equal(pool.nonce(addressOf(KEY)), 1n);
  });

  const cases: readonly [name: string, wanted: Wanted, code: string, origin?: "peer"][] = [
    ["another chain's id", { chainId: 5n }, "WRONG_CHAIN_ID"],
    ["too little gas", { gasLimit: 20_999n }, "INTRINSIC_GAS"],
    ["more gas than a transaction may have", { gasLimit: 16_777_217n }, "TX_GAS_LIMIT_TOO_HIGH"],
    ["a tip above the fee", { maxPriorityFeePerGas: 2_000n }, "TIP_ABOVE_MAX_FEE"],
    ["a fee above the cap", { price: 10n ** 14n }, "FEE_CAP"],
    ["no tip, from a peer", { price: 0n }, "UNDERPRICED", "peer"],
    ["too little money", { value: 10n ** 21n }, "INSUFFICIENT_FUNDS"],
    ["no replay protection", { type: 0, chainId: undefined }, "UNPROTECTED"],
    ["the last nonce", { nonce: 2n ** 64n - 1n }, "NONCE_MAX"],
  ];
  for (const [name, wanted, code, origin] of cases)
    it(`refuses ${name}`, async () => {
      const { pool } = testPool();
      const transaction = signed(wanted);
      const { code: got } = await refusal(pool.add(transaction.raw, origin ?? "local"));
      assert.equal(got, code);
      const status = pool.status(transaction.hash);
      assert.equal(status?.state === "refused" && status.code, code);
    });

  it("refuses what exceeds the block, unprotected ones unless allowed, and long ones", async () => {
    const { pool, head } = testPool({ allowUnprotected: true });
    head.gasLimit = 50_000n;
    const code = async (transaction: Transaction) =>
      (await refusal(pool.add(transaction.raw, "local"))).code;
    assert.equal(await code(signed({ gasLimit: 50_001n })), "EXCEEDS_BLOCK_GAS_LIMIT");
    await pool.add(signed({ type: 0, chainId: undefined }).raw, "local");
    const long = await refusal(pool.add(new Uint8Array(131_073), "local"));
    assert.equal(long.code, "OVERSIZED");
  });

  it("refuses a known hash, also when both come at once", async () => {
    const { pool } = testPool();
    const { raw } = signed();
    const outcomes = await Promise.allSettled([pool.add(raw, "local"), pool.add(raw, "local")]);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    assert.equal((await refusal(pool.add(raw, "peer"))).code, "ALREADY_KNOWN");
    assert.equal(pool.stats().pending, 1);
  });

  it("refuses a signature without a sender", async () => {
    const { pool } = testPool();
    const { raw } = signed();
    const broken = Uint8Array.from(raw);
    // r: the last 66 bytes are r and s with their heads
    broken.fill(0xff, raw.length - 65, raw.length - 33);
    const reason = await refusal(pool.add(broken, "peer"));
    assert.match(reason.code, /INVALID_SENDER|BAD_SIGNATURE/);
  });

  it("refuses a used nonce and says both", async () => {
    const test = testPool();
    test.head.nonces.set(account(0), 3n);
    const reason = await refusal(test.pool.addTransaction(transactionOf({ nonce: 2n }), "local"));
    assert.deepEqual(reason, { code: "NONCE_TOO_LOW", address: account(0), tx: 2n, state: 3n });
  });

  it("counts what the sender's other transactions may cost", async () => {
    const { pool, head } = testPool();
    const cost = 21_000n * 1_000n;
    head.balances.set(account(0), 2n * cost);
    await pool.addTransaction(transactionOf({ nonce: 0n }), "local");
    await pool.addTransaction(transactionOf({ nonce: 1n }), "local");
    const reason = await refusal(pool.addTransaction(transactionOf({ nonce: 2n }), "local"));
    assert.deepEqual(reason, {
      code: "INSUFFICIENT_FUNDS",
      address: account(0),
      have: 2n * cost,
      want: 3n * cost,
    });
  });

  it("queues future nonces, explains them and promotes them when the gap closes", async () => {
    const test = testPool();
    const [third, second] = await fill(test, [{ nonce: 2n }, { nonce: 1n }]);
    assert.ok(third && second);
    const status = test.pool.status(third.hash);
    assert.ok(status);
    assert.equal(describeStatus(status), "queued: nonce gap (expects 0, got 2)");
    assert.deepEqual(test.pool.stats().queued, 2);
    assert.equal(test.pool.nonce(account(0)), 0n);
    await fill(test, [{ nonce: 0n }]);
    assert.deepEqual(test.pool.stats().pending, 3);
    assert.equal(test.pool.nonce(account(0)), 3n);
  });

  it("limits how many of one account wait for a nonce, and still takes the missing one", async () => {
    const test = testPool({ gappedSlots: 2 });
    await fill(test, [{ nonce: 5n }, { nonce: 6n }]);
    const reason = await refusal(test.pool.addTransaction(transactionOf({ nonce: 7n }), "local"));
    assert.equal(reason.code, "ACCOUNT_QUEUE_FULL");
    await fill(test, [{ nonce: 0n }, { nonce: 1n, from: 1 }]);
    assert.equal(test.pool.stats().pending, 1);
  });
});

describe("replacement", () => {
  it("takes 10 % more of both fees and remembers what replaced what", async () => {
    const test = testPool();
    const [old] = await fill(test, [{ price: 1_000n }]);
    assert.ok(old);
    const low = await refusal(test.pool.addTransaction(transactionOf({ price: 1_099n }), "local"));
    assert.deepEqual(low, {
      code: "REPLACEMENT_UNDERPRICED",
      pooled: old.hash,
      maxFeePerGas: 1_100n,
      maxPriorityFeePerGas: 1_100n,
    });
    const half = transactionOf({ maxFeePerGas: 1_100n, maxPriorityFeePerGas: 1_000n });
    assert.equal(
      (await refusal(test.pool.addTransaction(half, "local"))).code,
      "REPLACEMENT_UNDERPRICED",
    );
    const [better] = await fill(test, [{ price: 1_100n }]);
    assert.ok(better);
    const status = test.pool.status(old.hash);
    assert.equal(status?.state === "replaced" && status.by, better.hash);
    assert.deepEqual(test.pool.stats().pending, 1);
    assert.equal(test.pool.get(old.hash), undefined);
  });

  it("asks for a higher fee even where 10 % is nothing", async () => {
    const test = testPool();
    await test.pool.addTransaction(transactionOf({ price: 0n }), "local");
    const same = transactionOf({ price: 0n, value: 1n });
    const { code } = await refusal(test.pool.addTransaction(same, "local"));
    assert.equal(code, "REPLACEMENT_UNDERPRICED");
  });
});

describe("eviction", () => {
  it("lets the cheapest leave for a better one and refuses a cheaper one", async () => {
    const test = testPool({ globalSlots: 3 });
    const [a, b, c] = await fill(test, [
      { from: 0, price: 30n },
      { from: 1, price: 10n },
      { from: 2, price: 20n },
    ]);
    assert.ok(a && b && c);
    const cheap = transactionOf({ from: 3, price: 10n });
    assert.equal((await refusal(test.pool.addTransaction(cheap, "peer"))).code, "POOL_FULL");
    await fill(test, [{ from: 4, price: 15n }]);
    const status = test.pool.status(b.hash);
    assert.deepEqual(status?.state === "dropped" && status.reason, { code: "EVICTED", tip: 10n });
    assert.ok(test.pool.get(a.hash) && test.pool.get(c.hash));
  });

  it("takes gapped ones first, then those beyond the guaranteed slots", async () => {
    const test = testPool({ globalSlots: 5, accountSlots: 2 });
    const [gapped, , , third] = await fill(test, [
      { from: 0, nonce: 9n, price: 1_000n },
      { from: 1, nonce: 0n, price: 500n },
      { from: 1, nonce: 1n, price: 500n },
      { from: 1, nonce: 2n, price: 500n },
      { from: 2, price: 10n },
    ]);
    assert.ok(gapped && third);
    await fill(test, [{ from: 3, price: 5n }]);
    assert.equal(test.pool.get(gapped.hash), undefined);
    await fill(test, [{ from: 4, price: 5n }]);
    assert.equal(test.pool.get(third.hash), undefined);
    const last = transactionOf({ from: 5, price: 5n });
    assert.equal((await refusal(test.pool.addTransaction(last, "peer"))).code, "POOL_FULL");
  });

  it("spares local senders within their share", async () => {
    const test = testPool({ globalSlots: 2, localSlots: 1 });
    const mine = transactionOf({ from: 0, price: 1n });
    await test.pool.addTransaction(mine, "local");
    await fill(test, [
      { from: 1, price: 5n },
      { from: 2, price: 9n },
    ]);
    assert.ok(test.pool.get(mine.hash));
    assert.equal(test.pool.stats().pending, 2);
  });

  it("spares local senders within half of the bytes, so that large ones do not shut it", async () => {
    const test = testPool({ maxBytes: 4_400 });
    const data = new Uint8Array(900).fill(1);
    const large = { data, gasLimit: 100_000n };
    for (const from of [0, 1, 2, 3])
      await test.pool.addTransaction(transactionOf({ from, price: 1n, ...large }), "local");
    const better = [4, 5].map((from) => transactionOf({ from, price: 9n, ...large }));
    for (const one of better) await test.pool.addTransaction(one, "peer");
    for (const { hash } of better) assert.ok(test.pool.get(hash));
    const spared = [0, 1].filter((from) => test.pool.contentFrom(account(from)).pending.length > 0);
    assert.deepEqual(spared, [0, 1]);
  });

  it("keeps the bytes within their limit and puts all back when it helps nothing", async () => {
    const test = testPool({ maxBytes: 3_000 });
    const data = new Uint8Array(900).fill(1);
    const gasLimit = 100_000n;
    const before = await fill(test, [
      { from: 0, price: 10n, data, gasLimit },
      { from: 1, price: 50n, data, gasLimit },
      { from: 2, price: 60n, data, gasLimit },
    ]);
    const big = transactionOf({
      from: 3,
      price: 40n,
      data: new Uint8Array(2_500).fill(1),
      gasLimit: 200_000n,
    });
    assert.equal((await refusal(test.pool.addTransaction(big, "peer"))).code, "POOL_FULL");
    for (const { hash } of before) assert.ok(test.pool.get(hash));
    assert.ok(test.pool.stats().bytes <= 3_000);
  });
});

describe("TxPool.onHead", () => {
  it("drops included and overtaken transactions and says which", async () => {
    const test = testPool();
    const [first, second] = await fill(test, [{ nonce: 0n }, { nonce: 1n }]);
    assert.ok(first && second);
    const other = transactionOf({ nonce: 0n, price: 5n, value: 1n });
    include(test, 1n, [other], senderOf);
    assert.equal(test.pool.get(first.hash), undefined);
    const status = test.pool.status(first.hash);
    assert.equal(status?.state === "dropped" && status.reason.code, "NONCE_USED");
    include(test, 2n, [second], senderOf);
    assert.deepEqual(test.pool.status(second.hash)?.state, "included");
    test.head.finalized = 2n;
    assert.deepEqual(test.pool.status(second.hash)?.state, "finalized");
    assert.deepEqual(test.pool.stats(), { pending: 0, queued: 0, bytes: 0 });
  });

  it("takes the transactions of an undone block back", async () => {
    const test = testPool();
    const [first, second] = await fill(test, [{ nonce: 0n }, { nonce: 1n }]);
    assert.ok(first && second);
    const block = include(test, 1n, [first, second], senderOf);
    test.head.nonces.set(account(0), 0n);
    test.head.included.clear();
    test.pool.onHead({ added: [blockOf(1n, [])], removed: [block] });
    assert.deepEqual(test.pool.stats().pending, 2);
    assert.equal(test.pool.nonce(account(0)), 2n);
  });

  it("drops what the sender can no longer pay", async () => {
    const test = testPool();
    const [rich, poor] = await fill(test, [{ nonce: 0n }, { nonce: 1n, value: 10n ** 18n }]);
    assert.ok(rich && poor);
    test.head.balances.set(account(0), 10n ** 17n);
    test.pool.refresh([account(0)]);
    assert.ok(test.pool.get(rich.hash));
    const status = test.pool.status(poor.hash);
    assert.equal(status?.state === "dropped" && status.reason.code, "UNAFFORDABLE");
  });

  it("lets peers' transactions go when their gap is not closed in time", async () => {
    const test = testPool({ lifetimeMs: 120_000 });
    const [gapped] = await fill(test, [{ nonce: 4n }]);
    assert.ok(gapped);
    const local = transactionOf({ from: 1, nonce: 4n });
    await test.pool.addTransaction(local, "local");
    await test.clock.advance(121_000);
    test.pool.onHead({ added: [], removed: [] });
    assert.equal(test.pool.get(gapped.hash), undefined);
    assert.ok(test.pool.get(local.hash));
  });
});

describe("TxPool.select", () => {
  it("gives the best tip first, nonces in order, ties by arrival", async () => {
    const test = testPool();
    test.head.baseFee = 100n;
    const fees = (tip: bigint) => ({ maxFeePerGas: 100n + tip, maxPriorityFeePerGas: tip });
    await fill(test, [
      { from: 0, nonce: 1n, ...fees(90n) },
      { from: 0, nonce: 0n, ...fees(5n) },
      { from: 1, nonce: 0n, ...fees(7n) },
      { from: 2, nonce: 0n, ...fees(7n) },
      { from: 3, nonce: 0n, maxFeePerGas: 99n, maxPriorityFeePerGas: 99n },
    ]);
    const picked = [...test.pool.select()].map(({ sender, transaction }) => [
      sender,
      transaction.nonce,
    ]);
    assert.deepEqual(picked, [
      [account(1), 0n],
      [account(2), 0n],
      [account(0), 0n],
      [account(0), 1n],
    ]);
    const low = [...test.pool.pending().values()].flat().find((e) => e.sender === account(3));
    assert.ok(low);
    const status = test.pool.status(low.transaction.hash);
    assert.deepEqual(status, {
      state: "pending",
      waiting: { code: "BELOW_BASE_FEE", maxFeePerGas: 99n, baseFee: 100n },
    });
  });

  it("leaves out the rest of a skipped sender", async () => {
    const test = testPool();
    await fill(test, [
      { from: 0, nonce: 0n, price: 9n },
      { from: 0, nonce: 1n, price: 9n },
      { from: 1, nonce: 0n, price: 5n },
    ]);
    const selection = test.pool.select();
    const picked: bigint[] = [];
    for (const { sender, transaction } of selection) {
      picked.push(transaction.nonce);
      selection.skip(sender);
    }
    assert.deepEqual(picked, [0n, 0n]);
  });

  it("reads the account when a sender's turn comes", async () => {
    const test = testPool();
    await fill(test, [{ nonce: 0n }, { nonce: 1n }]);
    test.head.nonces.set(account(0), 1n);
    test.pool.onHead({ added: [], removed: [] });
    const picked = [...test.pool.select()].map(({ transaction }) => transaction.nonce);
    assert.deepEqual(picked, [1n]);
    assert.equal(test.pool.nonce(account(0)), 2n);
  });
});

describe("TxPool.restore", () => {
  it("makes the contents those of the snapshot", async () => {
    const test = testPool();
    const [kept] = await fill(test, [{ from: 0 }]);
    assert.ok(kept);
    const snapshot = test.pool.snapshot();
    const [later] = await fill(test, [{ from: 1 }]);
    assert.ok(later);
    include(test, 1n, [kept], senderOf);
    test.head.nonces.clear();
    test.head.included.clear();
    test.pool.restore(snapshot);
    assert.ok(test.pool.get(kept.hash));
    assert.equal(test.pool.get(later.hash), undefined);
    assert.equal(test.pool.status(later.hash)?.state, "dropped");
    assert.equal(decodeTransaction(kept.raw).chainId, CHAIN_ID);
  });
});
