import assert from "node:assert/strict";
import { createWalletClient, custom, hexToBytes, parseGwei, recoverMessageAddress } from "viem";
import {
  mnemonicToQuantumAccount,
  seedToAccount,
  verifyQuantumDigest,
  verifyQuantumMessage,
} from "../../../sdk/account.ts";
import { qnetDevnet } from "../../../sdk/chain.ts";
import { parseQuantumTransaction } from "../../../sdk/transaction.ts";
import { decodeTransaction } from "../../../src/types/transactionCodec.ts";

const MNEMONIC = "test test test test test test test test test test test junk";
const TO = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

describe("seedToAccount", () => {
  it("signs transactions that the node reads as the same", async () => {
    const account = mnemonicToQuantumAccount(MNEMONIC, { algorithm: "ML-DSA-65", index: 3 });
    const raw = await account.signTransaction({
      chainId: 31_337,
      nonce: 7,
      maxFeePerGas: parseGwei("3"),
      maxPriorityFeePerGas: 1n,
      gas: 200_000n,
      to: TO,
      value: 5n,
      data: "0x00",
    });
    const decoded = decodeTransaction(hexToBytes(raw));
    const parsed = parseQuantumTransaction(raw);
    assert.equal(decoded.hash, parsed.hash);
    assert.equal(parsed.from, account.address);
    assert.deepEqual(
      [decoded.nonce, decoded.gasLimit, decoded.to, decoded.value, decoded.maxFeePerGas],
      [7n, 200_000n, TO, 5n, 3_000_000_000n],
    );
  });

  it("refuses to sign what viem has not prepared, naming what is missing", async () => {
    const account = seedToAccount(new Uint8Array(32));
    await assert.rejects(
      async () => account.signTransaction({ chainId: 1, nonce: 0, to: TO, maxFeePerGas: 1n }),
      /expected maxPriorityFeePerGas/,
    );
    await assert.rejects(
      async () => account.signTransaction({ chainId: 1, nonce: 0, to: TO, gasPrice: 1n }),
      /got gasPrice/,
    );
  });

  it("proves messages, which nobody else can claim", async () => {
    const account = seedToAccount(new Uint8Array(32).fill(1));
    const other = seedToAccount(new Uint8Array(32).fill(2));
    const proof = await account.signMessage({ message: "hello" });
    const signed = { address: account.address, message: "hello", proof };
    assert.equal(verifyQuantumMessage(signed), true);
    assert.equal(verifyQuantumMessage({ ...signed, message: "hallo" }), false);
    assert.equal(verifyQuantumMessage({ ...signed, address: other.address }), false);
    assert.equal(verifyQuantumMessage({ ...signed, algorithm: "ML-DSA-65" }), false);
    assert.equal(verifyQuantumMessage({ ...signed, proof: "0x00" }), false);
    await assert.rejects(recoverMessageAddress({ message: "hello", signature: proof }));
  });

  it("signs digests of typed data in the context of messages, never as a transaction", async () => {
    const account = seedToAccount(new Uint8Array(32).fill(1));
    const digest = `0x${"07".repeat(32)}` as const;
    const proof = await account.sign?.({ hash: digest });
    assert.ok(proof !== undefined);
    assert.equal(verifyQuantumDigest({ address: account.address, digest, proof }), true);
    const transaction = await account.signTransaction({
      chainId: 1,
      nonce: 0,
      gas: 100_000n,
      to: TO,
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 1n,
    });
    const { digest: signed, publicKey, signature } = parseQuantumTransaction(transaction);
    const asMessage = {
      address: account.address,
      digest: signed,
      proof: `${publicKey}${signature.slice(2)}` as const,
    };
    assert.equal(verifyQuantumDigest(asMessage), false);
  });
});

describe("qnetDevnet", () => {
  /** What viem asks a node for one transaction, with a node that answers like ours. */
  it("makes viem ask and send as type 0x51 for ML-DSA accounts", async () => {
    const calls: {
      readonly method: string;
      readonly params: readonly Record<string, unknown>[];
    }[] = [];
    const account = seedToAccount(new Uint8Array(32).fill(1));
    const tx = {
      type: "0x51",
      chainId: "0x7a69",
      from: account.address,
      to: TO,
      nonce: "0x2",
      gas: "0x15000",
      maxFeePerGas: "0x3b9aca00",
      maxPriorityFeePerGas: "0x1",
      gasPrice: "0x3b9aca00",
      value: "0x1",
      input: "0x",
    };
    const transport = custom({
      request: (call: (typeof calls)[number]) => {
        calls.push(call);
        if (call.method === "eth_fillTransaction") return Promise.resolve({ raw: "0x51", tx });
        if (call.method === "eth_chainId") return Promise.resolve("0x7a69");
        return Promise.resolve(`0x${"00".repeat(32)}`);
      },
    });
    const wallet = createWalletClient({ account, chain: qnetDevnet, transport });
    await wallet.sendTransaction({ to: TO, value: 1n });
    const fill = calls.find(({ method }) => method === "eth_fillTransaction");
    assert.deepEqual(
      [fill?.params[0]?.["type"], fill?.params[0]?.["pqAlgorithm"]],
      ["0x51", "ML-DSA-44"],
    );
    const raw = calls.find(({ method }) => method === "eth_sendRawTransaction")?.params[0];
    const { hash, signature, publicKey, digest, ...sent } = parseQuantumTransaction(
      `${raw}` as `0x${string}`,
    );
    assert.deepEqual(sent, {
      chainId: 31_337,
      nonce: 2,
      maxPriorityFeePerGas: 1n,
      // viem adds a fifth to what the node suggests
      maxFeePerGas: 1_200_000_000n,
      gas: 86_016n,
      to: TO,
      value: 1n,
      data: "0x",
      accessList: [],
      from: account.address,
      algorithm: "ML-DSA-44",
    });
  });
});
