import assert from "node:assert/strict";
import { ServerError } from "../../../rpc/listen.ts";
import { type MetricsServer, startMetricsServer } from "../../../rpc/metricsServer.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

describe("the metrics page", () => {
  let dev: DevNode;
  let server: MetricsServer;
  before(async () => {
    dev = await startDevNode();
    server = await startMetricsServer(
      dev.node.metrics,
      { host: "127.0.0.1", port: 0 },
      silentLogger,
    );
  });
  after(async () => {
    await server.close();
    await dev[Symbol.asyncDispose]();
  });

  async function figure(name: string): Promise<number> {
    const text = await (await fetch(server.url)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    assert.ok(line !== undefined, name);
    return Number(line.slice(name.length + 1));
  }

  it("counts blocks, transactions, gas, the time to store them and the trie's nodes", async () => {
    const nodes = await figure("qnet_chain_trie_nodes_written_total");
    const [from, to] = TEST_ADDRESSES;
    await dev.call("eth_sendTransaction", { from, to, value: "0x1" });
    await dev.settled();
    assert.equal(await figure("qnet_chain_head_number"), 1);
    assert.equal(await figure("qnet_chain_added_transactions_total"), 1);
    assert.equal(await figure("qnet_chain_added_gas_total"), 21_000);
    assert.equal(await figure("qnet_chain_commit_seconds_count"), 1);
    assert.ok((await figure("qnet_chain_trie_nodes_written_total")) > nodes);
    assert.ok((await figure("qnet_chain_trie_cache_hits")) > 0);
    assert.equal(await figure("qnet_txpool_pending"), 0);
  });

  it("is served in Prometheus' format at both paths, to readers only", async () => {
    for (const path of ["/metrics", "/debug/metrics/prometheus", "/metrics?x=1"]) {
      const response = await fetch(new URL(path, server.url));
      assert.equal(response.status, 200, path);
      assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=/);
      assert.match(await response.text(), /^# HELP qnet_chain_head_number /m);
    }
    assert.equal((await fetch(server.url, { method: "POST" })).status, 405);
    assert.equal((await fetch(new URL("/", server.url))).status, 404);
    assert.equal((await fetch(server.url, { method: "HEAD" })).status, 200);
  });

  it("counts calls by namespace, errors by code, and the time that calls take", async () => {
    const of = async (...names: readonly string[]) => {
      const text = await (await fetch(server.url)).text();
      const lines = text.split("\n");
      return names.map((name) => {
        const line = lines.find((each) => each.startsWith(`qnet_rpc_${name} `));
        return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ")));
      });
    };
    const names = [
      'requests_total{namespace="web3"}',
      'requests_total{namespace="unknown"}',
      'errors_total{code="-32601"}',
      'errors_total{code="-32602"}',
      'errors_total{code="-32600"}',
      'request_seconds_count{namespace="web3"}',
    ];
    const before = await of(...names);
    const call = (id: number, method: string, params: readonly unknown[]) => ({
      jsonrpc: "2.0",
      ...(id > 0 && { id }),
      method,
      params,
    });
    await fetch(dev.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([
        call(1, "web3_clientVersion", []),
        call(0, "web3_clientVersion", []),
        call(2, "web3_sha3", ["0x1"]),
        call(3, "made_up", []),
        call(4, "madeUp2", []),
        7,
      ]),
    });
    const after = await of(...names);
    assert.deepEqual(
      after.map((value, index) => value - (before[index] ?? 0)),
      [3, 2, 2, 1, 1, 3],
    );
    const [sum = 0] = await of('request_seconds_sum{namespace="web3"}');
    assert.ok(sum > 0 && sum < 5, String(sum));
    const text = await (await fetch(server.url)).text();
    assert.equal(/made_?up/i.test(text), false);
  });

  it("says which port is taken", async () => {
    const port = Number(new URL(server.url).port);
    await assert.rejects(
      startMetricsServer(dev.node.metrics, { host: "127.0.0.1", port }, silentLogger),
      (error) => error instanceof ServerError && error.reason.code === "PORT_BUSY",
    );
  });
});
