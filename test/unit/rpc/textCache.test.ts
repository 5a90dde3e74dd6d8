import assert from "node:assert/strict";
import { placedReceipt, receiptsOfBlock } from "../../../rpc/receipts.ts";
import { TextCache } from "../../../rpc/textCache.ts";
import { blockView, placedTransaction, receiptView, transactionView } from "../../../rpc/views.ts";
import { parseHash } from "../../../src/primitives/hex.ts";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

const [from, to] = TEST_ADDRESSES;

/** The whole text of the reply. */
async function textOf({ url }: DevNode, method: string, ...params: unknown[]): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return response.text();
}

const reply = (result: unknown) => `{"jsonrpc":"2.0","id":1,"result":${JSON.stringify(result)}}`;

describe("replies kept as text", () => {
  let dev: DevNode;
  beforeEach(async () => {
    dev = await startDevNode();
  });
  afterEach(() => dev[Symbol.asyncDispose]());

  const send = async (value: string) =>
    parseHash(String(await dev.call("eth_sendTransaction", { from, to, value })));

  it("are byte for byte what the codecs write, the first time and later", async () => {
    const hash = await send("0x1");
    await dev.settled();
    const { chain } = dev.node;
    const found = chain.transaction(hash);
    assert.ok(found);
    const { block, index } = found;
    const transaction = placedTransaction(block, index);
    const receipt = placedReceipt(chain, hash);
    assert.ok(transaction && receipt);
    const expected: [string, unknown[], unknown][] = [
      ["eth_getBlockByHash", [block.hash, true], blockView.encode({ block, full: true })],
      ["eth_getBlockByHash", [block.hash, false], blockView.encode({ block, full: false })],
      ["eth_getBlockByNumber", ["0x1", true], blockView.encode({ block, full: true })],
      ["eth_getTransactionByHash", [hash], transactionView.encode(transaction)],
      ["eth_getTransactionReceipt", [hash], receiptView.encode(receipt)],
      [
        "eth_getBlockReceipts",
        ["0x1"],
        receiptsOfBlock(chain, block).map((one) => receiptView.encode(one)),
      ],
    ];
    for (const [method, params, result] of expected)
      for (const time of ["first", "second", "third"])
        assert.equal(await textOf(dev, method, ...params), reply(result), `${method}, ${time}`);
  });

  it("of fees follow the head", async () => {
    const fees = async () =>
      Object(await dev.call("eth_feeHistory", "0x2", "latest", [50])) as {
        readonly oldestBlock: string;
        readonly gasUsedRatio: readonly number[];
      };
    await dev.call("evm_mine");
    const before = await fees();
    assert.deepEqual(await fees(), before);
    const snapshot = await dev.call("evm_snapshot");
    await send("0x1");
    await dev.settled();
    const after = await fees();
    assert.equal(after.oldestBlock, "0x1");
    assert.ok(Number(after.gasUsedRatio[1]) > 0);
    await dev.call("evm_revert", snapshot);
    assert.deepEqual(await fees(), before);
  });

  it("do not outlive the block that leaves the chain, and change with a transaction's place", async () => {
    const snapshot = await dev.call("evm_snapshot");
    const hash = await send("0x2");
    await dev.settled();
    const first = Object(await dev.call("eth_getTransactionByHash", hash));
    const raw = await dev.call("eth_getRawTransactionByHash", hash);
    assert.equal(first.blockNumber, "0x1");
    assert.ok(await dev.call("eth_getTransactionReceipt", hash));
    await dev.call("evm_revert", snapshot);
    assert.equal(await dev.call("eth_getTransactionReceipt", hash), null);
    assert.equal(await dev.call("eth_getTransactionByHash", hash), null);
    assert.equal(await dev.call("eth_getBlockByNumber", "0x1", true), null);
    await dev.call("evm_mine");
    await dev.call("evm_setAutomine", false);
    await dev.call("eth_sendRawTransaction", raw);
    const pooled = Object(await dev.call("eth_getTransactionByHash", hash));
    assert.equal(pooled.blockHash, null);
    await dev.call("evm_mine");
    const second = Object(await dev.call("eth_getTransactionByHash", hash));
    assert.equal(second.blockNumber, "0x2");
    assert.notEqual(second.blockHash, first.blockHash);
    const receipt = Object(await dev.call("eth_getTransactionReceipt", hash));
    assert.equal(receipt.blockHash, second.blockHash);
  });

  it("are not made of the pending block", async () => {
    await dev.call("evm_setAutomine", false);
    const before = await textOf(dev, "eth_getBlockByNumber", "pending", false);
    const hash = await send("0x3");
    const after = await textOf(dev, "eth_getBlockByNumber", "pending", false);
    assert.ok(!before.includes(hash) && after.includes(hash));
  });
});

describe("TextCache", () => {
  it("makes a text once and keeps to its limit of bytes", () => {
    const cache = new TextCache();
    let made = 0;
    const make = () => {
      made++;
      return "x".repeat(1024 * 1024);
    };
    const first = cache.get("0", make);
    assert.equal(cache.get("0", make), first);
    assert.equal(made, 1);
    for (let key = 1; key < 64; key++) cache.get(String(key), make);
    cache.get("0", make);
    assert.equal(made, 65);
  });
});
