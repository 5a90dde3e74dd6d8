import assert from "node:assert/strict";
import fc from "fast-check";
import { allMethods } from "../../../rpc/methods/index.ts";
import { mineTestBlock, testTransaction } from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

/** Codes that a caller's mistake may have; -32603 is not among them. */
const USER_CODES = new Set([
  -32700, -32600, -32601, -32602, -32000, -32002, -32003, -32005, -38026, 3,
]);

/** Methods that need no argument of their own making, and all that must stand any argument. */
const names = allMethods.map(({ name }) => name);

/** JSON that looks like arguments: the words, numbers and objects that methods take, right and wrong. */
const plausible: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    "latest",
    "pending",
    "earliest",
    "safe",
    "finalized",
    "0x0",
    "0x1",
    "0x",
    "0x01",
    true,
    false,
    null,
    {},
  ),
  fc.bigInt({ min: 0n, max: 2n ** 70n }).map((value) => `0x${value.toString(16)}`),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`),
  fc
    .uint8Array({ minLength: 20, maxLength: 20 })
    .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`),
  fc.dictionary(
    fc.constantFrom(
      "from",
      "to",
      "data",
      "input",
      "value",
      "gas",
      "fromBlock",
      "toBlock",
      "topics",
      "address",
      "blockHash",
      "blockNumber",
      "__proto__",
    ),
    fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom("0x1", "latest")),
  ),
);

const calls = fc.record({
  jsonrpc: fc.constant("2.0"),
  id: fc.constant(1),
  method: fc.constantFrom(...names),
  params: fc.array(plausible, { maxLength: 4 }),
});

function check(reply: unknown): void {
  const { error, result, jsonrpc } = Object(reply);
  assert.equal(jsonrpc, "2.0");
  assert.ok((error === undefined) !== (result === undefined), "result or error, not both");
  if (error === undefined) return;
  assert.equal(typeof error.message, "string");
  assert.ok(USER_CODES.has(error.code), JSON.stringify(reply));
}

describe("fuzzed JSON-RPC input", () => {
  let served: TestServer;
  before(async () => {
    served = await startTestServer();
    const { chain } = served.node;
    await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
    await served.node.pool.add(testTransaction(chain, 0, 1).raw, "local");
  });
  after(() => served[Symbol.asyncDispose]());

  it("never crashes and never blames the node, whatever the arguments", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 1, maxLength: 40 }), async (batch) => {
        const replies = await served.ask(batch);
        assert.ok(Array.isArray(replies) && replies.length === batch.length);
        for (const reply of replies) check(reply);
      }),
      { numRuns: 60 },
    );
    assert.equal(await served.call("eth_blockNumber"), "0x1");
  }).timeout(30_000);

  it("answers any JSON body", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        const response = await served.post(body);
        const text = await response.text();
        if (response.status === 204) return;
        const reply = JSON.parse(text);
        for (const one of Array.isArray(reply) ? reply : [reply]) check(one);
      }),
      { numRuns: 150 },
    );
  }).timeout(30_000);

  it("answers any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const response = await fetch(served.server.httpUrl, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: bytes,
        });
        await response.text();
        assert.ok(response.status < 500);
      }),
      { numRuns: 100 },
    );
  }).timeout(30_000);

  it("stands deep nesting", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const body of [deep, `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${deep}}`]) {
      const response = await served.post(body);
      assert.ok(response.status < 500);
    }
    // two levels below 10,000, where the envelope is refused
    const passedOn = `${"[".repeat(9_998)}${"]".repeat(9_998)}`;
    const body = `{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs",${passedOn}]}`;
    const { error } = Object(await served.ask(body));
    assert.equal(error.code, -32602);
    assert.equal(await served.call("eth_blockNumber"), "0x1");
  });
});
