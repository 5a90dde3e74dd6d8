import assert from "node:assert/strict";
import { encodeFunctionData, parseAbi } from "viem";
import { consoleLine } from "../../../src/node/consoleLog.ts";
import { hexToBytes } from "../../../src/primitives/hex.ts";

const address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

function line(signature: string, args: readonly unknown[]): string | undefined {
  const abi = parseAbi([`function ${signature}` as "function log()"]);
  const data = encodeFunctionData({ abi, functionName: "log", args } as never);
  return consoleLine(hexToBytes(data));
}

describe("consoleLine", () => {
  it("formats the arguments as Hardhat does", () => {
    assert.equal(line("log(string,uint256)", ["supply is %s", 5n]), "supply is 5");
    assert.equal(
      line("log(string,string,bool,address)", ["a", "b", true, address]),
      `a b true ${address.toLowerCase()}`,
    );
    assert.equal(
      line("log(uint256,uint256,uint256,uint256)", [1n, 2n, 3n, 2n ** 255n]),
      `1 2 3 ${2n ** 255n}`,
    );
    assert.equal(line("log(int256)", [-7n]), "-7");
    assert.equal(line("log(bytes)", ["0xdeadbeef"]), "0xdeadbeef");
    assert.equal(line("log(bytes4)", ["0x01020304"]), "0x01020304");
    assert.equal(line("log()", []), "");
  });

  it("knows the selectors of the first console.sol, made of `uint`", () => {
    // keccak256("log(string,uint)")
    const old = `0x9710a9d0${encodeFunctionData({
      abi: parseAbi(["function log(string,uint256)"]),
      functionName: "log",
      args: ["old", 1n],
    }).slice(10)}` as const;
    assert.equal(consoleLine(hexToBytes(old)), "old 1");
  });

  it("ignores what is no signature of console.sol, and cut data", () => {
    assert.equal(consoleLine(hexToBytes("0xdeadbeef")), undefined);
    assert.equal(consoleLine(hexToBytes("0x")), undefined);
    const data = encodeFunctionData({
      abi: parseAbi(["function log(string)"]),
      functionName: "log",
      args: ["whole"],
    });
    assert.equal(consoleLine(hexToBytes(data).subarray(0, 70)), undefined);
  });
});
