import assert from "node:assert/strict";
import { Filters, filterLimits } from "../../../rpc/filters.ts";
import type { LogArgument } from "../../../rpc/logs.ts";
import {
  type Address,
  bigIntToHash,
  parseAddress,
  parseHash,
} from "../../../src/primitives/hex.ts";
import { ManualClock } from "../../../src/runtime/clock.ts";
import {
  buildTestBlock,
  LOGGER_CODE,
  mineTestBlock,
  plainGenesis,
  testTransaction,
} from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startTestNode, type TestNode } from "../../support/rpcNode.ts";

const notFound = { code: -32000, message: "filter not found" };

/** Mines the contract that logs its first data word, and gives its address. */
async function deployLogger({ node, call }: TestServer): Promise<Address> {
  const fields = { to: undefined, data: LOGGER_CODE, gasLimit: 200_000n };
  const create = testTransaction(node.chain, 0, 0, fields);
  await mineTestBlock(node.chain, [create]);
  return parseAddress(Object(await call("eth_getTransactionReceipt", create.hash)).contractAddress);
}

const topicOf = (byte: number) => new Uint8Array(32).fill(byte);
const topicHash = (byte: number) => `0x${byte.toString(16).padStart(2, "0").repeat(32)}`;

describe("polled filters", () => {
  let served: TestServer;
  beforeEach(async () => {
    served = await startTestServer();
  });
  afterEach(() => served[Symbol.asyncDispose]());

  it("collect the hashes of new blocks between polls", async () => {
    const id = await served.call("eth_newBlockFilter");
    assert.deepEqual(await served.call("eth_getFilterChanges", id), []);
    const blocks = [await mineTestBlock(served.node.chain), await mineTestBlock(served.node.chain)];
    assert.deepEqual(
      await served.call("eth_getFilterChanges", id),
      blocks.map(({ hash }) => hash),
    );
    assert.deepEqual(await served.call("eth_getFilterChanges", id), []);
  });

  it("collect pending transactions as hashes, or whole when asked", async () => {
    const short = await served.call("eth_newPendingTransactionFilter");
    const full = await served.call("eth_newPendingTransactionFilter", true);
    const transaction = testTransaction(served.node.chain, 0, 0);
    await served.node.pool.add(transaction.raw, "local");
    assert.deepEqual(await served.call("eth_getFilterChanges", short), [transaction.hash]);
    const [whole] = Object.values(Object(await served.call("eth_getFilterChanges", full)));
    assert.equal(Object(whole).hash, transaction.hash);
  });

  it("collect matching logs, removed ones too, and search all for eth_getFilterLogs", async () => {
    const { chain } = served.node;
    const address = await deployLogger(served);
    const id = await served.call("eth_newFilter", { address, topics: [topicHash(7)] });
    const parent = chain.head;
    const fields = { to: address, gasLimit: 100_000n };
    await mineTestBlock(chain, [
      testTransaction(chain, 0, 1, { ...fields, data: topicOf(7) }),
      testTransaction(chain, 0, 2, { ...fields, data: topicOf(8) }),
    ]);
    const told = Object.values(Object(await served.call("eth_getFilterChanges", id)));
    assert.equal(told.length, 1);
    assert.deepEqual(Object(told[0]).topics, [topicHash(7)]);
    assert.deepEqual(await served.call("eth_getFilterLogs", id), told);

    const draft = { parent, timestamp: parent.header.timestamp + 9n };
    const rival = await buildTestBlock(chain, [], draft);
    await chain.importBlock(rival.block, rival);
    const undone = Object.values(Object(await served.call("eth_getFilterChanges", id)));
    assert.deepEqual(undone, [{ ...Object(told[0]), removed: true }]);
    assert.deepEqual(await served.call("eth_getFilterLogs", id), []);
  });

  it("are gone once uninstalled, and unknown ids are told", async () => {
    const id = await served.call("eth_newBlockFilter");
    assert.equal(await served.call("eth_uninstallFilter", id), true);
    assert.equal(await served.call("eth_uninstallFilter", id), false);
    await assert.rejects(served.call("eth_getFilterChanges", id), notFound);
    await assert.rejects(served.call("eth_getFilterLogs", "0x1"), notFound);
  });

  it("refuse a range that runs backwards", async () => {
    await assert.rejects(served.call("eth_newFilter", { fromBlock: "0x2", toBlock: "0x1" }), {
      code: -32602,
    });
  });
});

describe("Filters", () => {
  let node: TestNode;
  let clock: ManualClock;
  let filters: Filters;
  beforeEach(async () => {
    node = await startTestNode(plainGenesis());
    clock = new ManualClock(1_000_000);
    filters = new Filters({ ...node, clock });
  });
  afterEach(async () => {
    filters.close();
    await node[Symbol.asyncDispose]();
  });

  it("forgets a filter five minutes after its last poll", async () => {
    const polled = filters.newBlocks();
    const left = filters.newBlocks();
    await clock.advance(filterLimits.idleMs - 1);
    filters.poll(polled);
    await clock.advance(2);
    filters.poll(polled);
    assert.throws(() => filters.poll(left));
    assert.equal(filters.size, 1);
  });

  it("drops the filter polled longest ago when there are too many", () => {
    const first = filters.newBlocks();
    const second = filters.newBlocks();
    filters.poll(first);
    for (let i = 0; i < filterLimits.filters - 1; i++) filters.newBlocks();
    assert.equal(filters.size, filterLimits.filters);
    assert.throws(() => filters.poll(second));
    filters.poll(first);
  });
});

describe("filters together", () => {
  it("have a limit on the addresses and topics that each log is compared with", async () => {
    await using node = await startTestNode(plainGenesis());
    const filters = new Filters(node);
    const topics = [Array.from({ length: 1_000 }, (_, i) => bigIntToHash(BigInt(i)))];
    const query = { blockHash: undefined, fromBlock: undefined, toBlock: undefined };
    const first = filters.newLogs({ ...query, addresses: [], topics });
    for (let i = 0; i < filterLimits.terms / 1_000; i++) {
      filters.newLogs({ ...query, addresses: [], topics });
    }
    assert.equal(filters.size, filterLimits.terms / 1_000);
    assert.throws(() => filters.poll(first));
    filters.close();
  });

  it("read the logs of a block once", async () => {
    await using served = await startTestServer();
    const { chain } = served.node;
    const to = await deployLogger(served);
    let reads = 0;
    const counting = new Proxy(chain, {
      get(target, key) {
        if (key === "receipts") reads++;
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const filters = new Filters({ ...served.node, chain: counting });
    const query = { blockHash: undefined, fromBlock: undefined, toBlock: undefined };
    const ids = Array.from({ length: 50 }, () =>
      filters.newLogs({ ...query, addresses: [], topics: [] }),
    );
    const fields = { to, gasLimit: 100_000n, data: topicOf(1) };
    await mineTestBlock(chain, [testTransaction(chain, 0, 1, fields)]);
    for (const id of ids) assert.equal(filters.poll(id).changes.length, 1);
    assert.equal(reads, 1);
    filters.close();
  });
});

describe("eth_getLogs", () => {
  let served: TestServer;
  let address: Address;
  before(async () => {
    served = await startTestServer({ logRange: 3n });
    const { chain } = served.node;
    address = await deployLogger(served);
    for (let nonce = 1; nonce <= 4; nonce++) {
      const fields = { to: address, gasLimit: 100_000n, data: topicOf(nonce) };
      await mineTestBlock(chain, [testTransaction(chain, 0, nonce, fields)]);
    }
  });
  after(() => served[Symbol.asyncDispose]());
  const logs = async (filter: object) =>
    Object.values(Object(await served.call("eth_getLogs", filter))).map(
      (log) => Object(log).topics[0],
    );
  const range = { fromBlock: "0x2", toBlock: "0x4" };

  const matches: readonly [string, object, readonly number[]][] = [
    ["no condition", {}, [1, 2, 3]],
    ["a topic", { topics: [topicHash(2)] }, [2]],
    ["a topic or another", { topics: [[topicHash(1), topicHash(3)]] }, [1, 3]],
    ["null as wildcard", { topics: [null] }, [1, 2, 3]],
    ["[] as wildcard", { topics: [[]] }, [1, 2, 3]],
    ["null among alternatives as wildcard", { topics: [[null, topicHash(1)]] }, [1, 2, 3]],
    ["more positions than a log has", { topics: [null, null] }, []],
    ["another address", { address: `0x${"11".repeat(20)}` }, []],
    ["addresses null", { address: null }, [1, 2, 3]],
    ["no addresses", { address: [] }, [1, 2, 3]],
  ];
  for (const [name, filter, wanted] of matches) {
    it(`finds logs by ${name}`, async () => {
      assert.deepEqual(await logs({ ...range, ...filter }), wanted.map(topicHash));
    });
  }

  it("finds the logs of a block by its hash", async () => {
    const blockHash = served.node.chain.canonicalHash(3n);
    assert.deepEqual(await logs({ blockHash, address: [address] }), [topicHash(2)]);
  });

  const many = Array.from({ length: 1_001 }, (_, i) => `0x${i.toString(16).padStart(40, "0")}`);
  const refused: readonly [string, object, object][] = [
    [
      "a range that runs backwards",
      { fromBlock: "0x4", toBlock: "0x2" },
      { code: -32602, message: "invalid block range params" },
    ],
    [
      "a range beyond the head",
      { fromBlock: "0x4", toBlock: "0x10" },
      { code: -32602, message: "block range extends beyond current head block" },
    ],
    ["pending blocks", { fromBlock: "pending" }, { code: -32602 }],
    [
      "an unknown block hash",
      { blockHash: parseHash(`0x${"77".repeat(32)}`) },
      { code: -32000, message: "unknown block" },
    ],
    ["hash and range together", { blockHash: topicHash(1), fromBlock: "0x1" }, { code: -32602 }],
    ["five topics", { topics: [null, null, null, null, null] }, { code: -32602 }],
    ["1001 addresses", { address: many }, { code: -32602 }],
    [
      "a wide range, with the part that would do",
      { fromBlock: "0x1", toBlock: "0x5" },
      { code: -32602, data: { maxRange: "0x3", suggestedTo: "0x3" } },
    ],
  ];
  for (const [name, filter, error] of refused) {
    it(`refuses ${name}`, () => assert.rejects(served.call("eth_getLogs", filter), error));
  }
});

/** A filter that matches all; kept here so that its shape is checked by the compiler. */
const EVERYTHING: LogArgument = {
  addresses: [],
  topics: [],
  blockHash: undefined,
  fromBlock: undefined,
  toBlock: undefined,
};

describe("Filters for logs", () => {
  it("only look at blocks of their range", async () => {
    await using served = await startTestServer();
    const { node } = served;
    using filters = Object.assign(new Filters(node), {
      [Symbol.dispose]() {
        filters.close();
      },
    });
    const address = await deployLogger(served);
    const early = filters.newLogs({ ...EVERYTHING, toBlock: 2n });
    const late = filters.newLogs({ ...EVERYTHING, fromBlock: 3n });
    for (const nonce of [1, 2]) {
      const fields = { to: address, gasLimit: 100_000n, data: topicOf(nonce) };
      await mineTestBlock(node.chain, [testTransaction(node.chain, 0, nonce, fields)]);
    }
    const numbers = [early, late].map((id) => {
      const changes = filters.poll(id);
      return changes.kind === "logs" ? changes.changes.map((log) => log.blockNumber) : [];
    });
    assert.deepEqual(numbers, [[2n], [3n]]);
  });
});
