import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesToHex, parseAddress } from "../../src/primitives/hex.ts";
import { parseGenesis } from "../../src/types/genesis.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { mineTestBlock, TEST_MINER, testTransaction } from "../support/chains.ts";
import { temporaryFolder } from "../support/cli.ts";
import { startTestServer, type TestServer } from "../support/rpcClient.ts";
import { startTestNode } from "../support/rpcNode.ts";
import { TRACED, tracedAlloc } from "../support/traceContracts.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "node_modules/.bin/anvil");

type Json = { readonly [key: string]: unknown };

/** The devnet without our section, with the contracts that are traced. */
function tracedGenesis(): { readonly config: object } {
  const json = JSON.parse(readFileSync(join(root, "genesis/devnet.json"), "utf8"));
  delete json.config.qnet;
  return { ...json, alloc: { ...json.alloc, ...tracedAlloc } };
}

/** Removes keys wherever they stand: what the two programs are known to show differently. */
function without(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, keys));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !keys.has(key))
      .map(([key, item]) => [key, without(item, keys)]),
  );
}

function entries(value: unknown): Json[] {
  assert.ok(Array.isArray(value));
  return value;
}

describe("traces of the same transaction here and in anvil", () => {
  if (!existsSync(program)) {
    it.skip("skipped: anvil is not installed");
    return;
  }
  const cleanUp = new AsyncDisposableStack();
  let anvil: Anvil;
  let served: TestServer;
  let transaction: Transaction;
  before(async function () {
    this.timeout(60_000);
    const folder = cleanUp.use(temporaryFolder());
    const genesis = tracedGenesis();
    anvil = cleanUp.use(await startAnvil(genesis, folder.path));
    const node = await startTestNode(parseGenesis(genesis));
    served = cleanUp.use(await startTestServer({ api: ["debug", "trace", "ots"] }, node));
    await anvil.call("anvil_setCoinbase", TEST_MINER);
    transaction = testTransaction(node.chain, 0, 0, {
      to: parseAddress(TRACED.caller),
      gasLimit: 2_000_000n,
      value: 11n,
    });
    await anvil.call("eth_sendRawTransaction", bytesToHex(transaction.raw));
    await mineTestBlock(node.chain, [transaction]);
  });
  after(() => cleanUp.disposeAsync());

  async function both(method: string, ...more: readonly unknown[]): Promise<[unknown, unknown]> {
    const params = [transaction.hash, ...more];
    return [await served.call(method, ...params), await anvil.call(method, ...params)];
  }

  it("callTracer: the same frames", async () => {
    const tracer = { tracer: "callTracer", tracerConfig: { withLog: true } };
    const [ours, theirs] = await both("debug_traceTransaction", tracer);
    // anvil counts reverted logs; as in geth our outermost frame has the gas of the transaction
    const ignored = new Set(["index"]);
    const { gas, ...rest } = Object(without(ours, ignored));
    const { gas: _, ...expected } = Object(without(theirs, ignored));
    assert.deepEqual(rest, expected);
    assert.equal(gas, "0x1e8480");
  });

  it("prestateTracer: the same accounts, but for those that were empty", async () => {
    const [ours, theirs] = await both("debug_traceTransaction", { tracer: "prestateTracer" });
    const filled = Object.entries(Object(theirs)).filter(
      ([, account]) => Object(account).balance !== "0x0" || "code" in Object(account),
    );
    assert.deepEqual(without(ours, new Set(["codeHash"])), Object.fromEntries(filled));
  });

  it("prestateTracer in diff mode: the same changes, but for fees", async () => {
    const tracer = { tracer: "prestateTracer", tracerConfig: { diffMode: true } };
    const [ours, theirs] = await both("debug_traceTransaction", tracer);
    const ignored = new Set(["codeHash", TRACED.heir, TEST_MINER]);
    const sender = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
    const mine = Object(without(ours, ignored));
    const other = Object(without(theirs, ignored));
    mine.post[sender].balance = other.post[sender].balance;
    assert.deepEqual(mine, other);
  });

  it("structLogs: the same instructions, gas, stacks and storage", async () => {
    const options = { enableMemory: true, enableReturnData: true };
    const [ours, theirs] = await both("debug_traceTransaction", options);
    const [mine, other] = [Object(ours), Object(theirs)];
    assert.equal(mine.gas, other.gas);
    const [logs, expected] = [entries(mine.structLogs), entries(other.structLogs)];
    assert.equal(logs.length, expected.length);
    for (const [index, log] of logs.entries()) {
      const wanted = { ...expected[index] };
      // anvil writes out what is empty, adds the gas of the callee to creations, names errors otherwise, and counts the
      // refund of an instruction at the next one (geth at its own)
      for (const key of ["memory", "returnData", "refund"]) {
        if (!(key in log) || key === "refund") delete wanted[key];
      }
      const isCreation = log["op"] === "CREATE" || log["op"] === "CREATE2";
      const { error, gasCost, refund: _, ...rest } = log;
      const { error: otherError, gasCost: otherCost, ...otherRest } = wanted;
      assert.deepEqual(rest, otherRest, `instruction ${index}`);
      assert.equal(error === undefined, otherError === undefined);
      if (!isCreation && error === undefined) assert.equal(gasCost, otherCost);
    }
  });

  it("trace_transaction: the same flat traces, but for precompiles", async () => {
    const [ours, theirs] = await both("trace_transaction");
    const identity = `0x${"4".padStart(40, "0")}`;
    const ignored = new Set(["blockHash", "traceAddress", "subtraces"]);
    const expected = entries(theirs).filter(({ action }) => Object(action).to !== identity);
    assert.deepEqual(without(ours, ignored), without(expected, ignored));
  });
});
