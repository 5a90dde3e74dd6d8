import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";
import { senderOf } from "../../../src/types/sender.ts";
import { decodeTransaction, signingPayload } from "../../../src/types/transactionCodec.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { PQ_FIELDS, PQ_SEEDS, pqAccount, signPq } from "../../support/pqTransactions.ts";

const first = pqAccount(PQ_SEEDS[0]);
const second = pqAccount(PQ_SEEDS[1]);
const big = pqAccount(PQ_SEEDS[1], "ML-DSA-65");
const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const FEES = { maxFeePerGas: 10_000_000_000n };
/** Stores its first word of data. */
const STORE_CODE = "0x60058060095f395ff35f355f5500";

describe("JSON-RPC with transactions of type 0x51", () => {
  let dev: DevNode;
  beforeEach(async () => {
    dev = await startDevNode();
  });
  afterEach(() => dev[Symbol.asyncDispose]());

  // biome-ignore lint/suspicious/noExplicitAny: the JSON of the reply, described by the test
  const call = async (method: string, ...params: readonly unknown[]): Promise<any> =>
    await dev.call(method, ...params);
  const refusal = async (method: string, ...params: readonly unknown[]): Promise<string> => {
    try {
      await dev.call(method, ...params);
    } catch (error) {
      if (typeof error === "object" && error !== null && "message" in error)
        return String(error.message);
      throw error;
    }
    return assert.fail(`${method} was answered`);
  };

  it("shows one with three fields of its own, zeros for v, r, s and yParity, and a gas price", async () => {
    const { raw, hash, signature } = signPq(first, FEES);
    assert.equal(await call("eth_sendRawTransaction", bytesToHex(raw)), hash);
    const shown = await call("eth_getTransactionByHash", hash);
    const { blockHash, blockTimestamp, gasPrice, ...rest } = shown;
    assert.match(blockHash, /^0x[0-9a-f]{64}$/);
    assert.match(blockTimestamp, /^0x/);
    const receipt = await call("eth_getTransactionReceipt", hash);
    assert.equal(gasPrice, receipt.effectiveGasPrice);
    assert.equal(receipt.type, "0x51");
    assert.equal(receipt.gasUsed, "0x148f4");
    assert.equal("pqAlgorithm" in receipt, false);
    assert.deepEqual(rest, {
      blockNumber: "0x1",
      from: first.address,
      gas: "0x186a0",
      maxFeePerGas: "0x2540be400",
      maxPriorityFeePerGas: "0x3b9aca00",
      hash,
      input: "0x",
      nonce: "0x0",
      to: bob,
      transactionIndex: "0x0",
      value: "0xde0b6b3a7640000",
      type: "0x51",
      accessList: [],
      chainId: "0x7a69",
      v: "0x0",
      r: "0x0",
      s: "0x0",
      yParity: "0x0",
      pqAlgorithm: "ML-DSA-44",
      pqPublicKey: bytesToHex(first.publicKey),
      pqSignature: bytesToHex(signature.pq ?? assert.fail()),
    });
    const block = await call("eth_getBlockByNumber", "0x1", true);
    assert.deepEqual(block.transactions, [shown]);
    assert.equal(await call("eth_getRawTransactionByHash", hash), bytesToHex(raw));
  });

  it("gives summary, signature and key apart", async () => {
    const { raw, hash, signature } = signPq(first, FEES);
    await call("eth_sendRawTransaction", bytesToHex(raw));
    const summary = await call("qnet_getTransactionSummary", hash);
    for (const key of ["v", "r", "s", "yParity", "pqPublicKey", "pqSignature"])
      assert.equal(key in summary, false, key);
    assert.equal(summary.pqAlgorithm, "ML-DSA-44");
    assert.equal(summary.from, first.address);
    assert.deepEqual(await call("qnet_getTransactionSignature", hash), {
      algorithm: "ML-DSA-44",
      publicKey: bytesToHex(first.publicKey),
      signature: bytesToHex(signature.pq ?? assert.fail()),
    });
    const sent = await call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
    const proof = await call("qnet_getTransactionSignature", sent);
    const shown = await call("eth_getTransactionByHash", sent);
    assert.equal(proof.algorithm, "secp256k1");
    assert.equal(proof.signature.length, 2 + 130);
    assert.equal(BigInt(proof.signature.slice(0, 66)), BigInt(shown.r));
    assert.equal(await call("qnet_getTransactionSignature", `0x${"11".repeat(32)}`), null);
  });

  it("knows the keys of its own accounts, and of others once they have sent", async () => {
    const expected = { address: first.address, algorithm: "ML-DSA-44" };
    assert.deepEqual(await call("qnet_getAccountKey", first.address), {
      ...expected,
      publicKey: bytesToHex(first.publicKey),
    });
    assert.equal(await call("qnet_getAccountKey", big.address), null);
    assert.equal(await call("qnet_getAccountKey", alice), null);
    await call("eth_sendTransaction", { from: alice, to: big.address, value: "0xde0b6b3a7640000" });
    const sent = signPq(big, { ...FEES, gasLimit: 150_000n, value: 1n });
    await call("eth_sendRawTransaction", bytesToHex(sent.raw));
    assert.deepEqual(await call("qnet_getAccountKey", big.address), {
      address: big.address,
      algorithm: "ML-DSA-65",
      publicKey: bytesToHex(big.publicKey),
    });
    assert.equal(await call("qnet_getAccountKey", alice), null);
    const accounts = await call("qnet_accounts");
    assert.deepEqual(
      accounts.map((one: { address: string }) => one.address),
      [first.address, second.address],
    );
    const listed = await call("eth_accounts");
    assert.equal(listed.includes(first.address), false);
  });

  it("estimates and fills with key and signature in the gas", async () => {
    const transfer = { from: first.address, to: bob, value: "0x1" };
    assert.equal(await call("eth_estimateGas", { ...transfer, type: "0x51" }), "0x148f4");
    assert.equal(await call("eth_estimateGas", transfer), "0x148f4", "its key is known");
    const stranger = { from: `0x${"77".repeat(20)}`, to: bob };
    assert.equal(await call("eth_estimateGas", stranger), "0x5208");
    const as65 = { ...stranger, type: "0x51", pqAlgorithm: "ML-DSA-65" };
    assert.equal(await call("eth_estimateGas", as65), "0x1b248");
    const { raw, tx } = await call("eth_fillTransaction", { ...transfer, type: "0x51" });
    assert.equal(tx.type, "0x51");
    assert.equal(tx.gas, "0x148f4");
    assert.equal(tx.pqPublicKey, bytesToHex(first.publicKey));
    assert.equal("pqSignature" in tx, false);
    const signed = signPq(first, {
      nonce: 0n,
      value: 1n,
      gasLimit: 84_212n,
      maxFeePerGas: BigInt(tx.maxFeePerGas),
      maxPriorityFeePerGas: BigInt(tx.maxPriorityFeePerGas),
    });
    assert.equal(raw, bytesToHex(signingPayload(signed)));
    const open = await call("eth_fillTransaction", as65);
    assert.equal(open.tx.pqAlgorithm, "ML-DSA-65");
    assert.equal("pqPublicKey" in open.tx, false);
    assert.equal(open.tx.gas, "0x1b248");
  });

  it("estimates a deployment and a call, so that both succeed with what was estimated", async () => {
    const from = first.address;
    const deploy = { from, data: STORE_CODE, type: "0x51" };
    const gas = await call("eth_estimateGas", deploy);
    const hash = await call("eth_sendTransaction", { ...deploy, gas });
    const { status, contractAddress } = await call("eth_getTransactionReceipt", hash);
    assert.equal(status, "0x1");
    const request = { from, to: contractAddress, data: `0x${"0".repeat(63)}7` };
    const enough = await call("eth_estimateGas", request);
    const sent = await call("eth_sendTransaction", { ...request, gas: enough });
    assert.equal((await call("eth_getTransactionReceipt", sent)).status, "0x1");
    assert.equal(BigInt(await call("eth_getStorageAt", contractAddress, "0x0")), 7n);
    assert.equal(await call("eth_call", { ...request, type: "0x51" }), "0x");
    const { gasUsed } = await call("eth_createAccessList", { ...request, type: "0x51" });
    assert.ok(BigInt(gasUsed) > 84_212n);
  });

  it("runs calls and simulations as of such a transaction", async () => {
    const transfer = { from: first.address, to: bob, value: "0x1", type: "0x51" };
    const few = { ...transfer, gas: "0x5208" };
    assert.match(await refusal("eth_call", few), /intrinsic gas too low: have 21000, want 84212/);
    const [block] = await call(
      "eth_simulateV1",
      { blockStateCalls: [{ calls: [transfer] }], returnFullTransactions: true },
      "latest",
    );
    assert.equal(block.calls[0].status, "0x1");
    assert.equal(block.calls[0].gasUsed, "0x148f4");
    assert.equal(block.transactions[0].type, "0x51");
    const trace = await call("debug_traceCall", transfer, "latest", { tracer: "callTracer" });
    assert.equal(trace.gasUsed, "0x148f4");
  });

  it("sends and signs for its own accounts, as type 0x51 alone", async () => {
    const from = first.address;
    for (const request of [
      { from, to: bob, value: "0x1" },
      { from, to: bob, value: "0x1", type: "0x51" },
    ]) {
      const hash = await call("eth_sendTransaction", request);
      const { type, status } = await call("eth_getTransactionReceipt", hash);
      assert.deepEqual([type, status], ["0x51", "0x1"]);
    }
    const raw = await call("eth_signTransaction", { from, to: bob, type: "0x51" });
    const signed = decodeTransaction(hexToBytes(raw));
    assert.equal(senderOf(signed), from);
    assert.equal(signed.nonce, 2n);
    const plain = { from, to: bob, type: "0x2" };
    assert.match(await refusal("eth_sendTransaction", plain), /signs with ML-DSA-44/);
    assert.match(await refusal("personal_sign", "0x12", from), /signs with ML-DSA-44/);
    await call("anvil_impersonateAccount", big.address);
    const impersonated = { from: big.address, to: bob, type: "0x51" };
    await call("anvil_setBalance", big.address, "0xde0b6b3a7640000");
    assert.match(await refusal("eth_sendTransaction", impersonated), /neither unlocked/);
    const hash = await call("eth_sendTransaction", { from: big.address, to: bob });
    assert.equal((await call("eth_getTransactionByHash", hash)).type, "0x2");
  });

  it("gives requests at the same time different nonces", async () => {
    const request = { from: first.address, to: bob, value: "0x1" };
    const hashes = await Promise.all(
      Array.from({ length: 5 }, () => call("eth_sendTransaction", request)),
    );
    const nonces = await Promise.all(
      hashes.map(async (hash) => (await call("eth_getTransactionByHash", hash)).nonce),
    );
    assert.deepEqual(nonces.sort(), ["0x0", "0x1", "0x2", "0x3", "0x4"]);
  });

  it("refuses what contradicts itself, and what no rule knows", async () => {
    const from = first.address;
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ from, type: "0x2", pqAlgorithm: "ML-DSA-44" }, /belong to type 0x51/],
      [{ from, type: "0x51", pqAlgorithm: "RSA" }, /expected a signature algorithm/],
      [{ from, type: "0x51", pqPublicKey: "0x1234" }, /expected 1312 bytes, got 2/],
      [{ from: alice, pqPublicKey: bytesToHex(first.publicKey) }, /is not the address of/],
      [{ type: "0x51", pqAlgorithm: "Falcon-512" }, /not enabled for transactions: Falcon/],
    ];
    for (const [request, expected] of cases)
      assert.match(await refusal("eth_estimateGas", { to: bob, ...request }), expected);
    const raw = Uint8Array.from(signPq(first, FEES).raw);
    raw[raw.length - 1_000] = (raw[raw.length - 1_000] ?? 0) ^ 1;
    assert.match(await refusal("eth_sendRawTransaction", bytesToHex(raw)), /invalid sender/);
    const raw51 = bytesToHex(signPq(first, { ...FEES, nonce: 0n }).raw);
    assert.ok(await call("trace_rawTransaction", raw51, ["trace"]));
  });

  it("replays and traces blocks that hold them", async () => {
    const { raw, hash } = signPq(first, FEES);
    await call("eth_sendRawTransaction", bytesToHex(raw));
    const geth = await call("debug_traceTransaction", hash, { tracer: "callTracer" });
    assert.deepEqual([geth.from, geth.to, geth.gasUsed], [first.address, bob, "0x148f4"]);
    const parity = await call("trace_transaction", hash);
    assert.equal(parity[0].action.from, first.address);
    const traced = await call("debug_traceBlockByNumber", "0x1", { tracer: "callTracer" });
    assert.equal(traced[0].txHash, hash);
    const found = await call("eth_getTransactionBySenderAndNonce", first.address, "0x0");
    assert.equal(found.hash, hash);
  });

  it("tells in its crypto status which algorithms may sign transactions, and for how much", async () => {
    const { algorithms } = await call("qnet_cryptoStatus");
    const priced = algorithms.filter((one: object) => "transactions" in one);
    assert.deepEqual(
      priced.map((one: { name: string; transactions: { transferGas: string } }) => [
        one.name,
        Number(one.transactions.transferGas),
      ]),
      [
        ["ML-DSA-44", 84_212],
        ["ML-DSA-65", 111_176],
        ["ML-DSA-87", 147_004],
        ["SLH-DSA-SHA2-128s", 161_208],
        ["SLH-DSA-SHA2-256s", 535_696],
      ],
    );
    for (const one of priced) assert.ok("backend" in one, one.name);
  });

  it("waits in the pool with the same shape", async () => {
    await call("evm_setAutomine", false);
    const sent = signPq(first, { ...FEES, nonce: PQ_FIELDS.nonce });
    await call("eth_sendRawTransaction", bytesToHex(sent.raw));
    const shown = await call("eth_getTransactionByHash", sent.hash);
    assert.equal(shown.blockHash, null);
    assert.equal(shown.gasPrice, shown.maxFeePerGas);
    assert.equal(shown.pqAlgorithm, "ML-DSA-44");
    const { pending } = await call("txpool_contentFrom", first.address);
    assert.deepEqual(pending["0"], shown);
    const block = await call("eth_getBlockByNumber", "pending", true);
    assert.equal(block.transactions[0].hash, sent.hash);
  });
});
