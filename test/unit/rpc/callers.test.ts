import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { addressGroupOf, createIdentify } from "../../../rpc/callers.ts";
import { openTestSocket, startTestServer } from "../../support/rpcClient.ts";
import { engineToken } from "../../tools/rpc-compat.mjs";

const secret = new Uint8Array(32).fill(9);
const bearer = () => ({
  authorization: `Bearer ${engineToken(Buffer.from(secret).toString("hex"))}`,
});
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const KEY = "0123456789abcdef";
const apiKeys = [
  { name: "indexer", sha256: sha256(KEY), namespaces: ["eth"], unitsPerSecond: 0 },
  { name: "slow", sha256: sha256("slow-slow-slow-slow"), unitsPerSecond: 10 },
];
const block = { jsonrpc: "2.0", id: 1, method: "eth_blockNumber" };

describe("createIdentify", () => {
  const identify = createIdentify({});
  const trusted = async (ip: string, headers: Record<string, string> = {}) =>
    (await identify({ ip, headers, url: "/" })).caller?.isTrusted;

  it("trusts programs on this machine, neither pages nor who stands behind a proxy", async () => {
    for (const ip of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
      assert.equal(await trusted(ip), true, ip);
    for (const ip of ["10.0.0.1", "::ffff:10.0.0.1", "128.0.0.1", "fe80::1", ""])
      assert.equal(await trusted(ip), false, ip);
    assert.equal(await trusted("127.0.0.1", { origin: "https://evil.example" }), false);
    assert.equal(await trusted("127.0.0.1", { "x-forwarded-for": "10.0.0.1" }), false);
    assert.equal(await trusted("127.0.0.1", { forwarded: "for=10.0.0.1" }), false);
  });

  it("trusts the bearer of a token from anywhere, and refuses a false token", async () => {
    const byToken = createIdentify({ secret });
    const far = { ip: "10.0.0.1", url: "/" };
    assert.equal((await byToken({ ...far, headers: bearer() })).caller?.isTrusted, true);
    const identity = await byToken({ ...far, headers: { authorization: "Bearer a.b.c" } });
    assert.equal(identity.caller, undefined);
  });
});

describe("addressGroupOf", () => {
  it("takes an IPv6 network of 64 bits for one caller, and an IPv4 address for itself", () => {
    const groups = ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", "::1", "2001:db8::1"];
    assert.deepEqual(groups.map(addressGroupOf), [
      "2001:db8:1:2::/64",
      "2001:db8:1:2::/64",
      "0:0:0:0::/64",
      "2001:db8:0:0::/64",
    ]);
    assert.equal(addressGroupOf("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
    assert.equal(addressGroupOf("10.0.0.1"), "10.0.0.1");
  });
});

describe("API keys", () => {
  it("are asked for in a header or in the query, over WebSocket too", async () => {
    await using served = await startTestServer({ apiKeys });
    const { server } = served;
    const without = await served.post(block);
    assert.equal(without.status, 401);
    assert.match(await without.text(), /missing API key/);
    assert.equal((await served.post(block, { "x-api-key": "x".repeat(16) })).status, 401);
    assert.equal((await served.post(block, { "x-api-key": KEY })).status, 200);
    assert.equal((await served.post(block, { authorization: `Bearer ${KEY}` })).status, 200);
    const url = `${server.httpUrl}/?apikey=${KEY}`;
    const body = JSON.stringify(block);
    const headers = { "content-type": "application/json" };
    assert.equal((await fetch(url, { method: "POST", headers, body })).status, 200);
    await assert.rejects(openTestSocket(server.wsUrl), /401/);
    using socket = await openTestSocket(`${server.wsUrl}/?apikey=${KEY}`);
    assert.equal(await socket.call("eth_blockNumber"), "0x0");
  });

  it("open their own namespaces only", async () => {
    await using served = await startTestServer({ apiKeys });
    const answer = async (method: string) =>
      (await served.post({ ...block, method }, { "x-api-key": KEY })).json();
    const { error } = Object(await answer("net_version"));
    assert.equal(error.code, -32601);
    assert.deepEqual(error.data, { namespaceEnabled: false });
    assert.equal("error" in Object(await answer("rpc_modules")), false);
  });

  it("leave probes open to everybody", async () => {
    await using served = await startTestServer({ apiKeys });
    assert.equal((await fetch(`${served.server.httpUrl}/liveness`)).status, 200);
  });
});

describe("the rate of a caller", () => {
  const ask = async (served: { post: (body: unknown) => Promise<Response> }, count: number) => {
    const batch = Array.from({ length: count }, (_, id) => ({ ...block, id }));
    return Object(await (await served.post(batch)).json());
  };

  it("is unlimited unless the operator limits it", async () => {
    await using served = await startTestServer();
    const replies = await ask(served, 1_000);
    assert.equal(replies.filter((reply: object) => "error" in reply).length, 0);
  });

  it("lets bursts pass, and then says when to come again", async () => {
    await using served = await startTestServer({ unitsPerSecond: 10 });
    const replies = await ask(served, 130);
    assert.equal(replies.filter((reply: object) => "result" in reply).length, 100);
    const { code, data } = replies[129].error;
    assert.equal(code, -32005);
    assert.ok(data.retryAfterMs > 0 && data.retryAfterMs <= 10_000);
  });

  it("counts dear calls for more, and unknown methods too", async () => {
    await using served = await startTestServer({ unitsPerSecond: 10 });
    await served.call("eth_getLogs", {});
    await assert.rejects(served.call("no_such"), { code: -32601 });
    const replies = await ask(served, 100);
    assert.equal(replies.filter((reply: object) => "result" in reply).length, 89);
  });

  it("follows the API key, and keys do not share it", async () => {
    await using served = await startTestServer({ apiKeys, unitsPerSecond: 10 });
    const batch = Array.from({ length: 150 }, (_, id) => ({ ...block, id }));
    for (const [key, passed] of [
      [KEY, 150],
      ["slow-slow-slow-slow", 100],
    ] as const) {
      const replies = Object(await (await served.post(batch, { "x-api-key": key })).json());
      assert.equal(replies.filter((reply: object) => "result" in reply).length, passed, key);
    }
  });

  it("holds over WebSocket together with HTTP", async () => {
    await using served = await startTestServer({ unitsPerSecond: 10 });
    await ask(served, 100);
    using socket = await openTestSocket(served.server.wsUrl);
    await assert.rejects(socket.call("eth_blockNumber"), { code: -32005 });
  });
});

describe("methods that rule the node", () => {
  it("are refused to pages and to who comes through a proxy", async () => {
    await using served = await startTestServer({ tokenSecret: secret });
    const call = { jsonrpc: "2.0", id: 1, method: "debug_setHead", params: ["0x0"] };
    const proxied = { "x-forwarded-for": "10.0.0.1" };
    const { error } = Object(await (await served.post(call, proxied)).json());
    assert.equal(error.code, -32000);
    assert.match(error.message, /--rpc\.jwtsecret/);
    const withToken = await served.post(call, { ...proxied, ...bearer() });
    assert.equal("error" in Object(await withToken.json()), false);
    assert.equal("error" in Object(await served.ask(call)), false);
  });
});
