import assert from "node:assert/strict";
import { buildBlock, type Candidate } from "../../../src/chain/buildBlock.ts";
import type { Chain } from "../../../src/chain/chain.ts";
import { EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import { type Address, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { makeBlock } from "../../../src/types/block.ts";
import { senderOf } from "../../../src/types/sender.ts";
import type { Transaction } from "../../../src/types/transaction.ts";
import {
  buildTestBlock,
  devnetGenesis,
  openTestChain,
  plainGenesis,
  TEST_ADDRESSES,
  TEST_MINER,
  testTransaction,
} from "../../support/chains.ts";

const still = { nowMs: () => 0 };

function draftOn(chain: Chain) {
  return {
    parent: chain.head,
    timestamp: chain.head.header.timestamp + 1n,
    miner: TEST_MINER,
    prevRandao: ZERO_HASH,
    gasLimit: chain.head.header.gasLimit,
    extraData: EMPTY_BYTES,
  };
}

function candidatesOf(transactions: readonly Transaction[]): Candidate[] {
  return transactions.map((transaction) => ({ transaction, sender: senderOf(transaction) }));
}

describe("buildBlock", () => {
  it("makes a block that another chain imports by executing it", async () => {
    await using own = await openTestChain(plainGenesis());
    await using other = await openTestChain(plainGenesis());
    const built = await buildTestBlock(own.chain, [
      testTransaction(own.chain, 0, 0),
      testTransaction(own.chain, 1, 0),
      testTransaction(own.chain, 0, 1),
    ]);
    assert.equal(built.block.transactions.length, 3);
    assert.equal(built.block.header.gasUsed, 63_000n);
    const outcome = await other.chain.importBlock(built.block);
    assert.equal(outcome.isHead, true);
  });

  it("skips what cannot be applied with its reason, and the sender's later ones without", async () => {
    await using test = await openTestChain(plainGenesis());
    const { chain } = test;
    const poor = testTransaction(chain, 0, 0, { value: 10n ** 60n });
    const after = testTransaction(chain, 0, 1);
    const good = testTransaction(chain, 1, 0);
    const told: Address[] = [];
    const candidates = Object.assign(candidatesOf([poor, after, good]), {
      skip: (sender: Address) => {
        told.push(sender);
      },
    });
    const built = await buildBlock(chain, draftOn(chain), candidates, { clock: still });
    assert.deepEqual(built.block.transactions, [good]);
    assert.deepEqual(
      built.skipped.map(({ hash, error }) => [hash, error.reason.code]),
      [[poor.hash, "INSUFFICIENT_FUNDS"]],
    );
    assert.deepEqual(told, [TEST_ADDRESSES[0]]);
    await chain.importBlock(built.block, built);
    assert.equal(chain.head.hash, built.block.hash);
  });

  it("keeps to the gas of its budget and goes on with smaller ones", async () => {
    await using test = await openTestChain(plainGenesis());
    const { chain } = test;
    const big = testTransaction(chain, 0, 0, { gasLimit: 90_000n });
    const small = testTransaction(chain, 1, 0);
    const built = await buildBlock(chain, draftOn(chain), candidatesOf([big, small]), {
      gas: 50_000n,
      clock: still,
    });
    assert.deepEqual(built.block.transactions, [small]);
    assert.deepEqual(built.skipped, [], "what does not fit stays a candidate");
  });

  it("keeps to a size", async () => {
    await using test = await openTestChain(plainGenesis());
    const { chain } = test;
    const data = new Uint8Array(2_000).fill(1);
    const long = testTransaction(chain, 0, 0, { data, gasLimit: 200_000n });
    const short = testTransaction(chain, 1, 0);
    const built = await buildBlock(chain, draftOn(chain), candidatesOf([long, short]), {
      maxBytes: 2_000,
      clock: still,
    });
    assert.deepEqual(built.block.transactions, [short]);
    assert.ok(built.block.sizeBytes <= 2_000);
  });

  it("ends at its deadline", async () => {
    await using test = await openTestChain(plainGenesis());
    const { chain } = test;
    let nowMs = 0;
    const clock = { nowMs: () => nowMs++ };
    const transactions = Array.from({ length: 20 }, (_, nonce) => testTransaction(chain, 0, nonce));
    const built = await buildBlock(chain, draftOn(chain), candidatesOf(transactions), {
      timeMs: 6,
      clock,
    });
    const { length } = built.block.transactions;
    assert.ok(length > 0 && length < 20, `${length} transactions`);
    await chain.importBlock(built.block, built);
  });

  it("leaves blob transactions out where the genesis forbids them", async () => {
    await using test = await openTestChain(devnetGenesis());
    const { chain } = test;
    const blob = testTransaction(chain, 0, 0, {
      type: 3,
      maxFeePerBlobGas: 10n,
      blobVersionedHashes: [`0x01${"00".repeat(31)}`] as never,
    });
    const built = await buildTestBlock(chain, [blob]);
    assert.deepEqual(built.block.transactions, []);
  });

  it("leaves nothing behind when it breaks off half way", async () => {
    await using own = await openTestChain(plainGenesis());
    await using other = await openTestChain(plainGenesis());
    const { chain } = own;
    const [first] = candidatesOf([testTransaction(chain, 0, 0)]);
    function* broken(): Generator<Candidate> {
      if (first !== undefined) yield first;
      throw new RangeError("the pool broke");
    }
    const budget = { clock: still };
    await assert.rejects(buildBlock(chain, draftOn(chain), broken(), budget), RangeError);
    const wrong = await buildTestBlock(chain, [testTransaction(chain, 1, 0)]);
    const header = { ...wrong.block.header, stateRoot: ZERO_HASH };
    await assert.rejects(chain.importBlock(makeBlock(header, wrong.block), wrong));
    const built = await buildTestBlock(chain, [testTransaction(chain, 2, 0)]);
    await chain.importBlock(built.block, built);
    assert.equal((await other.chain.importBlock(built.block)).isHead, true);
    const sender = TEST_ADDRESSES[0] ?? assert.fail();
    assert.equal(chain.stateAt(built.block.hash).account(sender)?.nonce ?? 0n, 0n);
  });
});
