import assert from "node:assert/strict";
import fc from "fast-check";
import type { Chain } from "../../../src/chain/chain.ts";
import { type FoundLog, type LogQuery, matchReceipts } from "../../../src/chain/logIndex.ts";
import {
  type Address,
  bigIntToHash,
  hexToBytes,
  parseAddress,
} from "../../../src/primitives/hex.ts";
import type { Header } from "../../../src/types/header.ts";
import {
  buildTestBlock,
  contractsOf,
  LOGGER_CODE,
  mineTestBlock,
  openTestChain,
  plainGenesis,
  type TestChain,
  testTransaction,
} from "../../support/chains.ts";

const BLOCKS = 40;

/** Two contracts that log; in block n the calls that `plan(n)` names, as [contract, topic]. */
async function loggingChain(
  plan: (number: number) => readonly (readonly [number, bigint])[],
): Promise<TestChain & { readonly contracts: readonly Address[] }> {
  const test = await openTestChain(plainGenesis());
  const { chain } = test;
  const create = { to: undefined, data: LOGGER_CODE, gasLimit: 200_000n, value: 0n } as const;
  await mineTestBlock(chain, [
    testTransaction(chain, 0, 0, create),
    testTransaction(chain, 0, 1, create),
  ]);
  const contracts = contractsOf(0, 2);
  let nonce = 2;
  for (let number = 2; number <= BLOCKS; number++) {
    const calls = plan(number).map(([contract, topic]) => {
      const to = contracts[contract];
      assert.ok(to);
      const data = hexToBytes(bigIntToHash(topic));
      return testTransaction(chain, 0, nonce++, { to, data, gasLimit: 100_000n, value: 0n });
    });
    const block = await mineTestBlock(chain, calls);
    assert.equal(block.transactions.length, calls.length);
  }
  return { ...test, contracts };
}

async function collect(logs: AsyncIterable<FoundLog>): Promise<FoundLog[]> {
  const found: FoundLog[] = [];
  for await (const log of logs) found.push(log);
  return found;
}

/** The same search without any index. */
function scan(chain: Chain, query: LogQuery): FoundLog[] {
  const found: FoundLog[] = [];
  for (let number = query.fromBlock; number <= query.toBlock; number++) {
    const block = chain.blockByNumber(number);
    if (block === undefined) break;
    found.push(...matchReceipts(block, chain.receipts(block.hash) ?? [], query));
  }
  return found;
}

describe("searchLogs", () => {
  const everything = { fromBlock: 0n, toBlock: 1_000n, addresses: [], topics: [] };

  it("finds what a scan of all receipts finds, for any filter", async () => {
    await using test = await loggingChain((number) =>
      number % 3 === 0
        ? []
        : [
            [number % 2, BigInt(number % 5)],
            [0, BigInt(number % 7)],
          ],
    );
    const { chain, contracts } = test;
    const topic = fc.integer({ min: 0, max: 8 }).map((value) => bigIntToHash(BigInt(value)));
    const address = fc.constantFrom(...contracts, chain.head.header.miner);
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          fromBlock: fc.bigInt(0n, 45n),
          toBlock: fc.bigInt(0n, 45n),
          addresses: fc.array(address, { maxLength: 3 }),
          topics: fc.array(fc.array(topic, { maxLength: 4 }), { maxLength: 2 }),
        }),
        async (query) => {
          assert.deepEqual(await collect(chain.logs(query)), scan(chain, query));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("finds the same where a field has too many alternatives to read the index of all", async () => {
    await using test = await loggingChain((number) => (number % 2 === 0 ? [[0, 1n]] : [[1, 2n]]));
    const { chain, contracts } = test;
    const strangers = Array.from({ length: 5_000 }, (_, n) =>
      parseAddress(`0x${(n + 1).toString(16).padStart(40, "0")}`),
    );
    const queries = [
      { ...everything, addresses: [...strangers, ...contracts] },
      { ...everything, addresses: [...strangers, ...contracts], topics: [[bigIntToHash(2n)]] },
      { ...everything, addresses: strangers },
    ];
    for (const query of queries)
      assert.deepEqual(await collect(chain.logs(query)), scan(chain, query));
  });

  it("tells how far it came when it is broken off", async () => {
    await using test = await loggingChain((number) => (number > 9 ? [[0, 1n]] : []));
    const progress = { block: 0n };
    const late = new AbortController();
    await assert.rejects(async () => {
      for await (const { blockNumber } of test.chain.logs(everything, {
        signal: late.signal,
        progress,
      }))
        if (blockNumber === 20n) late.abort(new Error("late"));
    }, /late/);
    assert.equal(progress.block, 21n);
  });

  it("numbers logs through the block", async () => {
    await using test = await loggingChain((number) =>
      number === 5
        ? [
            [0, 1n],
            [1, 1n],
            [0, 2n],
          ]
        : [],
    );
    const found = await collect(test.chain.logs(everything));
    assert.deepEqual(
      found.map(({ logIndex, transactionIndex }) => [logIndex, transactionIndex]),
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    );
  });

  it("reads only the blocks that matter when they are far apart", async () => {
    await using test = await loggingChain((number) =>
      number === 4 || number === 37 ? [[1, 9n]] : [[0, 9n]],
    );
    const addresses = test.contracts.slice(1);
    const found = await collect(
      test.chain.logs({ ...everything, addresses, topics: [[bigIntToHash(9n)]] }),
    );
    assert.deepEqual(
      found.map(({ blockNumber }) => blockNumber),
      [4n, 37n],
    );
  });

  it("ends with an error beyond the limit", async () => {
    await using test = await loggingChain(() => [[0, 1n]]);
    await assert.rejects(collect(test.chain.logs(everything, { maxLogs: 3 })), {
      reason: { code: "TOO_MANY_LOGS", limit: 3, block: 5n },
    });
    const signal = AbortSignal.abort(new Error("late"));
    await assert.rejects(collect(test.chain.logs(everything, { signal })), /late/);
  });

  it("forgets the logs of blocks that a reorganisation takes out", async () => {
    await using test = await loggingChain((number) => (number > 38 ? [[0, 1n]] : []));
    const { chain } = test;
    const hash = chain.canonicalHash(38n);
    const parent = { header: chain.headerByNumber(38n) as Header, hash: hash ?? chain.genesisHash };
    const query = { ...everything, addresses: test.contracts };
    assert.equal((await collect(chain.logs(query))).length, 2);
    const side = await buildTestBlock(chain, [], {
      parent,
      timestamp: parent.header.timestamp + 9n,
    });
    const before = chain.head.hash;
    await chain.importBlock(side.block, side);
    assert.deepEqual(await collect(chain.logs(query)), []);
    await chain.setForkchoice({ head: before });
    assert.equal((await collect(chain.logs(query))).length, 2);
  });
});
