import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AddressQuery,
  type AddressTransaction,
  deleteAddressIndex,
  type Position,
  putAddressIndex,
  searchAddress,
} from "../../../src/chain/addressIndex.ts";
import { type Address, hexToBytes } from "../../../src/primitives/hex.ts";
import { columns, put } from "../../../src/storage/columns.ts";
import type { Database } from "../../../src/storage/database.ts";
import type { Block } from "../../../src/types/block.ts";
import { senderOf } from "../../../src/types/sender.ts";
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

  it("gives the same page by page as at once, whatever the pages and the order", async () => {
    await using test = await openTestChain(plainGenesis());
    const blocks = await mineCrowd(test.chain);
    assert.ok(blocks.length > 2);
    for (const address of TEST_ADDRESSES) {
      const all = placesIn(blocks, address);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.boolean(), async (limit, newest) => {
          const order = newest ? "newestFirst" : "oldestFirst";
          const paged = await pageThrough(test.database, address, { order, limit });
          assert.deepEqual(paged, newest ? all.toReversed() : all);
        }),
        { numRuns: 30, seed: 20814 },
      );
    }
  });

  it("reads and deletes the entries of earlier versions, one for each position", async () => {
    await using test = await openTestChain(plainGenesis());
    const { database, chain } = test;
    const blocks = await mineCrowd(chain);
    const last = blocks.at(-1);
    assert.ok(last);
    const { number } = last.header;
    const receipts = chain.receipts(last.hash) ?? [];
    const before = await everything(database);
    await database.batch(deleteAddressIndex(number, last.transactions, receipts));
    for (const address of TEST_ADDRESSES)
      for (const place of placesIn([last], address))
        await database.batch([put(columns.addressIndex, ...singleEntry(address, place))]);
    assert.deepEqual(await everything(database), before);
    await database.batch(deleteAddressIndex(number, last.transactions, receipts));
    for (const [i, address] of TEST_ADDRESSES.entries())
      assert.deepEqual((await everything(database))[i], placesIn(blocks.slice(0, -1), address));
    await database.batch(putAddressIndex(number, last.transactions, receipts));
    assert.deepEqual(await everything(database), before);
  });
});

async function pageThrough(database: Database, address: Address, query: AddressQuery) {
  const paged: AddressTransaction[] = [];
  for (let after: Position | undefined; ; after = paged.at(-1)) {
    const page = await searchAddress(database, address, { ...query, ...(after && { after }) });
    paged.push(...page);
    if (page.length < query.limit) return paged;
  }
}

/** Three blocks of transfers among the test addresses, to themselves as well. */
async function mineCrowd(chain: Awaited<ReturnType<typeof openTestChain>>["chain"]) {
  const blocks: Block[] = [];
  for (let number = 1, sent = 0; number <= 3; number++) {
    // the senders take turns, so that their nonces count the rounds
    const transactions = Array.from({ length: 9 * number }, (_, i) => {
      const nonce = Math.floor(sent / 3);
      const to = TEST_ADDRESSES[(i * i + number) % 3];
      return testTransaction(chain, sent++ % 3, nonce, { to });
    });
    blocks.push(await mineTestBlock(chain, transactions));
  }
  return blocks;
}

/** What the index must tell of the address in these blocks, oldest first. */
function placesIn(blocks: readonly Block[], address: string): AddressTransaction[] {
  return blocks.flatMap(({ header, transactions }) =>
    transactions.flatMap((transaction, index) => {
      const isSender = senderOf(transaction) === address;
      const isRecipient = transaction.to === address;
      const place = { blockNumber: header.number, index };
      return isSender || isRecipient ? [{ ...place, isSender, isRecipient, isCreated: false }] : [];
    }),
  );
}

function everything(database: Database): Promise<AddressTransaction[][]> {
  const query = { order: "oldestFirst", limit: 1_000 } as const;
  return Promise.all(TEST_ADDRESSES.map((address) => searchAddress(database, address, query)));
}

function singleEntry(address: string, place: AddressTransaction): [Uint8Array, Uint8Array] {
  const key = Buffer.alloc(32);
  key.set(hexToBytes(address));
  key.writeBigUInt64BE(place.blockNumber, 20);
  key.writeUInt32BE(place.index, 28);
  return [key, Uint8Array.of((place.isSender ? 1 : 0) | (place.isRecipient ? 2 : 0))];
}
