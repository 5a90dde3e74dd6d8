import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DevNode, startDevNode } from "../support/devNode.ts";

const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const stranger = "0x00000000000000000000000000000000000abcde";
const contracts = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../bench/load/fixtures/contracts.json"), "utf8"),
);

type Json = Record<string, unknown>;
const asObject = (value: unknown): Json => {
  assert(typeof value === "object" && value !== null);
  return value as Json;
};
const word = (value: bigint | string): string => BigInt(value).toString(16).padStart(64, "0");

async function send(dev: DevNode, transaction: Json): Promise<Json> {
  const hash = await dev.call("eth_sendTransaction", transaction);
  await dev.settled();
  return asObject(await dev.call("eth_getTransactionReceipt", hash));
}

async function balanceOf(dev: DevNode, address: string, block = "latest"): Promise<bigint> {
  return BigInt(String(await dev.call("eth_getBalance", address, block)));
}

async function blockNumber(dev: DevNode): Promise<number> {
  return Number(await dev.call("eth_blockNumber"));
}

async function head(dev: DevNode): Promise<Json> {
  return asObject(await dev.call("eth_getBlockByNumber", "latest", false));
}

describe("a development node", () => {
  let dev: DevNode;
  beforeEach(async () => {
    dev = await startDevNode();
  });
  afterEach(() => dev[Symbol.asyncDispose]());

  describe("accounts", () => {
    it("sends for unlocked accounts and mines at once", async () => {
      const before = await balanceOf(dev, bob);
      const receipt = await send(dev, { from: alice, to: bob, value: "0x5" });
      assert.equal(receipt["status"], "0x1");
      assert.equal(receipt["gasUsed"], "0x5208");
      assert.equal(await balanceOf(dev, bob), before + 5n);
    });

    it("shows a sent transaction's effect to the very next call", async () => {
      const before = await balanceOf(dev, bob);
      const calls: readonly [string, ...unknown[]][] = [
        ["eth_sendTransaction", { from: alice, to: bob, value: "0x1" }],
        ["eth_getBalance", bob, "latest"],
      ];
      const response = await fetch(dev.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(
          calls.map(([method, ...params], id) => ({ jsonrpc: "2.0", id, method, params })),
        ),
      });
      const answers: unknown = await response.json();
      assert(Array.isArray(answers));
      assert.equal(BigInt(answers[1].result), before + 1n);
    });

    it("gives transactions of one account sent at the same time different nonces", async () => {
      const requests = Array.from({ length: 12 }, (_, index) =>
        dev.call("eth_sendTransaction", {
          from: alice,
          to: bob,
          value: "0x1",
          ...(index % 2 === 0 && { gas: "0x5208" }),
        }),
      );
      const hashes = await Promise.all(requests);
      assert.equal(new Set(hashes).size, 12);
      await dev.settled();
      assert.equal(await dev.call("eth_getTransactionCount", alice, "latest"), "0xc");
    });

    it("refuses a sender that is neither unlocked nor impersonated", async () => {
      await assert.rejects(dev.call("eth_sendTransaction", { from: stranger, to: bob }), {
        code: -32000,
      });
    });

    it("sends for impersonated accounts, contracts too, until told to stop", async () => {
      const code = "0x600160005260206000f3";
      await dev.call("hardhat_setCode", stranger, code);
      await dev.call("anvil_setBalance", stranger, "0xde0b6b3a7640000");
      await dev.call("hardhat_impersonateAccount", stranger);
      const receipt = await send(dev, { from: stranger, to: bob, value: "0x1" });
      assert.equal(receipt["from"], stranger);
      assert.equal(receipt["status"], "0x1");
      const hash = receipt["transactionHash"];
      const found = asObject(await dev.call("eth_getTransactionByHash", hash));
      assert.equal(found["from"], stranger);
      await dev.call("hardhat_stopImpersonatingAccount", stranger);
      await assert.rejects(dev.call("eth_sendTransaction", { from: stranger, to: bob }));
    });

    it("impersonates everybody when asked to", async () => {
      await dev.call("anvil_autoImpersonateAccount", true);
      await dev.call("anvil_setBalance", stranger, "0xde0b6b3a7640000");
      const receipt = await send(dev, { from: stranger, to: alice, value: "0x1" });
      assert.equal(receipt["from"], stranger);
    });

    it("signs messages and typed data as ethers recovers them", async () => {
      const { verifyMessage, verifyTypedData } = await import("ethers");
      const message = "0x68656c6c6f";
      const signed = String(await dev.call("personal_sign", message, alice));
      assert.equal(verifyMessage("hello", signed).toLowerCase(), alice);
      assert.equal(String(await dev.call("eth_sign", alice, message)), signed);
      const domain = { name: "Test", chainId: 31337 };
      const types = { Order: [{ name: "amount", type: "uint256" }] };
      const data = { domain, types, primaryType: "Order", message: { amount: "7" } };
      const typed = String(await dev.call("eth_signTypedData_v4", alice, JSON.stringify(data)));
      assert.equal(verifyTypedData(domain, types, data.message, typed).toLowerCase(), alice);
    });
  });

  describe("state edits", () => {
    it("show at latest and pending at once, and stay below the next blocks", async () => {
      await dev.call("hardhat_setBalance", stranger, "0x64");
      assert.equal(await balanceOf(dev, stranger), 100n);
      assert.equal(await balanceOf(dev, stranger, "pending"), 100n);
      await dev.call("anvil_addBalance", stranger, "0x1");
      await dev.call("hardhat_setNonce", stranger, "0x5");
      await dev.call("hardhat_setStorageAt", stranger, "0x0", `0x${word(9n)}`);
      await dev.call("evm_mine");
      assert.equal(await balanceOf(dev, stranger), 101n);
      assert.equal(await dev.call("eth_getTransactionCount", stranger, "latest"), "0x5");
      assert.equal(await dev.call("eth_getStorageAt", stranger, "0x0", "latest"), `0x${word(9n)}`);
    });

    it("let a pooled transaction run that could not before", async () => {
      await dev.call("anvil_autoImpersonateAccount", true);
      await dev.call("anvil_setBalance", stranger, "0xde0b6b3a7640000");
      await dev.call("evm_setAutomine", false);
      const wanted = { from: stranger, to: bob, value: "0x1", nonce: "0x0" };
      const hash = await dev.call("eth_sendTransaction", wanted);
      await dev.call("evm_mine");
      const receipt = asObject(await dev.call("eth_getTransactionReceipt", hash));
      assert.equal(receipt["status"], "0x1");
    });
  });

  describe("time", () => {
    it("moves on, jumps and steps as told", async () => {
      await dev.call("evm_mine");
      const start = Number((await head(dev))["timestamp"]);
      await dev.call("evm_increaseTime", 3600);
      await dev.call("evm_mine");
      const later = Number((await head(dev))["timestamp"]);
      assert(later >= start + 3600 && later <= start + 3610);
      await dev.call("evm_setNextBlockTimestamp", later + 1000);
      await dev.call("evm_mine");
      assert.equal(Number((await head(dev))["timestamp"]), later + 1000);
      await dev.call("anvil_setBlockTimestampInterval", 7);
      await dev.call("hardhat_mine", "0x3");
      assert.equal(Number((await head(dev))["timestamp"]), later + 1021);
      assert.equal(await dev.call("anvil_removeBlockTimestampInterval"), true);
      await dev.call("hardhat_mine", "0x2", "0x3c");
      const after = Number((await head(dev))["timestamp"]);
      assert(after >= later + 1021 + 61);
      await assert.rejects(dev.call("evm_setNextBlockTimestamp", later), { code: -32000 });
    });

    it("mines the block of a wished time, and many at once", async () => {
      const at = Number((await head(dev))["timestamp"]) + 100_000;
      await dev.call("evm_mine", { timestamp: at });
      assert.equal(Number((await head(dev))["timestamp"]), at);
      const blocks = await dev.call("anvil_mine_detailed", { blocks: 3 });
      assert(Array.isArray(blocks) && blocks.length === 3);
      assert.equal(await blockNumber(dev), 4);
    });
  });

  describe("the next block", () => {
    it("takes base fee, prevRandao, gas limit and beneficiary by hand", async () => {
      const randao = `0x${"ab".repeat(32)}`;
      await dev.call("hardhat_setNextBlockBaseFeePerGas", "0x77359400");
      await dev.call("hardhat_setPrevRandao", randao);
      await dev.call("evm_setBlockGasLimit", "0x1000000");
      await dev.call("hardhat_setCoinbase", stranger);
      await dev.call("evm_mine");
      const block = await head(dev);
      assert.equal(block["baseFeePerGas"], "0x77359400");
      assert.equal(block["mixHash"], randao);
      assert.equal(block["gasLimit"], "0x1000000");
      assert.equal(block["miner"], stranger);
      await dev.call("evm_mine");
      const next = await head(dev);
      assert.equal(next["gasLimit"], "0x1000000");
      assert.equal(next["miner"], stranger);
      assert.notEqual(next["mixHash"], randao);
    });
  });

  describe("snapshots", () => {
    it("bring back head, balances, edits, clock, pool and wishes", async () => {
      await send(dev, { from: alice, to: bob, value: "0x1" });
      await dev.call("hardhat_setBalance", stranger, "0x7");
      await dev.call("evm_setAutomine", false);
      const pooled = await dev.call("eth_sendTransaction", { from: bob, to: alice, value: "0x2" });
      await dev.call("hardhat_setNextBlockBaseFeePerGas", "0x77359400");
      const before = await head(dev);
      const id = await dev.call("evm_snapshot");
      await dev.call("evm_increaseTime", 1_000_000);
      await dev.call("hardhat_setBalance", stranger, "0x8");
      await dev.call("hardhat_mine", "0x5");
      assert.equal(await dev.call("eth_getTransactionCount", bob, "latest"), "0x1");
      assert.equal(await dev.call("evm_revert", id), true);
      assert.equal((await head(dev))["hash"], before["hash"]);
      assert.equal(await balanceOf(dev, stranger), 7n);
      const again = asObject(await dev.call("eth_getTransactionByHash", pooled));
      assert.equal(again["blockHash"], null);
      await dev.call("evm_mine");
      const block = await head(dev);
      assert.equal(block["baseFeePerGas"], "0x77359400");
      assert.deepEqual(block["transactions"], [pooled]);
      assert(Number(block["timestamp"]) < Number(before["timestamp"]) + 1_000);
      assert.equal(await balanceOf(dev, stranger), 7n);
      assert.equal(await dev.call("evm_revert", id), false);
    });

    it("use up the later ones", async () => {
      const first = await dev.call("evm_snapshot");
      await dev.call("evm_mine");
      const second = await dev.call("evm_snapshot");
      assert.equal(await dev.call("evm_revert", first), true);
      assert.equal(await dev.call("evm_revert", second), false);
      assert.equal(await blockNumber(dev), 0);
    });
  });

  describe("history", () => {
    it("rolls back, reorganises and resets", async () => {
      const receipt = await send(dev, { from: alice, to: bob, value: "0x1" });
      await dev.call("hardhat_mine", "0x3");
      const before = await head(dev);
      await dev.call("anvil_reorg", 2, [[{ from: alice, to: bob, value: "0x3" }, 0]]);
      const after = await head(dev);
      assert.equal(after["number"], before["number"]);
      assert.notEqual(after["hash"], before["hash"]);
      const replaced = asObject(await dev.call("eth_getBlockByNumber", "0x3", false));
      assert(Array.isArray(replaced["transactions"]) && replaced["transactions"].length === 1);
      await dev.call("anvil_rollback", 4);
      assert.equal(await blockNumber(dev), 0);
      const { transactionHash } = receipt;
      assert.equal(await dev.call("eth_getTransactionReceipt", transactionHash), null);
      await assert.rejects(dev.call("anvil_rollback", 1), { code: -32000 });
      await dev.call("hardhat_mine", "0x2");
      await dev.call("hardhat_reset", { forking: { blockNumber: null } });
      assert.equal(await blockNumber(dev), 0);
      await assert.rejects(dev.call("hardhat_reset", { forking: { jsonRpcUrl: "http://x" } }));
    });

    it("dumps the state and loads it into another node", async () => {
      await dev.call("hardhat_setBalance", stranger, "0x7");
      await dev.call("hardhat_setCode", stranger, "0x6001");
      await dev.call("hardhat_setStorageAt", stranger, "0x5", `0x${word(6n)}`);
      await send(dev, { from: alice, to: bob, value: "0x1" });
      const dump = await dev.call("anvil_dumpState");
      await using other = await startDevNode();
      assert.equal(await other.call("anvil_loadState", dump), true);
      assert.equal(await balanceOf(other, stranger), 7n);
      assert.equal(await other.call("eth_getCode", stranger, "latest"), "0x6001");
      assert.equal(await other.call("eth_getStorageAt", stranger, "0x5"), `0x${word(6n)}`);
      assert.equal(await balanceOf(other, bob), await balanceOf(dev, bob));
      assert.equal(await other.call("eth_getTransactionCount", alice, "latest"), "0x1");
    });
  });

  describe("the pool", () => {
    it("drops transactions by hash, by sender and all", async () => {
      await dev.call("evm_setAutomine", false);
      const queue = () => dev.call("eth_sendTransaction", { from: alice, to: bob });
      const one = await queue();
      assert.equal(await dev.call("hardhat_dropTransaction", one), true);
      assert.equal(await dev.call("hardhat_dropTransaction", one), false);
      await queue();
      await dev.call("anvil_removePoolTransactions", alice);
      assert.deepEqual(dev.node.pool.stats().pending, 0);
      await queue();
      await dev.call("anvil_dropAllTransactions");
      assert.equal(dev.node.pool.stats().pending, 0);
    });
  });

  describe("tokens", () => {
    it("gets a balance and an allowance by hand", async () => {
      const { bytecode } = contracts["LoadToken"];
      const receipt = await send(dev, { from: alice, data: bytecode });
      const token = String(receipt["contractAddress"]);
      await dev.call("anvil_dealERC20", stranger, token, "0x2a");
      const data = `0x70a08231${word(stranger)}`;
      const answer = await dev.call("eth_call", { to: token, data }, "latest");
      assert.equal(answer, `0x${word(42n)}`);
    });
  });

  describe("what tools ask", () => {
    it("answers the probes of Hardhat, Foundry and Ignition", async () => {
      assert.match(String(await dev.call("web3_clientVersion")), /^anvil/);
      assert.equal(await dev.call("hardhat_getAutomine"), true);
      assert.equal(asObject(await dev.call("hardhat_metadata"))["chainId"], 31337);
      const info = asObject(await dev.call("anvil_nodeInfo"));
      assert.equal(info["currentBlockNumber"], "0x0");
      assert.equal(await dev.call("anvil_getIntervalMining"), null);
    });

    it("mines by the clock when asked to", async () => {
      await dev.call("evm_setAutomine", false);
      dev.node.producer?.setIntervalMs(20);
      const end = Date.now() + 3_000;
      while ((await blockNumber(dev)) < 2 && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await dev.call("evm_setIntervalMining", 0);
      assert((await blockNumber(dev)) >= 2);
    });
  });
});
