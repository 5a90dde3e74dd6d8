/** ML-DSA accounts from end to end: contracts deployed and used by viem and ethers on a node on disk, which is then started again. */
import assert from "node:assert/strict";
import { Contract, ContractFactory, JsonRpcProvider } from "ethers";
import {
  type Address,
  bytesToHex,
  createPublicClient,
  createWalletClient,
  getContract,
  type Hex,
  hexToBytes,
  http,
  keccak256,
  parseEther,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { QuantumSigner } from "../../sdk/ethers.ts";
import {
  MESSAGE_CONTEXT,
  mnemonicToQuantumAccount,
  qnetDevnet,
  seedFromMnemonic,
  signerFromSeed,
} from "../../sdk/sdk.ts";
import { type Artifact, compileContract } from "../support/compile.ts";
import { type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { temporaryFolder } from "../support/runTool.ts";
import { tokenAbi } from "../support/sampleToken.ts";

const FILE_TIMEOUT_MS = 120_000;
const POLLING_MS = 50;
const MNEMONIC = "test test test test test test test test test test test junk";
const ML_DSA_44 = 0x11;
const SUPPLY = 10n ** 21n;
const stranger = "0x0000000000000000000000000000000000005ee5";

const owner = mnemonicToQuantumAccount(MNEMONIC);
const stronger = mnemonicToQuantumAccount(MNEMONIC, { algorithm: "ML-DSA-87" });
const signerOf = (index: number) => signerFromSeed(seedFromMnemonic(MNEMONIC, { index }));

function connect(node: DevProcess) {
  const transport = http(node.url);
  const options = { chain: qnetDevnet, transport, pollingInterval: POLLING_MS, cacheTime: 0 };
  return {
    reader: createPublicClient(options),
    quantum: createWalletClient({ ...options, account: owner }),
    stronger: createWalletClient({ ...options, account: stronger }),
    classical: createWalletClient({ ...options, account: privateKeyToAccount(keys[0]) }),
  };
}

describe("ML-DSA accounts", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let node: DevProcess;
  let clients: ReturnType<typeof connect>;
  let artifacts: Readonly<Record<"token" | "account" | "vault", Artifact>>;
  let token: Address;
  /** What the node said of transactions before it was started again, by hash. */
  const told = new Map<Hex, { readonly transaction: unknown; readonly receipt: unknown }>();

  const start = () => startDevProcess(["--datadir", folder.path]);
  const receiptOf = async (hash: Hex) => {
    const receipt = await clients.reader.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    const [transaction, json] = await Promise.all([
      node.call("eth_getTransactionByHash", hash),
      node.call("eth_getTransactionReceipt", hash),
    ]);
    told.set(hash, { transaction, receipt: json });
    return receipt;
  };
  const deployed = async (hash: Hex): Promise<Address> => {
    const { contractAddress } = await receiptOf(hash);
    assert.ok(contractAddress);
    return contractAddress;
  };

  before(async () => {
    const compile = (name: string) => compileContract(`contracts/samples/${name}.sol`);
    folder = await temporaryFolder();
    const [token_, account, vault] = await Promise.all([
      compile("SampleToken"),
      compile("PostQuantumAccount"),
      compile("PostQuantumVault"),
    ]);
    artifacts = { token: token_, account, vault };
    node = await start();
    clients = connect(node);
    for (const { address } of [owner, stronger]) {
      const hash = await clients.classical.sendTransaction({ to: address, value: parseEther("9") });
      await receiptOf(hash);
    }
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  it("deploy a contract with viem, and use it", async () => {
    const { quantum, reader } = clients;
    const { bytecode } = artifacts.token;
    token = await deployed(
      await quantum.deployContract({ abi: tokenAbi, bytecode, args: [SUPPLY] }),
    );
    const contract = getContract({
      abi: tokenAbi,
      address: token,
      client: { public: reader, wallet: quantum },
    });
    assert.equal(await contract.read.balanceOf([owner.address]), SUPPLY);
    const receipt = await receiptOf(await contract.write.transfer([stranger, 5n]));
    assert.equal(receipt.type, "quantum");
    assert.equal(receipt.from, owner.address.toLowerCase());
    assert.equal(await contract.read.balanceOf([stranger]), 5n);
  });

  it("send coins for the price of key, signature and verification", async () => {
    const { quantum, stronger: wallet } = clients;
    const small = await receiptOf(await quantum.sendTransaction({ to: stranger, value: 1n }));
    const large = await receiptOf(await wallet.sendTransaction({ to: stranger, value: 1n }));
    assert.equal(small.gasUsed, 84_212n);
    assert.equal(large.gasUsed, 147_004n);
    const shown = await clients.reader.getTransaction({ hash: large.transactionHash });
    assert.equal(shown.from.toLowerCase(), stronger.address.toLowerCase());
    assert.equal(Reflect.get(shown, "pqAlgorithm"), "ML-DSA-87");
  });

  it("are told why a call reverts before anything is sent", async () => {
    const call = { abi: tokenAbi, address: token, functionName: "transfer" } as const;
    await assert.rejects(
      clients.quantum.writeContract({ ...call, args: [stranger, 2n * SUPPLY] }),
      /InsufficientBalance|revert/,
    );
  });

  it("own a contract account: their signatures move its coins", async () => {
    const { quantum, reader } = clients;
    const { abi, bytecode } = artifacts.account;
    const none = "0x0000000000000000000000000000000000000000";
    const address = await deployed(
      await quantum.deployContract({
        abi,
        bytecode,
        args: [keccak256(owner.publicKey), none],
        value: parseEther("1"),
      }),
    );
    const args = [0n, stranger, 7n, "0x"] as const;
    const digest = await reader.readContract({ abi, address, functionName: "digestOf", args });
    assert.ok(owner.sign && typeof digest === "string");
    const proof = await owner.sign({ hash: digest as Hex });
    const before = await reader.getBalance({ address: stranger });
    await receiptOf(
      await clients.classical.writeContract({
        abi,
        address,
        functionName: "execute",
        args: [stranger, 7n, "0x", proof],
      }),
    );
    assert.equal(await reader.getBalance({ address: stranger }), before + 7n);
  });

  it("open a vault that wants two of three keys", async () => {
    const { quantum, reader } = clients;
    const { abi, bytecode } = artifacts.vault;
    const owners = [0, 1, 2].map(signerOf);
    const keyOf = (publicKey: Uint8Array) => keccak256(Uint8Array.from([ML_DSA_44, ...publicKey]));
    const args = [owners.map(({ publicKey }) => keyOf(publicKey)), 2n] as const;
    const address = await deployed(
      await quantum.deployContract({ abi, bytecode, args, value: parseEther("1") }),
    );
    const digest = await reader.readContract({
      abi,
      address,
      functionName: "digestOf",
      args: [0n, stranger, 11n],
    });
    assert.ok(typeof digest === "string");
    const approvals = await Promise.all(
      [0, 2].map(async (index) => {
        const signer = signerOf(index);
        const signature = await signer.sign(hexToBytes(digest as Hex), MESSAGE_CONTEXT);
        return {
          index: BigInt(index),
          algorithm: ML_DSA_44,
          publicKey: bytesToHex(signer.publicKey),
          signature: bytesToHex(signature),
        };
      }),
    );
    const before = await reader.getBalance({ address: stranger });
    const spend = {
      abi,
      address,
      functionName: "spend",
      args: [stranger, 11n, approvals],
    } as const;
    await receiptOf(await quantum.writeContract(spend));
    assert.equal(await reader.getBalance({ address: stranger }), before + 11n);
    await assert.rejects(quantum.writeContract(spend), /BadSignature|revert/);
  });

  it("deploy and use a contract with ethers", async () => {
    const provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 });
    try {
      const signer = new QuantumSigner(signerOf(0), provider);
      const abi = JSON.stringify(artifacts.token.abi);
      const factory = new ContractFactory(abi, artifacts.token.bytecode, signer);
      const contract = await factory.deploy(SUPPLY);
      await contract.waitForDeployment();
      const usable = new Contract(await contract.getAddress(), abi, signer);
      const sent = await usable.getFunction("transfer")(stranger, 3n);
      const receipt = await sent.wait();
      assert.equal(receipt?.status, 1);
      assert.equal(await usable.getFunction("balanceOf")(stranger), 3n);
      const block = await provider.getBlock(receipt.blockNumber, true);
      assert.equal(block?.prefetchedTransactions[0]?.from, signer.address);
    } finally {
      provider.destroy();
    }
  });

  it("find everything as it was when the node is started again", async function () {
    if (node.isPeer) return this.skip();
    const { address } = owner;
    const [nonce, balance] = await Promise.all([
      clients.reader.getTransactionCount({ address }),
      clients.reader.getBalance({ address }),
    ]);
    await node[Symbol.asyncDispose]();
    node = await start();
    clients = connect(node);
    assert.equal(await clients.reader.getTransactionCount({ address }), nonce);
    assert.equal(await clients.reader.getBalance({ address }), balance);
    assert.ok(told.size >= 10);
    for (const [hash, { transaction, receipt }] of told) {
      assert.deepEqual(await node.call("eth_getTransactionByHash", hash), transaction);
      assert.deepEqual(await node.call("eth_getTransactionReceipt", hash), receipt);
    }
    const call = { abi: tokenAbi, address: token, functionName: "transfer" } as const;
    const hash = await clients.quantum.writeContract({ ...call, args: [stranger, 6n] });
    assert.equal((await receiptOf(hash)).from, address.toLowerCase());
    const read = { abi: tokenAbi, address: token, functionName: "balanceOf" } as const;
    assert.equal(await clients.reader.readContract({ ...read, args: [stranger] }), 11n);
  });
});
