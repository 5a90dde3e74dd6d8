import assert from "node:assert/strict";
import { contractAddress } from "../../../src/execution/contractAddress.ts";
import { bytesToHex, parseAddress } from "../../../src/primitives/hex.ts";
import { parseGenesis } from "../../../src/types/genesis.ts";
import {
  devnetGenesis,
  mineTestBlock,
  TEST_ADDRESSES,
  TEST_MINER,
  testTransaction,
} from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startFixtureNode, startTestNode } from "../../support/rpcNode.ts";
import { TRACED, tracedAlloc } from "../../support/traceContracts.ts";

const [sender = ""] = TEST_ADDRESSES;
const caller = parseAddress(TRACED.caller);
const API = ["eth", "trace", "ots", "erigon"];

/** The plain devnet with the contracts that do everything. */
function tracedGenesis() {
  const json = structuredClone(Object(devnetGenesis().json));
  delete json.config.qnet;
  return parseGenesis({ ...json, alloc: { ...json.alloc, ...tracedAlloc } });
}

function list(value: unknown) {
  assert.ok(Array.isArray(value));
  return value;
}

describe("trace and ots methods", () => {
  let served: TestServer;
  let hash: string;
  before(async () => {
    const node = await startTestNode(tracedGenesis());
    served = await startTestServer({ api: API }, node);
    const { chain } = node;
    const call = { to: caller, gasLimit: 2_000_000n, value: 11n };
    const first = testTransaction(chain, 0, 0);
    const second = testTransaction(chain, 0, 1, call);
    hash = second.hash;
    await mineTestBlock(chain, [first, second]);
    const reverter = { to: parseAddress(TRACED.reverter), gasLimit: 100_000n, value: 0n };
    await mineTestBlock(chain, [testTransaction(chain, 0, 2, reverter)]);
  });
  after(() => served[Symbol.asyncDispose]());

  it("place each trace in its block and in the tree", async () => {
    const traces = list(await served.call("trace_transaction", hash));
    assert.deepEqual(traces[0].traceAddress, []);
    assert.equal(traces[0].subtraces, 10);
    assert.equal(traces[0].transactionPosition, 1);
    const kinds = traces.map(({ type }) => type);
    assert.equal(kinds.filter((kind) => kind === "create").length, 2);
    assert.equal(kinds.filter((kind) => kind === "suicide").length, 1);
    const block = list(await served.call("trace_block", "0x1"));
    assert.deepEqual(block.slice(1), traces);
    assert.deepEqual(await served.call("trace_get", hash, ["0x2"]), traces[2]);
    assert.equal(await served.call("trace_transaction", `0x${"11".repeat(32)}`), null);
    assert.deepEqual(await served.call("trace_block", "0x0"), []);
  });

  it("replay transactions with what was asked for", async () => {
    const replay = Object(await served.call("trace_replayTransaction", hash, ["stateDiff"]));
    assert.deepEqual(replay.trace, []);
    assert.equal(replay.vmTrace, null);
    assert.deepEqual(replay.stateDiff[caller].nonce, { "*": { from: "0x0", to: "0x2" } });
    const all = list(await served.call("trace_replayBlockTransactions", "0x1", ["trace"]));
    assert.equal(all[1].transactionHash, hash);
    assert.ok(!("blockHash" in all[1].trace[0]));
    await assert.rejects(served.call("trace_replayTransaction", hash, ["vmTrace"]), {
      code: -32602,
    });
  });

  it("filter by sender and recipient, in pages and within limits", async () => {
    const range = { fromBlock: "0x0", toBlock: "latest" };
    const by = async (filter: object) =>
      list(await served.call("trace_filter", { ...range, ...filter }));
    const toReader = await by({ toAddress: [TRACED.reader] });
    assert.equal(toReader.length, 5);
    assert.deepEqual(
      await by({ toAddress: [TRACED.reader], after: 1, count: 2 }),
      toReader.slice(1, 3),
    );
    assert.equal((await by({ fromAddress: [sender] })).length, 3);
    const none = { fromAddress: [sender], toAddress: [TRACED.heir] };
    assert.equal((await by(none)).length, 0);
    assert.equal((await by({ ...none, mode: "union" })).length, 4);
    await assert.rejects(by({ fromBlock: "0x1", toBlock: "0x0" }), { code: -32602 });
  });

  it("trace calls, one on the other's state", async () => {
    const request = { from: sender, to: caller, gas: "0x1e8480" };
    const one = Object(await served.call("trace_call", request, ["trace", "stateDiff"]));
    assert.equal(one.trace[0].subtraces, 10);
    const two = list(
      await served.call("trace_callMany", [
        [request, ["stateDiff"]],
        [request, ["stateDiff"]],
      ]),
    );
    assert.deepEqual(two[0].stateDiff[caller].nonce, { "*": { from: "0x2", to: "0x4" } });
    assert.deepEqual(two[1].stateDiff[caller].nonce["*"].from, "0x4");
    const { chain } = served.node;
    const raw = bytesToHex(testTransaction(chain, 0, 3).raw);
    const signed = Object(await served.call("trace_rawTransaction", raw, ["trace"]));
    assert.equal(signed.trace[0].action.from, sender);
  });

  it("show Otterscan operations, calls and errors", async () => {
    const operations = list(await served.call("ots_getInternalOperations", hash));
    assert.deepEqual(
      operations.map(({ type }) => type),
      [0, 2, 3, 0, 1],
    );
    const calls = list(await served.call("ots_traceTransaction", hash));
    assert.deepEqual([calls[0].depth, calls[1].depth], [0, 1]);
    assert.equal(calls.find(({ type }) => type === "STATICCALL").value, null);
    const failed = Object(await served.call("eth_getBlockByNumber", "0x2")).transactions[0];
    const error = String(await served.call("ots_getTransactionError", failed));
    assert.ok(error.startsWith("0x08c379a0"));
    assert.equal(await served.call("ots_getTransactionError", hash), "0x");
  });

  it("find who made a contract, from outside and from inside", async () => {
    const inner = contractAddress(caller, 0n);
    const made = await served.call("ots_getContractCreator", inner);
    assert.deepEqual(made, { hash, creator: caller });
    assert.equal(await served.call("ots_getContractCreator", caller), null);
    assert.equal(await served.call("ots_getContractCreator", sender), null);
    assert.equal(await served.call("ots_hasCode", inner, "latest"), true);
    assert.equal(await served.call("ots_hasCode", inner, "0x0"), false);
  });

  it("show blocks in summary and in pages from the end", async () => {
    assert.equal(await served.call("ots_getApiLevel"), 8);
    const details = Object(await served.call("ots_getBlockDetails", "0x1"));
    assert.equal(details.block.transactionCount, 2);
    assert.ok(!("transactions" in details.block));
    assert.equal(details.issuance.issuance, "0x0");
    const receipts = list(await served.call("eth_getBlockReceipts", "0x1"));
    const fees = receipts.reduce(
      (sum, { gasUsed, effectiveGasPrice }) => sum + BigInt(gasUsed) * BigInt(effectiveGasPrice),
      0n,
    );
    assert.equal(BigInt(details.totalFees), fees);
    const byHash = await served.call("ots_getBlockDetailsByHash", details.block.hash);
    assert.deepEqual(byHash, details);
    const page = Object(await served.call("ots_getBlockTransactions", "0x1", 0, 1));
    assert.equal(page.fullblock.transactions[0].hash, hash);
    assert.equal(page.receipts[0].transactionHash, hash);
    const older = Object(await served.call("ots_getBlockTransactions", "0x1", 1, 1));
    assert.equal(older.fullblock.transactions[0].nonce, "0x0");
    const header = Object(await served.call("erigon_getHeaderByNumber", "latest"));
    assert.equal(header.number, "0x2");
  });

  it("page through an address's transactions, newest first, without tearing blocks", async () => {
    const nonces = (page: unknown) => list(Object(page).txs).map(({ nonce }) => Number(nonce));
    const flags = (page: unknown) => [Object(page).firstPage, Object(page).lastPage];
    const newest = await served.call("ots_searchTransactionsBefore", sender, 0, 1);
    assert.deepEqual(nonces(newest), [2]);
    assert.deepEqual(flags(newest), [true, false]);
    const next = await served.call("ots_searchTransactionsBefore", sender, 2, 1);
    assert.deepEqual(nonces(next), [1, 0]);
    assert.deepEqual(flags(next), [false, true]);
    const oldest = await served.call("ots_searchTransactionsAfter", sender, 0, 1);
    assert.deepEqual(nonces(oldest), [1, 0]);
    assert.deepEqual(flags(oldest), [false, true]);
    const after = await served.call("ots_searchTransactionsAfter", sender, 1, 25);
    assert.deepEqual(nonces(after), [2]);
    assert.deepEqual(flags(after), [true, false]);
    assert.equal(typeof Object(after).receipts[0].timestamp, "number");
    assert.equal(await served.call("ots_getTransactionBySenderAndNonce", sender, 1), hash);
    await assert.rejects(served.call("ots_searchTransactionsAfter", TEST_MINER, 1, 1_000), {
      code: -32602,
    });
  });
});

describe("traces of the published chain", () => {
  let served: TestServer;
  before(async function () {
    this.timeout(30_000);
    served = await startTestServer({ api: API }, await startFixtureNode());
  });
  after(() => served[Symbol.asyncDispose]());

  it("include the rewards of miners and of ommers before the merge", async () => {
    const { chain } = served.node;
    const ommered = [...Array(35).keys()]
      .map((number) => chain.blockByNumber(BigInt(number)))
      .find((block) => block !== undefined && block.ommers.length > 0);
    assert.ok(ommered !== undefined);
    const number = `0x${ommered.header.number.toString(16)}`;
    const rewards = list(await served.call("trace_block", number)).filter(
      ({ type }) => type === "reward",
    );
    assert.deepEqual(
      rewards.map(({ action }) => action.rewardType),
      ["block", ...ommered.ommers.map(() => "uncle")],
    );
    const merged = list(await served.call("trace_block", "latest"));
    assert.ok(merged.every(({ type }) => type !== "reward"));
  }).timeout(20_000);
});
