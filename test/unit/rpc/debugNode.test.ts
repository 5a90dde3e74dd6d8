import assert from "node:assert/strict";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { createLogger } from "../../../src/runtime/log.ts";
import { encodeHeader } from "../../../src/types/header.ts";
import { plainGenesis } from "../../support/chains.ts";
import { asObject, refused } from "../../support/rpcChecks.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startTestNode } from "../../support/rpcNode.ts";

describe("debug methods about this process", () => {
  const lines: string[] = [];
  let served: TestServer;
  before(async () => {
    const stream = { write: (text: string) => lines.push(text) };
    const log = createLogger({ verbosity: 1, format: "terminal", stream });
    served = await startTestServer({}, { ...(await startTestNode(plainGenesis())), log });
  });
  after(() => served[Symbol.asyncDispose]());

  it("debug_verbosity changes what is logged from now on", async () => {
    served.node.log.info("before");
    assert.equal(await served.call("debug_verbosity", 3), null);
    served.node.log.info("between");
    await served.call("debug_verbosity", 0);
    served.node.log.error("after");
    assert.deepEqual(
      lines.map((line) => /before|between|after/.exec(line)?.[0]),
      ["between"],
    );
    await refused(served.call("debug_verbosity", 6), -32602, /level 6, want 0 to 5/);
    await refused(served.call("debug_verbosity", "3"), -32602, /invalid argument 0/);
  });

  it("debug_dbGet reads by hex digits or by letters, as geth", async () => {
    const { hash, header } = served.node.chain.head;
    const stored = bytesToHex(encodeHeader(header));
    assert.equal(await served.call("debug_dbGet", `0x68${hash.slice(2)}`), stored);
    await refused(served.call("debug_dbGet", "0x68"), -32000, /^not found$/);
    await refused(served.call("debug_dbGet", "LastBlock"), -32000, /^not found$/);
    await refused(served.call("debug_dbGet", "0xzz"), -32602, /invalid argument 0/);
  });

  it("are for trusted callers only", async () => {
    for (const [method, param] of [
      ["debug_verbosity", 5],
      ["debug_dbGet", "0x68"],
    ]) {
      const body = { jsonrpc: "2.0", id: 1, method, params: [param] };
      const response = await served.post(body, { origin: "http://localhost:3000" });
      const { error } = asObject(await response.json());
      assert.match(String(asObject(error)["message"]), /is for programs on this machine/);
    }
  });
});
