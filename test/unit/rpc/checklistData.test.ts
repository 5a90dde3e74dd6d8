/** The rules of JSON-RPC by their numbers: 9 to 15, blocks, transactions, receipts and logs. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fixturePath, mineTestBlock, TEST_ADDRESSES } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { asArray, asObject, hex, type JsonObject, refused } from "../../support/rpcChecks.ts";
import { openTestSocket, startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startFixtureNode } from "../../support/rpcNode.ts";

const [alice = "", bob = ""] = TEST_ADDRESSES;
const UNKNOWN = `0x${"11".repeat(32)}`;
const LOGGER = `0x${"1a".repeat(20)}`;
/** Logs once with topic 0xaa and once with topics 0xbb and 0xcc. */
const TWO_LOGS = "0x60aa5f5fa160cc60bb5f5fa200";
const GWEI = 1_000_000_000n;
const word = (value: number) => `0x${value.toString(16).padStart(64, "0")}`;

describe("rules of JSON-RPC 9 to 15, blocks, transactions, receipts and logs", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
    await dev.call("hardhat_setCode", LOGGER, TWO_LOGS);
    await dev.call("evm_mine");
  });
  after(() => dev[Symbol.asyncDispose]());
  const object = async (method: string, ...params: unknown[]): Promise<JsonObject> =>
    asObject(await dev.call(method, ...params));
  const send = (fields: object) => dev.call("eth_sendTransaction", { from: alice, ...fields });

  it("9. has null for what is not there, and errors for states and traces of it", async () => {
    const nothing: [string, unknown[]][] = [
      ["eth_getBlockByHash", [UNKNOWN, false]],
      ["eth_getBlockByNumber", ["0x999", false]],
      ["eth_getTransactionByHash", [UNKNOWN]],
      ["eth_getTransactionByBlockNumberAndIndex", ["0x0", "0x0"]],
      ["eth_getTransactionReceipt", [UNKNOWN]],
      ["eth_getBlockReceipts", [UNKNOWN]],
      ["eth_getBlockReceipts", ["0x999"]],
      ["eth_getBlockTransactionCountByHash", [UNKNOWN]],
      ["eth_getUncleByBlockHashAndIndex", [UNKNOWN, "0x0"]],
    ];
    for (const [method, params] of nothing)
      assert.equal(await dev.call(method, ...params), null, method);
    await refused(dev.call("eth_getBalance", alice, "0x999"), -32000, "header not found");
    await refused(dev.call("eth_getCode", alice, UNKNOWN), -32000, "header not found");
    await refused(dev.call("eth_call", { to: bob }, "0x999"), -32000, "header not found");
    await refused(dev.call("debug_traceTransaction", UNKNOWN), -32000);
    await refused(dev.call("debug_traceBlockByNumber", "0x999"), -32000);
    await refused(dev.call("debug_traceBlockByNumber", "0x0"), -32000, "genesis is not traceable");
    await refused(dev.call("eth_getLogs", { blockHash: UNKNOWN }), -32000, "unknown block");
  });

  it("10. takes blocks by tag, number, hash and object, the latest when none is named", async () => {
    const { hash, number } = await object("eth_getBlockByNumber", "latest", false);
    const named = [
      "latest",
      number,
      hash,
      { blockNumber: number },
      { blockHash: hash },
      { blockHash: hash, requireCanonical: true },
    ];
    const reads: [string, unknown[]][] = [
      ["eth_getBalance", [alice]],
      ["eth_getTransactionCount", [alice]],
      ["eth_getCode", [LOGGER]],
      ["eth_getStorageAt", [LOGGER, "0x0"]],
      ["eth_getProof", [LOGGER, []]],
      ["eth_call", [{ to: bob }]],
      ["eth_estimateGas", [{ from: alice, to: bob }]],
      ["eth_createAccessList", [{ from: alice, to: bob }]],
    ];
    for (const [method, params] of reads) {
      const byDefault = await dev.call(method, ...params);
      for (const block of named)
        assert.deepEqual(await dev.call(method, ...params, block), byDefault, method);
    }
    await refused(
      dev.call("eth_getBalance", alice, { blockNumber: number, blockHash: hash }),
      -32602,
    );
    await refused(dev.call("eth_getBalance", alice, "newest"), -32602);
  });

  it("11. shows what waits as pending, and genesis as safe and finalized at first", async () => {
    const genesis = await object("eth_getBlockByNumber", "0x0", false);
    for (const tag of ["earliest", "safe", "finalized"])
      assert.equal(
        (await object("eth_getBlockByNumber", tag, false))["hash"],
        genesis["hash"],
        tag,
      );
    await dev.call("evm_setAutomine", false);
    const mined = Number(await dev.call("eth_getTransactionCount", alice));
    const hash = await send({ to: bob, value: "0x1" });
    assert.equal(await dev.call("eth_getTransactionCount", alice), hex(mined));
    assert.equal(await dev.call("eth_getTransactionCount", alice, "pending"), hex(mined + 1));
    const pending = await object("eth_getBlockByNumber", "pending", false);
    assert.deepEqual([pending["hash"], pending["nonce"], pending["miner"]], [null, null, null]);
    assert.deepEqual(pending["transactions"], [hash]);
    await dev.call("evm_setAutomine", true);
    await dev.call("evm_mine");
  });

  it("12. gives blocks the fields of their fork, and heads to subscribers less", async () => {
    const block = await object("eth_getBlockByNumber", "latest", false);
    const fields =
      "baseFeePerGas blobGasUsed difficulty excessBlobGas extraData gasLimit gasUsed hash logsBloom miner mixHash nonce number parentBeaconBlockRoot parentHash receiptsRoot requestsHash sha3Uncles size stateRoot timestamp transactions transactionsRoot uncles withdrawals withdrawalsRoot";
    assert.deepEqual(Object.keys(block).sort().join(" "), fields);
    assert.deepEqual(block["uncles"], []);
    const raw = String(await dev.call("debug_getRawBlock", "latest"));
    assert.equal(Number(block["size"]), (raw.length - 2) / 2);
    using client = await openTestSocket(dev.wsUrl);
    await client.call("eth_subscribe", "newHeads");
    await dev.call("evm_mine");
    const head = asObject(asObject((await client.next())["params"])["result"]);
    const left = ["size", "transactions", "uncles", "withdrawals"];
    const expected = fields.split(" ").filter((field) => !left.includes(field));
    assert.deepEqual(Object.keys(head).sort(), expected);
  });

  it("13. gives transactions the fields of their type, mined and waiting", async () => {
    const common =
      "blockHash blockNumber blockTimestamp from gas gasPrice hash input nonce r s to transactionIndex type v value";
    const more = {
      "0x0": "chainId",
      "0x1": "accessList chainId yParity",
      "0x2": "accessList chainId maxFeePerGas maxPriorityFeePerGas yParity",
    };
    const price = hex(10n * GWEI);
    const requests = {
      "0x0": { gasPrice: price },
      "0x1": { gasPrice: price, accessList: [] },
      "0x2": {},
    };
    for (const [type, request] of Object.entries(requests)) {
      const sent = await object("eth_getTransactionByHash", await send({ to: bob, ...request }));
      assert.equal(sent["type"], type);
      const fields = `${common} ${more[type as keyof typeof more]}`.split(" ").sort();
      assert.deepEqual(Object.keys(sent).sort(), fields, type);
      if (type !== "0x0") assert.deepEqual(sent["accessList"], []);
      const { timestamp } = await object("eth_getBlockByHash", sent["blockHash"], false);
      assert.equal(sent["blockTimestamp"], timestamp);
    }
    const creation = await object("eth_getTransactionByHash", await send({ data: "0x00" }));
    assert.equal(creation["to"], null);
    const fees = { maxFeePerGas: hex(100n * GWEI), maxPriorityFeePerGas: hex(GWEI) };
    await dev.call("evm_setAutomine", false);
    const hash = await send({ to: bob, ...fees });
    const waiting = await object("eth_getTransactionByHash", hash);
    for (const field of ["blockHash", "blockNumber", "blockTimestamp", "transactionIndex"])
      assert.equal(waiting[field], null, field);
    assert.equal(waiting["gasPrice"], fees.maxFeePerGas);
    await dev.call("evm_mine");
    const mined = await object("eth_getTransactionByHash", hash);
    const { baseFeePerGas } = await object("eth_getBlockByHash", mined["blockHash"], false);
    assert.equal(mined["gasPrice"], hex(BigInt(String(baseFeePerGas)) + GWEI));
    await dev.call("evm_setAutomine", true);
  });

  it("14. gives receipts what libraries read, logs counted over the block", async () => {
    await dev.call("evm_setAutomine", false);
    const hashes = [
      await send({ to: LOGGER, gas: "0x186a0" }),
      await send({ to: LOGGER, gas: "0x186a0" }),
    ];
    await dev.call("evm_mine");
    await dev.call("evm_setAutomine", true);
    const block = await object("eth_getBlockByNumber", "latest", false);
    const logs: JsonObject[] = [];
    let used = 0n;
    for (const hash of hashes) {
      const receipt = await object("eth_getTransactionReceipt", hash);
      const fields =
        "blockHash blockNumber contractAddress cumulativeGasUsed effectiveGasPrice from gasUsed logs logsBloom status to transactionHash transactionIndex type";
      assert.equal(Object.keys(receipt).sort().join(" "), fields);
      assert.deepEqual([receipt["contractAddress"], receipt["status"]], [null, "0x1"]);
      used += BigInt(String(receipt["gasUsed"]));
      assert.equal(receipt["cumulativeGasUsed"], hex(used));
      logs.push(...asArray(receipt["logs"]).map(asObject));
    }
    assert.deepEqual(
      logs.map(({ logIndex }) => logIndex),
      ["0x0", "0x1", "0x2", "0x3"],
    );
    for (const log of logs) {
      assert.deepEqual([log["removed"], log["blockTimestamp"]], [false, block["timestamp"]]);
    }
    assert.ok(!/^0x0+$/.test(String(block["logsBloom"])));
    const created = await object("eth_getTransactionReceipt", await send({ data: "0x00" }));
    assert.match(String(created["contractAddress"]), /^0x[0-9a-f]{40}$/);
  });

  it("15. searches logs by address and topics, and refuses what cannot be searched", async () => {
    const { blockHash } = await object("eth_getTransactionReceipt", await send({ to: LOGGER }));
    const found = async (filter: object) =>
      asArray(await dev.call("eth_getLogs", { blockHash, ...filter })).length;
    assert.equal(await found({}), 2);
    for (const address of [LOGGER, [LOGGER], [LOGGER, bob], null])
      assert.equal(await found({ address }), 2);
    assert.equal(await found({ address: bob }), 0);
    for (const topics of [null, [], [null], [[]], [[word(0xaa), word(0xbb)]]])
      assert.equal(await found({ topics }), 2, JSON.stringify(topics));
    assert.equal(await found({ topics: [word(0xaa)] }), 1);
    assert.equal(await found({ topics: [null, word(0xcc)] }), 1);
    assert.equal(await found({ topics: [null, null, null] }), 0);
    const range = (fromBlock: string, toBlock: string, more: object = {}) =>
      dev.call("eth_getLogs", { fromBlock, toBlock, ...more });
    await refused(dev.call("eth_getLogs", { blockHash, fromBlock: "0x0" }), -32602);
    await refused(range("0x2", "0x1"), -32602, "invalid block range params");
    await refused(range("0x0", "0x999"), -32602, "block range extends beyond current head block");
    await refused(range("pending", "pending"), -32602);
    await refused(range("0x0", "latest", { topics: Array(5).fill(null) }), -32602);
    await refused(range("0x0", "latest", { address: Array(1_001).fill(bob) }), -32602);
    await refused(range("0x0", "latest", { topics: [Array(1_001).fill(word(1))] }), -32602);
    await using narrow = await startTestServer({ logRange: 2n });
    for (let count = 0; count < 3; count++) await mineTestBlock(narrow.node.chain);
    const query = { fromBlock: "0x0", toBlock: "0x3" };
    const limited = await refused(narrow.call("eth_getLogs", query), -32602);
    assert.deepEqual(limited["data"], { maxRange: "0x2", suggestedTo: "0x1" });
  });
});

describe("rules of JSON-RPC 11 to 14 on a chain of all forks", () => {
  if (!existsSync(fixturePath("rpc-compat"))) {
    it.skip("skipped: fixtures not found");
    return;
  }
  let served: TestServer;
  before(async function () {
    this.timeout(60_000);
    served = await startTestServer({}, await startFixtureNode());
  });
  after(() => served[Symbol.asyncDispose]());
  const blockAt = async (number: number) =>
    asObject(await served.call("eth_getBlockByNumber", hex(number), true));

  it("11. takes the last block imported for safe and finalized", async () => {
    for (const tag of ["safe", "finalized"])
      assert.equal(
        asObject(await served.call("eth_getBlockByNumber", tag, false))["number"],
        "0x36",
      );
  });

  it("12. adds each field with its fork", async () => {
    const since: readonly [string, number][] = [
      ["baseFeePerGas", 27],
      ["withdrawals", 39],
      ["withdrawalsRoot", 39],
      ["blobGasUsed", 42],
      ["excessBlobGas", 42],
      ["parentBeaconBlockRoot", 42],
      ["requestsHash", 45],
    ];
    for (let number = 0; number <= 54; number++) {
      const block = await blockAt(number);
      assert.equal("totalDifficulty" in block, false);
      for (const [field, first] of since)
        assert.equal(field in block, number >= first, `${field} of ${number}`);
    }
  });

  it("13. and 14. keep signatures, statuses and blobs to the types and times that have them", async () => {
    const seen = new Set<unknown>();
    for (let number = 1; number <= 54; number++) {
      const block = await blockAt(number);
      const receipts = asArray(await served.call("eth_getBlockReceipts", hex(number))).map(
        asObject,
      );
      for (const [index, transaction] of asArray(block["transactions"]).map(asObject).entries()) {
        const { type } = transaction;
        const receipt = receipts[index] ?? {};
        seen.add(type);
        const isLegacy = type === "0x0";
        const isProtected = Number(transaction["v"]) > 28;
        assert.equal("chainId" in transaction, !isLegacy || isProtected);
        assert.equal("yParity" in transaction, !isLegacy);
        assert.equal("accessList" in transaction, !isLegacy);
        assert.equal("blobVersionedHashes" in transaction, type === "0x3");
        assert.equal("maxFeePerBlobGas" in transaction, type === "0x3");
        assert.equal("authorizationList" in transaction, type === "0x4");
        assert.equal(receipt["effectiveGasPrice"], transaction["gasPrice"]);
        assert.equal("root" in receipt, number < 9);
        assert.equal("status" in receipt, number >= 9);
        assert.equal("blobGasPrice" in receipt, type === "0x3");
        assert.equal("blobGasUsed" in receipt, type === "0x3");
        if (type === "0x4") {
          const [item] = asArray(transaction["authorizationList"]).map(asObject);
          const fields = ["address", "chainId", "nonce", "r", "s", "yParity"];
          assert.deepEqual(Object.keys(item ?? {}).sort(), fields);
        }
      }
    }
    assert.deepEqual([...seen].sort(), ["0x0", "0x1", "0x2", "0x3", "0x4"]);
  }).timeout(20_000);
});
