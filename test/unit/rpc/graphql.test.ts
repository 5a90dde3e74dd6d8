import assert from "node:assert/strict";
import { buildSchema, getIntrospectionQuery, printSchema } from "graphql";
import { SCHEMA } from "../../../rpc/graphql/schema.ts";
import { mineTestBlock, TEST_ADDRESSES, testTransaction } from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startFixtureNode } from "../../support/rpcNode.ts";

type Json = Record<string, unknown>;

async function query(served: TestServer, text: string, variables?: object) {
  const response = await fetch(`${served.server.httpUrl}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: text, variables }),
  });
  const { data, errors } = Object(await response.json());
  return { status: response.status, data: Object(data), errors: Object(errors) };
}

describe("GraphQL", () => {
  let served: TestServer;
  before(async () => {
    served = await startTestServer({ graphql: true }, await startFixtureNode());
  });
  after(() => served[Symbol.asyncDispose]());
  const ask = (text: string, variables?: object) => query(served, text, variables);
  const rpc = async (method: string, ...params: unknown[]) =>
    Object(await served.call(method, ...params));

  it("gives blocks as JSON-RPC gives them, old and new", async () => {
    for (const number of ["0x0", "0x1", "0x27", "0x36"]) {
      const fields =
        "number hash nonce transactionsRoot stateRoot receiptsRoot extraData gasLimit gasUsed baseFeePerGas timestamp logsBloom mixHash difficulty withdrawalsRoot blobGasUsed excessBlobGas";
      const { status, data } = await ask(
        `{ block(number: ${Number(number)}) { ${fields} transactionCount parent { hash } miner { address } ommerCount ommerHash raw rawHeader transactions { hash } withdrawals { index validator address amount } } }`,
      );
      assert.equal(status, 200);
      const block: Json = await rpc("eth_getBlockByNumber", number, false);
      for (const field of fields.split(" "))
        assert.equal(data.block[field], block[field] ?? null, field);
      const hashes = block["transactions"];
      assert.deepEqual(
        data.block.transactions.map(({ hash }: Json) => hash),
        hashes,
      );
      assert.equal(Number(data.block.transactionCount), Object(hashes).length);
      assert.equal(data.block.miner.address, block["miner"]);
      assert.equal(data.block.ommerHash, block["sha3Uncles"]);
      assert.equal(data.block.parent?.hash ?? null, number === "0x0" ? null : block["parentHash"]);
      assert.equal(data.block.raw, await served.call("debug_getRawBlock", number));
      assert.equal(data.block.rawHeader, await served.call("debug_getRawHeader", number));
      assert.equal(
        data.block.withdrawals?.length ?? -1,
        Object(block)["withdrawals"]?.length ?? -1,
      );
    }
  });

  const orNull = (value: unknown) => value ?? null;
  /** A transaction of GraphQL beside transaction and receipt of JSON-RPC. */
  async function compare(shown: Json): Promise<void> {
    const json: Json = await rpc("eth_getTransactionByHash", shown["hash"]);
    const receipt: Json = await rpc("eth_getTransactionReceipt", shown["hash"]);
    const same = (keys: string, source: Json) => {
      for (const key of keys.split(" ")) assert.equal(shown[key], orNull(source[key]), key);
    };
    same("nonce value gasPrice gas r s v type", json);
    same("maxFeePerGas maxPriorityFeePerGas maxFeePerBlobGas yParity", json);
    same("status gasUsed cumulativeGasUsed effectiveGasPrice blobGasUsed blobGasPrice", receipt);
    const addresses = ["from", "to", "createdContract"].map((key) => Object(shown[key]).address);
    assert.deepEqual(addresses.map(orNull), [json["from"], json["to"], receipt["contractAddress"]]);
    assert.deepEqual(
      Object(shown["logs"]).map((log: Json) => [log["index"], log["data"], log["topics"]]),
      Object(receipt["logs"]).map((log: Json) => [log["logIndex"], log["data"], log["topics"]]),
    );
    const raws = Object(await served.call("debug_getRawReceipts", json["blockNumber"]));
    assert.equal(shown["rawReceipt"], raws[Number(json["transactionIndex"])]);
  }

  it("gives transactions of every type with what their receipts say", async () => {
    const { data } = await ask(
      "{ blocks(from: 40, to: 54) { hash transactions { hash nonce index value gasPrice maxFeePerGas maxPriorityFeePerGas maxFeePerBlobGas effectiveTip gas inputData status gasUsed cumulativeGasUsed effectiveGasPrice blobGasUsed blobGasPrice r s v yParity type raw rawReceipt blobVersionedHashes accessList { address storageKeys } from { address } to { address } createdContract { address } block { number } logs { index data topics account { address } transaction { hash } } } } }",
    );
    const transactions: Json[] = data.blocks.flatMap((block: Json) => block["transactions"]);
    assert.ok(transactions.length > 20);
    const types = new Set(transactions.map(({ type }) => type));
    for (const shown of transactions) await compare(shown);
    assert.ok(types.size >= 4, `types seen: ${[...types].join()}`);
  }).timeout(30_000);

  it("reads accounts at the block it stands at", async () => {
    const address = (await rpc("eth_getBlockByNumber", "0x36", true)).transactions[0].from;
    const { data } = await ask(
      `query ($a: Address!) { old: block(number: 1) { account(address: $a) { balance } } head: block { account(address: $a) { balance transactionCount code storage(slot: "0x${"00".repeat(32)}") } } }`,
      { a: address },
    );
    assert.equal(data.old.account.balance, await served.call("eth_getBalance", address, "0x1"));
    assert.equal(data.head.account.balance, await served.call("eth_getBalance", address, "latest"));
    assert.equal(data.head.account.storage, `0x${"00".repeat(32)}`);
  });

  it("finds logs of a block and of a range", async () => {
    const { data } = await ask(
      "{ all: logs(filter: {fromBlock: 3, toBlock: 54}) { index data } one: block(number: 40) { logs(filter: {}) { index data account { address } } } }",
    );
    const found = Object(await served.call("eth_getLogs", { fromBlock: "0x3", toBlock: "0x36" }));
    assert.equal(data.all.length, found.length);
    const one = Object(await served.call("eth_getLogs", { fromBlock: "0x28", toBlock: "0x28" }));
    assert.deepEqual(
      data.one.logs.map((log: Json) => log["data"]),
      one.map((log: Json) => log["data"]),
    );
  });

  it("takes numbers as number, decimal and hex, and answers about the node", async () => {
    const { data } = await ask(
      '{ a: block(number: 54) { hash } b: block(number: "54") { hash } c: block(number: "0x36") { hash } chainID gasPrice maxPriorityFeePerGas syncing { currentBlock } none: block(number: 55) { hash } }',
    );
    assert.equal(data.a.hash, data.b.hash);
    assert.equal(data.a.hash, data.c.hash);
    assert.equal(data.chainID, await served.call("eth_chainId"));
    assert.equal(data.syncing, null);
    assert.equal(data.none, null);
  });

  it("answers failures with 400, code and place", async () => {
    const bad: readonly (readonly [string, RegExp])[] = [
      ["{ nothing }", /Cannot query field/],
      ["{", /Syntax Error/],
      ['{ block(number: 1, hash: "0x00") { hash } }', /only one of number or hash/],
      ['{ block(number: "x") { hash } }', /expected a number/],
      ["{ blocks(from: 5, to: 1) { hash } }", /invalid block range/],
      ['{ transaction(hash: "0x12") { hash } }', /hash/],
      ['mutation { sendRawTransaction(data: "0x12") }', /cannot decode|not supported/],
    ];
    for (const [text, message] of bad) {
      const { status, errors } = await ask(text);
      assert.equal(status, 400, text);
      assert.match(String(errors[0].message), message);
    }
    const { errors } = await ask('mutation { sendRawTransaction(data: "0x") }');
    assert.deepEqual(errors[0].path, ["sendRawTransaction"]);
    assert.equal(typeof errors[0].extensions.code, "number");
    for (const body of ["[]", "null", '{"query":1}', '"x"']) {
      const response = await fetch(`${served.server.httpUrl}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      assert.equal(response.status, 400, body);
    }
  });

  it("refuses queries that are too deep, too wide or too dear", async () => {
    const deep = `{ block { ${"parent { ".repeat(12)}hash${" }".repeat(12)} } }`;
    const wide = `{ ${Array.from({ length: 600 }, (_, i) => `a${i}: block { hash }`).join(" ")} }`;
    const bomb =
      "query { block { ...a } } fragment a on Block { x: parent { ...b } y: parent { ...b } } fragment b on Block { x: parent { ...c } y: parent { ...c } } fragment c on Block { hash number }";
    const dear =
      "{ blocks(from: 0, to: 54) { call(data: {}) { gasUsed } a: estimateGas(data: {}) b: estimateGas(data: {}) c: estimateGas(data: {}) d: estimateGas(data: {}) e: estimateGas(data: {}) f: estimateGas(data: {}) g: estimateGas(data: {}) h: estimateGas(data: {}) i: estimateGas(data: {}) j: estimateGas(data: {}) } }";
    for (const [text, message] of [
      [deep, /deeper than/],
      [wide, /more than 1000 fields/],
      [dear, /too costly/],
      ["{ blocks(from: 0, to: 54) { number } }", /^$/],
      [bomb, /^$/],
    ] as const) {
      const { errors } = await ask(text);
      const found = (Array.isArray(errors) ? errors : []).map((error: Json) =>
        String(error["message"]),
      );
      assert.ok(
        message.source === "^$" ? found.length === 0 : found.some((one) => message.test(one)),
        `${text.slice(0, 60)}: ${found.slice(0, 2).join()}`,
      );
    }
    const cycle = "{ block { ...a } } fragment a on Block { parent { ...a } }";
    assert.match(String((await ask(cycle)).errors[0].message), /itself/);
    const tokens = `{ ${"chainID ".repeat(6_000)} }`;
    assert.match(String((await ask(tokens)).errors[0].message), /token/i);
  }).timeout(30_000);

  it("describes itself", async () => {
    const { status, data } = await ask(getIntrospectionQuery());
    assert.equal(status, 200);
    assert.equal(data.__schema.queryType.name, "Query");
    assert.match(printSchema(buildSchema(SCHEMA)), /type Pending/);
  });

  it("is served only where it is asked for, and to POST alone", async () => {
    assert.equal((await fetch(`${served.server.httpUrl}/graphql`)).status, 405);
    await using closed = await startTestServer();
    const response = await fetch(`${closed.server.httpUrl}/graphql`, { method: "POST" });
    assert.equal(response.status, 404);
  });
});

describe("GraphQL on what is pending", () => {
  it("sends, calls, estimates and shows the pool", async () => {
    await using served = await startTestServer({ graphql: true });
    const { chain } = served.node;
    await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
    const next = testTransaction(chain, 0, 1);
    const raw = `0x${Buffer.from(next.raw).toString("hex")}`;
    const sent = await query(served, "mutation ($d: Bytes!) { sendRawTransaction(data: $d) }", {
      d: raw,
    });
    assert.equal(sent.data.sendRawTransaction, next.hash);
    const [from, to] = TEST_ADDRESSES;
    const { data } = await query(
      served,
      `query ($from: Address!, $to: Address!) {
        transaction(hash: "${next.hash}") { hash block { hash } status index raw rawReceipt }
        pending { transactionCount transactions { hash } account(address: $from) { transactionCount }
          estimateGas(data: {from: $from, to: $to, value: 1}) }
        block { call(data: {from: $from, to: $to}) { data gasUsed status } }
      }`,
      { from, to },
    );
    assert.deepEqual(data.transaction, {
      hash: next.hash,
      block: null,
      status: null,
      index: null,
      raw,
      rawReceipt: "0x",
    });
    assert.equal(data.pending.transactionCount, "0x1");
    assert.deepEqual(data.pending.transactions, [{ hash: next.hash }]);
    assert.equal(data.pending.account.transactionCount, "0x2");
    assert.equal(data.pending.estimateGas, "0x5208");
    assert.deepEqual(data.block.call, { data: "0x", gasUsed: "0x5208", status: "0x1" });
  });

  it("counts against the rate of its caller", async () => {
    await using served = await startTestServer({ graphql: true, unitsPerSecond: 10 });
    const many = `{ ${Array.from({ length: 150 }, (_, i) => `a${i}: chainID`).join(" ")} }`;
    const { status, errors } = await query(served, many);
    assert.equal(status, 400);
    assert.equal(errors[0].extensions.code, -32005);
  });
});
