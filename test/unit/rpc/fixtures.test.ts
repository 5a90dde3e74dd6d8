import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startFixtureNode } from "../../support/rpcNode.ts";

const root = join(import.meta.dirname, "../../..");
const folder = join(process.env["QNET_FIXTURES"] ?? join(root, "../shared/fixtures"), "rpc-compat");

/** The part of test/tools/rpc-compat.mjs that judges one test. */
interface Judge {
  findTests(root: string): { name: string; file: string }[];
  parseTest(name: string, text: string): object;
  loadSchemas(file: string): object;
  runTest(
    test: object,
    options: { url: string; timeout: number; schemas: object; strict: boolean },
  ): Promise<{ reason: string; details: string[] } | null>;
}

/** Groups of methods that this folder's methods answer. */
const GROUPS = /^(eth_(get|fee|base|blob|block|chain|config|capab|sync)|net_|txpool_|debug_)/;

describe("published JSON-RPC tests of getters, logs, proofs, fees and traces", () => {
  if (!existsSync(folder)) {
    it.skip(`skipped: fixtures not found (${folder})`);
    return;
  }
  let served: TestServer;
  let judge: Judge;
  before(async function () {
    this.timeout(30_000);
    const tool = join(root, "test/tools/rpc-compat.mjs");
    judge = await import(tool);
    served = await startTestServer({}, await startFixtureNode());
  });
  after(() => served[Symbol.asyncDispose]());

  it("are all answered as recorded", async () => {
    const schemas = judge.loadSchemas(join(root, "test/tools/rpc-schemas.json"));
    const failures: string[] = [];
    let passed = 0;
    for (const { name, file } of judge.findTests(folder)) {
      if (!GROUPS.test(name)) continue;
      const test = judge.parseTest(name, readFileSync(file, "utf8"));
      const options = { url: served.server.httpUrl, timeout: 5_000, schemas, strict: true };
      const failure = await judge.runTest(test, options);
      if (failure === null) passed++;
      else failures.push(`${name}: ${failure.reason} ${failure.details.join(" ")}`);
    }
    assert.deepEqual(failures, []);
    assert.ok(passed >= 60, `${passed} tests ran`);
  }).timeout(30_000);

  it("answers 21 MB of logs within five seconds", async () => {
    const started = performance.now();
    const logs = await served.call("eth_getLogs", { fromBlock: "0x0", toBlock: "latest" });
    assert.ok(Array.isArray(logs) && logs.length > 50);
    assert.ok(performance.now() - started < 5_000);
  }).timeout(10_000);

  it("shows ommers of blocks that have them", async () => {
    const { chain } = served.node;
    let seen = 0;
    for (let number = 1n; number <= 35n; number++) {
      const block = chain.blockByNumber(number);
      if (block === undefined || block.ommers.length === 0) continue;
      const at = `0x${number.toString(16)}`;
      assert.equal(
        await served.call("eth_getUncleCountByBlockNumber", at),
        `0x${block.ommers.length}`,
      );
      const ommer = Object(await served.call("eth_getUncleByBlockHashAndIndex", block.hash, "0x0"));
      const shown = Object(await served.call("eth_getBlockByNumber", at));
      assert.equal(shown.uncles[0], ommer.hash);
      seen++;
    }
    assert.equal(seen, 18);
  }).timeout(10_000);

  it("finds every mined transaction by sender and nonce", async () => {
    const { chain } = served.node;
    for (const number of [1n, 27n, 45n, 54n]) {
      for (const { hash } of chain.blockByNumber(number)?.transactions.slice(0, 3) ?? []) {
        const { from, nonce } = Object(await served.call("eth_getTransactionByHash", hash));
        const found = await served.call("eth_getTransactionBySenderAndNonce", from, nonce);
        assert.equal(Object(found).hash, hash);
      }
    }
  }).timeout(10_000);
});
