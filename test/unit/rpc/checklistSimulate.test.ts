/** The rules of JSON-RPC by their numbers: 23 to 28, eth_simulateV1. */
import assert from "node:assert/strict";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { asArray, asObject, hex, type JsonObject, refused } from "../../support/rpcChecks.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const [alice = "", bob = ""] = TEST_ADDRESSES;
const poor = `0x${"a1".repeat(20)}`;
const target = `0x${"a2".repeat(20)}`;
const IDENTITY = `0x${"04".padStart(40, "0")}`;
const TRANSFERS = `0x${"ee".repeat(20)}`;
const GWEI = 1_000_000_000n;
const answering = (code: string) => `0x${code}5f5260205ff3`;

describe("rules of JSON-RPC 23 to 28, eth_simulateV1", () => {
  let served: TestServer;
  before(async () => {
    served = await startTestServer();
  });
  after(() => served[Symbol.asyncDispose]());

  const simulate = async (blocks: readonly object[], options: object = {}) =>
    asArray(await served.call("eth_simulateV1", { blockStateCalls: blocks, ...options })).map(
      asObject,
    );
  const oneBlock = async (block: object, options: object = {}): Promise<JsonObject> =>
    asObject((await simulate([block], options))[0]);
  const callsOf = (block: JsonObject) => asArray(block["calls"]).map(asObject);
  const at = (overrides: object) => ({ blockOverrides: overrides });
  const head = async () => asObject(await served.call("eth_getBlockByNumber", "latest", false));

  it("23. lets numbers and times rise, fills gaps, and takes the rest from the parent", async () => {
    await refused(simulate([]), -32602);
    await refused(simulate(Array(257).fill({})), -38026);
    await refused(simulate([at({ number: "0x101" })]), -38026);
    await refused(simulate([at({ number: "0x2" }), at({ number: "0x2" })]), -38020);
    const { timestamp, gasLimit, miner } = await head();
    await refused(simulate([at({ time: timestamp })]), -38021);
    const blocks = await simulate([{}, at({ number: "0x4" })]);
    assert.deepEqual(
      blocks.map(({ number }) => number),
      ["0x1", "0x2", "0x3", "0x4"],
    );
    const times = blocks.map((block) => BigInt(String(block["timestamp"])));
    assert.deepEqual(
      times,
      [1n, 2n, 3n, 4n].map((n) => BigInt(String(timestamp)) + 12n * n),
    );
    for (const block of blocks) {
      assert.deepEqual([block["gasLimit"], block["miner"]], [gasLimit, miner]);
      assert.equal(block["extraData"], "0x");
      for (const field of ["mixHash", "parentBeaconBlockRoot"])
        assert.match(String(block[field]), /^0x0+$/);
    }
  });

  it("24. asks no fees and nonces unless it validates, and never for codeless senders", async () => {
    const seen = { stateOverrides: { [target]: { code: answering("48") } } };
    const read = { from: poor, to: target };
    const given = await simulate([
      { ...seen, ...at({ baseFeePerGas: "0x9" }), calls: [read] },
      { calls: [read] },
    ]);
    assert.deepEqual(
      given.map(({ baseFeePerGas }) => baseFeePerGas),
      ["0x9", "0x0"],
    );
    assert.equal(
      callsOf(await oneBlock({ calls: [{ ...read, nonce: "0x9" }] }))[0]?.["status"],
      "0x1",
    );
    await refused(oneBlock({ calls: [{ ...read, value: "0x1" }] }), -38014);
    await refused(oneBlock({ calls: [{ ...read, gas: "0x1" }] }), -38013);
    const strict = { validation: true };
    const paying = { from: alice, to: bob, maxFeePerGas: hex(10n * GWEI) };
    const validated = await oneBlock({ calls: [paying] }, strict);
    assert.notEqual(validated["baseFeePerGas"], "0x0");
    await refused(oneBlock({ calls: [{ from: alice, to: bob }] }, strict), -38012);
    await refused(oneBlock({ calls: [{ ...paying, nonce: "0x9" }] }, strict), -38011);
    const raised = { stateOverrides: { [alice]: { nonce: "0x5" } } };
    await refused(oneBlock({ ...raised, calls: [{ ...paying, nonce: "0x1" }] }, strict), -38010);
    const last = { stateOverrides: { [alice]: { nonce: "0xffffffffffffffff" } } };
    await refused(oneBlock({ ...last, calls: [paying] }, strict), -32603);
    const withCode = { stateOverrides: { [alice]: { code: "0x00" } }, calls: [paying] };
    assert.equal(callsOf(await oneBlock(withCode, strict))[0]?.["status"], "0x1");
  });

  it("25. gives a call the gas that block and request have left, and makes transactions of type 2", async () => {
    const seen = { stateOverrides: { [target]: { code: answering("5a") } } };
    const read = { from: poor, to: target };
    const limit = BigInt(String((await head())["gasLimit"]));
    const [first, second] = callsOf(await oneBlock({ ...seen, calls: [read, read] }));
    const used = BigInt(String(first?.["gasUsed"]));
    const left = (call: JsonObject | undefined) => BigInt(String(call?.["returnData"]));
    assert.equal(left(first) - left(second), used);
    assert.ok(left(first) > limit - 30_000n && left(first) < limit);
    // an invalid instruction takes all: of the request's 50,000,000 the second block gets the rest
    const greedy = { stateOverrides: { [target]: { code: "0xfe" } }, calls: [read] };
    const blocks = await simulate([greedy, greedy]);
    assert.deepEqual(
      blocks.map(({ gasUsed }) => BigInt(String(gasUsed))),
      [limit, 50_000_000n - limit],
    );
    await refused(simulate([greedy, greedy, greedy]), -38013, /have 0, want 21000/);
  });

  it("25. refuses explicit gas beyond the block, and shows the transactions unsigned", async () => {
    await refused(oneBlock({ calls: [{ from: poor, to: bob, gas: "0xfffffff" }] }), -38015);
    const calls = [
      { from: poor, to: bob },
      { from: poor, to: bob, gasPrice: "0x0" },
    ];
    const block = await oneBlock({ calls }, { returnFullTransactions: true });
    const transactions = asArray(block["transactions"]).map(asObject);
    assert.deepEqual(
      transactions.map(({ type, nonce, r, s, from }) => [type, nonce, r, s, from]),
      [
        ["0x2", "0x0", "0x0", "0x0", poor],
        ["0x0", "0x1", "0x0", "0x0", poor],
      ],
    );
  });

  it("26. runs system calls in each block, and commits to no requests", async () => {
    const [first, second] = await simulate([{}, {}]);
    assert.notEqual(first?.["stateRoot"], (await head())["stateRoot"]);
    assert.notEqual(first?.["stateRoot"], second?.["stateRoot"]);
    const empty = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert.deepEqual([first?.["requestsHash"], second?.["requestsHash"]], [empty, empty]);
  });

  it("27. overrides accounts and moves precompiles, but nothing twice", async () => {
    const both = { [target]: { state: {}, stateDiff: {} } };
    await refused(oneBlock({ stateOverrides: both }), -32000, /both/);
    const moved = { [IDENTITY]: { movePrecompileToAddress: target } };
    const echo = { from: poor, to: target, input: "0x1234" };
    const [call] = callsOf(await oneBlock({ stateOverrides: moved, calls: [echo] }));
    assert.equal(call?.["returnData"], "0x1234");
    const covered = { [IDENTITY]: { code: answering("43") } };
    const [answer] = callsOf(
      await oneBlock({ stateOverrides: covered, calls: [{ to: IDENTITY }] }),
    );
    assert.equal(BigInt(String(answer?.["returnData"])), 1n);
    const noPrecompile = { [poor]: { movePrecompileToAddress: target } };
    await refused(oneBlock({ stateOverrides: noPrecompile }), -32000, /is not a precompile/);
    const twice = { ...moved, [target]: { code: "0x00" } };
    await refused(oneBlock({ stateOverrides: twice }), -32000, /already/);
  });

  it("28. shows transfers as logs outside the bloom, and failures inside the call", async () => {
    // CALL with 1 wei to bob, then revert where there is input
    const sending = `0x5f5f5f5f600173${bob.slice(2)}5af15036602357005b5f5ffd`;
    const seen = { stateOverrides: { [target]: { balance: "0x9", code: sending } } };
    const calls = [
      { from: alice, to: target, input: "0x11" },
      { from: alice, to: target, value: "0x1" },
      { from: alice, to: target },
    ];
    const block = await oneBlock({ ...seen, calls }, { traceTransfers: true });
    const [failed, passed, plain] = callsOf(block);
    assert.deepEqual([failed?.["status"], failed?.["logs"]], ["0x0", []]);
    assert.equal(asObject(failed?.["error"])["code"], 3);
    const logs = [passed, plain].flatMap((call) => asArray(call?.["logs"]).map(asObject));
    assert.deepEqual(
      logs.map(({ address, logIndex }) => [address, logIndex]),
      [
        [TRANSFERS, "0x1"],
        [TRANSFERS, "0x2"],
        [TRANSFERS, "0x3"],
      ],
    );
    assert.match(String(block["logsBloom"]), /^0x0+$/);
    assert.match(String(passed?.["maxUsedGas"]), /^0x[1-9a-f]/);
    const [outOfGas] = callsOf(await oneBlock({ calls: [{ data: "0x5b5f56", gas: "0x15f90" }] }));
    assert.equal(asObject(outOfGas?.["error"])["code"], -32015);
  });
});
