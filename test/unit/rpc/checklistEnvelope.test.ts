/** The rules of JSON-RPC by their numbers: 1 to 8, envelope, transport and encoding. */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { asArray, asObject, hex, refused } from "../../support/rpcChecks.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { engineToken } from "../../tools/rpc-compat.mjs";

const [alice = "", bob = ""] = TEST_ADDRESSES;
const HASH = `0x${"11".repeat(32)}`;
const GWEI = 1_000_000_000n;
const envelope = (id: unknown, method: string, params?: unknown) => ({
  jsonrpc: "2.0",
  id,
  method,
  ...(params !== undefined && { params }),
});

describe("rules of JSON-RPC 1 to 5, envelope and transport", () => {
  let served: TestServer;
  let dev: DevNode;
  before(async () => {
    served = await startTestServer({ corsDomains: ["https://wallet.example"] });
    dev = await startDevNode();
  });
  after(async () => {
    await served[Symbol.asyncDispose]();
    await dev[Symbol.asyncDispose]();
  });

  it("1. echoes ids, gives result or error, takes null for no params, counts arguments", async () => {
    for (const id of [0, 7, "seven", null]) {
      const good = asObject(await served.ask(envelope(id, "eth_blockNumber", null)));
      assert.deepEqual(good, { jsonrpc: "2.0", id, result: "0x0" });
      const bad = asObject(await served.ask(envelope(id, "eth_blockNumber", [1])));
      assert.deepEqual(Object.keys(bad).sort(), ["error", "id", "jsonrpc"]);
      assert.equal(bad["id"], id);
    }
    await refused(
      served.call("eth_getBalance", alice, "latest", 1),
      -32602,
      "too many arguments, want at most 2",
    );
    await refused(
      served.call("eth_getStorageAt", alice),
      -32602,
      "missing value for required argument 1",
    );
  });

  it("2. has one code for each kind of failure", async () => {
    const codeOf = async (body: unknown) => {
      const reply = asObject(await served.ask(body));
      return [reply["id"], asObject(reply["error"])["code"]];
    };
    assert.deepEqual(await codeOf("{"), [null, -32700]);
    assert.deepEqual(await codeOf({ id: 1, method: "eth_chainId" }), [1, -32600]);
    assert.deepEqual(await codeOf({ jsonrpc: "1.0", id: 1, method: "a" }), [1, -32600]);
    assert.deepEqual(await codeOf([]), [null, -32600]);
    const unknown = await refused(
      served.call("eth_getBalances"),
      -32601,
      "the method eth_getBalances does not exist/is not available",
    );
    assert.deepEqual(unknown["data"], { didYouMean: "eth_getBalance" });
    await refused(served.call("eth_getBalance", 1), -32602);
    await refused(served.call("eth_getBalance", alice, "0x99"), -32000);
    const reverting = { data: "0x5f5ffd" };
    await refused(dev.call("eth_call", reverting), 3);
    const endless = { data: "0x5b5f56" };
    await using quick = await startTestServer({ evmTimeoutMs: 1, gasCap: 1n << 40n });
    await refused(quick.call("eth_call", endless), -32002);
    await using small = await startTestServer({ dispatch: { batchReplyBytes: 10 } });
    const [, second] = asArray(
      await small.ask([envelope(1, "eth_chainId"), envelope(2, "eth_chainId")]),
    );
    assert.equal(asObject(asObject(second)["error"])["code"], -32003);
    await dev.call("evm_setAutomine", false);
    const raw = await dev.call("eth_signTransaction", {
      from: alice,
      to: bob,
      gas: "0x5208",
      nonce: "0x0",
      maxFeePerGas: hex(10n * GWEI),
      maxPriorityFeePerGas: hex(GWEI),
    });
    const late = await refused(dev.call("eth_sendRawTransactionSync", raw, "0x1"), 4);
    assert.equal(await dev.call("hardhat_dropTransaction", late["data"]), true);
    await dev.call("evm_setAutomine", true);
  });

  it("3. runs a batch in its order, with its limits", async () => {
    const value = (index: number) => ({ from: alice, to: bob, value: hex(index) });
    const sends = [1, 2, 3].map((index) => envelope(index, "eth_sendTransaction", [value(index)]));
    const response = await fetch(dev.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([...sends, 7, { jsonrpc: "2.0", method: "eth_chainId" }]),
    });
    const replies = asArray(await response.json()).map(asObject);
    assert.deepEqual(
      replies.map(({ id }) => id),
      [1, 2, 3, null],
    );
    for (const [index, { result }] of replies.slice(0, 3).entries()) {
      const sent = asObject(await dev.call("eth_getTransactionByHash", result));
      assert.deepEqual([sent["nonce"], sent["value"]], [hex(index), hex(index + 1)]);
    }
    const calls = Array.from({ length: 1_001 }, (_, index) => envelope(index + 5, "eth_chainId"));
    const [only, ...rest] = asArray(await served.ask(calls)).map(asObject);
    assert.deepEqual(only, {
      jsonrpc: "2.0",
      id: 5,
      error: { code: -32600, message: "batch too large" },
    });
    assert.equal(rest.length, 0);
  });

  it("3. speaks HTTP as callers expect: bodies, verbs, types, preflights, hosts", async () => {
    const url = served.server.httpUrl;
    assert.equal((await served.post(`"${"a".repeat(5 << 20)}"`)).status, 413);
    assert.equal((await fetch(url)).status, 200);
    for (const method of ["PUT", "DELETE"])
      assert.equal((await fetch(url, { method })).status, 405);
    assert.equal((await served.post("{}", { "content-type": "text/plain" })).status, 415);
    const preflight = await fetch(url, {
      method: "OPTIONS",
      headers: {
        origin: "https://wallet.example",
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
      },
    });
    assert.ok(preflight.status < 300);
    assert.equal(preflight.headers.get("access-control-allow-private-network"), "true");
    const { status, body } = await postTo(url, { host: "evil.example" });
    assert.equal(status, 403);
    assert.match(body, /--http\.vhosts/);
  });

  it("3. gives the Engine API larger bodies and batches", async () => {
    const secret = new Uint8Array(32).fill(3);
    const engine = { host: "127.0.0.1", port: 0, secret };
    await using with8551 = await startTestServer({ engine });
    const send = async (body: string) => {
      const token = engineToken(Buffer.from(secret).toString("hex"));
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
      const url = with8551.server.engineUrl ?? "";
      return (await fetch(url, { method: "POST", headers, body })).json();
    };
    const wide = { ...envelope(1, "eth_chainId"), padding: "a".repeat(6 << 20) };
    assert.deepEqual(await send(JSON.stringify(wide)), {
      jsonrpc: "2.0",
      id: 1,
      result: "0x7a69",
    });
    const calls = Array.from({ length: 2_001 }, (_, index) => envelope(index, "eth_chainId"));
    assert.equal(asArray(await send(JSON.stringify(calls.slice(0, 2_000)))).length, 2_000);
    const [only, ...rest] = asArray(await send(JSON.stringify(calls))).map(asObject);
    assert.deepEqual([asObject(only?.["error"])["message"], rest.length], ["batch too large", 0]);
  });

  it("4. answers errors with status 200 and keeps the connection", async () => {
    const response = await served.post(envelope(1, "eth_nothing"));
    assert.equal(response.status, 200);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let turn = 0; turn < 3; turn++) {
      const { localPort } = await postTo(served.server.httpUrl, {}, agent);
      ports.add(localPort);
    }
    agent.destroy();
    assert.equal(ports.size, 1);
  });

  it("5. gives no code that clients retry to a fault that stays", async () => {
    const retried = new Set([-32005, -32603, 429]);
    const lasting: [string, unknown[]][] = [
      ["eth_sendRawTransaction", ["0xc0"]],
      ["eth_sendRawTransaction", ["0x7fc0"]],
      ["eth_getBalance", [alice, "0x99"]],
      ["eth_getBalance", ["0x1"]],
      ["eth_getFilterChanges", ["0x1"]],
      ["eth_getLogs", [{ blockHash: HASH }]],
      ["debug_traceTransaction", [HASH]],
      ["eth_call", [{ to: bob, gasPrice: "0x1", maxFeePerGas: "0x1" }]],
      ["eth_estimateGas", [{ from: HASH.slice(0, 42), to: bob, value: "0x1" }]],
      ["eth_getStorageValues", [{}]],
      ["eth_subscribe", ["newHeads"]],
      ["eth_nothing", []],
    ];
    for (const [method, params] of lasting) {
      const reply = asObject(await served.ask(envelope(1, method, params)));
      const { code } = asObject(reply["error"]);
      assert.ok(!retried.has(Number(code)), `${method}: ${code}`);
    }
  });
});

describe("rules of JSON-RPC 6 to 8, encoding", () => {
  let dev: DevNode;
  const contract = `0x${"ab".repeat(20)}`;
  before(async () => {
    dev = await startDevNode();
    await dev.call("hardhat_setStorageAt", contract, "0x0", `0x${"00".repeat(31)}07`);
  });
  after(() => dev[Symbol.asyncDispose]());

  it("6. takes and gives minimal quantities, whole bytes and lower case", async () => {
    for (const bad of ["0x", "0x01", "1", "12ab", 1]) {
      await refused(dev.call("eth_getBlockByNumber", bad, false), -32602);
      await refused(dev.call("eth_getTransactionByBlockNumberAndIndex", "0x0", bad), -32602);
    }
    await refused(dev.call("web3_sha3", "0x123"), -32602);
    await refused(dev.call("eth_getTransactionByHash", `0x${"11".repeat(31)}`), -32602);
    assert.equal(await dev.call("eth_getBalance", `0x${"0d".repeat(20)}`), "0x0");
    const block = asObject(await dev.call("eth_getBlockByNumber", "0x0", false));
    for (const field of ["number", "gasUsed", "gasLimit", "difficulty", "timestamp", "size"])
      assert.match(String(block[field]), /^0x(0|[1-9a-f][0-9a-f]*)$/, field);
    assert.match(String(block["miner"]), /^0x[0-9a-f]{40}$/);
    await dev.call("evm_setAutomine", false);
    const hash = await dev.call("eth_sendTransaction", { from: alice, to: bob });
    const { pending } = asObject(await dev.call("txpool_content"));
    const [sender = ""] = Object.keys(asObject(pending));
    assert.notEqual(sender, alice);
    assert.equal(sender.toLowerCase(), alice);
    const transaction = asObject(await dev.call("eth_getTransactionByHash", hash));
    assert.equal(transaction["from"], alice);
    await dev.call("evm_setAutomine", true);
    await dev.call("evm_mine");
  });

  it("7. writes nonces, blooms and signatures in their own forms", async () => {
    const block = asObject(await dev.call("eth_getBlockByNumber", "latest", false));
    assert.equal(block["nonce"], "0x0000000000000000");
    assert.equal(String(block["logsBloom"]).length, 2 + 512);
    const send = async (fields: object) =>
      asObject(
        await dev.call(
          "eth_getTransactionByHash",
          await dev.call("eth_sendTransaction", { from: alice, to: bob, ...fields }),
        ),
      );
    const quantity = /^0x(0|[1-9a-f][0-9a-f]{0,63})$/;
    const modern = await send({});
    assert.match(String(modern["nonce"]), quantity);
    assert.match(String(modern["r"]), quantity);
    assert.match(String(modern["s"]), quantity);
    assert.match(String(modern["yParity"]), /^0x[01]$/);
    assert.equal(modern["v"], modern["yParity"]);
    const legacy = await send({ gasPrice: hex(10n * GWEI) });
    assert.equal(legacy["type"], "0x0");
    assert.equal("yParity" in legacy, false);
  });

  it("8. reads storage keys leniently and writes whole words", async () => {
    const word = `0x${"00".repeat(31)}07`;
    for (const key of ["0x0", "0x", "0x000", "00", `0x${"0".repeat(64)}`])
      assert.equal(await dev.call("eth_getStorageAt", contract, key, "latest"), word, key);
    await refused(dev.call("eth_getStorageAt", contract, `0x${"0".repeat(65)}`), -32602);
    await refused(dev.call("eth_getStorageAt", contract, "0xzz"), -32602);
    const whole = `0x${"00".repeat(31)}09`;
    const proof = asObject(await dev.call("eth_getProof", contract, ["0x00", whole], "latest"));
    const [first, second] = asArray(proof["storageProof"]).map(asObject);
    assert.deepEqual([first?.["key"], first?.["value"]], ["0x0", "0x7"]);
    assert.deepEqual([second?.["key"], second?.["value"]], [whole, "0x0"]);
    const absent = asObject(await dev.call("eth_getProof", HASH.slice(0, 42), ["0x1"], "latest"));
    assert.deepEqual(absent["storageProof"], [{ key: "0x1", value: "0x0", proof: [] }]);
    assert.ok(asArray(absent["accountProof"]).length > 0);
    assert.deepEqual([absent["balance"], absent["nonce"]], ["0x0", "0x0"]);
    const zero = `0x${"00".repeat(32)}`;
    assert.deepEqual([absent["codeHash"], absent["storageHash"]], [zero, zero]);
  });
});

/** Posts eth_chainId; `fetch` would choose the Host header and the connection itself. */
function postTo(
  url: string,
  more: Readonly<Record<string, string>>,
  agent?: Agent,
): Promise<{ status: number; body: string; localPort: number | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", ...more };
    const options = { method: "POST", headers, ...(agent !== undefined && { agent }) };
    const sent = request(url, options, (response) => {
      const { localPort } = response.socket;
      let body = "";
      response.on("data", (part) => {
        body += String(part);
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, localPort }));
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(envelope(1, "eth_chainId")));
  });
}
