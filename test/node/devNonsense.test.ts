import assert from "node:assert/strict";
import { type DevNode, startDevNode } from "../support/devNode.ts";

const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const HUGE = `0x${"f".repeat(64)}`;

const hexOf = (value: unknown): string => `0x${Buffer.from(JSON.stringify(value)).toString("hex")}`;

describe("a development node that is asked for nonsense", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
  });
  after(() => dev[Symbol.asyncDispose]());
  afterEach(async () => {
    // whatever was refused or taken, blocks can still be made
    assert.equal(await dev.call("evm_mine"), "0x0");
    assert.equal(await dev.call("evm_mine"), "0x0");
  });

  const refused: readonly (readonly [method: string, ...params: unknown[]])[] = [
    ["evm_setBlockGasLimit", 0],
    ["evm_setBlockGasLimit", 4_999],
    ["evm_setBlockGasLimit", HUGE],
    ["anvil_setBlockTimestampInterval", 0],
    ["anvil_setBlockTimestampInterval", HUGE],
    ["evm_increaseTime", -5],
    ["evm_increaseTime", HUGE],
    ["evm_increaseTime", "9".repeat(64)],
    ["evm_setTime", HUGE],
    ["evm_setNextBlockTimestamp", HUGE],
    ["evm_setIntervalMining", -1],
    ["evm_setIntervalMining", 0.5],
    ["evm_setIntervalMining", 1e15],
    ["evm_mine", { blocks: -1 }],
    ["evm_mine", { blocks: 1e9 }],
    ["hardhat_mine", 100_001],
    ["hardhat_mine", 2, HUGE],
    ["evm_revert", "x"],
    ["hardhat_setNonce", bob, HUGE],
    ["hardhat_setStorageAt", bob, `0x1${"0".repeat(64)}`, "0x1"],
    ["hardhat_setBalance", bob, "-1"],
    ["hardhat_loadState", "0x"],
    ["hardhat_loadState", "0x1f8b00"],
    ["hardhat_loadState", hexOf({ accounts: { [bob]: { nonce: HUGE } } })],
    ["hardhat_loadState", hexOf({ accounts: { ["__proto__"]: {} } })],
    ["anvil_reorg", 1, [[{ from: alice, to: bob }, 1]]],
  ];
  for (const [method, ...params] of refused) {
    it(`refuses ${method} ${JSON.stringify(params).slice(0, 60)}`, async () => {
      const number = await dev.call("eth_blockNumber");
      await assert.rejects(dev.call(method, ...params), { code: -32602 });
      assert.equal(await dev.call("eth_blockNumber"), number);
    });
  }

  it("refuses timestamps in the past", async () => {
    for (const time of [0, 1])
      await assert.rejects(dev.call("evm_setNextBlockTimestamp", time), { code: -32000 });
  });

  it("answers false for a snapshot that it does not know", async () => {
    assert.equal(await dev.call("evm_revert", "0xdead"), false);
  });

  it("does not go back before block 0", async () => {
    await assert.rejects(dev.call("anvil_rollback", 1_000_000), { code: -32000 });
    await assert.rejects(dev.call("anvil_reorg", 1_000_000, []), { code: -32000 });
  });

  it("stops adding to a balance at the highest there is", async () => {
    const other = "0x00000000000000000000000000000000000abcde";
    await dev.call("hardhat_setBalance", other, HUGE);
    await dev.call("hardhat_addBalance", other, 1);
    assert.equal(await dev.call("eth_getBalance", other), HUGE);
  });

  it("is as before when a reorganisation fails", async () => {
    await dev.call("evm_mine");
    const head = await dev.call("eth_getBlockByNumber", "latest", false);
    await assert.rejects(dev.call("anvil_reorg", 2, [["0x00", 1]]));
    assert.deepEqual(await dev.call("eth_getBlockByNumber", "latest", false), head);
    assert.equal(await dev.call("hardhat_getAutomine"), true);
  });

  it("refuses what the block made at once could not take, unless blocks are made otherwise", async () => {
    const low = { from: alice, to: bob, gas: "0x5208", maxFeePerGas: "0x1" };
    const request = { ...low, maxPriorityFeePerGas: "0x0" };
    await assert.rejects(dev.call("eth_sendTransaction", request), {
      code: -32000,
      message: /^max fee per gas less than block base fee: address 0xf39f.*, maxFeePerGas: 1, /,
    });
    await dev.call("evm_setAutomine", false);
    const hash = await dev.call("eth_sendTransaction", request);
    await dev.call("hardhat_dropTransaction", hash);
    await dev.call("evm_setAutomine", true);
  });

  it("names a wrong jump as other nodes do", async () => {
    const call = [{ to: bob }, "latest", { [bob]: { code: "0x5f56" } }];
    await assert.rejects(dev.call("eth_call", ...call), {
      code: -32000,
      message: "invalid jump destination",
    });
  });

  it("takes a waiting transaction once the base fee has fallen", async () => {
    await dev.call("hardhat_setNextBlockBaseFeePerGas", 1_000_000_000n.toString());
    await dev.call("evm_mine");
    await dev.call("evm_setAutomine", false);
    const low = { from: alice, to: bob, gas: "0x5208", maxFeePerGas: "0x2fb5ffff" };
    const hash = await dev.call("eth_sendTransaction", { ...low, maxPriorityFeePerGas: "0x0" });
    await dev.call("evm_setAutomine", true);
    for (let block = 0; block < 3; block++) await dev.call("evm_mine");
    await dev.settled();
    assert.notEqual(await dev.call("eth_getTransactionReceipt", hash), null);
  });
});
