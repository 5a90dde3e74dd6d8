/** Blocks that mix all types, read by stock clients. */
import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";
import { createPublicClient, http } from "viem";
import { foundry } from "viem/chains";
import { Web3 } from "web3";
import { bytesToHex } from "../../src/primitives/hex.ts";
import { accounts, type DevProcess, startDevProcess } from "../support/devProcess.ts";
import { PQ_SEEDS, pqAccount, signPq } from "../support/pqTransactions.ts";
import { toolOutput } from "../support/runTool.ts";

const [alice, bob] = accounts;
const pq = pqAccount(PQ_SEEDS[0]);
const TYPES = ["0x0", "0x1", "0x2", "0x4", "0x51"];

describe("a block that mixes types 0, 1, 2, 4 and 0x51", function () {
  this.timeout(60_000);
  let node: DevProcess;
  const signed = signPq(pq, { maxFeePerGas: 10_000_000_000n });
  before(async () => {
    node = await startDevProcess();
    await node.call("evm_setAutomine", false);
    const base = { from: alice, to: bob, value: "0x1", gas: "0x7530" };
    const gasPrice = "0x2540be400";
    await node.call("eth_sendTransaction", { ...base, gasPrice });
    await node.call("eth_sendTransaction", { ...base, gasPrice, accessList: [], type: "0x1" });
    await node.call("eth_sendTransaction", base);
    // it is signed by nobody, so it takes no effect, and the transaction is good all the same
    const authorization = {
      chainId: "0x7a69",
      address: bob,
      nonce: "0x0",
      yParity: "0x0",
      r: "0x1",
      s: "0x1",
    };
    const setCode = { ...base, gas: "0x186a0", authorizationList: [authorization] };
    await node.call("eth_sendTransaction", setCode);
    await node.call("eth_sendRawTransaction", bytesToHex(signed.raw));
    await node.call("evm_mine");
  });
  after(async () => await node[Symbol.asyncDispose]());

  it("is read by viem", async () => {
    const client = createPublicClient({ chain: foundry, transport: http(node.url) });
    const block = await client.getBlock({ blockNumber: 1n, includeTransactions: true });
    const kinds = block.transactions.map(({ typeHex }) => typeHex).sort();
    assert.deepEqual(kinds, TYPES);
    const shown = await client.getTransaction({ hash: signed.hash });
    assert.equal(shown.value, 10n ** 18n);
    const receipt = await client.getTransactionReceipt({ hash: signed.hash });
    assert.deepEqual([receipt.status, receipt.gasUsed], ["success", 84_212n]);
  });

  it("is read by ethers", async () => {
    const provider = new JsonRpcProvider(node.url);
    try {
      const block = await provider.getBlock(1, true);
      const kinds = block?.prefetchedTransactions.map(({ type }) => type);
      assert.deepEqual(
        kinds?.sort((a, b) => a - b),
        [0, 1, 2, 4, 0x51],
      );
      const shown = await provider.getTransaction(signed.hash);
      assert.equal(shown?.from.toLowerCase(), pq.address);
      assert.equal((await provider.getTransactionReceipt(signed.hash))?.status, 1);
    } finally {
      provider.destroy();
    }
  });

  it("is read by web3.js", async () => {
    const web3 = new Web3(node.url);
    const { transactions } = await web3.eth.getBlock(1, true);
    assert.equal(transactions.length, 5);
    const shown = await web3.eth.getTransaction(signed.hash);
    assert.equal(String(shown.from).toLowerCase(), pq.address);
    assert.equal((await web3.eth.getTransactionReceipt(signed.hash)).gasUsed, 84_212n);
  });

  it("is read by cast", async () => {
    const env = { ETH_RPC_URL: node.url };
    const block = JSON.parse(await toolOutput("cast", ["block", "1", "--full", "--json"], { env }));
    assert.equal(block.transactions.length, 5);
    const shown = JSON.parse(await toolOutput("cast", ["tx", signed.hash, "--json"], { env }));
    assert.equal(shown.from.toLowerCase(), pq.address);
    assert.match(await toolOutput("cast", ["receipt", signed.hash], { env }), /84212/);
  });

  it("answers what Otterscan asks of a transaction and its block", async () => {
    await node.call("ots_getApiLevel");
    await node.call("ots_getBlockDetails", "0x1");
    const page = await node.call("ots_getBlockTransactions", "0x1", 0, 25);
    assert.ok(JSON.stringify(page).includes(signed.hash));
    await node.call("ots_getTransactionError", signed.hash);
    await node.call("ots_getInternalOperations", signed.hash);
    await node.call("ots_traceTransaction", signed.hash);
    const sent = await node.call("ots_getTransactionBySenderAndNonce", pq.address, 0);
    assert.equal(sent, signed.hash);
    const found = await node.call("ots_searchTransactionsBefore", pq.address, 0, 25);
    assert.ok(JSON.stringify(found).includes(signed.hash));
  });
});
