import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createPublicClient, http, parseEther } from "viem";
import { fixturePath, TEST_ADDRESSES } from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startFixtureNode } from "../../support/rpcNode.ts";
import { threadMs } from "../../support/threadTime.ts";

const [sender = "", other = ""] = TEST_ADDRESSES;
const A = `0x${"a1".repeat(20)}`;
/** Jumps back for ever: JUMPDEST, PUSH0, JUMP. */
const ENDLESS = "0x5b5f56";
const TIMEOUT_MS = 200;

describe("eth_simulateV1", () => {
  let served: TestServer;
  before(async () => {
    served = await startTestServer({ evmTimeoutMs: TIMEOUT_MS, gasCap: 1_000_000_000n });
  });
  after(() => served[Symbol.asyncDispose]());

  const simulate = (payload: unknown, block?: string) =>
    served.call("eth_simulateV1", payload, ...(block === undefined ? [] : [block]));
  const oneBlock = (block: unknown, options: object = {}) =>
    simulate({ blockStateCalls: [block], ...options });
  const rejects = (run: Promise<unknown>, code: number, text: RegExp) =>
    assert.rejects(run, (error) => {
      const { code: got, message } = Object(error);
      assert.match(String(message), text);
      assert.equal(got, code);
      return true;
    });

  it("answers each fault with its own code", async () => {
    const poor = { from: A, to: other };
    await rejects(simulate({ blockStateCalls: [] }), -32602, /empty input/);
    await rejects(simulate({}), -32602, /empty input/);
    await rejects(simulate({ blockStateCalls: Array(257).fill({}) }), -38026, /too many blocks/);
    const far = { blockOverrides: { number: "0x200" } };
    await rejects(oneBlock(far), -38026, /too many blocks/);
    await rejects(oneBlock({ blockOverrides: { number: "0x0" } }), -38020, /0 <= 0/);
    await rejects(oneBlock({ blockOverrides: { time: "0x0" } }), -38021, /0 <= 0/);
    const strict = { validation: true };
    await rejects(
      oneBlock({ calls: [{ ...poor, nonce: "0x9" }] }, strict),
      -38011,
      /nonce too high/,
    );
    await rejects(oneBlock({ calls: [poor] }, strict), -38012, /less than block base fee/);
    await rejects(oneBlock({ calls: [{ ...poor, gas: "0x1" }] }), -38013, /supplied gas 1\)/);
    await rejects(oneBlock({ calls: [{ ...poor, value: "0x1" }] }), -38014, /have 0 want 1 /);
    await rejects(oneBlock({ calls: [{ ...poor, gas: "0xffffffffff" }] }), -38015, /remaining/);
    const long = { from: A, input: `0x${"00".repeat(49_153)}` };
    await rejects(oneBlock({ calls: [long] }), -38025, /initcode/);
    const gone = { stateOverrides: { [A]: { nonce: "0x5" } }, calls: [{ ...poor, nonce: "0x4" }] };
    await rejects(oneBlock(gone, strict), -38010, /nonce too low/);
    const last = { stateOverrides: { [A]: { nonce: "0xffffffffffffffff" } }, calls: [poor] };
    await rejects(oneBlock(last, strict), -32603, /max value/);
    await rejects(oneBlock({ calls: [{ ...poor, chainId: "0x99" }] }), -32602, /chain id/);
    const both = { [A]: { state: {}, stateDiff: {} } };
    await rejects(oneBlock({ stateOverrides: both }), -32000, /both 'state' and 'stateDiff'/);
    await rejects(simulate({ blockStateCalls: [{}] }, "0x77"), -32000, /header not found/);
  });

  it("tells reverts with their data and other failures with a code of their own", async () => {
    const code = (text: string) => ({ stateOverrides: { [A]: { code: text } } });
    const run = async (text: string) => {
      const [block] = Object(
        await oneBlock({ ...code(text), calls: [{ from: sender, to: A, gas: "0x10000" }] }),
      );
      return block.calls[0];
    };
    const reverted = await run("0x60aa5f5260205ffd");
    assert.deepEqual([reverted.status, reverted.returnData, reverted.logs], ["0x0", "0x", []]);
    assert.equal(reverted.error.code, 3);
    assert.equal(reverted.error.data, `0x${"aa".padStart(64, "0")}`);
    const invalid = await run("0xfe");
    assert.deepEqual(Object.keys(invalid.error).sort(), ["code", "message"]);
    assert.equal(invalid.error.code, -32015);
    assert.equal(invalid.gasUsed, "0x10000");
  });

  it("simulates on pending what the pool would make of the chain", async () => {
    const [block] = Object(await simulate({ blockStateCalls: [{}] }, "pending"));
    assert.equal(block.number, "0x2");
  });

  it("is understood by viem", async () => {
    const client = createPublicClient({ transport: http(served.server.httpUrl) });
    const [block] = await client.simulateBlocks({
      blocks: [
        {
          calls: [
            { account: `0x${sender.slice(2)}`, to: `0x${"a1".repeat(20)}`, value: parseEther("1") },
          ],
        },
      ],
      traceTransfers: true,
      returnFullTransactions: true,
    });
    const [done] = block?.calls ?? [];
    assert.equal(done?.status, "success");
    assert.equal(done?.logs?.length, 1);
  });

  it("stops an endless loop in time and lets others be served meanwhile", async function () {
    this.timeout(20_000);
    const block = {
      blockOverrides: { gasLimit: "0x3b9aca00" },
      stateOverrides: { [A]: { code: ENDLESS } },
      calls: [{ from: sender, to: A }],
    };
    const began = threadMs();
    const heavy = rejects(oneBlock(block), -32002, /timeout = 200 ms/);
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const asked = threadMs();
      await served.call("eth_chainId");
      waits.push(threadMs() - asked);
    }
    assert.ok(Math.max(...waits) < TIMEOUT_MS, `waited ${waits.join()} ms`);
    await heavy;
    const call = [{ from: sender, to: A }, "latest", { [A]: { code: ENDLESS } }];
    await rejects(served.call("eth_call", ...call), -32002, /timeout = 200 ms/);
    const tookMs = threadMs() - began;
    assert.ok(tookMs < 10 * TIMEOUT_MS, `took ${tookMs} ms`);
  });
});

describe("eth_simulateV1 on an old chain", () => {
  it("keeps the rules, fields and rewards of the base's time, and those of the forks it reaches", async function () {
    if (!existsSync(fixturePath("rpc-compat", "chain.rlp"))) {
      process.stderr.write("no RPC fixtures: set QNET_FIXTURES\n");
      return this.skip();
    }
    this.timeout(60_000);
    await using served = await startTestServer({}, await startFixtureNode());
    const simulate = async (block: unknown, base: string) => {
      const reply = await served.call("eth_simulateV1", { blockStateCalls: [block] }, base);
      return Object(reply).at(-1);
    };
    const miner = `0x${"b0".repeat(20)}`;
    // returns the balance of that miner, without PUSH0
    const probe = { stateOverrides: { [A]: { code: `0x73${"b0".repeat(20)}3160005260206000f3` } } };
    const rewarded = { blockOverrides: { feeRecipient: miner } };
    for (const [base, reward] of [
      ["0x1", 5n],
      ["0xa", 3n],
      ["0x20", 2n],
      ["0x36", 0n],
    ] as const) {
      const blocks = {
        blockStateCalls: [rewarded, { ...probe, calls: [{ from: sender, to: A }] }],
      };
      const [first, second] = Object(await served.call("eth_simulateV1", blocks, base));
      assert.equal(BigInt(first.number), BigInt(base) + 1n);
      const parent = Object(await served.call("eth_getBlockByNumber", base));
      assert.deepEqual([first.difficulty, first.gasLimit], [parent.difficulty, parent.gasLimit]);
      assert.equal("baseFeePerGas" in first, BigInt(base) >= 26n, base);
      assert.equal("withdrawals" in first, base === "0x36");
      // the second block pays its own reward after its call
      assert.equal(BigInt(second.calls[0].returnData), reward * 10n ** 18n);
    }
    const late = { blockOverrides: { time: "0xffffffff" } };
    const early = await simulate(late, "0x1");
    assert.deepEqual(["baseFeePerGas" in early, "withdrawals" in early], [false, false]);
    const merged = await simulate({ blockOverrides: { number: "0x24" } }, "0x20");
    assert.equal(merged.difficulty, "0x0");
    const cancun = await simulate(late, "0x23");
    assert.deepEqual([cancun.difficulty, "requestsHash" in cancun], ["0x0", true]);
  });
});
