import assert from "node:assert/strict";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { encodeBlock, makeBlock } from "../../../src/types/block.ts";
import {
  buildTestBlock,
  contractsOf,
  LOGGER_CODE,
  mineTestBlock,
  TEST_ADDRESSES,
  testTransaction,
} from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { threadMs } from "../../support/threadTime.ts";

const [sender = ""] = TEST_ADDRESSES;
const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

describe("debug methods", () => {
  let served: TestServer;
  let logger: string;
  before(async () => {
    served = await startTestServer();
    const { chain } = served.node;
    const [contract] = contractsOf(0, 1);
    assert.ok(contract !== undefined);
    logger = contract;
    const create = { to: undefined, data: LOGGER_CODE, gasLimit: 200_000n, value: 0n };
    await mineTestBlock(chain, [testTransaction(chain, 0, 0, create)]);
    const call = (nonce: number, bytes: number) =>
      testTransaction(chain, 0, nonce, {
        to: contract,
        data: new Uint8Array(bytes).fill(1),
        gasLimit: 200_000n,
        value: 0n,
      });
    await mineTestBlock(chain, [call(1, 3), call(2, 5)]);
  });
  after(() => served[Symbol.asyncDispose]());

  const head = () => served.node.chain.head;

  it("trace a transaction behind others of its block", async () => {
    const hash = served.node.chain.block(head().hash)?.transactions[1]?.hash;
    const tracer = { tracer: "prestateTracer" };
    const result = Object(await served.call("debug_traceTransaction", hash, tracer));
    assert.deepEqual(result[logger].storage, { [word(0)]: word(3) });
    assert.equal(result[sender].nonce, 2);
  });

  it("trace whole blocks by number, hash and encoding alike", async () => {
    const tracer = { tracer: "callTracer", tracerConfig: { withLog: true } };
    const block = served.node.chain.block(head().hash);
    assert.ok(block !== undefined);
    const byNumber = await served.call("debug_traceBlockByNumber", "latest", tracer);
    assert.ok(Array.isArray(byNumber) && byNumber.length === 2);
    assert.equal(byNumber[1].result.logs[0].index, "0x1");
    assert.deepEqual(await served.call("debug_traceBlockByHash", head().hash, tracer), byNumber);
    const raw = bytesToHex(encodeBlock(block));
    assert.deepEqual(await served.call("debug_traceBlock", raw, tracer), byNumber);
  });

  it("trace calls with overrides, and before a transaction of a block", async () => {
    const call = { from: sender, to: logger, input: "0x01" };
    const touched = async (options: object) =>
      Object(
        await served.call("debug_traceCall", call, "latest", {
          tracer: "prestateTracer",
          ...options,
        }),
      )[logger]?.storage?.[word(0)];
    assert.equal(await touched({}), word(5));
    assert.equal(await touched({ txIndex: "0x1" }), word(3));
    const stateOverrides = { [logger]: { stateDiff: { [word(0)]: word(9) } } };
    assert.equal(await touched({ stateOverrides }), word(9));
    const plain = Object(await served.call("debug_traceCall", call, "latest"));
    assert.ok(plain.structLogs.length > 5);
  });

  it("refuse what cannot be traced", async () => {
    const refusals = [
      ["debug_traceBlockByNumber", ["0x0"], /genesis is not traceable/],
      ["debug_traceBlockByNumber", ["0x99"], /block #153 not found/],
      ["debug_traceTransaction", [word(1)], /transaction not found/],
      ["debug_traceTransaction", [word(1), { tracer: "{}" }], /unknown tracer/],
      ["debug_traceTransaction", [word(1), { timeout: "soon" }], /duration/],
    ] as const;
    for (const [method, params, message] of refusals) {
      await assert.rejects(served.call(method, ...params), { message });
    }
  });

  it("break a trace off when its time is over", async () => {
    const loop = { to: logger, gas: "0x2faf080" };
    const stateOverrides = { [logger]: { code: "0x5b5f56" } };
    const options = { tracer: "callTracer", timeout: "50ms", stateOverrides };
    await assert.rejects(served.call("debug_traceCall", loop, "latest", options), {
      code: -32002,
    });
  });

  it("answer other requests while a trace runs", async () => {
    const loop = { to: logger, gas: "0x2faf080" };
    const stateOverrides = { [logger]: { code: "0x5b5f56" } };
    const options = { tracer: "callTracer", timeout: "600ms", stateOverrides };
    const long = assert.rejects(served.call("debug_traceCall", loop, "latest", options));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = threadMs();
    await served.call("eth_blockNumber");
    const elapsedMs = threadMs() - start;
    await long;
    assert.ok(elapsedMs < 300, `answered after ${elapsedMs} ms`);
  });

  it("show storage before a transaction and accounts in pieces", async () => {
    const at = (index: number) =>
      served.call("debug_storageRangeAt", head().hash, index, logger, "0x", 10);
    const values = async (index: number) =>
      Object.values(Object(Object(await at(index)).storage)).map((slot) => Object(slot).value);
    assert.deepEqual(await values(0), []);
    assert.deepEqual(await values(1), [word(3)]);
    assert.deepEqual(await values(2), [word(5)]);
    const first = Object(await served.call("debug_accountRange", "latest", "0x", 2));
    assert.equal(Object.keys(first.accounts).length, 2);
    const rest = Object(await served.call("debug_accountRange", "latest", first.next, 100));
    const all = Object(await served.call("debug_dumpBlock", "latest"));
    assert.deepEqual({ ...first.accounts, ...rest.accounts }, all.accounts);
  });

  it("tell which accounts changed, and the root after each transaction", async () => {
    const changed = await served.call("debug_getModifiedAccountsByNumber", "0x0", "latest");
    assert.ok(Array.isArray(changed) && changed.includes(logger) && changed.includes(sender));
    const last = await served.call("debug_getModifiedAccountsByHash", head().hash);
    assert.ok(Array.isArray(last) && last.includes(logger));
    const roots = await served.call("debug_intermediateRoots", head().hash);
    assert.ok(Array.isArray(roots) && roots.length === 2 && roots[0] !== roots[1]);
  });

  it("remember blocks that were refused", async () => {
    const { chain } = served.node;
    const { block } = await buildTestBlock(chain);
    const { hash: _, sizeBytes: __, header, ...body } = block;
    const bad = makeBlock({ ...header, gasUsed: 1n }, body);
    await assert.rejects(chain.importBlock(bad));
    const list = await served.call("debug_getBadBlocks");
    assert.ok(Array.isArray(list));
    assert.equal(list[0].hash, bad.hash);
    assert.equal(list[0].rlp, bytesToHex(encodeBlock(bad)));
  });

  it("find code by its hash and show the configuration", async () => {
    const account = Object(await served.call("eth_getProof", logger, [], "latest"));
    const code = await served.call("eth_getCode", logger, "latest");
    assert.equal(await served.call("debug_codeByHash", account.codeHash), code);
    assert.equal(await served.call("debug_codeByHash", word(1)), null);
    assert.equal(Object(await served.call("debug_chainConfig")).chainId, 31337);
  });

  it("go back to an earlier block", async () => {
    const before = head();
    await served.call("debug_setHead", "0x1");
    assert.equal(head().header.number, 1n);
    await served.node.chain.setForkchoice({ head: before.hash });
  });
});
