import assert from "node:assert/strict";
import { formatEther, JsonRpcProvider } from "ethers";
import { createPublicClient, defineChain, http } from "viem";
import { DEFAULT_TIP } from "../../../rpc/feeHistory.ts";
import { mineTestBlock, TEST_ADDRESSES, testTransaction } from "../../support/chains.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const [sender = ""] = TEST_ADDRESSES;

describe("getters on a young chain", () => {
  let served: TestServer;
  beforeEach(async () => {
    served = await startTestServer();
  });
  afterEach(() => served[Symbol.asyncDispose]());

  it("show the genesis under every tag before anything is final", async () => {
    const genesis = served.node.chain.genesisHash;
    for (const tag of ["earliest", "latest", "safe", "finalized"]) {
      const block = Object(await served.call("eth_getBlockByNumber", tag, false));
      assert.equal(block.hash, genesis, tag);
    }
  });

  it("show the pending block without hash, nonce and miner, with what the pool offers", async () => {
    const transaction = testTransaction(served.node.chain, 0, 0);
    await served.node.pool.add(transaction.raw, "local");
    const block = Object(await served.call("eth_getBlockByNumber", "pending", false));
    assert.deepEqual([block.hash, block.nonce, block.miner], [null, null, null]);
    assert.equal(block.number, "0x1");
    assert.deepEqual(block.transactions, [transaction.hash]);
    const header = Object(await served.call("eth_getHeaderByNumber", "pending"));
    assert.deepEqual([header.hash, header.number], [null, "0x1"]);
    const first = await served.call("eth_getTransactionByBlockNumberAndIndex", "pending", "0x0");
    assert.equal(Object(first).hash, transaction.hash);
    assert.equal(Object(first).blockHash, null);
  });

  it("count and charge pooled transactions in pending reads", async () => {
    const before = await served.call("eth_getBalance", sender, "pending");
    await served.node.pool.add(testTransaction(served.node.chain, 0, 0).raw, "local");
    assert.equal(await served.call("eth_getTransactionCount", sender, "pending"), "0x1");
    assert.equal(await served.call("eth_getTransactionCount", sender), "0x0");
    const after = await served.call("eth_getBalance", sender, "pending");
    assert.ok(BigInt(String(after)) < BigInt(String(before)));
    assert.equal(await served.call("eth_getBalance", sender), before);
  });

  it("tell missing things apart from failing reads", async () => {
    const unknown = `0x${"77".repeat(32)}`;
    for (const method of [
      "eth_getBlockByHash",
      "eth_getTransactionByHash",
      "eth_getTransactionReceipt",
      "eth_getBlockReceipts",
      "eth_getHeaderByHash",
      "debug_getRawTransaction",
    ]) {
      assert.equal(await served.call(method, unknown), null, method);
    }
    const missing = { code: -32000, message: "header not found" };
    await assert.rejects(served.call("eth_getBalance", sender, "0x99"), missing);
    await assert.rejects(served.call("eth_getProof", sender, [], unknown), missing);
    await assert.rejects(served.call("debug_getRawBlock", "0x99"), missing);
  });

  it("refuse a block that is not canonical when asked to", async () => {
    const { chain } = served.node;
    const parent = chain.head;
    const first = await mineTestBlock(chain);
    await mineTestBlock(chain, [], { parent, timestamp: parent.header.timestamp + 9n });
    const id = { blockHash: first.hash };
    assert.notEqual(chain.head.hash, first.hash);
    assert.ok(await served.call("eth_getBalance", sender, id));
    await assert.rejects(served.call("eth_getBalance", sender, { ...id, requireCanonical: true }), {
      code: -32000,
      message: "hash is not currently canonical",
    });
  });

  it("suggest a tip on an idle chain and a price that outlives a full block", async () => {
    const tip = BigInt(String(await served.call("eth_maxPriorityFeePerGas")));
    const base = BigInt(String(await served.call("eth_baseFee")));
    const price = BigInt(String(await served.call("eth_gasPrice")));
    assert.equal(tip, DEFAULT_TIP);
    assert.ok(price * 8n >= base * 9n + tip * 8n);
  });

  it("give the fee history of block 0, with rewards only when asked", async () => {
    const history = Object(await served.call("eth_feeHistory", 1, "latest"));
    assert.equal(history.oldestBlock, "0x0");
    assert.equal(history.baseFeePerGas.length, 2);
    assert.equal("reward" in history, false);
    const more = Object(await served.call("eth_feeHistory", "0xa", "latest", [20, 50]));
    assert.deepEqual(more.reward, [["0x0", "0x0"]]);
    await assert.rejects(served.call("eth_feeHistory", 1, "latest", [50, 20]), { code: -32602 });
    await assert.rejects(served.call("eth_feeHistory", 1, "latest", [101]), { code: -32602 });
    await assert.rejects(served.call("eth_feeHistory", 1, "0x9"), { code: -32000 });
  });

  it("weigh rewards by gas used", async () => {
    const { chain } = served.node;
    const tips = [1n, 2n, 5n].map((gwei) => gwei * 1_000_000_000n);
    const fields = tips.map((maxPriorityFeePerGas) => ({ maxPriorityFeePerGas }));
    await mineTestBlock(
      chain,
      fields.map((one, key) => testTransaction(chain, key, 0, one)),
    );
    const { reward } = Object(await served.call("eth_feeHistory", 1, "latest", [0, 34, 67, 100]));
    assert.deepEqual(reward[0].map(BigInt), [tips[0], tips[1], tips[2], tips[2]]);
  });

  it("explain a transaction's life", async () => {
    const { chain, pool } = served.node;
    const gapped = testTransaction(chain, 0, 3);
    await pool.add(gapped.raw, "local");
    const queued = Object(await served.call("qnet_getTransactionStatus", gapped.hash));
    assert.deepEqual([queued.status, queued.expectedNonce, queued.nonce], ["queued", "0x0", "0x3"]);
    assert.match(queued.description, /nonce gap/);
    const block = await mineTestBlock(chain, [testTransaction(chain, 1, 0)]);
    const [mined] = block.transactions;
    const included = Object(await served.call("qnet_getTransactionStatus", mined?.hash));
    assert.deepEqual([included.status, included.blockHash], ["included", block.hash]);
    assert.equal(await served.call("qnet_getTransactionStatus", `0x${"77".repeat(32)}`), null);
  });

  it("show the pool by checksummed sender and nonce", async () => {
    const { chain, pool } = served.node;
    await pool.add(testTransaction(chain, 0, 0).raw, "local");
    await pool.add(testTransaction(chain, 0, 5).raw, "local");
    assert.deepEqual(await served.call("txpool_status"), { pending: "0x1", queued: "0x1" });
    const content = Object(await served.call("txpool_content"));
    const checksummed = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert.deepEqual(Object.keys(content.pending), [checksummed]);
    assert.deepEqual(Object.keys(content.queued[checksummed]), ["5"]);
    const own = Object(await served.call("txpool_contentFrom", sender));
    assert.deepEqual(Object.keys(own.pending), ["0"]);
    const lines = Object(await served.call("txpool_inspect"));
    assert.match(lines.pending[checksummed]["0"], /1 wei/);
  });
});

describe("the server as libraries see it", () => {
  it("is read by ethers and viem", async () => {
    await using served = await startTestServer();
    const { chain } = served.node;
    const block = await mineTestBlock(chain, [testTransaction(chain, 0, 0)]);
    const [transaction] = block.transactions;
    const hash = transaction?.hash ?? "0x";
    const url = served.server.httpUrl;

    const provider = new JsonRpcProvider(url, undefined, { staticNetwork: true });
    try {
      assert.ok(Number(formatEther(await provider.getBalance(sender))) > 1);
      const receipt = await provider.getTransactionReceipt(hash);
      assert.equal(receipt?.blockHash, block.hash);
      const read = await provider.getBlock("latest", true);
      assert.equal(read?.prefetchedTransactions[0]?.hash, hash);
      assert.ok((await provider.getFeeData()).maxPriorityFeePerGas);
    } finally {
      provider.destroy();
    }

    const client = createPublicClient({
      chain: defineChain({
        id: Number(chain.config.chainId),
        name: "test",
        nativeCurrency: { name: "coin", symbol: "C", decimals: 18 },
        rpcUrls: { default: { http: [url] } },
      }),
      transport: http(url, { batch: true }),
    });
    const [seen, mined, proof] = await Promise.all([
      client.getTransaction({ hash }),
      client.getBlock({ includeTransactions: true }),
      client.getProof({ address: TEST_ADDRESSES[0] ?? "0x", storageKeys: [] }),
    ]);
    assert.equal(seen.type, "eip1559");
    assert.equal(mined.transactions[0]?.hash, hash);
    assert.equal(proof.nonce, 1);
    const filter = await client.createBlockFilter();
    const next = await mineTestBlock(chain);
    assert.deepEqual(await client.getFilterChanges({ filter }), [next.hash]);
  });
});
