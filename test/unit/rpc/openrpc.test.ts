import assert from "node:assert/strict";
import { allMethods } from "../../../rpc/methods/index.ts";
import { openRpcDocument, rpcReferenceMarkdown } from "../../../rpc/openrpc.ts";
import { startTestServer } from "../../support/rpcClient.ts";

describe("openRpcDocument", () => {
  it("describes each open method with parameters and result", async () => {
    await using served = await startTestServer({ api: ["eth"] });
    const document = Object(await served.call("rpc.discover"));
    assert.equal(document.openrpc, "1.3.2");
    const names = document.methods.map((method: { name: string }) => method.name);
    assert.ok(names.includes("eth_getBalance") && !names.includes("net_version"));
    const balance = document.methods.find(
      (method: { name: string }) => method.name === "eth_getBalance",
    );
    assert.deepEqual(
      balance.params.map((param: { name: string; required: boolean }) => [
        param.name,
        param.required,
      ]),
      [
        ["address", true],
        ["block", false],
      ],
    );
    assert.equal(balance.params[1].schema.default, "latest");
    assert.equal(typeof balance.result.schema.pattern, "string");
  });

  it("is the same every time", () => {
    const first = JSON.stringify(openRpcDocument(allMethods, "1"));
    assert.equal(JSON.stringify(openRpcDocument([...allMethods].reverse(), "1")), first);
  });
});

describe("rpcReferenceMarkdown", () => {
  it("has one title and a section for each method", () => {
    const page = rpcReferenceMarkdown(allMethods);
    assert.equal(page.match(/^# /gm)?.length, 1);
    for (const { name } of allMethods) assert.ok(page.includes(`\n### ${name}\n`), name);
  });
});

describe("rpc_modules", () => {
  it("names the open namespaces", async () => {
    await using served = await startTestServer({ api: ["eth", "net"] });
    assert.deepEqual(await served.call("rpc_modules"), { eth: "1.0", net: "1.0", rpc: "1.0" });
  });
});
