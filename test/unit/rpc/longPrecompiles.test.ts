import assert from "node:assert/strict";
import { activePrecompiles } from "../../../src/execution/precompiles/active.ts";
import { LONG_CALLS, withOffload } from "../../../src/execution/precompiles/offload.ts";
import { hexToBytes } from "../../../src/primitives/hex.ts";
import { MAX_PRECOMPILE_CALLS, PrecompileWorker } from "../../../src/runtime/precompileWorker.ts";
import { WorkerError } from "../../../src/runtime/workerError.ts";
import { startDevNode } from "../../support/devNode.ts";
import { startTestServer } from "../../support/rpcClient.ts";
import { threadMs } from "../../support/threadTime.ts";

const word = (value: number) => value.toString(16).padStart(64, "0");
const address = (number: number) => `0x${number.toString(16).padStart(40, "0")}`;
/** BLAKE2F with this many rounds: 30 ns each. Source: EIP-152. */
const blake2f = (rounds: number) =>
  `0x${rounds.toString(16).padStart(8, "0")}${"00".repeat(208)}01`;
const G1 = word(1) + word(2);
const ALL_GAS = 2 ** 40;
const seconds = { to: address(9), data: blake2f(40_000_000) };

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof WorkerError ? error.reason.code : Object(error).code),
  );
}

describe("long precompiles", () => {
  it("answer a call in time, and others at once, whichever way the call is run", async () => {
    await using server = await startTestServer({ evmTimeoutMs: 600 });
    const runs = [
      server.call("eth_call", seconds, "latest"),
      server.call("eth_estimateGas", seconds),
      server.call("eth_createAccessList", seconds),
      server.call("debug_traceCall", seconds, "latest", { tracer: "callTracer" }),
    ];
    const outcomes = Promise.all(runs.map(codeOf));
    let worstMs = 0;
    let isDone = false;
    void outcomes.then(() => {
      isDone = true;
    });
    while (!isDone) {
      const sinceMs = threadMs();
      await server.call("eth_blockNumber");
      worstMs = Math.max(worstMs, threadMs() - sinceMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await outcomes, [-32002, -32002, -32002, -32002]);
    assert.ok(worstMs < 400, `a call waited ${worstMs} ms behind one that takes seconds`);
  });

  it("give the same as in place, failures and gas included", async () => {
    await using dev = await startDevNode();
    const { chain } = dev.node;
    const rules = chain.rulesFor(chain.head.header);
    const set = activePrecompiles(rules);
    const worker = new PrecompileWorker(60_000);
    const far = withOffload(set, rules, worker);
    const inputs: readonly [number, string, number][] = [
      [2, `0x${"ab".repeat(70_000)}`, ALL_GAS],
      [3, `0x${"ab".repeat(70_000)}`, ALL_GAS],
      [5, `0x${word(130)}${word(2)}${word(130)}${"ab".repeat(262)}`, ALL_GAS],
      [5, `0x${word(130)}${word(2)}${word(130)}${"ab".repeat(262)}`, 10],
      [8, `0x${G1}${word(0).repeat(4)}`, ALL_GAS],
      [8, `0x${word(1).repeat(6)}`, ALL_GAS],
      [9, blake2f(200_000), ALL_GAS],
      [9, blake2f(200_000), 199_999],
      [0x0a, `0x${"00".repeat(192)}`, ALL_GAS],
      [0x0c, `0x${"00".repeat(5 * 160)}`, ALL_GAS],
      [0x0c, `0x${"01".repeat(5 * 160)}`, ALL_GAS],
      [0x0e, `0x${"00".repeat(3 * 288)}`, ALL_GAS],
      [0x0f, `0x${"00".repeat(384)}`, ALL_GAS],
    ];
    for (const [number, hex, gas] of inputs) {
      const input = hexToBytes(hex as `0x${string}`);
      const key = [...LONG_CALLS.keys()].find((one) => one === address(number));
      assert.ok(key !== undefined && LONG_CALLS.get(key)?.(input), `${number} is long`);
      const there = await far.get(key)?.(input, gas);
      const here = await set.get(key)?.(input, gas);
      assert.ok(here !== undefined && there !== undefined);
      assert.deepEqual(
        { ...there, output: [...there.output] },
        { ...here, output: [...here.output] },
      );
    }
    await worker.stop();
  });

  it("run short calls in place", async () => {
    await using dev = await startDevNode();
    const hash = await dev.call("eth_call", { to: address(2), data: "0x" }, "latest");
    assert.equal(hash, "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert.equal(LONG_CALLS.get(dev.node.chain.config.forks.depositContract), undefined);
  });
});

describe("PrecompileWorker", () => {
  const rules = { fork: "osaka", chainId: 1n } as const;
  const find = (number: number) => {
    const key = [...LONG_CALLS.keys()].find((one) => one === address(number));
    assert.ok(key);
    return key;
  };
  const job = (rounds: number) => ({
    rules,
    address: find(9),
    input: hexToBytes(blake2f(rounds) as `0x${string}`),
    gas: ALL_GAS,
  });

  it("ends what takes too long with its thread, and goes on with the next", async () => {
    const worker = new PrecompileWorker(4_000);
    const long = worker.run(job(4_000_000_000));
    const longCode = codeOf(long);
    assert.equal(await longCode, "PRECOMPILE_TIMEOUT");
    const { gasUsed } = await worker.run(job(150_000));
    assert.equal(gasUsed, 150_000);
    await worker.stop();
  });

  it("takes no more than its limit, and nothing once it is stopped", async () => {
    const worker = new PrecompileWorker(60_000);
    const codes = Array.from({ length: MAX_PRECOMPILE_CALLS }, () =>
      codeOf(worker.run(job(4_000_000_000))),
    );
    assert.equal(await codeOf(worker.run(job(1))), "PRECOMPILES_BUSY");
    await worker.stop();
    assert.ok((await Promise.all(codes)).every((code) => code === "WORKERS_STOPPED"));
    assert.equal(await codeOf(worker.run(job(1))), "WORKERS_STOPPED");
  });

  it("does not look at the caller's memory after the call", async () => {
    const worker = new PrecompileWorker(60_000);
    const first = worker.run(job(150_000));
    const one = job(150_000);
    const second = worker.run(one);
    one.input.fill(0xff);
    assert.deepEqual((await second).output, (await first).output);
    await worker.stop();
  });
});
