/** `qnet wallet send` against a development node, with each type of key. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { TEST_ADDRESSES, TEST_KEYS } from "../support/chains.ts";
import { runCommand, temporaryFolder } from "../support/cli.ts";
import { type DevNode, startDevNode } from "../support/devNode.ts";

const TO = "0x00000000000000000000000000000000000a11ce";
/** Reverts always: PUSH0 PUSH0 REVERT */
const REVERTS = "0x5f5ffd";

/** Answers every call with the same; `asked` gets the methods. */
async function lyingNode(answer: object, asked: string[]) {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += String(part);
    });
    request.on("end", () => {
      asked.push(JSON.parse(body).method);
      const envelope = Array.isArray(answer) ? answer : { jsonrpc: "2.0", id: 1, ...answer };
      response.end(JSON.stringify(envelope));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("qnet wallet send", function () {
  this.timeout(120_000);
  let node: DevNode;
  const folder = temporaryFolder();
  const password = join(folder.path, "password");
  const place = ["--datadir", folder.path, "--password", password];
  before(async () => {
    writeFileSync(password, "secret\n");
    node = await startDevNode();
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** A funded account with a key of this type in the keystore. */
  async function account(type: string): Promise<string> {
    const made = await runCommand([
      "account",
      "new",
      "--type",
      type,
      "--lightkdf",
      "--json",
      ...place,
    ]);
    assert.equal(made.status, 0, made.stderr);
    const { address } = JSON.parse(made.stdout);
    await node.call("hardhat_setBalance", address, "0x8ac7230489e80000");
    return address;
  }

  const send = (...args: readonly string[]) =>
    runCommand(["wallet", "send", "--rpc-url", node.url, ...args, ...place]);

  for (const [type, hex] of [
    ["secp256k1", "0x2"],
    ["ml-dsa-44", "0x51"],
    ["ml-dsa-65", "0x51"],
    ["ml-dsa-87", "0x51"],
    ["slh-dsa-sha2-128s", "0x51"],
  ] as const)
    it(`sends coins from an account of type ${type}`, async () => {
      const from = await account(type);
      const before = BigInt(String(await node.call("eth_getBalance", TO, "latest")));
      const sent = await send("--from", from, "--to", TO, "--value", "1.5", "--wait", "--json");
      assert.equal(sent.status, 0, sent.stderr);
      const { hash, status } = JSON.parse(sent.stdout);
      assert.equal(status, "success");
      const transaction = await node.call("eth_getTransactionByHash", hash);
      assert.ok(typeof transaction === "object" && transaction !== null && "type" in transaction);
      assert.equal(transaction.type, hex);
      const after = BigInt(String(await node.call("eth_getBalance", TO, "latest")));
      assert.equal(after - before, 1_500_000_000_000_000_000n);
    });

  it("creates a contract and prints the hash alone", async () => {
    const from = await account("ml-dsa-44");
    const sent = await send("--from", from, "--data", "0x60016000f3");
    assert.match(sent.stdout.trim(), /^0x[0-9a-f]{64}$/);
    const receipt = await node.call("eth_getTransactionReceipt", sent.stdout.trim());
    assert.ok(typeof receipt === "object" && receipt !== null && "contractAddress" in receipt);
    assert.match(String(receipt.contractAddress), /^0x[0-9a-f]{40}$/);
  });

  it("says why nothing was sent", async () => {
    const from = await account("ml-dsa-44");
    await node.call("hardhat_setCode", TO, REVERTS);
    const refused: readonly [readonly string[], RegExp][] = [
      [["--to", TO], /--from ADDRESS is needed/],
      [["--from", from], /--to ADDRESS is needed/],
      [["--from", from, "--to", TO, "--data", "0x1"], /even number of hex digits/],
      [["--from", from, "--to", TO], /execution reverted/],
      [["--from", from, "--to", from, "--value", "99"], /insufficient funds/],
      [["--from", TO, "--to", from], /no key of/],
    ];
    for (const [args, message] of refused) {
      const { status, stderr } = await send(...args);
      assert.notEqual(status, 0);
      assert.match(stderr, message);
    }
    await node.call("hardhat_setCode", TO, "0x");
  });

  it("refuses a wrong password", async () => {
    const from = await account("ml-dsa-44");
    const wrong = join(folder.path, "wrong");
    writeFileSync(wrong, "another\n");
    const args = ["--from", from, "--to", TO, "--datadir", folder.path, "--password", wrong];
    const { status, stderr } = await runCommand(["wallet", "send", "--rpc-url", node.url, ...args]);
    assert.notEqual(status, 0);
    assert.match(stderr, /password/);
  });

  it("signs nothing for another chain, for too high a fee, or on a strange answer", async () => {
    const from = await account("ml-dsa-44");
    const tx = {
      chainId: "0x7a69",
      nonce: "0x0",
      gas: "0x15000",
      maxFeePerGas: "0x3b9aca00",
      maxPriorityFeePerGas: "0x1",
    };
    const lies: readonly [object, RegExp][] = [
      [
        { result: { raw: "0x", tx: { ...tx, chainId: "0x1" } } },
        /expected a node of chain 31337, got one of chain 1$/m,
      ],
      [
        { result: { raw: "0x", tx: { ...tx, maxFeePerGas: "0x2386f26fc10000" } } },
        /--max-fee allows/,
      ],
      [{ result: { raw: "0x", tx: { ...tx, gas: "much" } } }, /expected nonce, gas and fees/],
      [["a proxy's page"], /expected an answer of a node/],
    ];
    for (const [answer, message] of lies) {
      const asked: string[] = [];
      await using server = await lyingNode(answer, asked);
      const args = ["--from", from, "--to", TO, "--chain", "31337", ...place];
      const { status, stderr } = await runCommand([
        "wallet",
        "send",
        "--rpc-url",
        server.url,
        ...args,
      ]);
      assert.notEqual(status, 0);
      assert.match(stderr, message);
      assert.deepEqual(asked, ["eth_fillTransaction"]);
    }
  });

  it("signs with an imported key of the node's own accounts", async () => {
    const file = join(folder.path, "key.hex");
    writeFileSync(file, Buffer.from(TEST_KEYS[0] ?? []).toString("hex"));
    const imported = await runCommand(["account", "import", file, "--lightkdf", ...place]);
    assert.equal(imported.status, 0, imported.stderr);
    const sent = await send("--from", TEST_ADDRESSES[0] ?? "", "--to", TO, "--wait");
    assert.match(sent.stdout, /^0x[0-9a-f]{64}\nsuccess in block \d+, 21000 gas/);
  });
});
