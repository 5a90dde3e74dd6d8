/** The public JSON-RPC suite against a node in this process; `npm run conformance -- rpc` runs it against the program. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fixturePath } from "../support/chains.ts";
import { startTestServer, type TestServer } from "../support/rpcClient.ts";
import { startFixtureNode } from "../support/rpcNode.ts";
import {
  type CompatTest,
  findTests,
  loadSchemas,
  parseTest,
  runTest,
} from "../tools/rpc-compat.mjs";

const root = join(import.meta.dirname, "../..");
const NAMESPACES = ["eth", "net", "web3", "txpool", "debug", "testing"];
const TIMEOUT_MS = 5_000;

/** Tests by the method they are about, in the suite's order: they share one node. */
function testsByMethod(suite: string): ReadonlyMap<string, readonly CompatTest[]> {
  const tests = findTests(suite).map(({ name, file }) =>
    parseTest(name, readFileSync(file, "utf8")),
  );
  return Map.groupBy(tests, ({ method }) => method);
}

describe("public JSON-RPC suite", () => {
  const suite = fixturePath("rpc-compat");
  if (!existsSync(join(suite, "chain.rlp"))) {
    it("is not here: set QNET_FIXTURES to the folder that has rpc-compat/chain.rlp");
    return;
  }
  const schemas = loadSchemas(join(root, "test/tools/rpc-schemas.json"));
  let served: TestServer;
  before(async function () {
    this.timeout(60_000);
    served = await startTestServer({ api: NAMESPACES }, await startFixtureNode());
  });
  after(() => served[Symbol.asyncDispose]());

  for (const [method, tests] of testsByMethod(suite)) {
    it(`${method}: ${tests.length}`, async function () {
      this.timeout(60_000);
      const options = { url: served.server.httpUrl, timeout: TIMEOUT_MS, schemas, strict: true };
      for (const test of tests) {
        const verdict = await runTest(test, options);
        assert.equal(verdict, null, `${test.name}: ${JSON.stringify(verdict)?.slice(0, 2_000)}`);
      }
    });
  }
});
