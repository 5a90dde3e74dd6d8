import assert from "node:assert/strict";
import { compileContract } from "../../../rpc/verify/compiler.ts";
import { matchCreation, matchRuntime } from "../../../rpc/verify/match.ts";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

const VERSION = "0.8.37";
const path = "src/Box.sol";
const source = (comment: string, more = "") => `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
// ${comment}
contract Box { uint256 immutable made; uint256 public value; constructor(uint256 v) { made = v; value = v; }
  function bump() external returns (uint256) { value += made; return value; } ${more} }`;
const input = (comment: string, more = "") => ({
  language: "Solidity",
  sources: { [path]: { content: source(comment, more) } },
  settings: { optimizer: { enabled: true, runs: 200 }, outputSelection: { "*": { "*": ["abi"] } } },
});

/** The version as tools name it, from what the compiler says when another one is asked for. */
async function fullVersion(): Promise<string> {
  const asked = { compilerVersion: VERSION, input: input("x"), path, name: "Box" };
  try {
    await compileContract(asked, new AbortController().signal);
  } catch (error) {
    const { version } = Object(error).reason;
    return version;
  }
  throw new Error("a version without a commit was taken");
}

describe("verification of contracts", function () {
  this.timeout(120_000);
  let dev: DevNode;
  let version: string;
  let address: string;
  let creation: string;
  before(async () => {
    version = await fullVersion();
    assert.match(version, /^0\.8\.37\+commit\.[0-9a-f]{8}$/);
    dev = await startDevNode();
    const request = { compilerVersion: version, input: input("mine"), path, name: "Box" };
    const box = await compileContract(request, new AbortController().signal);
    const data = `0x${box.evm.bytecode.object}${"0".repeat(63)}7`;
    creation = String(await dev.call("eth_sendTransaction", { from: TEST_ADDRESSES[0], data }));
    const receipt = Object(await dev.call("eth_getTransactionReceipt", creation));
    address = receipt.contractAddress;
  });
  after(() => dev[Symbol.asyncDispose]());

  const get = async (where: string) => {
    const response = await fetch(`${dev.url}/v2/${where}`);
    return { status: response.status, body: Object(await response.json()) };
  };
  const post = async (body: unknown, where = `31337/${address}`) => {
    const response = await fetch(`${dev.url}/v2/verify/${where}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: Object(await response.json()) };
  };
  const verify = async (stdJsonInput: object, more: object = {}) => {
    const request = { stdJsonInput, compilerVersion: version, contractIdentifier: `${path}:Box` };
    const started = await post({ ...request, ...more });
    assert.equal(started.status, 202, JSON.stringify(started.body));
    for (;;) {
      const { body } = await get(`verify/${started.body.verificationId}`);
      if (body.isJobCompleted) return body;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it("knows nothing of a contract at first", async () => {
    const { status, body } = await get(`contract/31337/${address}`);
    assert.equal(status, 404);
    assert.equal(body.match, null);
    assert.equal(body.chainId, "31337");
  });

  it("tells sources that are not those of the code, and what the compiler says of bad ones", async () => {
    const other = await verify(input("mine", "function more() external {}"));
    assert.equal(other.error.customCode, "no_match");
    assert.equal(other.contract.match, null);
    const bad = await verify(input("mine", "nonsense"));
    assert.equal(bad.error.customCode, "compiler_error");
    assert.match(bad.error.message, /ParserError/);
    const unknown = await verify(input("mine"), { compilerVersion: "0.4.0+commit.00000000" });
    assert.equal(unknown.error.customCode, "unsupported_compiler_version");
    const name = await verify(input("mine"), { contractIdentifier: `${path}:Bix` });
    assert.match(name.error.message, /holds no contract Bix/);
  });

  it("finds a match where comments differ, and an exact one with the author's sources", async () => {
    const close = await verify(input("another comment"));
    assert.deepEqual([close.contract.match, close.contract.runtimeMatch], ["match", "match"]);
    const exact = await verify(input("mine"), {
      compilerVersion: `v${version}`,
      creationTransactionHash: creation,
    });
    assert.deepEqual(exact.error, undefined);
    const { match, runtimeMatch, creationMatch } = exact.contract;
    assert.deepEqual([match, runtimeMatch, creationMatch], Array(3).fill("exact_match"));
  });

  it("shows the sources to who asks for them", async () => {
    const { status, body } = await get(`contract/31337/${address}?fields=abi,sources,compilation`);
    assert.equal(status, 200);
    assert.equal(body.match, "exact_match");
    assert.equal(body.sources[path].content, source("mine"));
    assert.equal(body.compilation.fullyQualifiedName, `${path}:Box`);
    assert.ok(body.abi.some((item: { name?: string }) => item.name === "bump"));
    assert.equal("metadata" in body, false);
    const all = await get(`contract/31337/${address}?fields=all`);
    assert.equal(all.body.metadata.compiler.version, version);
  });

  it("refuses to do it twice, and requests that mean nothing", async () => {
    const good = {
      stdJsonInput: input("mine"),
      compilerVersion: version,
      contractIdentifier: `${path}:Box`,
    };
    assert.equal((await post(good)).body.customCode, "already_verified");
    const cases: readonly (readonly [number, string, unknown, string?])[] = [
      [404, "unsupported_chain", good, `1/${address}`],
      [400, "invalid_parameter", good, "31337/0x12"],
      [400, "invalid_parameter", {}, `31337/${TEST_ADDRESSES[1]}`],
      [
        400,
        "invalid_parameter",
        { ...good, contractIdentifier: "Box" },
        `31337/${TEST_ADDRESSES[1]}`,
      ],
      [400, "invalid_parameter", { ...good, stdJsonInput: "x" }, `31337/${TEST_ADDRESSES[1]}`],
    ];
    for (const [status, code, body, where] of cases) {
      const reply = await post(body, where);
      assert.deepEqual([reply.status, reply.body.customCode], [status, code]);
      assert.equal(typeof reply.body.errorId, "string");
    }
    assert.equal((await get("verify/none")).body.customCode, "job_not_found");
  });

  it("says when there is no code, and forgets what was verified when the code changes", async () => {
    const started = await post(
      { stdJsonInput: input("mine"), compilerVersion: version, contractIdentifier: `${path}:Box` },
      `31337/${TEST_ADDRESSES[1]}`,
    );
    const job = async () => (await get(`verify/${started.body.verificationId}`)).body;
    while (!(await job()).isJobCompleted) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await job()).error.customCode, "contract_not_deployed");
    await dev.call("hardhat_setCode", address, "0x6001");
    assert.equal((await get(`contract/31337/${address}`)).status, 404);
  });
});

describe("matchRuntime", () => {
  const metadata = `a164736f6c6343000825000a`;
  const code = (object: string, more: object = {}) => ({ object, ...more });
  const bytes = (hex: string) => Buffer.from(hex, "hex");

  it("overlooks immutables and addresses of libraries, and nothing else", () => {
    const spans = { immutableReferences: { "1": [{ start: 2, length: 2 }] } };
    const made = code(`60010000f3${metadata}`, spans);
    assert.equal(matchRuntime(bytes(`6001beeff3${metadata}`), made), "exact_match");
    assert.equal(matchRuntime(bytes(`6002beeff3${metadata}`), made), undefined);
    assert.equal(matchRuntime(bytes(`6001beeff4${metadata}`), made), undefined);
    const link = `73__$${"ab".repeat(17)}$__5050${metadata}`;
    const linked = code(link, { linkReferences: { "L.sol": { L: [{ start: 1, length: 20 }] } } });
    assert.equal(matchRuntime(bytes(`73${"11".repeat(20)}5050${metadata}`), linked), "exact_match");
    assert.equal(matchRuntime(bytes(`73${"11".repeat(20)}5051${metadata}`), linked), undefined);
  });

  it("tells other metadata from other code", () => {
    const made = code(`6001f3${metadata}`);
    const other = metadata.replace("25", "24");
    assert.equal(matchRuntime(bytes(`6001f3${other}`), made), "match");
    assert.equal(matchRuntime(bytes(`6001f3`), made), "match");
    assert.equal(matchRuntime(bytes(`6001f4`), made), undefined);
    assert.equal(matchRuntime(bytes(""), code("")), undefined);
    assert.equal(matchRuntime(bytes(metadata), code(other)), undefined);
  });

  it("lets arguments of the constructor follow the creation code", () => {
    const made = code(`6001f3${metadata}`);
    assert.equal(matchCreation(bytes(`6001f3${metadata}${"00".repeat(32)}`), made), "exact_match");
    assert.equal(matchCreation(bytes(`6001f3`), made), undefined);
    assert.equal(matchCreation(bytes(`6002f3${metadata}`), made), undefined);
  });
});
