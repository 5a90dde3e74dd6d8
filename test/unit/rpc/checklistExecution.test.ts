/** The rules of JSON-RPC by their numbers: 16 to 22, calls, estimates, fees and sending. */
import assert from "node:assert/strict";
import { encodeErrorResult, parseAbi } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { TEST_ADDRESSES, TEST_KEYS } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { asArray, asObject, hex, refused } from "../../support/rpcChecks.ts";
import { startTestServer } from "../../support/rpcClient.ts";

const [alice = "", bob = ""] = TEST_ADDRESSES;
const target = `0x${"7a".repeat(20)}`;
const poor = `0x${"90".repeat(20)}`;
const GWEI = 1_000_000_000n;
/** Reverts with its input. */
const REVERT_INPUT = "0x365f5f37365ffd";
/** Stores its input's length in slot 0. */
const STORE = "0x365f5500";
const answering = (code: string) => `0x${code}5f5260205ff3`;
const errors = parseAbi(["error Error(string)", "error Panic(uint256)"]);

describe("rules of JSON-RPC 16 to 22, execution", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
    await dev.call("evm_mine");
    await dev.call("evm_mine");
  });
  after(() => dev[Symbol.asyncDispose]());
  const callWith = (code: string, request: object = {}, block = "latest") =>
    dev.call("eth_call", { to: target, ...request }, block, { [target]: { code } });
  const number = async (answer: Promise<unknown>) => BigInt(String(await answer));

  it("16. tells reverts with code 3, their reason and all their data", async () => {
    await dev.call("hardhat_setCode", target, REVERT_INPUT);
    const reason = encodeErrorResult({ abi: errors, errorName: "Error", args: ["no luck"] });
    const panic = encodeErrorResult({ abi: errors, errorName: "Panic", args: [1n] });
    const reverts: readonly (readonly [string, string])[] = [
      [reason, "execution reverted: no luck"],
      [panic, "execution reverted: assert(false)"],
      ["0x12345678", "execution reverted"],
      ["0x", "execution reverted"],
    ];
    for (const method of ["eth_call", "eth_estimateGas"]) {
      for (const [input, text] of reverts) {
        const error = await refused(dev.call(method, { from: alice, to: target, input }), 3, text);
        assert.equal(error["data"], input);
      }
    }
    await refused(callWith("0x5b5f56", { gas: "0x5208" }), -32000, /out of gas/);
    await refused(callWith("0xfe"), -32000, /invalid opcode/);
  });

  it("17. uses the words that libraries look for", async () => {
    const request = { from: alice, to: bob, gas: "0x5208", nonce: "0x0" };
    const fees = { maxFeePerGas: hex(10n * GWEI), maxPriorityFeePerGas: hex(GWEI) };
    const raw = (fields: object) =>
      dev.call("eth_signTransaction", { ...request, ...fees, ...fields });
    const send = async (fields: object) => dev.call("eth_sendRawTransaction", await raw(fields));
    await refused(
      send({ value: hex(10n ** 30n) }),
      -32000,
      /^insufficient funds for gas \* price \+ value: address 0x/,
    );
    await refused(
      send({ gas: "0x5207" }),
      -32000,
      /^intrinsic gas too low: have 20999, want 21000/,
    );
    await refused(
      send({ gas: "0x7fffffff" }),
      -32000,
      /exceeds block gas limit|gas limit too high/,
    );
    await refused(
      send({ maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x2" }),
      -32000,
      /^max priority fee per gas higher than max fee per gas/,
    );
    await refused(
      send({ gas: "0xf4240", maxFeePerGas: hex(10_000n * GWEI) }),
      -32000,
      /^tx fee \(10\.00 ether\) exceeds the configured cap \(1\.00 ether\)/,
    );
    await send({});
    await refused(send({ value: "0x2" }), -32000, /^nonce too low: /);
    await refused(
      dev.call("eth_estimateGas", { from: poor, to: bob, value: "0x1" }),
      -32000,
      /^insufficient funds for/,
    );
  });

  it("18. runs calls in the block that is named, free of fees, nonces and senders' code", async () => {
    assert.equal(await number(callWith(answering("43"), {}, "0x1")), 1n);
    assert.equal(await number(callWith(answering("48"))), 0n);
    const { baseFeePerGas } = asObject(await dev.call("eth_getBlockByNumber", "latest", false));
    const paid = { from: alice, gasPrice: hex(10n * GWEI) };
    assert.equal(await number(callWith(answering("48"), paid)), BigInt(String(baseFeePerGas)));
    assert.equal((await number(callWith(answering("5a"), { nonce: "0x99" }))) > 49_000_000n, true);
    assert.equal(await number(callWith(answering("33"), { from: target })), BigInt(target));
    assert.equal(
      (await number(callWith(answering("5a"), { gas: hex(40_000_000) }))) > 30_000_000n,
      true,
    );
    const both = await callWith(answering("36"), { input: "0x1122", data: "0x1122" });
    assert.equal(BigInt(String(both)), 2n);
    await refused(callWith(answering("36"), { input: "0x11", data: "0x22" }), -32602);
    await refused(callWith(answering("36"), { gasPrice: "0x1", maxFeePerGas: "0x1" }), -32602);
    const overridden = dev.call(
      "eth_call",
      { to: target },
      "latest",
      { [target]: { code: answering("42") } },
      { time: "0x99999999" },
    );
    assert.equal(await number(overridden), 0x99999999n);
    await using quick = await startTestServer({ evmTimeoutMs: 20, gasCap: 1n << 40n });
    await refused(quick.call("eth_call", { data: "0x5b5f56" }), -32002);
  });

  it("18. refuses calls that are meant for another chain", async () => {
    const request = { from: alice, to: bob, chainId: "0x5" };
    const otherChain = "chainId does not match node's (have=5, want=31337)";
    for (const method of ["eth_call", "eth_estimateGas", "eth_createAccessList"]) {
      await refused(dev.call(method, request), -32000, otherChain);
      await dev.call(method, { ...request, chainId: "0x7a69" });
    }
    await refused(dev.call("debug_traceCall", request, "latest"), -32000, otherChain);
  });

  it("19. estimates exactly, within limits, so that what was estimated succeeds", async () => {
    assert.equal(
      await dev.call("eth_estimateGas", { from: alice, to: bob, value: "0x1" }),
      "0x5208",
    );
    assert.equal(
      await dev.call("eth_estimateGas", { from: alice, to: bob, nonce: "0x99" }),
      "0x5208",
    );
    await dev.call("hardhat_setCode", target, STORE);
    const request = { from: alice, to: target, input: "0x11" };
    const gas = await number(dev.call("eth_estimateGas", request));
    const hash = await dev.call("eth_sendTransaction", { ...request, gas: hex(gas) });
    const receipt = asObject(await dev.call("eth_getTransactionReceipt", hash));
    assert.equal(receipt["status"], "0x1");
    const used = await number(Promise.resolve(receipt["gasUsed"]));
    assert.ok(gas >= used && gas * 1_000n <= used * 1_015n, `${gas} for ${used}`);
    const endless = { from: alice, to: target, gas: hex(20_000_000) };
    await dev.call("hardhat_setCode", target, "0x5b5f56");
    await refused(
      dev.call("eth_estimateGas", endless),
      -32000,
      /gas required exceeds allowance \(16777216\)/,
    );
    for (const yParity of ["0x0", "0x00"]) {
      const item = { chainId: "0x7a69", address: bob, nonce: "0x0", yParity, r: "0x1", s: "0x1" };
      const delegating = { from: alice, to: bob, authorizationList: [item] };
      assert.ok((await number(dev.call("eth_estimateGas", delegating))) >= 46_000n);
    }
    const blobVersionedHashes = [`0x01${"00".repeat(31)}`];
    const blobs = { from: alice, to: bob, blobVersionedHashes, maxFeePerBlobGas: hex(GWEI) };
    assert.equal(await dev.call("eth_estimateGas", blobs), "0x5208");
  });

  it("19. leaves a call inside the 63/64 of the gas that it needs", async () => {
    const inner = `0x${"7b".repeat(20)}`;
    // counts down from 12,500: 26 gas a turn
    await dev.call("hardhat_setCode", inner, "0x6130d45b60019003806003575000");
    // CALL(gas, inner), and revert when that failed
    const outer = `0x5f5f5f5f5f73${inner.slice(2)}5af115602157005b5f5ffd`;
    await dev.call("hardhat_setCode", target, outer);
    const request = { from: alice, to: target };
    const gas = await dev.call("eth_estimateGas", request);
    const hash = await dev.call("eth_sendTransaction", { ...request, gas });
    const { status, gasUsed } = asObject(await dev.call("eth_getTransactionReceipt", hash));
    assert.equal(status, "0x1");
    assert.ok(Number(gasUsed) > 250_000, String(gasUsed));
  });

  it("20. lists accesses without sender, target and precompiles, and failures in the result", async () => {
    const other = `0x${"7c".repeat(20)}`;
    // reads slot 5, the balances of `other`, of the caller and of precompile 4
    await dev.call(
      "hardhat_setCode",
      target,
      `0x6005545073${other.slice(2)}3150333150600431505f5000`,
    );
    const request = { from: alice, to: target };
    const list = asObject(await dev.call("eth_createAccessList", request));
    const entries = asArray(list["accessList"]).map(asObject);
    assert.deepEqual(
      new Map(entries.map(({ address, storageKeys }) => [address, storageKeys])),
      new Map<unknown, unknown>([
        [target, [`0x${"5".padStart(64, "0")}`]],
        [other, []],
      ]),
    );
    assert.equal("error" in list, false);
    await dev.call("hardhat_setCode", target, "0x5f5ffd");
    const failed = asObject(await dev.call("eth_createAccessList", request));
    assert.equal(failed["error"], "execution reverted");
    assert.deepEqual(failed["accessList"], []);
  });

  it("21. shows delegations, fee histories and prices that wallets can use", async () => {
    const delegation = `0xef0100${bob.slice(2)}`;
    await dev.call("hardhat_setCode", poor, delegation);
    assert.equal(await dev.call("eth_getCode", poor, "latest"), delegation);
    for (const count of [2, "0x2"]) {
      const history = asObject(await dev.call("eth_feeHistory", count, "latest", [25, 75]));
      assert.equal(asArray(history["baseFeePerGas"]).length, 3);
      assert.equal(asArray(history["gasUsedRatio"]).length, 2);
      assert.deepEqual(
        asArray(history["reward"]).map((row) => asArray(row).length),
        [2, 2],
      );
    }
    const atGenesis = asObject(await dev.call("eth_feeHistory", 2_000, "0x0"));
    assert.equal("reward" in atGenesis, false);
    assert.deepEqual(
      [atGenesis["oldestBlock"], asArray(atGenesis["baseFeePerGas"]).length],
      ["0x0", 2],
    );
    await refused(dev.call("eth_feeHistory", 1, "latest", [50, 20]), -32602);
    await refused(dev.call("eth_feeHistory", 1, "latest", [101]), -32602);
    const tip = await number(dev.call("eth_maxPriorityFeePerGas"));
    const baseFee = await number(dev.call("eth_baseFee"));
    assert.ok(tip > 0n);
    assert.equal(await number(dev.call("eth_gasPrice")), tip + (baseFee * 9n + 7n) / 8n);
  });

  it("22. answers a sent transaction with its hash at once, and refuses what it may not take", async () => {
    await dev.call("evm_setAutomine", false);
    const nonce = await dev.call("eth_getTransactionCount", alice);
    const fees = { maxFeePerGas: hex(10n * GWEI), maxPriorityFeePerGas: hex(GWEI) };
    const request = { from: alice, to: bob, gas: "0x5208", nonce, ...fees };
    const raw = await dev.call("eth_signTransaction", request);
    const hash = await dev.call("eth_sendRawTransaction", raw);
    assert.match(String(hash), /^0x[0-9a-f]{64}$/);
    assert.equal(await dev.call("eth_getTransactionReceipt", hash), null);
    await refused(dev.call("eth_sendRawTransaction", raw), -32000, "already known");
    await dev.call("evm_setAutomine", true);
    await dev.call("evm_mine");
    await using strict = await startTestServer();
    const account = privateKeyToAccount(hexKey(TEST_KEYS[0]));
    const legacy = { to: account.address, gas: 21_000n, gasPrice: 10n * GWEI, nonce: 0 } as const;
    const send = (bytes: string) => strict.call("eth_sendRawTransaction", bytes);
    await refused(
      send(await account.signTransaction(legacy)),
      -32000,
      "only replay-protected (EIP-155) transactions allowed over RPC",
    );
    await refused(
      send(await account.signTransaction({ ...legacy, chainId: 5 })),
      -32000,
      /^invalid chain id for signer: have 5 want 31337/,
    );
    const blobs = {
      type: "eip4844",
      chainId: 31_337,
      to: account.address,
      gas: 21_000n,
      nonce: 0,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: GWEI,
      maxFeePerBlobGas: GWEI,
      blobVersionedHashes: [`0x01${"00".repeat(31)}`],
    } as const;
    await refused(send(await account.signTransaction(blobs)), -32000, /sidecar/);
  });
});

function hexKey(key: Uint8Array | undefined): `0x${string}` {
  assert.ok(key);
  return `0x${Buffer.from(key).toString("hex")}`;
}
