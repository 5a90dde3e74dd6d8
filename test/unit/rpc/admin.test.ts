import assert from "node:assert/strict";
import { plainGenesis, TEST_ADDRESSES, testTransaction } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { asObject, hex, refused } from "../../support/rpcChecks.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startTestNode } from "../../support/rpcNode.ts";

const [alice = "", bob = ""] = TEST_ADDRESSES;
const GWEI = 1_000_000_000n;

describe("the admin namespace", () => {
  let served: TestServer;
  before(async () => {
    const node = await startTestNode(plainGenesis());
    served = await startTestServer({ api: ["admin", "eth"] }, { ...node, dataDir: "/data/qnet" });
  });
  after(() => served[Symbol.asyncDispose]());

  it("names the client, its chain and its folder", async () => {
    const { chain } = served.node;
    const { name, protocols } = asObject(await served.call("admin_nodeInfo"));
    assert.equal(name, "qnet/test");
    const { eth } = asObject(protocols);
    assert.deepEqual(eth, {
      network: 31_337,
      genesis: chain.genesisHash,
      head: chain.head.hash,
      config: asObject(chain.genesis.json)["config"],
    });
    assert.equal(await served.call("admin_datadir"), "/data/qnet");
  });

  it("has no peers, and says so to who would add some", async () => {
    assert.deepEqual(await served.call("admin_peers"), []);
    for (const method of ["addPeer", "removePeer", "addTrustedPeer", "removeTrustedPeer"])
      await refused(served.call(`admin_${method}`, "enode://…"), -32000, /not supported yet/);
  });

  it("does not deny the peers that a network counts", async () => {
    const node = await startTestNode(plainGenesis());
    const network = { peerCount: () => 3, startingBlock: () => 0n, highestBlock: () => 0n };
    await using joined = await startTestServer({ api: ["admin"] }, { ...node, network });
    await refused(joined.call("admin_peers"), -32000, /not supported yet/);
  });

  it("empties the pool", async () => {
    const { chain, pool } = served.node;
    for (const nonce of [0, 1, 3]) await pool.add(testTransaction(chain, 0, nonce).raw, "local");
    assert.equal(await served.call("admin_clearTxpool"), 3);
    assert.deepEqual([pool.stats().pending, pool.stats().queued], [0, 0]);
    assert.equal(await served.call("admin_clearTxpool"), 0);
  });

  it("is for trusted callers only: neither for pages nor for who comes through a proxy", async () => {
    const strangers: readonly Readonly<Record<string, string>>[] = [
      { origin: "http://localhost:3000" },
      { "x-forwarded-for": "1.2.3.4" },
    ];
    for (const headers of strangers) {
      const response = await served.post(
        { jsonrpc: "2.0", id: 1, method: "admin_nodeInfo" },
        headers,
      );
      const { error } = asObject(await response.json());
      assert.match(String(asObject(error)["message"]), /is for programs on this machine/);
    }
  });

  it("is closed where it is not named", async () => {
    await using closed = await startTestServer();
    const error = await refused(closed.call("admin_nodeInfo"), -32601);
    assert.deepEqual(error["data"], { namespaceEnabled: false });
  });
});

describe("eth_resend", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
    await dev.call("evm_setAutomine", false);
  });
  after(() => dev[Symbol.asyncDispose]());

  it("replaces what waits with another price and gas limit", async () => {
    const fees = { maxFeePerGas: hex(10n * GWEI), maxPriorityFeePerGas: hex(GWEI) };
    const request = { from: alice, to: bob, nonce: "0x0", value: "0x5", gas: "0x5208", ...fees };
    await dev.call("eth_sendTransaction", request);
    await refused(dev.call("eth_resend", request), -32000, /^already known/);
    const price = hex(20n * GWEI);
    const hash = await dev.call("eth_resend", request, price, "0x7530");
    const sent = asObject(await dev.call("eth_getTransactionByHash", hash));
    assert.deepEqual(
      [sent["nonce"], sent["value"], sent["gasPrice"], sent["gas"]],
      ["0x0", "0x5", price, "0x7530"],
    );
    assert.deepEqual(await dev.call("txpool_status"), { pending: "0x1", queued: "0x0" });
  });

  it("refuses requests without nonce, and nonces of which nothing waits", async () => {
    await refused(
      dev.call("eth_resend", { from: alice, to: bob }),
      -32602,
      /missing transaction nonce/,
    );
    const unknown = { from: alice, to: bob, nonce: "0x7" };
    await refused(dev.call("eth_resend", unknown), -32000, /no transaction of .* with nonce 7/);
  });
});

describe("debug_getRawBlockAccessList", () => {
  it("is null before Amsterdam", async () => {
    await using served = await startTestServer();
    assert.equal(await served.call("debug_getRawBlockAccessList", "latest"), null);
  });
});
