/** `qnet light verify` against whole validators over JSON-RPC, and against nodes that lie. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { startRpcServer } from "../../rpc/server.ts";
import type { QNode } from "../../src/node/node.ts";
import { parseAddress } from "../../src/primitives/hex.ts";
import { formatGenesis } from "../../src/types/genesis.ts";
import { TEST_ADDRESSES, testTransaction } from "../support/chains.ts";
import { runCommand, temporaryFolder } from "../support/cli.ts";
import { validatorGenesis } from "../support/validatorGenesis.ts";
import { seededNumbers, ValidatorNetwork } from "../support/validatorNetwork.ts";

const WAIT_MS = 60_000;
const genesis = validatorGenesis(1);
const finalEpoch = (node: QNode) => node.consensus?.engine.status.finalizedEpoch ?? 0;

/** One validator with JSON-RPC and, in block 1 or soon after, a transaction of its own number. */
async function startChain(sender: number) {
  const network = new ValidatorNetwork({ genesis, factor: 10, random: seededNumbers(7) });
  const node = await network.start(0);
  const transaction = testTransaction(node.chain, sender, 0);
  await network.submit(transaction);
  await network.until("two final epochs", (one) => finalEpoch(one) >= 2, WAIT_MS);
  const options = { hosts: ["127.0.0.1"], port: 0, api: ["eth", "qnet"], allowUnprotected: true };
  const server = await startRpcServer(node, options);
  const dispose = async () => {
    await server.close();
    await network[Symbol.asyncDispose]();
  };
  return { node, transaction, url: server.httpUrl, [Symbol.asyncDispose]: dispose };
}

/** A node between: what another one answers to `method`, changed. */
async function startLiar(url: string, method: string, change: (text: string) => string) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const headers = { "content-type": "application/json" };
    const text = await (await fetch(url, { method: "POST", headers, body })).text();
    response.end(body.includes(`"${method}"`) ? change(text) : text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${address.port}`, [Symbol.asyncDispose]: close };
}

/** Another digit in the middle of a field, where an array or string of hex digits starts. */
function spoil(text: string, field: string): string {
  const start = text.indexOf(`"${field}":`);
  assert.ok(start >= 0, `${field} in the reply`);
  const at = text.indexOf("0x", start) + 200;
  return `${text.slice(0, at)}${text[at] === "a" ? "b" : "a"}${text.slice(at + 1)}`;
}

describe("qnet light verify", function () {
  this.timeout(180_000);

  it("follows final epochs and proves transactions and accounts; lies, forks and age are refused", async () => {
    using folder = temporaryFolder();
    const network = join(folder.path, "genesis.json");
    writeFileSync(network, formatGenesis(genesis));
    await using one = await startChain(0);
    await using other = await startChain(1);
    const verify = (...args: readonly string[]) =>
      runCommand(["light", "verify", "--network", network, ...args]);
    const fails = async (text: RegExp, ...args: readonly string[]) => {
      const { status, stdout, stderr } = await verify(...args);
      assert.deepEqual([status, stdout], [1, ""], stderr);
      assert.match(stderr, text);
    };
    const at = ["--rpc-url", one.url];

    const account = TEST_ADDRESSES[0] ?? "";
    const proven = ["--tx", one.transaction.hash, "--account", account, "--json"];
    const { status, stdout, stderr } = await verify(...at, ...at, ...proven);
    assert.equal(status, 0, stderr);
    const facts = JSON.parse(stdout);
    assert.ok(facts.epoch >= 2 && facts.trustedEpoch === 0 && facts.peers === 2, stdout);
    assert.equal(one.node.consensus?.checkpoint(facts.epoch)?.hash, facts.macroHash);
    const block = one.node.chain.canonicalHash(BigInt(facts.transaction.blockNumber));
    assert.equal(facts.transaction.blockHash, block);
    const held = one.node.chain.stateAt(facts.blockHash).account(parseAddress(account));
    assert.deepEqual([facts.account.nonce, facts.account.balance], [1, String(held?.balance)]);

    const trusted = `${facts.epoch}:${facts.macroHash}`;
    const later = await verify(...at, "--checkpoint", trusted);
    assert.equal(later.status, 0, later.stderr);
    assert.match(later.stdout, new RegExp(`trustedEpoch: ${facts.epoch}\n`));
    await fails(/--checkpoint says 0x11/, ...at, "--checkpoint", `1:0x${"11".repeat(32)}`);
    await fails(/before the trusted/, ...at, "--checkpoint", trusted, "--tx", one.transaction.hash);

    await fails(/is final twice/, ...at, "--rpc-url", other.url);
    await fails(/knows no block/, ...at, "--tx", other.transaction.hash);
    await using forger = await startLiar(one.url, "qnet_getFinalityProof", (text) =>
      spoil(text, "certificate"),
    );
    await fails(/signature is wrong/, "--rpc-url", forger.url);
    await using poor = await startLiar(one.url, "eth_getProof", (text) =>
      spoil(text, "accountProof"),
    );
    await fails(/Merkle proof does not hold/, "--rpc-url", poor.url, "--account", account);
    await using swapper = await startLiar(
      one.url,
      "eth_getRawTransactionByBlockNumberAndIndex",
      (text) => text.replace(/"0x[0-9a-f]{2}/, '"0x01'),
    );
    await fails(
      /does not hold the transaction/,
      "--rpc-url",
      swapper.url,
      "--tx",
      one.transaction.hash,
    );
    await using deaf = await startLiar(one.url, "qnet_syncStatus", () => '{"result":{}}');
    await fails(/cannot be read as its status/, "--rpc-url", deaf.url);

    const aging = { unbonding: 3, evidenceWindow: 2, trustPeriod: 1 };
    writeFileSync(network, formatGenesis(validatorGenesis(1, aging)));
    await fails(/too old/, ...at);
  });

  it("says what is missing before it asks anybody", async () => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /usage: qnet light verify/],
      [["verify", "--checkpoint", "7"], 2, /expected EPOCH:0xHASH/],
      [["verify"], 4, /mainnet names no validators/],
      [["verify", "--network", "devnet", "--rpc-url", "http://127.0.0.1:1"], 1, /no JSON-RPC at/],
    ];
    for (const [args, code, text] of cases) {
      const { status, stderr } = await runCommand(["light", ...args]);
      assert.equal(status, code, stderr);
      assert.match(stderr, text);
    }
  });
});
