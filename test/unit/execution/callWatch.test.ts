import assert from "node:assert/strict";
import { EVM_NAMES, type EvmName } from "../../../src/execution/evm.ts";
import { type CallMessage, executeCall } from "../../../src/execution/executeCall.ts";
import type { CallWatch } from "../../../src/execution/observer.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import {
  addressAt,
  contextFor,
  ETHER,
  envFor,
  rulesOf,
  SENDER,
  stateWith,
} from "../../support/execution.ts";

const rules = rulesOf("Osaka");
const WATCHED = addressAt(0x2000);
const OTHER = addressAt(0x3000);
const CONTRACT = addressAt(0x4000);
const IDENTITY = addressAt(0x4);
const CALL = "f1";
const DELEGATECALL = "f4";
const STATICCALL = "fa";
const REVERT = "5f5ffd";

/** Calls the contract at `to` below 0x10000 with one byte of input. */
function calling(instruction: string, to: string, input: number): string {
  const store = `60${input.toString(16).padStart(2, "0")}5f53`;
  const value = instruction === CALL ? "5f" : "";
  return `${store}5f5f60015f${value}61${to.slice(-4)}5a${instruction}50`;
}

/** What the watch was told, and what the call did. */
async function watched(evm: EvmName, code: string, message: Partial<CallMessage> = {}) {
  const state = stateWith(
    new Map([
      [SENDER, { balance: ETHER }],
      [CONTRACT, { code }],
      [OTHER, { code: calling(CALL, WATCHED, 2) + REVERT }],
    ]),
  );
  const told: string[] = [];
  const watch: CallWatch = {
    address: WATCHED,
    called: (input) => void told.push(bytesToHex(input)),
  };
  const { failure, gasUsed } = await executeCall(
    state,
    envFor(rules),
    { from: SENDER, to: CONTRACT, gasLimit: 200_000n, ...message },
    { ...contextFor(rules), evm, watch },
  );
  return { told, failure, gasUsed };
}

for (const evm of EVM_NAMES) {
  describe(`a watched address, ${evm} EVM`, () => {
    it("tells each call to it, those of frames that fail included", async () => {
      const code = [
        calling(STATICCALL, WATCHED, 1),
        calling(CALL, OTHER, 9),
        calling(CALL, WATCHED, 3),
      ].join("");
      assert.deepEqual((await watched(evm, code)).told, ["0x01", "0x02", "0x03"]);
      const undone = await watched(evm, calling(CALL, WATCHED, 4) + REVERT);
      assert.deepEqual([undone.told, undone.failure], [["0x04"], "revert"]);
    });

    it("tells neither calls elsewhere nor code borrowed from it", async () => {
      const code = calling(DELEGATECALL, WATCHED, 1) + calling(CALL, IDENTITY, 2);
      assert.deepEqual((await watched(evm, code)).told, []);
    });

    it("tells the outermost call, with value too", async () => {
      const data = Uint8Array.of(7);
      const { told } = await watched(evm, "", { to: WATCHED, data, value: 1n });
      assert.deepEqual(told, ["0x07"]);
    });
  });
}

describe("a watched address", () => {
  it("costs the same gas with both EVMs", async () => {
    const code = calling(STATICCALL, WATCHED, 1) + calling(CALL, OTHER, 9);
    assert.deepEqual(await watched("fast", code), await watched("reference", code));
  });

  it("keeps nobody waiting", () => {
    const state = stateWith(new Map([[CONTRACT, { code: calling(STATICCALL, WATCHED, 1) }]]));
    const watch: CallWatch = { address: WATCHED, called: () => {} };
    const message = { to: CONTRACT, gasLimit: 200_000n };
    const result = executeCall(state, envFor(rules), message, { ...contextFor(rules), watch });
    assert.ok(!(result instanceof Promise));
  });
});
