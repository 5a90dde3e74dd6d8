import assert from "node:assert/strict";
import { contractAddress } from "../../../src/execution/contractAddress.ts";
import type { SimulatedBlock } from "../../../src/execution/simulate.ts";
import { type Address, hexToBytes } from "../../../src/primitives/hex.ts";
import { addressAt, SENDER } from "../../support/execution.ts";
import { A, B, call, Simulator } from "../../support/simulation.ts";

const EMITTER = `0x${"ee".repeat(20)}`;

/** Topics of the transfers and of the logs, with their numbers. */
function shown({ calls }: SimulatedBlock) {
  return calls.map(({ numberedLogs }) =>
    numberedLogs.map(({ log, logIndex }) =>
      log.address === EMITTER
        ? [logIndex, ...log.topics.slice(1).map((topic) => `0x${topic.slice(26)}`), log.data.at(-1)]
        : [logIndex, log.address],
    ),
  );
}

/** Calls `to` with `value` and goes on whatever comes of it. */
function callCode(to: Address, value: number, opcode = "f1"): string {
  const amount = value.toString(16).padStart(2, "0");
  return `600060006000600060${amount}73${to.slice(2)}61ffff${opcode}50`;
}

const LOG = "60006000a0";

describe("LogRecorder: transfers as logs", () => {
  const traced = { traceTransfers: true };

  it("stand between the logs in the order in which they happen", async () => {
    const bench = new Simulator([
      [A, { code: `${LOG}${callCode(B, 2)}${LOG}`, balance: 5n }],
      [B, { code: LOG }],
    ]);
    const block = await bench.calls([call(A, { value: 1n }), call(B, { value: 3n })], traced);
    assert.deepEqual(shown(block), [
      [
        [0, SENDER, A, 1],
        [1, A],
        [2, A, B, 2],
        [3, B],
        [4, A],
      ],
      [
        [5, SENDER, B, 3],
        [6, B],
      ],
    ]);
    assert.equal(block.calls[0]?.receipt.logs.length, 3);
  });

  it("of frames that fail are left out, and their numbers with them", async () => {
    const bench = new Simulator([
      [A, { code: `${callCode(B, 2)}${LOG}`, balance: 5n }],
      [B, { code: `${LOG}60006000fd` }],
    ]);
    const block = await bench.calls([call(A), call(B), call(A)], traced);
    assert.deepEqual(shown(block), [[[2, A]], [], [[6, A]]]);
    const plain = await new Simulator([[A, { code: LOG }]]).calls([call(A, { value: 1n })]);
    assert.deepEqual(shown(plain), [[[0, A]]]);
  });

  it("tell creations and what SELFDESTRUCT moves, and nothing of DELEGATECALL and CALLCODE", async () => {
    const delegate = `600060006000600073${B.slice(2)}61fffff450`;
    const bench = new Simulator([
      [A, { code: `73${B.slice(2)}ff`, balance: 9n }],
      [B, {}],
      [addressAt(0xa3), { code: `${callCode(B, 4, "f2")}${delegate}`, balance: 9n }],
    ]);
    const creation = { from: SENDER, value: 6n, data: hexToBytes("0x00") };
    const block = await bench.calls(
      [creation, call(A), call(addressAt(0xa3), { value: 1n })],
      traced,
    );
    assert.deepEqual(shown(block), [
      [[0, SENDER, contractAddress(SENDER, 0n), 6]],
      [[1, A, B, 9]],
      [[2, SENDER, addressAt(0xa3), 1]],
    ]);
  });
});
