import assert from "node:assert/strict";
import { once } from "node:events";
import {
  buildTestBlock,
  LOGGER_CODE,
  mineTestBlock,
  testTransaction,
} from "../../support/chains.ts";
import { openTestSocket, startTestServer, type TestServer } from "../../support/rpcClient.ts";

/** What a notification carries. */
function resultOf(message: Record<string, unknown>): Record<string, unknown> {
  assert.equal(message["method"], "eth_subscription");
  return Object(message["params"]).result;
}

describe("JSON-RPC over WebSocket", () => {
  let served: TestServer;
  beforeEach(async () => {
    served = await startTestServer({ corsDomains: ["https://wallet.example"] });
  });
  afterEach(() => served[Symbol.asyncDispose]());
  const open = (headers?: Readonly<Record<string, string>>) =>
    openTestSocket(served.server.wsUrl, headers);

  it("answers calls and batches on the port of HTTP", async () => {
    using client = await open();
    assert.equal(await client.call("eth_blockNumber"), "0x0");
    client.send([1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "eth_blockNumber" })));
    const replies = await client.next();
    assert.deepEqual(
      Object.values(replies).map((reply) => Object(reply).id),
      [1, 2],
    );
  });

  it("answers in the order of the calls", async () => {
    using client = await open();
    for (let id = 0; id < 200; id++) client.send({ jsonrpc: "2.0", id, method: "eth_chainId" });
    for (let id = 0; id < 200; id++) assert.equal((await client.next())["id"], id);
  });

  it("answers bad JSON with -32700 and goes on", async () => {
    using client = await open();
    client.send("{");
    assert.equal(Object((await client.next())["error"]).code, -32700);
    assert.equal(await client.call("eth_blockNumber"), "0x0");
  });

  it("closes with 1009 on a message over 5 MiB", async () => {
    using client = await open();
    const closed = once(client.socket, "close");
    client.send("x".repeat((5 << 20) + 1));
    assert.equal((await closed)[0], 1009);
  });

  it("refuses pages of origins that are not listed", async () => {
    await assert.rejects(open({ origin: "https://evil.example" }), /403/);
    using listed = await open({ origin: "https://wallet.example" });
    assert.equal(await listed.call("eth_blockNumber"), "0x0");
    using local = await open({ origin: "http://localhost:3000" });
    assert.equal(await local.call("eth_blockNumber"), "0x0");
  });

  it("refuses host names that could be rebound", async () => {
    await assert.rejects(open({ host: "attacker.example" }), /403/);
  });

  it("tells new heads without transactions, uncles and size", async () => {
    using client = await open();
    const subscription = await client.call("eth_subscribe", "newHeads");
    const block = await mineTestBlock(served.node.chain);
    const message = await client.next();
    assert.equal(Object(message["params"]).subscription, subscription);
    const head = resultOf(message);
    assert.equal(head["hash"], block.hash);
    for (const key of ["transactions", "uncles", "size"]) assert.ok(!(key in head), key);
  });

  it("tells the receipts of each block in one message, all of them or those of named transactions", async () => {
    const { chain } = served.node;
    using all = await open();
    await all.call("eth_subscribe", "transactionReceipts");
    using one = await open();
    const sent = [testTransaction(chain, 0, 0), testTransaction(chain, 1, 0)];
    const wanted = sent[1]?.hash;
    const hashes = [wanted, `0x${"11".repeat(32)}`];
    await one.call("eth_subscribe", "transactionReceipts", { transactionHashes: hashes });
    await mineTestBlock(chain);
    await mineTestBlock(chain, sent);
    const both = Object.values(resultOf(await all.next()));
    assert.deepEqual(
      both.map((receipt) => Object(receipt).transactionHash),
      sent.map(({ hash }) => hash),
    );
    const [receipt, ...rest] = Object.values(resultOf(await one.next()));
    assert.deepEqual(receipt, await served.call("eth_getTransactionReceipt", wanted));
    assert.equal(rest.length, 0);
    const many = Array.from({ length: 201 }, () => wanted);
    await assert.rejects(
      one.call("eth_subscribe", "transactionReceipts", { transactionHashes: many }),
      { code: -32602 },
    );
  });

  it("opens other namespaces and trusts other pages than HTTP when told to", async () => {
    await using two = await startTestServer({
      api: ["eth"],
      ws: { api: ["net"], origins: ["https://app.example"] },
      corsDomains: ["https://wallet.example"],
    });
    assert.equal(await two.call("eth_blockNumber"), "0x0");
    await assert.rejects(two.call("net_version"), { code: -32601 });
    using client = await openTestSocket(two.server.wsUrl, { origin: "https://app.example" });
    assert.equal(typeof (await client.call("net_version")), "string");
    assert.deepEqual(Object.keys(Object(await client.call("rpc_modules"))), ["net", "rpc"]);
    await assert.rejects(client.call("eth_blockNumber"), { code: -32601 });
    const refused = openTestSocket(two.server.wsUrl, { origin: "https://wallet.example" });
    await assert.rejects(refused, /403/);
  });

  it("tells logs, and tells them again as removed when their block is undone", async () => {
    const { chain } = served.node;
    using client = await open();
    const create = testTransaction(chain, 0, 0, {
      to: undefined,
      data: LOGGER_CODE,
      gasLimit: 200_000n,
    });
    await mineTestBlock(chain, [create]);
    const receipt = await served.call("eth_getTransactionReceipt", create.hash);
    const contract = Object(receipt).contractAddress;
    await client.call("eth_subscribe", "logs", { address: contract });
    const parent = chain.head;
    const topic = new Uint8Array(32).fill(7);
    const log = testTransaction(chain, 0, 1, { to: contract, data: topic, gasLimit: 100_000n });
    const block = await mineTestBlock(chain, [log]);
    const told = resultOf(await client.next());
    assert.equal(told["removed"], false);
    assert.equal(told["transactionHash"], log.hash);
    assert.deepEqual(told["topics"], [`0x${"07".repeat(32)}`]);

    const rival = await buildTestBlock(chain, [], {
      parent,
      timestamp: parent.header.timestamp + 5n,
    });
    await chain.importBlock(rival.block, rival);
    const undone = resultOf(await client.next());
    assert.equal(undone["removed"], true);
    assert.equal(undone["blockHash"], block.hash);
    assert.equal(undone["logIndex"], told["logIndex"]);
  });

  it("goes back to a block when asked, so that no head and no log is missed", async () => {
    const { chain } = served.node;
    const create = testTransaction(chain, 0, 0, {
      to: undefined,
      data: LOGGER_CODE,
      gasLimit: 200_000n,
    });
    await mineTestBlock(chain, [create]);
    const receipt = await served.call("eth_getTransactionReceipt", create.hash);
    const to = Object(receipt).contractAddress;
    const log = testTransaction(chain, 0, 1, { to, data: new Uint8Array(32), gasLimit: 100_000n });
    await mineTestBlock(chain, [log]);
    using heads = await open();
    await heads.call("eth_subscribe", "newHeads", { fromBlock: "0x1" });
    using logs = await open();
    await logs.call("eth_subscribe", "logs", { fromBlock: "0x0" });
    await mineTestBlock(chain);
    for (const number of ["0x1", "0x2", "0x3"]) {
      assert.equal(resultOf(await heads.next())["number"], number);
    }
    assert.equal(resultOf(await logs.next())["transactionHash"], log.hash);
  });

  it("cuts off a client that does not read, with 1013 once it reads again", async () => {
    using client = await open();
    for (let i = 0; i < 100; i++)
      await client.call("eth_subscribe", "newPendingTransactions", true);
    client.socket.pause();
    const closed = once(client.socket, "close");
    const { chain, pool } = served.node;
    // 100 subscriptions, 128 KB of call data each time: more than the buffers of server and system
    for (let nonce = 0; nonce < 8; nonce++) {
      const data = new Uint8Array(100_000);
      const transaction = testTransaction(chain, 0, nonce, { data, gasLimit: 2_000_000n });
      await pool.add(transaction.raw, "local");
    }
    client.socket.resume();
    assert.equal((await closed)[0], 1013);
  }).timeout(10_000);

  it("serves a port of its own beside that of HTTP", async () => {
    await using two = await startTestServer({ ws: { port: 0 } });
    assert.notEqual(new URL(two.server.wsUrl).port, String(two.server.port));
    for (const url of [two.server.wsUrl, `ws://127.0.0.1:${two.server.port}`]) {
      using client = await openTestSocket(url);
      assert.equal(await client.call("eth_blockNumber"), "0x0");
    }
    const plain = await fetch(two.server.wsUrl.replace("ws:", "http:"));
    assert.equal(plain.status, 426);
  });

  it("tells pending transactions as hashes, or whole when asked", async () => {
    using short = await open();
    using full = await open();
    await short.call("eth_subscribe", "newPendingTransactions");
    await full.call("eth_subscribe", "newPendingTransactions", true);
    const transaction = testTransaction(served.node.chain, 0, 0);
    await served.node.pool.add(transaction.raw, "local");
    assert.equal(resultOf(await short.next()), transaction.hash);
    const told = resultOf(await full.next());
    assert.equal(told["hash"], transaction.hash);
    assert.equal(told["blockHash"], null);
  });

  it("tells at once that it is in step", async () => {
    using client = await open();
    await client.call("eth_subscribe", "syncing");
    assert.equal(resultOf(await client.next()), false);
  });

  it("ends a subscription", async () => {
    using client = await open();
    const id = await client.call("eth_subscribe", "newHeads");
    assert.equal(await client.call("eth_unsubscribe", id), true);
    assert.equal(await client.call("eth_unsubscribe", id), false);
    await mineTestBlock(served.node.chain);
    assert.equal(await client.call("eth_blockNumber"), "0x1");
  });

  it("ends nobody else's subscription", async () => {
    using owner = await open();
    using other = await open();
    const id = await owner.call("eth_subscribe", "newHeads");
    assert.equal(await other.call("eth_unsubscribe", id), false);
    await mineTestBlock(served.node.chain);
    assert.equal(resultOf(await owner.next())["number"], "0x1");
  });

  it("refuses kinds it does not know and more than 128 subscriptions", async () => {
    using client = await open();
    await assert.rejects(client.call("eth_subscribe", "weather"), {
      code: -32601,
      message: 'no "weather" subscription in eth namespace',
    });
    for (let i = 0; i < 128; i++) await client.call("eth_subscribe", "newHeads");
    await assert.rejects(client.call("eth_subscribe", "newHeads"), { code: -32000 });
  });

  it("says so over HTTP", async () => {
    await assert.rejects(served.call("eth_subscribe", "newHeads"), {
      code: -32601,
      message: "notifications not supported",
    });
  });

  it("goes away with 1001 when the server closes", async () => {
    using client = await open();
    const closed = once(client.socket, "close");
    await served.server.close();
    assert.equal((await closed)[0], 1001);
  });
});
