import assert from "node:assert/strict";
import {
  contractsOf,
  LOGGER_CODE,
  mineTestBlock,
  openTestChain,
  plainGenesis,
  TEST_ADDRESSES,
  testTransaction,
} from "../../support/chains.ts";

describe("searchAddress", () => {
  it("tells sender, recipient and creation apart, in both orders and page by page", async () => {
    await using test = await openTestChain(plainGenesis());
    const { chain } = test;
    const [first, second] = TEST_ADDRESSES;
    const [contract] = contractsOf(0, 1);
    assert.ok(first && second && contract);
    const create = { to: undefined, data: LOGGER_CODE, gasLimit: 200_000n, value: 0n } as const;
    await mineTestBlock(chain, [testTransaction(chain, 0, 0, create)]);
    await mineTestBlock(chain, [
      testTransaction(chain, 0, 1, { to: second }),
      testTransaction(chain, 1, 0, { to: first }),
      testTransaction(chain, 0, 2, { to: first }),
    ]);
    const all = await chain.addressTransactions(first, { order: "oldestFirst", limit: 10 });
    assert.deepEqual(
      all.map(({ blockNumber, index, isSender, isRecipient }) => [
        blockNumber,
        index,
        isSender,
        isRecipient,
      ]),
      [
        [1n, 0, true, false],
        [2n, 0, true, false],
        [2n, 1, false, true],
        [2n, 2, true, true],
      ],
    );
    const newest = await chain.addressTransactions(first, { order: "newestFirst", limit: 10 });
    assert.deepEqual(newest, all.toReversed());
    const page = await chain.addressTransactions(first, {
      order: "oldestFirst",
      limit: 1,
      after: { blockNumber: 2n, index: 0 },
    });
    assert.deepEqual(page, all.slice(2, 3));
    const back = await chain.addressTransactions(first, {
      order: "newestFirst",
      limit: 2,
      after: { blockNumber: 2n, index: 1 },
    });
    assert.deepEqual(back, [all[1], all[0]]);
    const made = await chain.addressTransactions(contract, { order: "oldestFirst", limit: 10 });
    assert.deepEqual(made, [
      { blockNumber: 1n, index: 0, isSender: false, isRecipient: false, isCreated: true },
    ]);
  });
});
