import assert from "node:assert/strict";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const chainId = (id: unknown) => ({ jsonrpc: "2.0", id, method: "eth_chainId" });
const error = (id: unknown, code: number, message: string, data?: unknown) => ({
  jsonrpc: "2.0",
  id,
  error: { code, message, ...(data !== undefined && { data }) },
});

describe("the JSON-RPC envelope", () => {
  let served: TestServer;
  let result: unknown;
  before(async () => {
    served = await startTestServer();
    result = await served.call("eth_chainId");
  });
  after(() => served[Symbol.asyncDispose]());

  for (const id of [1, 0, -7, "abc", "", null, 1.5]) {
    it(`echoes the id ${JSON.stringify(id)}`, async () => {
      assert.deepEqual(await served.ask(chainId(id)), { jsonrpc: "2.0", id, result });
    });
  }

  for (const params of [null, []]) {
    it(`takes params ${JSON.stringify(params)} for none`, async () => {
      assert.deepEqual(await served.ask({ ...chainId(1), params }), {
        jsonrpc: "2.0",
        id: 1,
        result,
      });
    });
  }

  it("refuses params by name", async () => {
    const reply = await served.ask({ ...chainId(1), params: { a: 1 } });
    assert.deepEqual(reply, error(1, -32602, "non-array args"));
  });

  it("counts arguments", async () => {
    assert.deepEqual(
      await served.ask({ ...chainId(1), params: [1] }),
      error(1, -32602, "too many arguments, want at most 0"),
    );
    const missing = { jsonrpc: "2.0", id: 2, method: "eth_getBalance" };
    const wanted = error(2, -32602, "missing value for required argument 0");
    assert.deepEqual(await served.ask(missing), wanted);
    assert.deepEqual(await served.ask({ ...missing, params: [null] }), wanted);
  });

  it("names the argument, its place and what was wrong with it", async () => {
    const reply = await served.ask({
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getBalance",
      params: ["0x12"],
    });
    const text = 'invalid argument 0: address: expected 0x + 40 hex digits, got "0x12"';
    assert.deepEqual(reply, error(1, -32602, text));
  });

  it("names a method that may have been meant", async () => {
    const reply = await served.ask({ jsonrpc: "2.0", id: 1, method: "eth_chainid" });
    const text = "the method eth_chainid does not exist/is not available";
    assert.deepEqual(reply, error(1, -32601, text, { didYouMean: "eth_chainId" }));
  });

  it("says when a namespace is closed", async () => {
    await using closed = await startTestServer({ api: ["eth"] });
    const reply = await closed.ask({ jsonrpc: "2.0", id: 1, method: "txpool_status" });
    const text = "the method txpool_status does not exist/is not available";
    assert.deepEqual(reply, error(1, -32601, text, { namespaceEnabled: false }));
  });

  it("does not find methods in the prototype of anything", async () => {
    for (const method of ["__proto__", "constructor", "toString", "eth_", ""]) {
      const reply = await served.ask({ jsonrpc: "2.0", id: 1, method });
      assert.match(JSON.stringify(reply), /"code":-32601/);
    }
  });

  const junk: readonly [string, unknown, unknown][] = [
    ["a number", 1, null],
    ["null", null, null],
    ["a text", '"eth_chainId"', null],
    ["no version", { id: 1, method: "eth_chainId" }, 1],
    ["version 1.0", { jsonrpc: "1.0", id: 1, method: "eth_chainId" }, 1],
    ["no method", { jsonrpc: "2.0", id: 1 }, 1],
    ["a method that is a number", { jsonrpc: "2.0", id: "x", method: 1 }, "x"],
    ["an id that is an object", { jsonrpc: "2.0", id: {}, method: "eth_chainId" }, null],
    ["an id that is true", { jsonrpc: "2.0", id: true, method: "eth_chainId" }, null],
  ];
  for (const [name, body, id] of junk) {
    it(`refuses ${name}`, async () => {
      const reply = await served.ask(body);
      assert.match(JSON.stringify(reply), /"code":-32600/);
      assert.deepEqual(Object(reply).id, id);
    });
  }

  it("answers a notification with nothing", async () => {
    const response = await served.post({ jsonrpc: "2.0", method: "eth_chainId" });
    assert.equal(response.status, 204);
    assert.equal(await response.text(), "");
  });

  it("answers a batch in order, junk included, notifications left out", async () => {
    const reply = await served.ask([
      chainId(1),
      [],
      { jsonrpc: "2.0", method: "eth_chainId" },
      [[chainId(2)]],
      7,
      chainId(null),
    ]);
    const invalid = error(null, -32600, "invalid request");
    assert.deepEqual(reply, [
      { jsonrpc: "2.0", id: 1, result },
      invalid,
      invalid,
      invalid,
      { jsonrpc: "2.0", id: null, result },
    ]);
  });

  it("answers a batch of notifications with nothing", async () => {
    const response = await served.post([{ jsonrpc: "2.0", method: "eth_chainId" }]);
    assert.equal(response.status, 204);
  });

  it("refuses an empty batch with one object", async () => {
    assert.deepEqual(await served.ask([]), error(null, -32600, "empty batch"));
  });

  it("takes 1000 calls in a batch and refuses 1001 with one error", async () => {
    const calls = Array.from({ length: 1_001 }, (_, index) => chainId(index + 5));
    const replies = await served.ask(calls.slice(0, 1_000));
    assert.equal(Array.isArray(replies) && replies.length, 1_000);
    assert.deepEqual(await served.ask(calls), [error(5, -32600, "batch too large")]);
  });

  it("stops a batch whose replies grow too large", async () => {
    await using small = await startTestServer({ dispatch: { batchReplyBytes: 100 } });
    const replies = await small.ask([1, 2, 3, 4].map(chainId));
    assert.ok(Array.isArray(replies));
    assert.deepEqual(replies[0], {
      jsonrpc: "2.0",
      id: 1,
      result: await small.call("eth_chainId"),
    });
    assert.deepEqual(replies[3], error(4, -32003, "response too large"));
  });
});
