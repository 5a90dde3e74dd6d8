import assert from "node:assert/strict";
import {
  hostNameOf,
  isAllowedSocketOrigin,
  isTrustedHost,
  namespaceOf,
  openMethods,
} from "../../../rpc/access.ts";
import { text } from "../../../rpc/codec.ts";
import { defineMethod } from "../../../rpc/method.ts";
import { allMethods } from "../../../rpc/methods/index.ts";
import { closestName, editDistance } from "../../../rpc/similar.ts";

const devOnly = defineMethod({
  name: "evm_test",
  summary: "For development.",
  params: [],
  result: text,
  devOnly: true,
  handler: () => "",
});

describe("openMethods", () => {
  it("opens the namespaces asked for and rpc", () => {
    const open = [...openMethods(allMethods, { api: ["net"], dev: false }).keys()];
    const wanted = ["net_listening", "net_peerCount", "net_version", "rpc.discover", "rpc_modules"];
    assert.deepEqual(open.sort(), wanted);
  });

  it("hides development methods from other chains", () => {
    assert.equal(openMethods([devOnly], { api: ["evm"], dev: false }).size, 0);
    assert.equal(openMethods([devOnly], { api: ["evm"], dev: true }).size, 1);
  });
});

describe("allMethods", () => {
  it("has every name once, with a namespace and a summary", () => {
    const names = allMethods.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, summary } of allMethods) {
      assert.match(name, /^[a-z0-9]+[_.][A-Za-z0-9_]+$/);
      assert.match(summary, /\.$/);
    }
  });

  it("lets nobody put a required parameter after an optional one", () => {
    for (const { name, params } of allMethods) {
      const required = params.map((param) => param.required);
      assert.ok(!required.includes(true, required.indexOf(false) >>> 0), name);
    }
  });
});

describe("host names and origins", () => {
  it("loses ports and brackets", () => {
    assert.equal(hostNameOf("LocalHost:8545"), "localhost");
    assert.equal(hostNameOf("[::1]:8545"), "::1");
    assert.equal(hostNameOf("example.org"), "example.org");
  });

  it("trusts addresses, listed names and, when asked, private names", () => {
    const strict = { vhosts: ["node.example"], privateNames: false };
    const lax = { vhosts: [], privateNames: true };
    assert.ok(isTrustedHost("1.2.3.4:80", strict));
    assert.ok(isTrustedHost("NODE.example:1", strict));
    assert.ok(isTrustedHost(undefined, strict));
    assert.ok(!isTrustedHost("1.2.3.4.evil.example", strict));
    assert.ok(!isTrustedHost("localhost", strict));
    assert.ok(isTrustedHost("qnet", lax));
    assert.ok(isTrustedHost("a.internal", lax));
    assert.ok(!isTrustedHost("internal.example", lax));
    assert.ok(isTrustedHost("anything.example", { vhosts: ["*"], privateNames: false }));
  });

  it("accepts sockets of programs, of local pages and of listed pages", () => {
    assert.ok(isAllowedSocketOrigin(undefined, []));
    assert.ok(isAllowedSocketOrigin("http://localhost:3000", []));
    assert.ok(isAllowedSocketOrigin("http://[::1]:3000", []));
    assert.ok(!isAllowedSocketOrigin("https://evil.example", []));
    assert.ok(!isAllowedSocketOrigin("https://localhost.evil.example", []));
    assert.ok(!isAllowedSocketOrigin("null", []));
    assert.ok(isAllowedSocketOrigin("https://a.example", ["https://a.example"]));
  });
});

describe("closestName", () => {
  it("finds a name within three edits", () => {
    assert.equal(editDistance("kitten", "sitting"), 3);
    assert.equal(
      closestName("eth_getbalance", ["eth_getBalance", "eth_getCode"]),
      "eth_getBalance",
    );
    assert.equal(closestName("completely_else", ["eth_getBalance"]), undefined);
    assert.equal(closestName("x".repeat(1_000), ["eth_getBalance"]), undefined);
  });

  it("knows the namespace of a name", () => {
    assert.equal(namespaceOf("eth_call"), "eth");
    assert.equal(namespaceOf("rpc.discover"), "rpc");
  });
});
