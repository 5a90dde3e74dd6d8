import assert from "node:assert/strict";
import { ZERO_HASH } from "../../../src/primitives/hex.ts";
import { TEST_MINER, testTransaction } from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

describe("testing_buildBlockV1", () => {
  let served: TestServer;
  beforeEach(async () => {
    served = await startTestServer({ api: ["eth", "testing"] });
  });
  afterEach(() => served[Symbol.asyncDispose]());

  const build = (transactions: readonly string[] | null, changes: object = {}) =>
    served.call(
      "testing_buildBlockV1",
      served.node.chain.head.hash,
      {
        timestamp: "0x77777777",
        prevRandao: ZERO_HASH,
        suggestedFeeRecipient: TEST_MINER,
        withdrawals: [{ index: "0x0", validatorIndex: "0x1", address: TEST_MINER, amount: "0x5" }],
        parentBeaconBlockRoot: ZERO_HASH,
        ...changes,
      },
      transactions,
      "0x1234",
    );
  const rawOf = (nonce: number) =>
    `0x${Buffer.from(testTransaction(served.node.chain, 0, nonce).raw).toString("hex")}`;
  const refused = (run: Promise<unknown>, code: number, text: RegExp) =>
    assert.rejects(run, (error) => {
      const { code: got, message } = Object(error);
      return got === code && text.test(String(message));
    });

  it("builds what is asked for and leaves chain and pool as they were", async () => {
    const { chain, pool } = served.node;
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    const before = chain.head.hash;
    const built = Object(await build([rawOf(0), rawOf(1)]));
    const { executionPayload: payload } = built;
    assert.deepEqual(payload.transactions, [rawOf(0), rawOf(1)]);
    assert.deepEqual([payload.extraData, payload.timestamp], ["0x1234", "0x77777777"]);
    assert.equal(payload.withdrawals.length, 1);
    assert.ok(BigInt(built.blockValue) > 0n);
    assert.equal(chain.head.hash, before);
    assert.equal(chain.header(payload.blockHash), undefined);
    assert.equal(pool.stats().pending, 1);
  });

  it("takes the pool's transactions where none are named, and none for an empty list", async () => {
    const { chain, pool } = served.node;
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    const count = (reply: unknown) => Object(reply).executionPayload.transactions.length;
    assert.equal(count(await build(null)), 1);
    assert.equal(count(await build([])), 0);
  });

  it("refuses a transaction that cannot be applied, an old time and an unknown parent", async () => {
    await refused(build([rawOf(1)]), -32000, /nonce too high/);
    await refused(build(["0x01"]), -32602, /cannot decode/);
    await refused(build([], { timestamp: "0x0" }), -32000, /invalid timestamp/);
    const unknown = served.call("testing_buildBlockV1", `0x${"77".repeat(32)}`, {
      timestamp: "0x1",
      prevRandao: ZERO_HASH,
      suggestedFeeRecipient: TEST_MINER,
    });
    await refused(unknown, -32000, /unknown block/);
  });

  it("is closed unless its namespace is open", async () => {
    await using plain = await startTestServer({ api: ["eth"] });
    await refused(plain.call("testing_buildBlockV1"), -32601, /does not exist/);
  });
});
