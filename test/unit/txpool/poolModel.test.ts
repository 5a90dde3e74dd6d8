import assert from "node:assert/strict";
import fc from "fast-check";
import { NodeError } from "../../../src/primitives/errors.ts";
import type { Hash } from "../../../src/primitives/hex.ts";
import { effectiveTip } from "../../../src/txpool/senderQueue.ts";
import type { Block } from "../../../src/types/block.ts";
import { senderOf } from "../../../src/types/sender.ts";
import {
  account,
  blockOf,
  include,
  type TestPool,
  testPool,
  transactionOf,
} from "../../support/testPool.ts";

const SENDERS = 4;
const LIMITS = { globalSlots: 12, accountSlots: 2, gappedSlots: 3, localSlots: 4, maxBytes: 1_400 };

/** What a run remembers beside the pool: the blocks that can be undone, and every hash that was ever taken. */
interface Model {
  readonly test: TestPool;
  readonly blocks: Block[];
  readonly taken: Set<Hash>;
}

type Step =
  | {
      readonly kind: "add";
      readonly from: number;
      readonly ahead: number;
      readonly price: number;
      readonly local: boolean;
      readonly bytes: number;
    }
  | { readonly kind: "mine"; readonly count: number }
  | { readonly kind: "undo"; readonly depth: number }
  | { readonly kind: "fees"; readonly baseFee: number }
  | { readonly kind: "balance"; readonly from: number; readonly gas: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      from: fc.nat(SENDERS - 1),
      ahead: fc.nat(6),
      price: fc.integer({ min: 1, max: 60 }),
      local: fc.boolean(),
      bytes: fc.nat(60),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("mine" as const), count: fc.nat(5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("undo" as const),
      depth: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("fees" as const), baseFee: fc.nat(40) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("balance" as const),
      from: fc.nat(SENDERS - 1),
      gas: fc.nat(8_000_000),
    }),
  },
);

async function run(model: Model, action: Step): Promise<void> {
  const { test, blocks, taken } = model;
  const { pool, head } = test;
  switch (action.kind) {
    case "add": {
      const transaction = transactionOf({
        from: action.from,
        nonce: head.account(account(action.from)).nonce + BigInt(action.ahead),
        price: BigInt(action.price),
        gasLimit: 30_000n,
        data: new Uint8Array(action.bytes).fill(1),
      });
      try {
        await pool.addTransaction(transaction, action.local ? "local" : "peer");
        taken.add(transaction.hash);
      } catch (error) {
        assert.ok(error instanceof NodeError, String(error));
      }
      return;
    }
    case "mine": {
      const picked = [];
      for (const { transaction } of pool.select()) {
        if (picked.length >= action.count) break;
        picked.push(transaction);
      }
      blocks.push(include(test, BigInt(blocks.length + 1), picked, senderOf));
      return;
    }
    case "undo": {
      const removed = blocks.splice(Math.max(0, blocks.length - action.depth)).toReversed();
      for (const { hash, nonce } of removed.flatMap((block) => block.transactions)) {
        head.included.delete(hash);
        assert.ok(nonce >= 0n);
      }
      for (const transaction of removed.flatMap((block) => block.transactions)) {
        const sender = senderOf(transaction);
        head.nonces.set(sender, head.account(sender).nonce - 1n);
      }
      pool.onHead({ added: [blockOf(99n, [])], removed });
      return;
    }
    case "fees":
      head.baseFee = BigInt(action.baseFee);
      pool.onHead({ added: [], removed: [] });
      return;
    case "balance":
      head.balances.set(account(action.from), BigInt(action.gas));
      pool.refresh();
      return;
  }
}

function check({ test, taken }: Model): void {
  const { pool, head } = test;
  const pending = pool.pending();
  const queued = pool.queued();
  const seen = new Set<string>();
  let count = 0;
  let bytes = 0;
  for (let from = 0; from < SENDERS; from++) {
    const sender = account(from);
    const { nonce } = head.account(sender);
    const first = pending.get(sender) ?? [];
    const later = queued.get(sender) ?? [];
    first.forEach((entry, index) => {
      assert.equal(entry.transaction.nonce, nonce + BigInt(index), "pending follows the account");
    });
    assert.equal(pool.nonce(sender), nonce + BigInt(first.length));
    let last = nonce + BigInt(first.length);
    for (const entry of later) {
      assert.ok(entry.transaction.nonce > last, "queued stands behind a gap, in order");
      last = entry.transaction.nonce;
    }
    for (const entry of [...first, ...later]) {
      const key = `${sender}${entry.transaction.nonce}`;
      assert.ok(!seen.has(key), "one transaction of one sender and nonce");
      seen.add(key);
      assert.equal(pool.entry(entry.transaction.hash), entry);
      count++;
      bytes += entry.sizeBytes;
    }
  }
  const stats = pool.stats();
  assert.equal(stats.pending + stats.queued, count);
  assert.equal(stats.bytes, bytes);
  assert.ok(count <= LIMITS.globalSlots && bytes <= LIMITS.maxBytes, "limits hold");
  for (const hash of taken)
    assert.ok(pool.status(hash) !== undefined, "every transaction that was taken is accounted for");
  checkSelection(test);
}

function checkSelection({ pool, head }: TestPool): void {
  const tipOf = (t: { maxPriorityFeePerGas: bigint; maxFeePerGas: bigint }) =>
    effectiveTip(t.maxPriorityFeePerGas, t.maxFeePerGas, head.baseFee);
  const heads = new Map(
    [...pool.pending()].map(([sender, entries]) => [sender, entries.map((e) => e.transaction)]),
  );
  for (const { transaction, sender } of pool.select()) {
    const own = heads.get(sender);
    assert.equal(own?.shift(), transaction, "a sender's transactions come in nonce order");
    const best = [...heads.values()].flatMap(([next]) => (next === undefined ? [] : [next]));
    const others = best.filter((next) => senderOf(next) !== sender);
    for (const other of others) assert.ok(tipOf(transaction) >= tipOf(other), "best tip first");
    assert.ok(tipOf(transaction) >= 0n);
  }
  for (const [next] of heads.values())
    if (next !== undefined) assert.ok(tipOf(next) < 0n, "only what is below the base fee stays");
}

describe("TxPool, any sequence of events", () => {
  it("keeps order, uniqueness, limits and a story for every transaction", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const model: Model = { test: testPool(LIMITS), blocks: [], taken: new Set() };
        for (const action of steps) {
          await run(model, action);
          check(model);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("evicts cheapest first among single transactions", async () => {
    const prices = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), {
      minLength: 6,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(prices, async (list) => {
        const { pool } = testPool({ globalSlots: 5, localSlots: 0 });
        for (const [from, price] of list.entries())
          await pool
            .addTransaction(transactionOf({ from, price: BigInt(price) }), "peer")
            .catch((error: unknown) => assert.ok(error instanceof NodeError));
        const left = [...pool.pending().values()].flat().map((e) => e.transaction.maxFeePerGas);
        const best = list.toSorted((a, b) => b - a).slice(0, 5);
        assert.deepEqual(left.toSorted(descending), best.map(BigInt));
      }),
      { numRuns: 100 },
    );
  });
});

function descending(a: bigint, b: bigint): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
