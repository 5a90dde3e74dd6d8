/** Points of the JSON-RPC rules that no other test states: codes and texts that clients match, fields that must be there or not. */
import assert from "node:assert/strict";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const HASH = `0x${"11".repeat(32)}`;
const GWEI = 1_000_000_000n;
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

type Json = Record<string, unknown>;
const asObject = (value: unknown): Json => {
  assert(typeof value === "object" && value !== null);
  return value as Json;
};

describe("the rules of JSON-RPC", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
  });
  after(() => dev[Symbol.asyncDispose]());

  const refused: readonly (readonly [
    code: number,
    text: RegExp,
    method: string,
    params: unknown[],
  ])[] = [
    [-32602, /leading zero digits/, "eth_getBalance", [alice, "0x01"]],
    [
      -32602,
      /^storage key too long \(want at most 32 bytes\): "/,
      "eth_getStorageAt",
      [alice, `0x${"0".repeat(65)}`],
    ],
    [-32602, /^invalid hex in storage key: "0xzz"/, "eth_getStorageAt", [alice, "0xzz"]],
    [
      -32602,
      /cannot specify both BlockHash and BlockNumber/,
      "eth_getBalance",
      [alice, { blockHash: HASH, blockNumber: "0x0" }],
    ],
    [
      -32602,
      /cannot specify both BlockHash and FromBlock\/ToBlock, choose one or the other/,
      "eth_getLogs",
      [{ blockHash: HASH, fromBlock: "0x0" }],
    ],
    [
      -32602,
      /both gasPrice and \(maxFeePerGas or maxPriorityFeePerGas\) specified/,
      "eth_call",
      [{ to: bob, gasPrice: "0x1", maxFeePerGas: "0x1" }],
    ],
    [-32602, /invalid reward percentile: 101/, "eth_feeHistory", ["0x1", "latest", [101]]],
    [
      -32602,
      /invalid reward percentile: #0:50 >= #1:20/,
      "eth_feeHistory",
      ["0x1", "latest", [50, 20]],
    ],
    [-32602, /^empty request$/, "eth_getStorageValues", [{}]],
    [-32000, /^transaction type not supported: /, "eth_sendRawTransaction", ["0x7fc0"]],
    [-32602, /^cannot decode transaction: .*types supported: /, "eth_sendRawTransaction", ["0xc0"]],
    [
      -32000,
      /^transaction underpriced: /,
      "eth_sendTransaction",
      [{ from: alice, to: bob, gasPrice: hex(2n * GWEI) }],
    ],
  ];
  for (const [code, text, method, params] of refused) {
    it(`answers ${code} ${text} to ${method} ${JSON.stringify(params).slice(0, 60)}`, async () => {
      if (text.source.includes("underpriced"))
        await dev.call("hardhat_setMinGasPrice", hex(3n * GWEI));
      await assert.rejects(dev.call(method, ...params), (error: unknown) => {
        const { code: got, message } = asObject(error);
        assert.equal(got, code);
        assert.match(String(message), text);
        return true;
      });
      await dev.call("hardhat_setMinGasPrice", "0x0");
    });
  }

  it("asks a replacement for a tenth more of both fees", async () => {
    await dev.call("evm_setAutomine", false);
    const fees = { maxFeePerGas: hex(10n * GWEI), maxPriorityFeePerGas: hex(GWEI) };
    const request = { from: alice, to: bob, gas: "0x5208", nonce: "0x0", ...fees };
    const first = await dev.call("eth_sendTransaction", request);
    await assert.rejects(
      dev.call("eth_sendTransaction", { ...request, maxFeePerGas: hex(11n * GWEI) }),
      { code: -32000, message: /^replacement transaction underpriced: / },
    );
    const second = await dev.call("eth_sendTransaction", {
      ...request,
      maxFeePerGas: hex(11n * GWEI),
      maxPriorityFeePerGas: hex((11n * GWEI) / 10n),
    });
    const { status, replacedBy } = asObject(await dev.call("qnet_getTransactionStatus", first));
    assert.deepEqual({ status, replacedBy }, { status: "replaced", replacedBy: second });
    await dev.call("evm_setAutomine", true);
  });

  it("gives blocks, transactions, receipts and logs the fields that clients parse", async () => {
    await dev.call("hardhat_setCode", HASH.slice(0, 42), "0x60aa5f5fa1");
    const hash = await dev.call("eth_sendTransaction", { from: alice, to: HASH.slice(0, 42) });
    const receipt = asObject(await dev.call("eth_getTransactionReceipt", hash));
    const transaction = asObject(await dev.call("eth_getTransactionByHash", hash));
    const block = asObject(await dev.call("eth_getBlockByHash", receipt["blockHash"], false));
    assert.equal("totalDifficulty" in block, false);
    assert.deepEqual(block["uncles"], []);
    assert.equal(block["nonce"], "0x0000000000000000");
    assert.equal(transaction["blockTimestamp"], block["timestamp"]);
    assert.equal(transaction["v"], transaction["yParity"]);
    assert.equal(receipt["effectiveGasPrice"], transaction["gasPrice"]);
    assert.equal(receipt["contractAddress"], null);
    assert.equal("blobGasPrice" in receipt, false);
    assert.equal("root" in receipt, false);
    assert(Array.isArray(receipt["logs"]));
    const log = asObject(receipt["logs"][0]);
    assert.equal(log["blockTimestamp"], block["timestamp"]);
    assert.equal(log["removed"], false);
    assert.equal(log["logIndex"], "0x0");
  });

  it("tells what is served, with the keys of the specification alone", async () => {
    const capabilities = asObject(await dev.call("eth_capabilities"));
    const keys = ["blocks", "head", "logs", "receipts", "state", "stateproofs", "tx"];
    assert.deepEqual(Object.keys(capabilities).sort(), keys);
    for (const key of keys.filter((one) => one !== "head"))
      assert.deepEqual(capabilities[key], { disabled: false, oldestBlock: "0x0" });
  });

  it("suggests a tip on an idle chain, and a price that outlasts a rise of the base fee", async () => {
    const tip = BigInt(String(await dev.call("eth_maxPriorityFeePerGas")));
    const baseFee = BigInt(String(await dev.call("eth_baseFee")));
    assert.ok(tip > 0n);
    assert.equal(BigInt(String(await dev.call("eth_gasPrice"))), tip + (baseFee * 9n + 7n) / 8n);
  });
});
