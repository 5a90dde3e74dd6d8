import assert from "node:assert/strict";
import { createMachine } from "../../../../src/execution/evm.ts";
import { executeTransaction } from "../../../../src/execution/executeTransaction.ts";
import { createTracer, type TracerSpec } from "../../../../src/execution/tracers/named.ts";
import { TraceBudget, TraceError } from "../../../../src/execution/tracers/tracer.ts";
import type { State } from "../../../../src/state/state.ts";
import type { Transaction } from "../../../../src/types/transaction.ts";
import {
  addressAt,
  contextFor,
  ETHER,
  envFor,
  initCodeOf,
  MINER,
  rulesOf,
  SENDER,
  signed,
  stateWith,
  type TestAccount,
} from "../../../support/execution.ts";
import { op } from "../../../support/traceContracts.ts";

const rules = rulesOf("Osaka");
const TARGET = addressAt(0xaaaa);
const OTHER = addressAt(0xbbbb);
const POP = "50";

function stateOf(...accounts: [ReturnType<typeof addressAt>, TestAccount][]): State {
  return stateWith(new Map([[SENDER, { balance: ETHER }], ...accounts]));
}

async function trace(
  state: State,
  spec: TracerSpec,
  fields: Partial<Transaction> = {},
  budget = new TraceBudget(),
) {
  const transaction = signed({ to: TARGET, gasLimit: 1_000_000n, ...fields });
  const env = envFor(rules);
  const tracer = createTracer(spec, {
    state,
    rules,
    transaction,
    sender: SENDER,
    miner: MINER,
    firstLogIndex: 7,
    place: undefined,
    budget,
  });
  const { observer } = tracer;
  const machine = createMachine(state, env, { ...contextFor(rules), observer });
  const outcome = await executeTransaction(machine, transaction, SENDER);
  // as JSON: keys that hold undefined are not there
  return JSON.parse(JSON.stringify(tracer.finish(outcome)));
}

const structLogger: TracerSpec = { name: "structLogger", options: {} };

describe("StructLogger", () => {
  const code = op("55", 1, 0x2a) + op("54", 1) + POP + op("52", 0, 5) + op("f3", 0, 32);
  const state = () => stateOf([TARGET, { code }]);

  it("logs each instruction with its stack, and slots where they are used", async () => {
    const result = await trace(state(), structLogger);
    const ops = result.structLogs.map(({ op: name }: { op: string }) => name);
    assert.deepEqual(ops.slice(0, 5), ["PUSH1", "PUSH1", "SSTORE", "PUSH1", "SLOAD"]);
    const [, , store, , load] = result.structLogs;
    const slots = {
      [`0x${"00".repeat(31)}01`]: `0x${"00".repeat(31)}2a`,
    };
    assert.deepEqual(store.stack, ["0x2a", "0x1"]);
    assert.deepEqual(store.storage, slots);
    assert.deepEqual(load.storage, slots);
    assert.equal(load.gasCost, 100);
    assert.equal(store.depth, 1);
    assert.ok(!("memory" in store) && !("returnData" in store) && !("error" in store));
    assert.equal(result.returnValue, `0x${"00".repeat(31)}05`);
    assert.equal(result.failed, false);
  });

  it("shows memory in words and leaves out what is disabled", async () => {
    const options = { disableStack: true, disableStorage: true, enableMemory: true };
    const result = await trace(state(), { name: "structLogger", options });
    assert.ok(result.structLogs.every((one: object) => !("stack" in one) && !("storage" in one)));
    assert.deepEqual(result.structLogs.at(-1).memory, [`0x${"00".repeat(31)}05`]);
  });

  it("marks the instruction that failed", async () => {
    const failing = stateOf([TARGET, { code: "60006000fe" }]);
    const result = await trace(failing, structLogger);
    assert.equal(result.failed, true);
    assert.equal(result.returnValue, "0x");
    assert.equal(result.structLogs.at(-1).op, "INVALID");
    assert.equal(result.structLogs.at(-1).error, "invalid opcode");
  });

  it("stops recording at its own limit and refuses to go beyond the request's", async () => {
    const limited = await trace(state(), { name: "structLogger", options: { limit: 1 } });
    assert.equal(limited.structLogs.length, 1);
    const budget = new TraceBudget(1_000);
    await assert.rejects(trace(state(), structLogger, {}, budget), ({ cause }: Error) => {
      return cause instanceof TraceError && cause.reason.limitBytes === 1_000;
    });
  });
});

describe("CallTracer", () => {
  const spec: TracerSpec = { name: "callTracer", options: { withLog: true } };

  it("counts the gas of the whole transaction in the outermost frame", async () => {
    const result = await trace(stateOf(), spec, { value: 3n });
    assert.deepEqual(result, {
      from: SENDER,
      gas: "0xf4240",
      gasUsed: "0x5208",
      to: TARGET,
      input: "0x",
      value: "0x3",
      type: "CALL",
    });
  });

  it("names the reason of a revert and drops the logs of what failed", async () => {
    const reverting =
      op("a0", 0, 0) +
      op("52", 0, `0x08c379a0${"00".repeat(28)}`) +
      op("52", 4, 0x20) +
      op("52", 0x24, 2) +
      op("52", 0x44, `0x6e6f${"00".repeat(30)}`) +
      op("fd", 0, 0x64);
    const code = op("a1", 0, 0, 1) + op("f1", 100_000, OTHER, 0, 0, 0, 0, 0) + op("a2", 0, 0, 2, 3);
    const result = await trace(stateOf([TARGET, { code }], [OTHER, { code: reverting }]), spec);
    const [call] = result.calls;
    assert.equal(call.error, "execution reverted");
    assert.equal(call.revertReason, "no");
    assert.ok(call.output.startsWith("0x08c379a0") && !("logs" in call));
    const places = result.logs.map((log: { index: string; position: string; topics: string[] }) => [
      log.index,
      log.position,
      log.topics.length,
    ]);
    assert.deepEqual(places, [
      ["0x7", "0x0", 1],
      ["0x8", "0x1", 2],
    ]);
  });

  it("shows self-destructions, delegated callers and calls refused for want of ether", async () => {
    const code =
      op("f4", 100_000, OTHER, 0, 0, 0, 0) + POP + op("f1", 5_000, OTHER, ETHER, 0, 0, 0, 0);
    const destroyer = op("ff", addressAt(0xcccc));
    const state = stateOf([TARGET, { code, balance: 5n }], [OTHER, { code: destroyer }]);
    const result = await trace(state, spec);
    const [delegated, refused] = result.calls;
    assert.equal(delegated.from, TARGET);
    assert.equal(delegated.to, OTHER);
    assert.deepEqual(delegated.calls, [
      {
        from: TARGET,
        gas: "0x0",
        gasUsed: "0x0",
        to: addressAt(0xcccc),
        input: "0x",
        value: "0x5",
        type: "SELFDESTRUCT",
      },
    ]);
    assert.equal(refused.error, "insufficient balance for transfer");
    assert.equal(refused.gas, `0x${(5_000 + 2_300).toString(16)}`);
  });

  it("gives the outermost frame alone when asked to", async () => {
    const code = op("f1", 5_000, OTHER, 0, 0, 0, 0, 0);
    const options = { onlyTopCall: true };
    const result = await trace(stateOf([TARGET, { code }]), { name: "callTracer", options });
    assert.equal(result.calls, undefined);
  });
});

describe("PrestateTracer", () => {
  const code = op("55", 0, 9) + op("31", OTHER) + POP + op("54", 5) + POP + op("55", 6, 0);
  const state = () =>
    stateOf([TARGET, { code, storage: { 0: 1n, 6: 4n } }], [OTHER, { balance: 8n }]);
  const slot = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

  it("shows what the transaction touches as it was before", async () => {
    const result = await trace(state(), { name: "prestateTracer", options: {} });
    assert.deepEqual(Object.keys(result).sort(), [SENDER, TARGET, OTHER].sort());
    assert.deepEqual(result[SENDER], { balance: `0x${ETHER.toString(16)}` });
    assert.deepEqual(result[OTHER], { balance: "0x8" });
    assert.deepEqual(result[TARGET].storage, {
      [slot(0)]: slot(1),
      [slot(5)]: slot(0),
      [slot(6)]: slot(4),
    });
    assert.equal(result[TARGET].code, `0x${code}`);
  });

  it("in diff mode shows only what changed, before and after", async () => {
    const options = { diffMode: true };
    const { pre, post } = await trace(state(), { name: "prestateTracer", options }, { value: 2n });
    assert.deepEqual(Object.keys(post).sort(), [MINER, SENDER, TARGET].sort());
    assert.deepEqual(post[TARGET], { balance: "0x2", storage: { [slot(0)]: slot(9) } });
    assert.deepEqual(pre[TARGET].storage, { [slot(0)]: slot(1), [slot(6)]: slot(4) });
    assert.equal(post[SENDER].nonce, 1);
    assert.equal(pre[MINER], undefined);
  });

  it("shows a created contract after, not before", async () => {
    const data = initCodeOf("00");
    const options = { diffMode: true };
    const spec: TracerSpec = { name: "prestateTracer", options };
    const { pre, post } = await trace(stateOf(), spec, { to: undefined, data });
    const [created] = Object.keys(post).filter((one) => one !== SENDER && one !== MINER);
    assert.equal(post[created ?? ""].code, "0x00");
    assert.equal(pre[created ?? ""], undefined);
  });
});

describe("FlatTracer, FourByteTracer and MuxTracer", () => {
  const code =
    op("52", 0, `0x11223344${"00".repeat(28)}`) +
    op("f1", 9_000, OTHER, 0, 0, 36, 0, 0) +
    POP +
    op("f1", 9_000, 4, 0, 0, 36, 0, 0) +
    POP +
    op("f1", 9_000, OTHER, 0, 0, 4, 0, 0);

  it("agree about one execution", async () => {
    const spec: TracerSpec = {
      name: "muxTracer",
      tracers: [
        { name: "flatCallTracer", options: { convertParityErrors: true } },
        { name: "4byteTracer" },
        { name: "noopTracer" },
      ],
    };
    const state = stateOf([TARGET, { code }], [OTHER, { code: "fd" }]);
    const result = await trace(state, spec);
    const traces = result.flatCallTracer;
    assert.deepEqual(
      traces.map((one: { traceAddress: number[] }) => one.traceAddress),
      [[], [0], [1]],
    );
    assert.equal(traces[0].subtraces, 2);
    assert.equal(traces[1].error, "Stack underflow");
    assert.equal(traces[1].result, null);
    assert.deepEqual(result["4byteTracer"], { "0x11223344-32": 1, "0x11223344-0": 1 });
    assert.deepEqual(result.noopTracer, {});
  });
});

describe("StateDiffTracer", () => {
  it("marks what was born, what changed and what stayed", async () => {
    const state = stateOf([TARGET, { code: op("55", 1, 2), balance: 1n }]);
    const result = await trace(state, { name: "stateDiffTracer" }, { value: 4n });
    assert.deepEqual(result[TARGET], {
      balance: { "*": { from: "0x1", to: "0x5" } },
      code: "=",
      nonce: "=",
      storage: {
        [`0x${"00".repeat(31)}01`]: {
          "*": { from: `0x${"00".repeat(32)}`, to: `0x${"00".repeat(31)}02` },
        },
      },
    });
    assert.ok("+" in result[MINER].balance);
  });
});
