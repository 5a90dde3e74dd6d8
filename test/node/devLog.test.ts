import assert from "node:assert/strict";
import { encodeFunctionData, parseAbi } from "viem";
import { CONSOLE_ADDRESS } from "../../src/node/consoleLog.ts";
import type { Logger } from "../../src/runtime/log.ts";
import { startDevNode } from "../support/devNode.ts";

const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const printer = "0x00000000000000000000000000000000000abcde";
const failer = "0x00000000000000000000000000000000000abcdf";
/** Hands its input on to the console. */
const PRINT = `0x36600060003760006000366000 73${CONSOLE_ADDRESS.slice(2)} 5afa5000`.replaceAll(
  " ",
  "",
);
/** Reverts with its input. */
const REVERT = "0x366000600037366000fd";

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function memoryLog(): { readonly log: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (message: string, fields: object = {}) => {
    lines.push({ message, fields: { ...fields } });
  };
  const log: Logger = {
    error: at,
    warn: at,
    info: at,
    debug: () => {},
    child: () => log,
    setVerbosity: () => {},
  };
  return { log, lines };
}

async function untilTold(lines: readonly Line[], message: string, count = 1): Promise<void> {
  const end = Date.now() + 3_000;
  while (lines.filter((line) => line.message === message).length < count) {
    if (Date.now() > end) throw new Error(`no line "${message}" in ${JSON.stringify(lines)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("the log of a development node", () => {
  it("tells each transaction, what it printed and why it failed", async () => {
    const { log, lines } = memoryLog();
    await using dev = await startDevNode({ log, logging: true });
    await dev.call("hardhat_setCode", printer, PRINT);
    await dev.call("hardhat_setCode", failer, REVERT);
    const hello = encodeFunctionData({
      abi: parseAbi(["function log(string,uint256)"]),
      functionName: "log",
      args: ["hello %s", 5n],
    });
    const error = `0x08c379a0${"20".padStart(64, "0")}${"3".padStart(64, "0")}${"6e6f21".padEnd(64, "0")}`;
    await dev.call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
    await dev.settled();
    await dev.call("eth_sendTransaction", { from: alice, to: printer, data: hello });
    await dev.settled();
    await dev.call("eth_sendTransaction", { from: alice, to: failer, data: error, gas: "0xea60" });
    await dev.settled();
    await untilTold(lines, "Transaction", 3);
    const told = lines.filter(({ message }) => message === "Transaction");
    assert.deepEqual(
      told.map(({ fields }) => [fields["to"], fields["error"]]),
      [
        [bob, undefined],
        [printer, undefined],
        [failer, "reverted: no!"],
      ],
    );
    assert.equal(told[0]?.fields["gasUsed"], 21_000n);
    const printed = lines.filter(({ message }) => message === "console.log");
    assert.deepEqual(
      printed.map(({ fields }) => fields["text"]),
      ["hello 5"],
    );
  });

  it("shows what a call prints, and nothing once it is switched off", async () => {
    const { log, lines } = memoryLog();
    await using dev = await startDevNode({ log, logging: true });
    const overrides = { [printer]: { code: PRINT } };
    const data = encodeFunctionData({
      abi: parseAbi(["function log(bool)"]),
      functionName: "log",
      args: [true],
    });
    await dev.call("eth_call", { to: printer, data }, "latest", overrides);
    assert.deepEqual(lines.at(-1), { message: "console.log", fields: { text: "true" } });
    await dev.call("hardhat_setLoggingEnabled", false);
    const before = lines.length;
    await dev.call("eth_call", { to: printer, data }, "latest", overrides);
    assert.equal(lines.length, before);
  });

  it("explains a transaction that waits for a nonce", async () => {
    const { log, lines } = memoryLog();
    await using dev = await startDevNode({ log, logging: true });
    await dev.call("eth_sendTransaction", { from: alice, to: bob, nonce: "0x6" });
    const line = lines.find(({ message }) => message === "Transaction queued");
    assert.equal(line?.fields["expectsNonce"], 0n);
    assert.equal(line?.fields["gotNonce"], 6n);
  });
});
