import assert from "node:assert/strict";
import { StepTrace } from "../../../src/execution/eip3155.ts";
import { executeCall } from "../../../src/execution/executeCall.ts";
import type { FrameStart } from "../../../src/execution/observer.ts";
import { NodeError } from "../../../src/primitives/errors.ts";
import { bigIntToHash, bytesToHex } from "../../../src/primitives/hex.ts";
import {
  addressAt,
  contextFor,
  ETHER,
  envFor,
  hashOf,
  MINER,
  rulesOf,
  SENDER,
  stateWith,
} from "../../support/execution.ts";

const rules = rulesOf("Osaka");
const env = envFor(rules);
const CONTRACT = addressAt(0x77);
const OTHER = addressAt(0x78);

function stateOf(code: string) {
  return stateWith(
    new Map([
      [SENDER, { balance: ETHER }],
      [CONTRACT, { code }],
      [OTHER, { code: "6001600055" }],
    ]),
  );
}

/** Returns the word on top of the stack. */
const RETURN_TOP = "60005260206000f3";

describe("executeCall", () => {
  it("leaves the state as it was unless changes are kept", async () => {
    const state = stateOf("6001600055");
    const before = state.root();
    const message = { from: SENDER, to: CONTRACT, gasLimit: 100_000n };
    const result = await executeCall(state, env, message, contextFor(rules));
    assert.equal(result.failure, undefined);
    assert.equal(state.root(), before);
    await executeCall(state, env, message, {
      ...contextFor(rules),
      options: { keepChanges: true },
    });
    assert.notEqual(state.root(), before);
    assert.equal(state.account(SENDER)?.nonce, 1n);
  });

  it("shows a base fee of 0 to calls that pay nothing, and the block's to others", async () => {
    const state = stateOf(`48${RETURN_TOP}`);
    const free = { from: SENDER, to: CONTRACT, gasLimit: 100_000n };
    const call = async (message: Parameters<typeof executeCall>[2]) =>
      executeCall(state, env, message, contextFor(rules));
    assert.equal(bytesToHex((await call(free)).returnData), bigIntToHash(0n));
    const paid = await call({ ...free, gasPrice: 9n });
    assert.equal(bytesToHex(paid.returnData), bigIntToHash(7n));
    await assert.rejects(
      call({ ...free, gasPrice: 6n }),
      (error) => error instanceof NodeError && error.reason.code === "MAX_FEE_BELOW_BASE_FEE",
    );
  });

  it("needs no nonce, no EOA and no cap, and funds only when asked to", async () => {
    const state = stateOf(`34${RETURN_TOP}`);
    const message = { from: CONTRACT, to: CONTRACT, gasLimit: 50_000_000n, value: 5n };
    await assert.rejects(
      async () => executeCall(state, env, message, contextFor(rules)),
      (error) => error instanceof NodeError && error.reason.code === "INSUFFICIENT_FUNDS",
    );
    assert.equal(state.depth, 0);
    const context = { ...contextFor(rules), options: { skipBalance: true } };
    const result = await executeCall(state, env, message, context);
    assert.equal(bytesToHex(result.returnData), bigIntToHash(5n));
  });

  it("gives the revert data and the failure", async () => {
    const state = stateOf("60ff60005260206000fd");
    const message = { to: CONTRACT, gasLimit: 100_000n };
    const result = await executeCall(state, env, message, contextFor(rules));
    assert.equal(result.failure, "revert");
    assert.equal(bytesToHex(result.returnData), bigIntToHash(255n));
  });

  it("reports addresses and slots that were touched", async () => {
    // sload(3); balance(OTHER)
    const state = stateOf("6003546078310000");
    const context = { ...contextFor(rules), options: { reportAccessList: true } };
    const message = { from: SENDER, to: CONTRACT, gasLimit: 100_000n };
    const { accessList = [] } = await executeCall(state, env, message, context);
    assert.deepEqual(
      accessList.map(({ address, storageKeys }) => [address, ...storageKeys]).sort(),
      [[CONTRACT, bigIntToHash(3n)], [OTHER]],
    );
  });

  it("reports the access list of the call itself, whether or not there is code", async () => {
    const context = { ...contextFor(rules), options: { reportAccessList: true } };
    const listed = [{ address: OTHER, storageKeys: [bigIntToHash(7n)] }];
    for (const to of [CONTRACT, MINER]) {
      const message = { from: SENDER, to, gasLimit: 100_000n, accessList: listed };
      const { accessList } = await executeCall(stateOf("00"), env, message, context);
      assert.deepEqual(accessList, listed);
    }
  });

  it("reads ancestors' hashes from the context", async () => {
    const state = stateOf(`600040${RETURN_TOP}`);
    const context = { rules, blockHash: (number: bigint) => hashOf(Number(number) + 1) };
    const result = await executeCall(state, env, { to: CONTRACT, gasLimit: 100_000n }, context);
    assert.equal(bytesToHex(result.returnData), hashOf(1));
  });

  it("moves precompiles", async () => {
    const state = stateOf("00");
    const movedPrecompiles = new Map([[addressAt(4), addressAt(0x99)]]);
    const context = { ...contextFor(rules), movedPrecompiles };
    const data = Uint8Array.of(1, 2, 3);
    const message = { to: addressAt(0x99), gasLimit: 100_000n, data };
    const moved = await executeCall(state, env, message, context);
    assert.deepEqual([...moved.returnData], [...data]);
    const plain = await executeCall(state, env, message, contextFor(rules));
    assert.equal(plain.returnData.length, 0);
  });

  it("tells observers about frames and instructions", async () => {
    // delegatecall(OTHER), then staticcall(OTHER), which may not store
    const state = stateOf(
      "60006000600060006078 5af450 60006000600060006078 5afa00".replaceAll(" ", ""),
    );
    const kinds: string[] = [];
    const failures: (string | undefined)[] = [];
    const lines: string[] = [];
    const trace = new StepTrace((line) => lines.push(line));
    const observer = {
      step: trace.step.bind(trace),
      enter: (frame: FrameStart) => {
        kinds.push(`${frame.kind} ${frame.depth}`);
        trace.enter(frame);
      },
      exit: (frame: Parameters<StepTrace["exit"]>[0]) => {
        failures.push(frame.failure);
        trace.exit(frame);
      },
    };
    const message = { from: SENDER, to: CONTRACT, gasLimit: 200_000n };
    await executeCall(state, env, message, { ...contextFor(rules), observer });
    assert.deepEqual(kinds, ["CALL 0", "DELEGATECALL 1", "STATICCALL 1"]);
    assert.deepEqual(failures, [undefined, "static state change", undefined]);
    const steps = lines.map((line) => JSON.parse(line));
    assert.deepEqual(Object.keys(steps[0]), [
      "pc",
      "op",
      "gas",
      "gasCost",
      "memSize",
      "stack",
      "depth",
      "refund",
      "opName",
    ]);
    assert.equal(steps.findLast((step) => step.depth === 2).error, "static state change");
    assert.equal(steps.at(-1).output, "");
  });
});
