import assert from "node:assert/strict";
import { createWalletClient, http, parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { TEST_KEYS } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

const key = TEST_KEYS[0];
assert(key !== undefined);
const account = privateKeyToAccount(bytesToHex(key));
const alice = account.address.toLowerCase();
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const stranger = "0x00000000000000000000000000000000000abcde";

type Json = Record<string, unknown>;
const asObject = (value: unknown): Json => {
  assert(typeof value === "object" && value !== null);
  return value as Json;
};

describe("sending transactions", () => {
  let dev: DevNode;
  beforeEach(async () => {
    dev = await startDevNode();
  });
  afterEach(() => dev[Symbol.asyncDispose]());

  const signed = (nonce: number, fields: object = {}) =>
    account.signTransaction({
      chainId: 31337,
      type: "eip1559",
      nonce,
      gas: 21_000n,
      maxFeePerGas: parseGwei("2"),
      maxPriorityFeePerGas: 1n,
      to: bob,
      value: 1n,
      ...fields,
    });

  describe("eth_sendRawTransaction", () => {
    it("gives the hash at once, however long mining takes", async () => {
      await dev.call("evm_setAutomine", false);
      const hash = await dev.call("eth_sendRawTransaction", await signed(0));
      assert.equal(await dev.call("eth_getTransactionReceipt", hash), null);
      await dev.call("evm_mine");
      assert.equal(asObject(await dev.call("eth_getTransactionReceipt", hash))["status"], "0x1");
    });

    it("queues a future nonce and mines both once the gap is filled", async () => {
      const later = await dev.call("eth_sendRawTransaction", await signed(1));
      await dev.call("eth_sendRawTransaction", await signed(0));
      await dev.settled();
      assert.equal(asObject(await dev.call("eth_getTransactionReceipt", later))["status"], "0x1");
    });

    it("refuses what cannot be, in the words that libraries know", async () => {
      const send = async (nonce: number, fields: object) =>
        dev.call("eth_sendRawTransaction", await signed(nonce, fields));
      await send(0, {});
      await dev.settled();
      await assert.rejects(send(0, { value: 2n }), {
        message: /nonce too low: address 0xf39f.*, tx: 0 state: 1/,
      });
      await assert.rejects(send(1, { chainId: 5 }), {
        message: /invalid chain id for signer: have 5 want 31337/,
      });
      await assert.rejects(send(1, { gas: 20_000n }), { message: /intrinsic gas too low/ });
      await assert.rejects(send(1, { value: 10n ** 30n }), {
        message: /insufficient funds for gas \* price/,
      });
      await assert.rejects(dev.call("eth_sendRawTransaction", "0x77"), { code: -32000 });
      await assert.rejects(dev.call("eth_sendRawTransaction", "0x02c0"), { code: -32602 });
    });

    it("honours the least fee that a developer sets", async () => {
      await dev.call("hardhat_setMinGasPrice", "0x174876e800");
      await assert.rejects(dev.call("eth_sendRawTransaction", await signed(0)), {
        message: /underpriced/,
      });
      await dev.call("hardhat_setMinGasPrice", "0x0");
      await dev.call("eth_sendRawTransaction", await signed(0));
    });
  });

  describe("eth_sendRawTransactionSync", () => {
    it("waits for the receipt", async () => {
      const receipt = asObject(await dev.call("eth_sendRawTransactionSync", await signed(0)));
      assert.equal(receipt["status"], "0x1");
      assert.equal(receipt["from"], alice);
    });

    it("gives up with code 4 and the hash", async () => {
      await dev.call("evm_setAutomine", false);
      const raw = await signed(0);
      await assert.rejects(dev.call("eth_sendRawTransactionSync", raw, "0x14"), (error) => {
        const { code, data } = asObject(error);
        assert.equal(code, 4);
        assert.match(String(data), /^0x[0-9a-f]{64}$/);
        return true;
      });
    });
  });

  describe("eth_fillTransaction", () => {
    it("names type, nonce, fees and gas, so that viem signs without asking more", async () => {
      await dev.call("eth_sendRawTransactionSync", await signed(0));
      const { tx, raw } = asObject(await dev.call("eth_fillTransaction", { from: alice, to: bob }));
      const filled = asObject(tx);
      assert.equal(filled["type"], "0x2");
      assert.equal(filled["nonce"], "0x1");
      assert.equal(filled["gas"], "0x5208");
      assert.equal(filled["chainId"], "0x7a69");
      assert(BigInt(String(filled["maxFeePerGas"])) > 0n);
      assert(!("gasPrice" in filled), "both kinds of fees in one request are refused");
      assert.match(String(raw), /^0x02/);
      const client = createWalletClient({ account, chain: hardhat, transport: http(dev.url) });
      const hash = await client.sendTransaction({ to: bob, value: 1n });
      await dev.settled();
      assert.equal(asObject(await dev.call("eth_getTransactionReceipt", hash))["status"], "0x1");
    });

    it("keeps what is given, legacy fees too", async () => {
      const request = { from: alice, to: bob, gasPrice: "0x77359400", nonce: "0x9", gas: "0x7530" };
      const { tx } = asObject(await dev.call("eth_fillTransaction", request));
      const { type, gasPrice, nonce, gas } = asObject(tx);
      assert.deepEqual([type, gasPrice, nonce, gas], ["0x0", "0x77359400", "0x9", "0x7530"]);
    });

    it("refuses contradictions and gives the revert of what cannot succeed", async () => {
      const fill = (request: object) =>
        dev.call("eth_fillTransaction", { from: alice, ...request });
      await assert.rejects(fill({ to: bob, chainId: "0x5" }), {
        message: /chainId does not match node's \(have=5, want=31337\)/,
      });
      await assert.rejects(fill({}), { message: /contract creation without any data/ });
      const fees = { maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x2" };
      await assert.rejects(fill({ to: bob, ...fees }), {
        message: /max priority fee per gas higher/,
      });
      await dev.call("hardhat_setCode", stranger, "0x60006000fd");
      await assert.rejects(fill({ to: stranger }), { code: 3 });
    });
  });

  describe("eth_signTransaction and eth_sendUnsignedTransaction", () => {
    it("signs without sending; sends without a signature", async () => {
      const raw = await dev.call("eth_signTransaction", { from: alice, to: bob, value: "0x1" });
      assert.equal(dev.node.pool.stats().pending, 0);
      const receipt = asObject(await dev.call("eth_sendRawTransactionSync", raw));
      assert.equal(receipt["from"], alice);
      await dev.call("hardhat_setBalance", stranger, "0xde0b6b3a7640000");
      const hash = await dev.call("eth_sendUnsignedTransaction", { from: stranger, to: bob });
      await dev.settled();
      assert.equal(asObject(await dev.call("eth_getTransactionReceipt", hash))["from"], stranger);
    });
  });
});
