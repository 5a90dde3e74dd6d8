import assert from "node:assert/strict";
import fc from "fast-check";
import type { QNode } from "../../src/node/node.ts";
import { ManualClock } from "../../src/runtime/clock.ts";
import { EMPTY_ACCOUNT } from "../../src/types/account.ts";
import { signTransaction } from "../../src/types/transactionCodec.ts";
import { TEST_ADDRESSES, TEST_KEYS } from "../support/chains.ts";
import { startDevNode } from "../support/devNode.ts";

const RUNS = 12;

type Step =
  | { readonly kind: "send"; readonly from: number; readonly gap: number }
  | { readonly kind: "mine"; readonly blocks: number }
  | { readonly kind: "balance"; readonly of: number; readonly wei: number }
  | { readonly kind: "time"; readonly seconds: number }
  | { readonly kind: "nextTime"; readonly seconds: number }
  | { readonly kind: "baseFee"; readonly wei: number }
  | { readonly kind: "snapshot" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("send" as const),
    from: fc.nat(2),
    gap: fc.constantFrom(0, 0, 0, 1),
  }),
  fc.record({ kind: fc.constant("mine" as const), blocks: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("balance" as const), of: fc.nat(2), wei: fc.nat() }),
  fc.record({ kind: fc.constant("time" as const), seconds: fc.nat(100_000) }),
  fc.record({
    kind: fc.constant("nextTime" as const),
    seconds: fc.integer({ min: 1, max: 9_999 }),
  }),
  fc.record({ kind: fc.constant("baseFee" as const), wei: fc.integer({ min: 7, max: 1_000 }) }),
  fc.constant({ kind: "snapshot" as const }),
);

function partsOf(node: QNode) {
  const { dev, producer, chain, pool } = node;
  assert(dev !== undefined && producer !== undefined);
  return { dev, producer, chain, pool };
}

async function send(node: QNode, from: number, gap: number): Promise<void> {
  const sender = TEST_ADDRESSES[from];
  const key = TEST_KEYS[from];
  assert(sender !== undefined && key !== undefined);
  const { chain, pool } = node;
  const fields = {
    type: 2,
    chainId: chain.config.chainId,
    nonce: pool.nonce(sender) + BigInt(gap),
    maxFeePerGas: 5_000_000_000n,
    maxPriorityFeePerGas: 1n,
    gasLimit: 21_000n,
    to: TEST_ADDRESSES[0],
    value: 1n,
    data: new Uint8Array(0),
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
  };
  // a poor sender or a full queue is refused: that changes nothing either
  await pool.addTransaction(signTransaction(fields, key), "local").catch(() => undefined);
}

async function apply(node: QNode, one: Step): Promise<void> {
  const { dev, chain } = partsOf(node);
  const { timestamp } = chain.head.header;
  switch (one.kind) {
    case "send":
      return send(node, one.from, one.gap);
    case "mine":
      await dev.mine(one.blocks);
      return;
    case "balance": {
      const account = TEST_ADDRESSES[one.of];
      assert(account !== undefined);
      await dev.edit(
        (state) => {
          const before = state.account(account) ?? EMPTY_ACCOUNT;
          state.setAccount(account, { ...before, balance: BigInt(one.wei) * 10n ** 12n });
        },
        [account],
      );
      return;
    }
    case "time":
      dev.increaseTime(BigInt(one.seconds));
      return;
    case "nextTime":
      dev.setNextTimestamp(timestamp + BigInt(one.seconds));
      return;
    case "baseFee":
      dev.setNext({ baseFeePerGas: BigInt(one.wei) });
      return;
    case "snapshot":
      await dev.snapshot();
      return;
  }
}

/** Everything that a snapshot promises to bring back. */
function fingerprint(node: QNode, clock: ManualClock): string {
  const { producer, chain, pool } = partsOf(node);
  const { hash } = chain.head;
  const seen = {
    head: hash,
    stateRoot: chain.stateRootAt(hash),
    pool: pool
      .snapshot()
      .entries.map(({ transaction }) => transaction.hash)
      .sort(),
    nonces: TEST_ADDRESSES.map((address) => pool.nonce(address)),
    aheadMs: node.clock.nowMs() - clock.nowMs(),
    draft: { ...producer.nextDraft(), parent: hash, extraData: "" },
    wishes: producer.snapshot().next,
  };
  return JSON.stringify(seen, (_key, value) => (typeof value === "bigint" ? `${value}` : value));
}

describe("snapshots of a development node", () => {
  it("bring back head, state, pool, clock and wishes after any history", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.array(step, { maxLength: 10 }),
        async (before, after) => {
          const clock = new ManualClock(1_900_000_000_000);
          await using server = await startDevNode({ clock });
          const { node } = server;
          const { dev } = partsOf(node);
          dev.setAutomine(false);
          for (const one of before) await apply(node, one);
          const expected = fingerprint(node, clock);
          const id = await dev.snapshot();
          for (const one of after) await apply(node, one);
          assert.equal(await dev.revert(id), true);
          assert.equal(fingerprint(node, clock), expected);
          // and the chain goes on from there
          await dev.mine(1);
        },
      ),
      { numRuns: RUNS },
    );
  }).timeout(60_000);
});
