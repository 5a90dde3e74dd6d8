import assert from "node:assert/strict";
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  getAddress,
  getContract,
  http,
  recoverMessageAddress,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { type Artifact, compileContract } from "../support/compile.ts";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { tokenAbi, transferEvent } from "../support/sampleToken.ts";

const FILE_TIMEOUT_MS = 30_000;
const POLLING_MS = 50;
const MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11";
const stranger = "0x0000000000000000000000000000000000005ee5";
const supply = 10n ** 21n;
const chain = { ...foundry, contracts: { multicall3: { address: MULTICALL3 } } } as const;
const domain = { name: "Test", chainId: 31337 } as const;
const types = { Order: [{ name: "amount", type: "uint256" }] } as const;

function connect(node: DevProcess) {
  const asked: string[] = [];
  const transport = http(node.url, {
    onFetchRequest: async (request) => {
      const { method }: { method: string } = JSON.parse(await request.clone().text());
      asked.push(method);
    },
  });
  const options = { chain, transport, pollingInterval: POLLING_MS, cacheTime: 0 } as const;
  return {
    /** Methods that were called, in their order */
    asked,
    reader: createPublicClient(options),
    wallet: createWalletClient({ ...options, account: privateKeyToAccount(keys[0]) }),
    /** An account whose key the node holds */
    unlocked: createWalletClient({ ...options, account: accounts[1] }),
  };
}

describe("viem", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let artifact: Artifact;
  let clients: ReturnType<typeof connect>;
  let token: `0x${string}`;

  before(async () => {
    [node, artifact] = await Promise.all([
      startDevProcess(),
      compileContract("contracts/samples/SampleToken.sol"),
    ]);
    clients = connect(node);
    const { bytecode } = artifact;
    const hash = await clients.wallet.deployContract({ abi: tokenAbi, bytecode, args: [supply] });
    const receipt = await clients.reader.waitForTransactionReceipt({ hash });
    assert.ok(receipt.contractAddress);
    token = receipt.contractAddress;
  });
  after(() => node[Symbol.asyncDispose]());

  const transfer = async (value: bigint, to: `0x${string}` = stranger) => {
    const call = { abi: tokenAbi, address: token, functionName: "transfer" } as const;
    const hash = await clients.wallet.writeContract({ ...call, args: [to, value] });
    return clients.reader.waitForTransactionReceipt({ hash });
  };

  describe("a wallet client", () => {
    it("lets the node fill the transaction, signs it and reads the receipt", async () => {
      clients.asked.length = 0;
      const receipt = await transfer(5n);
      assert.equal(receipt.status, "success");
      if (!node.isPeer) {
        assert.deepEqual(clients.asked.slice(0, 2), [
          "eth_fillTransaction",
          "eth_sendRawTransaction",
        ]);
      }
      const [log] = receipt.logs;
      assert.equal(log?.address, token.toLowerCase());
    });

    it("sends each type of transaction", async () => {
      for (const type of ["legacy", "eip2930", "eip1559"] as const) {
        const accessList = [{ address: token, storageKeys: [] }];
        const extra = type === "eip2930" ? { accessList } : {};
        const request = { to: stranger, value: 1n, type, ...extra };
        // @ts-expect-error viem's request is one of several shapes, each with its own type
        const hash = await clients.wallet.sendTransaction(request);
        const receipt = await clients.reader.waitForTransactionReceipt({ hash });
        assert.deepEqual([receipt.type, receipt.status], [type, "success"]);
        const found = await clients.reader.getTransaction({ hash });
        assert.deepEqual([found.type, found.value, found.chainId], [type, 1n, 31337]);
      }
    });

    it("delegates an account by EIP-7702 and calls through it", async () => {
      const authority = privateKeyToAccount(keys[2]);
      const authorization = await clients.wallet.signAuthorization({
        account: authority,
        contractAddress: token,
      });
      const hash = await clients.wallet.sendTransaction({
        to: authority.address,
        data: "0x95d89b41",
        authorizationList: [authorization],
      });
      const receipt = await clients.reader.waitForTransactionReceipt({ hash });
      assert.deepEqual([receipt.type, receipt.status], ["eip7702", "success"]);
      assert.equal(await clients.reader.getDelegation(authority), getAddress(token));
      const sent = await clients.reader.getTransaction({ hash });
      assert.equal(sent.authorizationList?.[0]?.nonce, authorization.nonce);
    });

    it("sends and waits in one request", async () => {
      const receipt = await clients.wallet.sendTransactionSync({ to: stranger, value: 1n });
      assert.equal(receipt.status, "success");
    });

    it("replaces a pending transaction, and the first one's waiter is told", async () => {
      await node.call("evm_setAutomine", false);
      const fees = { maxPriorityFeePerGas: 10n ** 9n, maxFeePerGas: 10n ** 10n };
      const request = { to: stranger, ...fees } as const;
      const nonce = await clients.reader.getTransactionCount({ address: accounts[0] });
      const first = await clients.wallet.sendTransaction({ ...request, nonce, value: 1n });
      const found = await clients.reader.getTransaction({ hash: first });
      assert.equal(found.blockNumber, null);
      const waiting = clients.reader.waitForTransactionReceipt({ hash: first });
      await new Promise((resolve) => setTimeout(resolve, 2 * POLLING_MS));
      const second = await clients.wallet.sendTransaction({
        ...request,
        nonce,
        value: 2n,
        maxPriorityFeePerGas: 2n * 10n ** 9n,
        maxFeePerGas: 2n * 10n ** 10n,
      });
      await node.call("evm_setAutomine", true);
      await node.call("evm_mine");
      assert.equal((await waiting).transactionHash, second);
    });
  });

  describe("an unlocked account", () => {
    it("sends by eth_sendTransaction", async () => {
      clients.asked.length = 0;
      const hash = await clients.unlocked.sendTransaction({ to: stranger, value: 1n });
      assert.ok(clients.asked.includes("eth_sendTransaction"));
      const receipt = await clients.reader.waitForTransactionReceipt({ hash });
      assert.equal(getAddress(receipt.from), accounts[1]);
      assert.deepEqual((await clients.unlocked.getAddresses()).slice(0, accounts.length), [
        ...accounts,
      ]);
    });

    it("signs a message by personal_sign, which the node verifies too", async () => {
      const signature = await clients.unlocked.signMessage({ message: "hello" });
      assert.equal(await recoverMessageAddress({ message: "hello", signature }), accounts[1]);
      // an eth_call of creation code without an address
      const proof = { address: accounts[1], message: "hello", signature };
      assert.equal(await clients.reader.verifyMessage(proof), true);
      assert.equal(await clients.reader.verifyMessage({ ...proof, message: "other" }), false);
    });

    it("signs typed data by eth_signTypedData_v4", async () => {
      const data = { domain, types, primaryType: "Order", message: { amount: 7n } } as const;
      const signature = await clients.unlocked.signTypedData(data);
      const proof = { ...data, address: accounts[1], signature };
      assert.equal(await clients.reader.verifyTypedData(proof), true);
    });

    it("signs a transaction without sending it", async () => {
      const filled = await clients.unlocked.prepareTransactionRequest({ to: stranger, value: 1n });
      const raw = await clients.unlocked.signTransaction(filled);
      const hash = await clients.reader.sendRawTransaction({ serializedTransaction: raw });
      const receipt = await clients.reader.waitForTransactionReceipt({ hash });
      assert.equal(getAddress(receipt.from), accounts[1]);
    });
  });

  describe("a contract", () => {
    it("is read and simulated through a contract instance", async () => {
      const { reader, wallet } = clients;
      const contract = getContract({
        abi: tokenAbi,
        address: token,
        client: { public: reader, wallet },
      });
      assert.equal(await contract.read.totalSupply(), supply);
      assert.equal(
        (await contract.estimateGas.transfer([stranger, 1n], { account: wallet.account })) >
          21_000n,
        true,
      );
      const { request, result } = await contract.simulate.transfer([stranger, 1n], {
        account: wallet.account,
      });
      assert.equal(result, true);
      const hash = await wallet.writeContract(request);
      assert.equal((await reader.waitForTransactionReceipt({ hash })).status, "success");
    });

    it("reverts with its custom error and arguments", async () => {
      const call = { abi: tokenAbi, address: token, functionName: "transfer" } as const;
      const attempt = clients.reader.simulateContract({
        ...call,
        args: [stranger, 6n],
        account: accounts[2],
      });
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof BaseError);
        const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
        assert.ok(reverted instanceof ContractFunctionRevertedError);
        assert.equal(reverted.data?.errorName, "InsufficientBalance");
        assert.deepEqual(reverted.data?.args, [accounts[2], 0n, 6n]);
        return true;
      });
    });

    it("answers many calls in one through Multicall3", async function () {
      if (node.isPeer) this.skip(); // anvil has no Multicall3
      const call = { abi: tokenAbi, address: token } as const;
      const [total, symbol, failed] = await clients.reader.multicall({
        contracts: [
          { ...call, functionName: "totalSupply" },
          { ...call, functionName: "symbol" },
          { ...call, functionName: "transfer", args: [stranger, supply] },
        ],
      });
      assert.deepEqual([total?.result, symbol?.result], [supply, "SMPL"]);
      assert.equal(failed?.status, "failure");
    });

    it("is called with another state than it has", async () => {
      const balance = await clients.reader.readContract({
        abi: tokenAbi,
        address: stranger,
        functionName: "totalSupply",
        stateOverride: [{ address: stranger, code: "0x602a5f5260205ff3" }],
      });
      assert.equal(balance, 42n);
    });
  });

  describe("a public client", () => {
    it("reads blocks by number, hash and tag, and their transactions", async () => {
      const { blockNumber, transactionHash } = await transfer(1n);
      const block = await clients.reader.getBlock({ blockNumber, includeTransactions: true });
      assert.equal(block.transactions[0]?.hash, transactionHash);
      assert.equal((await clients.reader.getBlock({ blockHash: block.hash })).number, blockNumber);
      for (const blockTag of ["safe", "finalized", "earliest", "pending"] as const) {
        assert.ok((await clients.reader.getBlock({ blockTag })).timestamp > 0n);
      }
      const { blockHash } = await clients.reader.getTransactionReceipt({ hash: transactionHash });
      assert.equal(blockHash, block.hash);
      const count = await clients.reader.getBlockTransactionCount({ blockNumber });
      assert.equal(count, 1);
      const confirmations = await clients.reader.getTransactionConfirmations({
        hash: transactionHash,
      });
      assert.equal(confirmations, 1n);
    });

    it("reads state at an older block", async () => {
      const { blockNumber } = await transfer(11n);
      const at = (block: bigint) =>
        clients.reader.readContract({
          abi: tokenAbi,
          address: token,
          functionName: "balanceOf",
          args: [stranger],
          blockNumber: block,
        });
      assert.equal((await at(blockNumber)) - (await at(blockNumber - 1n)), 11n);
    });

    it("gets logs by event and arguments", async () => {
      const { blockNumber } = await transfer(13n);
      const query = { address: token, event: transferEvent, fromBlock: blockNumber } as const;
      const found = await clients.reader.getLogs({ ...query, args: { to: stranger } });
      assert.deepEqual(
        found.map(({ args }) => args.value),
        [13n],
      );
      const none = await clients.reader.getLogs({ ...query, args: { to: accounts[2] } });
      assert.deepEqual(none, []);
    });

    it("gets proofs, access lists and fees", async () => {
      const proof = await clients.reader.getProof({
        address: token,
        storageKeys: [`0x${"0".repeat(64)}`],
      });
      assert.ok(proof.accountProof.length > 0 && proof.storageProof.length === 1);
      const { accessList, gasUsed } = await clients.reader.createAccessList({
        account: accounts[0],
        to: token,
        data: `0xa9059cbb${accounts[2].slice(2).toLowerCase().padStart(64, "0")}${"1".padStart(64, "0")}`,
      });
      assert.equal(accessList[0]?.storageKeys.length, 2);
      assert.ok(gasUsed > 21_000n);
      const fees = await clients.reader.estimateFeesPerGas();
      const { baseFeePerGas } = await clients.reader.getBlock();
      assert.ok(fees.maxFeePerGas > (baseFeePerGas ?? 0n) && fees.maxPriorityFeePerGas > 0n);
      const history = await clients.reader.getFeeHistory({
        blockCount: 4,
        rewardPercentiles: [25, 75],
      });
      assert.equal(history.baseFeePerGas.length, history.gasUsedRatio.length + 1);
      assert.equal(await clients.reader.getBlobBaseFee(), 1n);
    });
  });
});
