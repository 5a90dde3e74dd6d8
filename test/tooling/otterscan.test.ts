/** What Otterscan asks: the batch it starts with and the calls of each page, with the fields that its pages read. */
import assert from "node:assert/strict";
import { compileContract } from "../support/compile.ts";
import { accounts, type DevProcess, startDevProcess } from "../support/devProcess.ts";

type Json = Record<string, unknown>;

const FILE_TIMEOUT_MS = 60_000;

describe("Otterscan", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let token: string;
  let creation: string;
  let transfer: string;
  before(async () => {
    node = await startDevProcess();
    const { bytecode } = await compileContract("contracts/samples/SampleToken.sol");
    const data = `${bytecode}${"0".repeat(61)}3e8`;
    const [from] = accounts;
    creation = String(await node.call("eth_sendTransaction", { from, data }));
    token = Object(await node.call("eth_getTransactionReceipt", creation)).contractAddress;
    const to = accounts[1].slice(2).toLowerCase().padStart(64, "0");
    const input = `0xa9059cbb${to}${"7".padStart(64, "0")}`;
    transfer = String(await node.call("eth_sendTransaction", { from, to: token, data: input }));
    assert.equal(Object(await node.call("eth_getTransactionReceipt", transfer)).status, "0x1");
  });
  after(() => node[Symbol.asyncDispose]());

  it("starts: one batch of four probes, of API level 8 at least", async () => {
    const probes = [
      ["eth_blockNumber"],
      ["erigon_getHeaderByNumber", "latest"],
      ["ots_getApiLevel"],
      ["eth_chainId"],
    ].map(([method, ...params], id) => ({ jsonrpc: "2.0", id, method, params }));
    const replies = Object(await (await node.post(probes)).json());
    assert.deepEqual(
      replies.map((reply: Json) => "result" in reply),
      Array(4).fill(true),
    );
    assert.ok(replies[2].result >= 8);
    assert.equal(replies[1].result.number, replies[0].result);
  });

  it("shows a block and the page of its transactions", async () => {
    const details = Object(await node.call("ots_getBlockDetails", 2));
    assert.equal(details.block.transactionCount, 1);
    assert.equal(typeof details.totalFees, "string");
    const byHash = await node.call("ots_getBlockDetailsByHash", details.block.hash);
    assert.deepEqual(byHash, details);
    const page = Object(await node.call("ots_getBlockTransactions", 2, 0, 25));
    assert.equal(page.fullblock.transactions[0].hash, transfer);
    assert.equal(typeof page.fullblock.transactions[0].gasPrice, "string");
    assert.equal(page.receipts[0].transactionHash, transfer);
  });

  it("shows a transaction: trace, internal operations, error, state diff", async () => {
    const trace = Object(await node.call("ots_traceTransaction", transfer));
    assert.deepEqual([trace[0].type, trace[0].depth, trace[0].to], ["CALL", 0, token]);
    assert.deepEqual(await node.call("ots_getInternalOperations", transfer), []);
    assert.equal(await node.call("ots_getTransactionError", transfer), "0x");
    const { stateDiff } = Object(
      await node.call("trace_replayTransaction", transfer, ["stateDiff"]),
    );
    assert.ok(Object.keys(stateDiff[token].storage).length === 2);
  });

  it("shows an address: code, creator, history from either end, the nonce's transaction", async () => {
    assert.equal(await node.call("ots_hasCode", token, "latest"), true);
    assert.equal(await node.call("ots_hasCode", accounts[0], "latest"), false);
    const creator = Object(await node.call("ots_getContractCreator", token));
    assert.deepEqual([creator.hash, creator.creator], [creation, accounts[0].toLowerCase()]);
    const last = Object(await node.call("ots_searchTransactionsBefore", token, 0, 25));
    assert.deepEqual(
      last.txs.map(({ hash }: Json) => hash),
      [transfer, creation],
    );
    assert.deepEqual([last.firstPage, last.lastPage, last.receipts.length], [true, true, 2]);
    const first = Object(await node.call("ots_searchTransactionsAfter", token, 0, 25));
    assert.deepEqual(first.txs, last.txs);
    const found = await node.call("ots_getTransactionBySenderAndNonce", accounts[0], 1);
    assert.equal(found, transfer);
  });

  it("finds the sources of a contract where Sourcify's are looked for", async () => {
    const response = await fetch(`${node.url}/v2/contract/31337/${token}?fields=metadata,sources`);
    assert.equal(response.status, 404);
    assert.equal(Object(await response.json()).match, null);
  });
});
