/** What the differential tests cannot see: waiting, limits, and which EVM runs what. */
import assert from "node:assert/strict";
import type { ExecutionContext } from "../../../../src/execution/evm.ts";
import { type CallMessage, executeCall } from "../../../../src/execution/executeCall.ts";
import { MAX_FAST_GAS } from "../../../../src/execution/fastEvm/fastEvm.ts";
import { type Address, bytesToHex } from "../../../../src/primitives/hex.ts";
import {
  addressAt,
  contextFor,
  ETHER,
  envFor,
  rulesOf,
  SENDER,
  stateWith,
} from "../../../support/execution.ts";

const RULES = rulesOf("Osaka");
const TARGET = addressAt(0x1000);
/** JUMPDEST PUSH0 JUMP */
const ENDLESS = "5b5f56";
/** Counts down from its input, then returns 7. */
const COUNTDOWN = "5f355b600190038060025760075f5260205ff3";

async function call(
  code: string,
  message: Partial<CallMessage> = {},
  context: Partial<ExecutionContext> = {},
) {
  const state = stateWith(
    new Map<Address, { code?: string; balance?: bigint }>([
      [TARGET, { code }],
      [SENDER, { balance: ETHER }],
    ]),
  );
  return await executeCall(
    state,
    envFor(RULES),
    { from: SENDER, to: TARGET, gasLimit: 1_000_000n, ...message },
    { ...contextFor(RULES), ...context },
  );
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, value);
  return bytes;
}

describe("FastEvm", () => {
  it("asks whether to wait in a loop, waits, and goes on where it was", async () => {
    let questions = 0;
    let waits = 0;
    const pause = () => {
      questions++;
      if (questions % 3 !== 0) return undefined;
      waits++;
      return new Promise<void>((resolve) => setImmediate(resolve));
    };
    const data = word(5_000);
    const held = await call(COUNTDOWN, { data }, { pause });
    assert.equal(bytesToHex(held.returnData), bytesToHex(word(7)));
    assert.ok(questions > 5 && waits > 1, `${questions} questions, ${waits} waits`);
    assert.equal(held.gasUsed, (await call(COUNTDOWN, { data })).gasUsed);
  });

  it("ends when a pause throws", async () => {
    let questions = 0;
    const pause = () => {
      if (++questions > 10) throw new RangeError("time is up");
      return undefined;
    };
    const endless = call(ENDLESS, { gasLimit: 2n ** 39n }, { pause });
    await assert.rejects(endless, (error: Error) => error.cause instanceof RangeError);
  });

  it("asks at every frame, however little gas each has", async () => {
    let questions = 0;
    const pause = () => void questions++;
    // loop: call(1000, TARGET + 1, 0, 0, 0, 0, 0)
    const looping = "5b5f5f5f5f5f6110016103e8f1505f56";
    await call(looping, { gasLimit: 200_000n }, { pause });
    assert.ok(questions > 5, `${questions} questions`);
  });

  it("goes 1024 frames deep and no deeper", async () => {
    // calls itself with all gas and returns what came back plus one
    const recursive = "60205f5f5f5f305af1505f5160010160005260205ff3";
    const { returnData } = await call(recursive, { gasLimit: MAX_FAST_GAS });
    assert.equal(bytesToHex(returnData), bytesToHex(word(1_025)));
  });

  it("stops at the end of code, also inside of a PUSH", async () => {
    for (const code of ["6001", "60", "7f00", "5b", "6001600157"]) {
      const { failure } = await call(code);
      assert.equal(failure, code === "6001600157" ? "invalid JUMP" : undefined, code);
    }
  });

  it("jumps to no JUMPDEST in the bytes of a PUSH, known beforehand or not", async () => {
    assert.equal((await call("6004565b605b00")).failure, "invalid JUMP");
    assert.equal((await call("600556605b00")).failure, "invalid JUMP");
    // the same destination from call data
    assert.equal((await call("5f3556605b00", { data: word(4) })).failure, "invalid JUMP");
    assert.equal((await call("5f3556605b5b00", { data: word(5) })).failure, undefined);
  });

  it("leaves what has more gas than it counts to the other EVM", async () => {
    const { failure, gasUsed } = await call("600035", { gasLimit: 2n ** 62n });
    assert.equal(failure, undefined);
    assert.equal(gasUsed, (await call("600035")).gasUsed);
  });
});
