import assert from "node:assert/strict";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { startDevNode } from "../../support/devNode.ts";
import { startTestServer } from "../../support/rpcClient.ts";

const CONTRACT = "0x00000000000000000000000000000000000c0de0";
/** 20,000 JUMPDEST, then back to the start: without end, and with few jumps. */
const STRAIGHT_LOOP = `0x${"5b".repeat(20_000)}5f56`;
/** JUMPDEST PUSH0 JUMP */
const TIGHT_LOOP = "0x5b5f56";
/** Calls itself with all its gas for ever, without a jump. */
const RECURSION = `0x${"5f5f5f5f5f305af150".repeat(8)}`;

const running = (code: string, gas?: string) => [
  { to: CONTRACT, ...(gas !== undefined && { gas }) },
  "latest",
  { [CONTRACT]: { code } },
];

/** Milliseconds until `promise` is settled; rejections are kept. */
async function outcomeOf(promise: Promise<unknown>): Promise<{ code: number }> {
  try {
    await promise;
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error)
      return { code: Number(error.code) };
    throw error;
  }
  return { code: 0 };
}

describe("long work on the main thread", () => {
  for (const [name, code] of Object.entries({ STRAIGHT_LOOP, TIGHT_LOOP, RECURSION })) {
    it(`ends a call in time, and answers others meanwhile: ${name}`, async () => {
      await using server = await startTestServer({ evmTimeoutMs: 700, gasCap: 500_000_000n });
      const finished: string[] = [];
      const slow = outcomeOf(server.call("eth_call", ...running(code))).then((outcome) => {
        finished.push("slow");
        return outcome;
      });
      await new Promise((resolve) => setTimeout(resolve, 30));
      await server.call("net_version");
      finished.push("quick");
      assert.equal((await slow).code, -32002);
      assert.deepEqual(finished, ["quick", "slow"]);
    });
  }

  it("counts all tries of an estimate together", async () => {
    await using server = await startTestServer({ evmTimeoutMs: 100 });
    // burns all gas down to a million: one try of the search fits the time, all of them do not
    const burner = "0x5b620f42405a1160005700";
    const outcome = await outcomeOf(server.call("eth_estimateGas", ...running(burner)));
    assert.equal(outcome.code, -32002);
  });

  it("ends a batch in time although no call of it waits, and answers others meanwhile", async () => {
    await using server = await startTestServer({ dispatch: { requestTimeoutMs: 700 } });
    const calls = Array.from({ length: 1_000 }, (_, id) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_call",
      params: running(TIGHT_LOOP, "0x1e8480"),
    }));
    const finished: string[] = [];
    const slow = server.ask(calls).then((replies) => {
      finished.push("batch");
      return replies;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await server.call("net_version");
    finished.push("quick");
    const replies = await slow;
    assert.ok(Array.isArray(replies));
    assert.equal(replies.length, 1_000);
    assert.equal(replies.at(-1).error.code, -32002);
    assert.deepEqual(finished, ["quick", "batch"]);
  });

  it("mines many blocks, and a heavy one, without keeping others waiting", async () => {
    await using dev = await startDevNode();
    const finished: string[] = [];
    const mined = dev.call("hardhat_mine", 300).then(() => finished.push("mined"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await dev.call("net_version");
    finished.push("quick");
    await mined;
    assert.deepEqual(finished, ["quick", "mined"]);
    await dev.call("hardhat_setCode", CONTRACT, STRAIGHT_LOOP);
    const transaction = { from: TEST_ADDRESSES[0], to: CONTRACT, gas: "0x100000" };
    await dev.call("eth_sendTransaction", transaction);
    await dev.settled();
    assert.equal(await dev.call("eth_blockNumber"), "0x12d");
  });

  it("lets a read wait for the block of what was sent, not for all that is mined", async () => {
    await using dev = await startDevNode();
    const finished: string[] = [];
    const mined = dev.call("hardhat_mine", 400).then(() => finished.push("mined"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [from, to] = TEST_ADDRESSES;
    const hash = await dev.call("eth_sendTransaction", { from, to, gas: "0x5208" });
    assert.notEqual(await dev.call("eth_getTransactionReceipt", hash), null);
    finished.push("read");
    await mined;
    assert.deepEqual(finished, ["read", "mined"]);
  });
});
