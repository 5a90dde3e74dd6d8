import assert from "node:assert/strict";
import { encodeErrorResult, parseAbi } from "viem";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const target = "0x00000000000000000000000000000000000abcde";
const other = "0x00000000000000000000000000000000000abcdf";
const SHA256 = "0x0000000000000000000000000000000000000002";

const word = (value: bigint | number | string): string =>
  BigInt(value).toString(16).padStart(64, "0");

/** Code that answers with the word a piece of code leaves on the stack. */
const answering = (code: string): string => `0x${code}60005260206000f3`;
const NUMBER = answering("43");
const TIMESTAMP = answering("42");
const BASEFEE = answering("48");
const BLOBBASEFEE = answering("4a");
const COINBASE = answering("41");
const PREVRANDAO = answering("44");
const SLOT_0 = answering("600054");
/** Copies the call data to memory and reverts with it. */
const REVERT_INPUT = "0x3660006000373660 00fd".replace(" ", "");
/** Writes its number of bytes of input into slot 0. */
const STORE = "0x3660005500";
const LOOP = "0x5b600056";

describe("calls on a development node", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
    await dev.call("evm_mine");
  });
  after(() => dev[Symbol.asyncDispose]());

  const callWith = (code: string, request: object = {}, ...more: readonly unknown[]) =>
    dev.call("eth_call", { to: target, ...request }, "latest", { [target]: { code } }, ...more);

  describe("eth_call", () => {
    it("sees the block that is named, and no base fee when it is free", async () => {
      assert.equal(await callWith(NUMBER), `0x${word(1)}`);
      assert.equal(await callWith(BASEFEE), `0x${word(0)}`);
      const paid = await callWith(BASEFEE, { from: alice, gas: "0xf4240", gasPrice: "0x77359400" });
      assert.notEqual(paid, `0x${word(0)}`);
    });

    it("takes block overrides", async () => {
      const time = { time: "0x64", number: "0x65", feeRecipient: bob, blobBaseFee: "0x66" };
      const more = { prevRandao: `0x${word(0x67)}` };
      const overrides = { ...time, ...more };
      assert.equal(await callWith(TIMESTAMP, {}, overrides), `0x${word(0x64)}`);
      assert.equal(await callWith(NUMBER, {}, overrides), `0x${word(0x65)}`);
      assert.equal(await callWith(BLOBBASEFEE, {}, overrides), `0x${word(0x66)}`);
      assert.equal(await callWith(PREVRANDAO, {}, overrides), `0x${word(0x67)}`);
      assert.equal(await callWith(COINBASE, {}, overrides), `0x${word(bob)}`);
      await assert.rejects(callWith(NUMBER, {}, { withdrawals: [] }), { code: -32602 });
    });

    it("takes state overrides and leaves the state as it was", async () => {
      const storage = { [`0x${word(0)}`]: `0x${word(9)}` };
      const call = (change: object) =>
        dev.call("eth_call", { to: target }, "latest", { [target]: { code: SLOT_0, ...change } });
      assert.equal(await call({ stateDiff: storage }), `0x${word(9)}`);
      assert.equal(await call({ state: storage }), `0x${word(9)}`);
      assert.equal(await call({}), `0x${word(0)}`);
      await assert.rejects(call({ state: storage, stateDiff: storage }), { code: -32000 });
      assert.equal(await dev.call("eth_getCode", target, "latest"), "0x");
    });

    it("moves and covers precompiles", async () => {
      const data = "0x01";
      const digest = await dev.call("eth_call", { to: SHA256, data }, "latest");
      const moved = await dev.call("eth_call", { to: other, data }, "latest", {
        [SHA256]: { code: NUMBER, movePrecompileToAddress: other },
      });
      assert.equal(moved, digest);
      const covered = await dev.call("eth_call", { to: SHA256, data }, "latest", {
        [SHA256]: { code: NUMBER },
      });
      assert.equal(covered, `0x${word(1)}`);
      const wrong = { [target]: { movePrecompileToAddress: other } };
      await assert.rejects(dev.call("eth_call", { to: other }, "latest", wrong), { code: -32000 });
    });

    it("answers a revert with code 3, the reason and all data", async () => {
      const errors = parseAbi(["error Error(string)", "error Panic(uint256)"]);
      const text = encodeErrorResult({ abi: errors, errorName: "Error", args: ["too late"] });
      await assert.rejects(callWith(REVERT_INPUT, { data: text }), {
        code: 3,
        message: "execution reverted: too late",
        data: text,
      });
      const panic = encodeErrorResult({ abi: errors, errorName: "Panic", args: [0x11n] });
      await assert.rejects(callWith(REVERT_INPUT, { input: panic }), {
        message: "execution reverted: arithmetic underflow or overflow",
      });
      await assert.rejects(callWith(REVERT_INPUT), { message: "execution reverted", data: "0x" });
    });

    it("takes input and data together when they are equal", async () => {
      await callWith(NUMBER, { input: "0x01", data: "0x01" });
      await assert.rejects(callWith(NUMBER, { input: "0x01", data: "0x02" }), { code: -32602 });
      const fees = { gasPrice: "0x1", maxFeePerGas: "0x1" };
      await assert.rejects(callWith(NUMBER, fees), { code: -32602 });
    });

    it("ends an endless loop by its gas", async () => {
      await assert.rejects(callWith(LOOP, { gas: "0x186a0" }), { code: -32000 });
    });

    it("lets the node work while a long call runs", async () => {
      const answered: string[] = [];
      const long = assert
        .rejects(callWith(LOOP, { gas: "0x2faf080" }))
        .then(() => answered.push("long"));
      await dev.call("eth_blockNumber").then(() => answered.push("quick"));
      await long;
      assert.deepEqual(answered, ["quick", "long"]);
    });

    it("runs creation code and shows what the pool would leave", async () => {
      assert.equal(await dev.call("eth_call", { data: "0x60016000f3" }, "pending"), "0x00");
      await dev.call("evm_setAutomine", false);
      await dev.call("eth_sendTransaction", { from: alice, to: target, value: "0x7" });
      const balance = answering(`73${target.slice(2)}31`);
      const at = (block: string) =>
        dev.call("eth_call", { to: other }, block, { [other]: { code: balance } });
      assert.equal(await at("latest"), `0x${word(0)}`);
      assert.equal(await at("pending"), `0x${word(7)}`);
      await dev.call("anvil_dropAllTransactions");
      await dev.call("evm_setAutomine", true);
    });

    it("knows no block beyond the head", async () => {
      await assert.rejects(dev.call("eth_call", { to: target }, "0x999"), {
        code: -32000,
        message: "header not found",
      });
    });
  });

  describe("eth_estimateGas", () => {
    it("is exact for a plain transfer", async () => {
      assert.equal(
        await dev.call("eth_estimateGas", { from: alice, to: bob, value: "0x1" }),
        "0x5208",
      );
    });

    it("suffices for storage writes and is within 1.5 %", async () => {
      await dev.call("hardhat_setCode", target, STORE);
      const request = { from: alice, to: target, data: "0x0102" };
      const estimate = BigInt(String(await dev.call("eth_estimateGas", request)));
      const gas = `0x${estimate.toString(16)}`;
      const hash = await dev.call("eth_sendTransaction", { ...request, gas });
      await dev.settled();
      const receipt = await dev.call("eth_getTransactionReceipt", hash);
      assert(typeof receipt === "object" && receipt !== null && "gasUsed" in receipt);
      const used = BigInt(String(receipt.gasUsed));
      assert("status" in receipt && receipt.status === "0x1");
      assert(estimate >= used && (estimate - used) * 1_000n <= estimate * 50n);
    });

    it("gives the revert, the missing funds and the missing gas", async () => {
      const overrides = { [target]: { code: REVERT_INPUT } };
      const estimate = (request: object) =>
        dev.call("eth_estimateGas", { from: alice, to: target, ...request }, "latest", overrides);
      await assert.rejects(estimate({ data: "0xdeadbeef" }), { code: 3, data: "0xdeadbeef" });
      const rich = { to: bob, value: `0x${(10n ** 30n).toString(16)}` };
      await assert.rejects(estimate(rich), { message: /insufficient funds/ });
      const loop = dev.call("eth_estimateGas", { to: other, gas: "0x186a0" }, "latest", {
        [other]: { code: LOOP },
      });
      await assert.rejects(loop, { message: "gas required exceeds allowance (100000)" });
    });

    it("ignores the nonce", async () => {
      const request = { from: alice, to: bob, nonce: "0x3e7" };
      assert.equal(await dev.call("eth_estimateGas", request), "0x5208");
    });
  });

  describe("eth_createAccessList", () => {
    it("lists slots and other accounts, not sender, target and precompiles", async () => {
      // reads slot 5, the balance of `other`, and calls the identity precompile
      const code = `0x600554 73${other.slice(2)}31 6000600060006000600060045af1 00`.replaceAll(
        " ",
        "",
      );
      const result = await dev.call("eth_createAccessList", { from: alice, to: target }, "latest", {
        [target]: { code },
      });
      assert(typeof result === "object" && result !== null && "accessList" in result);
      assert.deepEqual(result.accessList, [
        { address: target, storageKeys: [`0x${word(5)}`] },
        { address: other, storageKeys: [] },
      ]);
      assert(!("error" in result));
    });

    it("tells a failure inside the result", async () => {
      const code = "0x60055460006000fd";
      const result = await dev.call("eth_createAccessList", { to: target }, "latest", {
        [target]: { code },
      });
      assert(typeof result === "object" && result !== null && "error" in result);
      assert.equal(result.error, "execution reverted");
      assert("accessList" in result);
      assert.deepEqual(result.accessList, [{ address: target, storageKeys: [`0x${word(5)}`] }]);
    });
  });
});
