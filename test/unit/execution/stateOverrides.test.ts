import assert from "node:assert/strict";
import { type AccountOverride, OverrideError } from "../../../src/execution/stateOverrides.ts";
import { type Address, bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";
import { WITHDRAWAL_REQUEST_ADDRESS } from "../../../src/types/systemContracts.ts";
import { addressAt } from "../../support/execution.ts";
import { A, B, call, change, refusal, Simulator } from "../../support/simulation.ts";

describe("applyOverrides", () => {
  it("keeps a precompile moved for one block only", async () => {
    const identity = addressAt(4);
    const data = hexToBytes("0x1234");
    const moved = new Map([[identity, change({ movePrecompileToAddress: A })]]);
    const blocks = await new Simulator().run([
      { overrides: {}, state: moved, calls: [call(A, { data }), call(identity, { data })] },
      { overrides: {}, calls: [call(A, { data }), call(identity, { data })] },
    ]);
    const outputs = blocks.map(({ calls }) => calls.map((one) => bytesToHex(one.returnData)));
    assert.deepEqual(outputs, [
      ["0x1234", "0x"],
      ["0x", "0x1234"],
    ]);
  });

  it("refuses moves of what is no precompile and onto what is overridden", async () => {
    const run = (...entries: readonly (readonly [Address, AccountOverride])[]) =>
      new Simulator().run([{ overrides: {}, state: new Map(entries), calls: [] }]);
    const code = (wanted: string) => (error: unknown) =>
      error instanceof OverrideError && error.reason.code === wanted;
    const move = (to: Address) => change({ movePrecompileToAddress: to });
    await assert.rejects(run([A, move(B)]), code("NOT_A_PRECOMPILE"));
    await assert.rejects(
      run([addressAt(1), move(A)], [A, change({ balance: 1n })]),
      code("ALREADY_OVERRIDDEN"),
    );
    await assert.rejects(
      run([A, change({ state: new Map(), stateDiff: new Map() })]),
      code("STATE_AND_STATE_DIFF"),
    );
  });

  it("tells when overrides break the system contracts", async () => {
    const state = new Map([[WITHDRAWAL_REQUEST_ADDRESS, change({ code: new Uint8Array() })]]);
    const run = new Simulator().run([{ overrides: {}, state, calls: [] }]);
    await assert.rejects(run, refusal("SIMULATED_BLOCK", "SYSTEM_CONTRACT_MISSING"));
  });
});
