import assert from "node:assert/strict";
import type { RpcNetwork } from "../../../rpc/context.ts";
import { mineTestBlock, plainGenesis } from "../../support/chains.ts";
import { openTestSocket, startTestServer } from "../../support/rpcClient.ts";
import { startTestNode } from "../../support/rpcNode.ts";

/** A network whose peers have a chain of the height that the test says. */
class KnownNetwork implements RpcNetwork {
  height = 0n;
  peerCount = () => 3;
  startingBlock = () => 0n;
  highestBlock = () => this.height;
}

async function startWith(network?: RpcNetwork) {
  const node = await startTestNode(plainGenesis());
  return startTestServer({}, { ...node, ...(network !== undefined && { network }) });
}

describe("health probes", () => {
  const get = async (url: string) => {
    const response = await fetch(url);
    const body = Object(await response.json());
    return { status: response.status, body, headers: response.headers };
  };

  it("tell that the process is alive and the node ready", async () => {
    await using served = await startWith();
    for (const path of ["liveness", "readiness", "health"]) {
      const { status, body, headers } = await get(`${served.server.httpUrl}/${path}`);
      assert.equal(status, 200);
      assert.equal(body.status, "UP");
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    }
  });

  it("judge peers, distance and finality as they are asked to", async () => {
    const network = new KnownNetwork();
    await using served = await startWith(network);
    await mineTestBlock(served.node.chain);
    network.height = 5n;
    const ready = async (query: string) => get(`${served.server.httpUrl}/readiness?${query}`);
    for (const query of ["minPeers=3", "maxBlocksBehind=4", "maxFinalityLag=1", "minPeers=0&x=y"])
      assert.equal((await ready(query)).status, 200, query);
    for (const query of ["minPeers=4", "maxBlocksBehind=3", "maxFinalityLag=0"]) {
      const { status, body } = await ready(query);
      assert.equal(status, 503, query);
      assert.equal(body.status, "DOWN");
      assert.equal(body.problems.length, 1);
    }
    for (const query of ["minPeers=x", "minPeers=", "maxBlocksBehind=-1", "minPeers=1e400"])
      assert.equal((await ready(query)).status, 400, query);
  });

  it("show the node in a few numbers", async () => {
    await using served = await startWith();
    const block = await mineTestBlock(served.node.chain);
    const { body } = await get(`${served.server.httpUrl}/status`);
    assert.deepEqual(body.head, {
      number: 1,
      hash: block.hash,
      timestamp: Number(block.header.timestamp),
    });
    assert.equal(body.finalized.number, 0);
    assert.deepEqual(body.pool, { pending: 0, queued: 0 });
    assert.equal(body.chainId, Number(served.node.chain.config.chainId));
  });
});

describe("synchronisation", () => {
  it("is told by eth_syncing and to subscribers when it begins and ends", async () => {
    const network = new KnownNetwork();
    await using served = await startWith(network);
    assert.equal(await served.call("net_peerCount"), "0x3");
    assert.equal(await served.call("eth_syncing"), false);
    using client = await openTestSocket(served.server.wsUrl);
    await client.call("eth_subscribe", "syncing");
    const told = async () => Object((await client.next())["params"]).result;
    assert.equal(await told(), false);
    network.height = 100n;
    assert.deepEqual(await served.call("eth_syncing"), {
      startingBlock: "0x0",
      currentBlock: "0x0",
      highestBlock: "0x64",
    });
    await mineTestBlock(served.node.chain);
    const begun = await told();
    assert.deepEqual(begun.syncing, true);
    assert.equal(begun.status.highestBlock, "0x64");
    await mineTestBlock(served.node.chain);
    network.height = 3n;
    await mineTestBlock(served.node.chain);
    assert.equal(await told(), false);
  });
});
