/** The rules of JSON-RPC by their numbers: 29 to 35, configuration, subscriptions, filters, traces and GraphQL. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { ManualClock } from "../../../src/runtime/clock.ts";
import {
  buildTestBlock,
  fixturePath,
  LOGGER_CODE,
  mineTestBlock,
  plainGenesis,
  TEST_ADDRESSES,
  testTransaction,
} from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { asArray, asObject, hex, type JsonObject, refused } from "../../support/rpcChecks.ts";
import { openTestSocket, startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startFixtureNode, startTestNode } from "../../support/rpcNode.ts";

const [alice = ""] = TEST_ADDRESSES;
const target = `0x${"7a".repeat(20)}`;
const UNKNOWN = `0x${"11".repeat(32)}`;
const word = (value: number) => `0x${value.toString(16).padStart(64, "0")}`;

describe("rules of JSON-RPC 29 to 31 on a chain of all forks", () => {
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

  it("29. tells forks with numbers, identifiers and the names of what they hold", async () => {
    const config = asObject(await served.call("eth_config"));
    assert.deepEqual(Object.keys(config).sort(), ["current", "last", "next"]);
    const current = asObject(config["current"]);
    assert.equal(current["activationTime"], 540);
    assert.equal(current["forkId"], "0xe272ecbe");
    for (const value of Object.values(asObject(current["blobSchedule"])))
      assert.equal(typeof value, "number");
    const precompiles = asObject(current["precompiles"]);
    for (const name of ["ECREC", "SHA256", "P256VERIFY"])
      assert.match(String(precompiles[name]), /^0x[0-9a-f]{40}$/, name);
    const contracts = Object.keys(asObject(current["systemContracts"])).sort();
    assert.deepEqual(contracts, [
      "BEACON_ROOTS_ADDRESS",
      "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS",
      "DEPOSIT_CONTRACT_ADDRESS",
      "HISTORY_STORAGE_ADDRESS",
      "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS",
    ]);
  });

  it("30. tells what is kept, with the head's number and hash", async () => {
    const capabilities = asObject(await served.call("eth_capabilities"));
    const keys = ["blocks", "head", "logs", "receipts", "state", "stateproofs", "tx"];
    assert.deepEqual(Object.keys(capabilities).sort(), keys);
    assert.deepEqual(Object.keys(asObject(capabilities["head"])).sort(), ["hash", "number"]);
    assert.equal(asObject(capabilities["state"])["disabled"], false);
  });

  it("31. reads slots of many accounts at once, within a limit", async () => {
    const read = (request: object) => served.call("eth_getStorageValues", request, "latest");
    await refused(read({}), -32602, "empty request");
    const slots = Array.from({ length: 1_025 }, (_, index) => hex(index));
    await refused(read({ [alice]: slots }), -38026);
    const values = asObject(await read({ [target]: ["0x0", "0x1"] }));
    assert.deepEqual(values[target], [word(0), word(0)]);
  });
});

describe("rules of JSON-RPC 32 and 33, subscriptions and filters", () => {
  let served: TestServer;
  beforeEach(async () => {
    served = await startTestServer();
  });
  afterEach(() => served[Symbol.asyncDispose]());

  it("32. tells each kind after its reply, undone logs again, from an earlier block when asked", async () => {
    const { chain } = served.node;
    using client = await openTestSocket(served.server.wsUrl);
    const subscription = String(await client.call("eth_subscribe", "newHeads"));
    const first = await mineTestBlock(chain);
    const message = await client.next();
    assert.deepEqual(Object.keys(message).sort(), ["jsonrpc", "method", "params"]);
    assert.equal(message["method"], "eth_subscription");
    const params = asObject(message["params"]);
    assert.equal(params["subscription"], subscription);
    assert.equal(asObject(params["result"])["hash"], first.hash);
    await client.call("eth_unsubscribe", subscription);
    const create = { to: undefined, data: LOGGER_CODE, gasLimit: 200_000n, value: 0n };
    await mineTestBlock(chain, [testTransaction(chain, 0, 0, create)]);
    const parent = chain.head;
    const { contractAddress } = await createdBy(served);
    await client.call("eth_subscribe", "logs", { address: contractAddress });
    const call = { to: contractAddress as never, gasLimit: 200_000n, value: 0n };
    const logging = await mineTestBlock(chain, [testTransaction(chain, 0, 1, call)]);
    const resultOf = (sent: JsonObject) => asObject(asObject(sent["params"])["result"]);
    const told = resultOf(await client.next());
    assert.deepEqual([told["blockHash"], told["removed"]], [logging.hash, false]);
    const rival = await buildTestBlock(chain, [], {
      parent,
      timestamp: parent.header.timestamp + 5n,
    });
    await chain.importBlock(rival.block, rival);
    const removed = resultOf(await client.next());
    assert.deepEqual([removed["blockHash"], removed["removed"]], [logging.hash, true]);
    using late = await openTestSocket(served.server.wsUrl);
    await late.call("eth_subscribe", "newHeads", { fromBlock: "0x1" });
    for (const number of ["0x1", "0x2", "0x3"])
      assert.equal(resultOf(await late.next())["number"], number);
  });

  it("32. refuses kinds it does not know, callers over HTTP, and too many receipts", async () => {
    using client = await openTestSocket(served.server.wsUrl);
    await refused(
      client.call("eth_subscribe", "weather"),
      -32601,
      'no "weather" subscription in eth namespace',
    );
    await refused(served.call("eth_subscribe", "newHeads"), -32601, "notifications not supported");
    for (const kind of ["newPendingTransactions", "transactionReceipts", "syncing"])
      assert.match(String(await client.call("eth_subscribe", kind)), /^0x/);
    const transactionHashes = Array(201).fill(UNKNOWN);
    using other = await openTestSocket(served.server.wsUrl);
    await refused(
      other.call("eth_subscribe", "transactionReceipts", { transactionHashes }),
      -32602,
    );
  });

  it("33. gives filters ids, what is new since, and forgets them five minutes after a poll", async () => {
    const clock = new ManualClock(1_000_000);
    const node = await startTestNode(plainGenesis());
    await using served = await startTestServer({}, { ...node, clock });
    const id = await served.call("eth_newBlockFilter");
    assert.match(String(id), /^0x(0|[1-9a-f][0-9a-f]*)$/);
    assert.deepEqual(await served.call("eth_getFilterChanges", id), []);
    const { hash } = await mineTestBlock(served.node.chain);
    assert.deepEqual(await served.call("eth_getFilterChanges", id), [hash]);
    await clock.advance(299_000);
    assert.deepEqual(await served.call("eth_getFilterChanges", id), []);
    await clock.advance(301_000);
    await refused(served.call("eth_getFilterChanges", id), -32000, "filter not found");
    const other = await served.call("eth_newPendingTransactionFilter");
    assert.equal(await served.call("eth_uninstallFilter", other), true);
    assert.equal(await served.call("eth_uninstallFilter", other), false);
    await refused(served.call("eth_getFilterChanges", id), -32000, "filter not found");
    await refused(served.call("eth_newFilter", { fromBlock: "0x2", toBlock: "0x1" }), -32602);
  });
});

/** Receipt of the first transaction of the head. */
async function createdBy({ node, call }: TestServer): Promise<JsonObject> {
  const [receipt] = asArray(await call("eth_getBlockReceipts", node.chain.head.hash));
  return asObject(receipt);
}

describe("rule of JSON-RPC 34, traces", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
  });
  after(() => dev[Symbol.asyncDispose]());

  // stores 7 at slot 1, loads slot 2, writes a word to memory, returns it
  const code = "0x60076001556002545060aa5f5260205ff3";
  const traced = async (config: object): Promise<JsonObject> => {
    await dev.call("hardhat_setCode", target, code);
    const hash = await dev.call("eth_sendTransaction", {
      from: alice,
      to: target,
      input: "0x11223344",
    });
    return asObject(await dev.call("debug_traceTransaction", hash, config));
  };

  it("34. writes steps with numbers, minimal stacks, whole words and storage where it is touched", async () => {
    const trace = await traced({ enableMemory: true });
    assert.equal(trace["returnValue"], word(0xaa));
    const steps = asArray(trace["structLogs"]).map(asObject);
    for (const step of steps) {
      for (const field of ["gas", "gasCost", "pc", "depth"])
        assert.equal(typeof step[field], "number");
      assert.equal("error" in step, false);
    }
    const of = (op: string) => steps.find((step) => step["op"] === op) ?? {};
    assert.deepEqual(of("SSTORE")["stack"], ["0x7", "0x1"]);
    assert.deepEqual(of("SSTORE")["storage"], bare({ 1: 7 }));
    assert.deepEqual(of("SLOAD")["storage"], bare({ 1: 7, 2: 0 }));
    assert.equal("storage" in of("MSTORE"), false);
    assert.deepEqual(of("RETURN")["memory"], [word(0xaa)]);
  });

  it("34. has the tracers that explorers and tools use", async () => {
    const call = await traced({ tracer: "callTracer" });
    assert.deepEqual([call["type"], call["from"], call["to"]], ["CALL", alice, target]);
    const diff = await traced({ tracer: "prestateTracer", tracerConfig: { diffMode: true } });
    assert.deepEqual(Object.keys(diff).sort(), ["post", "pre"]);
    assert.deepEqual(await traced({ tracer: "4byteTracer" }), { "0x11223344-0": 1 });
    assert.deepEqual(await traced({ tracer: "noopTracer" }), {});
    const mux = await traced({
      tracer: "muxTracer",
      tracerConfig: { noopTracer: {}, callTracer: {} },
    });
    assert.deepEqual(Object.keys(mux).sort(), ["callTracer", "noopTracer"]);
  });
});

/** Slots as a step shows them. */
function bare(slots: Readonly<Record<number, number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(slots).map(([slot, value]) => [word(Number(slot)), word(value)]),
  );
}

describe("rule of JSON-RPC 35, GraphQL", () => {
  it("35. answers at /graphql of the same port, errors with 400, numbers as hex text", async () => {
    await using served = await startTestServer({ graphql: true });
    const ask = async (query: string) => {
      const response = await fetch(`${served.server.httpUrl}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query }),
      });
      return { status: response.status, body: asObject(await response.json()) };
    };
    const good = await ask("{ block(number: 0) { number gasLimit } }");
    assert.equal(good.status, 200);
    assert.deepEqual(good.body["data"], { block: { number: "0x0", gasLimit: "0x1c9c380" } });
    const bad = await ask("{ nothing }");
    assert.equal(bad.status, 400);
    assert.ok(asArray(bad.body["errors"]).length > 0);
  });
});
