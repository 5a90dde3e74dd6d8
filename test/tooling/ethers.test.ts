import assert from "node:assert/strict";
import {
  type BaseContract,
  Contract,
  ContractFactory,
  isCallException,
  isError,
  JsonRpcProvider,
  NonceManager,
  verifyMessage,
  verifyTypedData,
  Wallet,
  WebSocketProvider,
} from "ethers";
import { type Artifact, compileContract } from "../support/compile.ts";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";

const FILE_TIMEOUT_MS = 30_000;
const EVENT_TIMEOUT_MS = 5_000;
const POLLING_MS = 50;
/** ethers remembers replies for 250 ms, also the nonce: too long for a chain that mines at once. */
const NO_CACHE = -1;
const supply = 10n ** 21n;
const stranger = "0x00000000000000000000000000000000000E7435";

/** Resolves with what the next call of the listener gets; `listen` adds it. */
async function nextEvent<T>(listen: (listener: (value: T) => void) => unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error("no event")), EVENT_TIMEOUT_MS);
  try {
    await listen(resolve);
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

describe("ethers", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let artifact: Artifact;
  let provider: JsonRpcProvider;
  let wallet: Wallet;
  let token: Contract;

  before(async () => {
    [node, artifact] = await Promise.all([
      startDevProcess(),
      compileContract("contracts/samples/SampleToken.sol"),
    ]);
    provider = new JsonRpcProvider(node.url, undefined, {
      pollingInterval: POLLING_MS,
      cacheTimeout: NO_CACHE,
    });
    wallet = new Wallet(keys[0], provider);
    token = asContract(await (await deploy(supply)).waitForDeployment());
  });
  after(async () => {
    provider?.destroy();
    await node[Symbol.asyncDispose]();
  });

  /** ethers reads the JSON; its type of an ABI is narrower than the compiler's output. */
  const abi = () => JSON.stringify(artifact.abi);
  const deploy = (amount: bigint): Promise<BaseContract> =>
    new ContractFactory(abi(), artifact.bytecode, wallet).deploy(amount);
  const asContract = (deployed: BaseContract) => new Contract(deployed.target, abi(), wallet);
  const method = (name: string) => token.getFunction(name);

  describe("a contract", () => {
    it("is deployed with the code that was compiled, but for its immutable", async () => {
      const code = await provider.getCode(token.target);
      assert.equal(code.length, artifact.deployedBytecode.length);
      assert.equal(await method("totalSupply")(), supply);
      assert.equal(await method("symbol")(), "SMPL");
    });

    it("takes a transaction and gives its receipt with decoded events", async () => {
      const sent = await method("transfer")(accounts[1], 5n);
      const receipt = await sent.wait();
      assert.equal(receipt.status, 1);
      const [event] = receipt.logs;
      assert.deepEqual(
        [event.fragment.name, event.args.to, event.args.value],
        ["Transfer", accounts[1], 5n],
      );
      assert.equal(await method("balanceOf")(accounts[1]), 5n);
    });

    it("is told of in the past by queryFilter", async () => {
      const found = await token.queryFilter(token.filters["Transfer"]?.(null, accounts[1]) ?? []);
      assert.deepEqual(
        found.map((log) => ("args" in log ? log.args["value"] : undefined)),
        [5n],
      );
    });

    it("reverts with its custom error: decoded in a call, as data in a send", async () => {
      const poor = new Contract(token.target, abi(), new Wallet(keys[1], provider));
      const transfer = poor.getFunction("transfer");
      await assert.rejects(transfer.staticCall(stranger, 6n), (error) => {
        assert.ok(isCallException(error));
        assert.equal(error.revert?.name, "InsufficientBalance");
        assert.deepEqual([...(error.revert?.args ?? [])], [accounts[1], 5n, 6n]);
        return true;
      });
      await assert.rejects(transfer(stranger, 6n), (error) => {
        assert.ok(isCallException(error));
        assert.equal(error.action, "estimateGas");
        assert.equal(poor.interface.parseError(error.data ?? "")?.name, "InsufficientBalance");
        return true;
      });
    });

    it("reverts in a block when the gas is given, and wait says so", async () => {
      const sent = await method("transferFrom")(accounts[1], stranger, 1n, { gasLimit: 100_000n });
      await assert.rejects(sent.wait(), (error) => {
        assert.ok(isCallException(error));
        assert.equal(error.receipt?.status, 0);
        return true;
      });
    });
  });

  describe("events", () => {
    it("come by polling a filter of the node", async () => {
      const value = nextEvent<bigint>((resolve) =>
        token.on("Transfer", (_from, _to, amount) => resolve(amount)),
      );
      await provider.getBlockNumber();
      await sleepUntilFilterExists();
      await (await method("transfer")(stranger, 7n)).wait();
      assert.equal(await value, 7n);
      await token.removeAllListeners();
    });

    it("come by polling eth_getLogs", async () => {
      const polling = new JsonRpcProvider(node.url, undefined, {
        polling: true,
        pollingInterval: POLLING_MS,
      });
      const listening = new Contract(token.target, abi(), polling);
      const value = nextEvent<bigint>((resolve) =>
        listening.on("Transfer", (_from, _to, amount) => resolve(amount)),
      );
      await sleepUntilFilterExists();
      await (await method("transfer")(stranger, 8n)).wait();
      assert.equal(await value, 8n);
      polling.destroy();
    });

    it("come over a WebSocket: blocks, pending transactions, logs", async () => {
      const socket = new WebSocketProvider(node.wsUrl);
      try {
        const listening = new Contract(token.target, abi(), socket);
        const start = await socket.getBlockNumber();
        const blocks = nextEvent<number>((resolve) => socket.on("block", resolve));
        const pending = nextEvent<string>((resolve) => socket.on("pending", resolve));
        const values = nextEvent<bigint>((resolve) =>
          listening.on("Transfer", (_from, _to, amount) => resolve(amount)),
        );
        await sleepUntilFilterExists();
        const sent = await method("transfer")(stranger, 9n);
        assert.equal(await pending, sent.hash);
        assert.equal(await blocks, start + 1);
        assert.equal(await values, 9n);
      } finally {
        await socket.destroy();
      }
    });

    /** ethers does not tell when its subscription stands. */
    async function sleepUntilFilterExists(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 4 * POLLING_MS));
    }
  });

  describe("a wallet", () => {
    it("fills and sends each type of transaction", async () => {
      for (const type of [0, 1, 2]) {
        const sent = await wallet.sendTransaction({ to: stranger, value: 1n, type });
        const receipt = await sent.wait();
        assert.deepEqual([receipt?.type, receipt?.gasUsed, receipt?.status], [type, 21_000n, 1]);
        const found = await provider.getTransaction(sent.hash);
        assert.deepEqual([found?.type, found?.chainId, found?.from], [type, 31337n, accounts[0]]);
      }
    });

    it("delegates its account by EIP-7702", async () => {
      const authority = new Wallet(keys[2], provider);
      const authorization = await authority.authorize({ address: String(token.target) });
      const sent = await wallet.sendTransaction({
        to: stranger,
        type: 4,
        authorizationList: [authorization],
      });
      assert.equal((await sent.wait())?.type, 4);
      const code = `0xef0100${String(token.target).slice(2).toLowerCase()}`;
      assert.equal(await provider.getCode(accounts[2]), code);
    });

    it("sends 50 transactions at once through a NonceManager", async () => {
      const manager = new NonceManager(new Wallet(keys[1], provider));
      const start = await provider.getTransactionCount(accounts[1]);
      const requests = Array.from({ length: 50 }, () => ({ to: stranger, value: 1n }));
      const sent = await Promise.all(requests.map((request) => manager.sendTransaction(request)));
      const receipts = await Promise.all(sent.map((transaction) => transaction.wait()));
      assert.ok(receipts.every((receipt) => receipt?.status === 1));
      assert.deepEqual(
        sent.map(({ nonce }) => nonce).sort((a, b) => a - b),
        requests.map((_, index) => start + index),
      );
      assert.equal(await provider.getTransactionCount(accounts[1]), start + 50);
    });

    it("learns fees that a block will take", async () => {
      const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
      const block = await provider.getBlock("latest");
      const baseFee = block?.baseFeePerGas ?? 0n;
      assert.ok(baseFee > 0n && gasPrice !== null && gasPrice >= baseFee);
      assert.ok(maxPriorityFeePerGas !== null && maxPriorityFeePerGas > 0n);
      assert.equal(maxFeePerGas, baseFee * 2n + maxPriorityFeePerGas);
    });
  });

  describe("errors have the codes that ethers gives by their words", () => {
    const nonce = () => provider.getTransactionCount(accounts[0]);
    const rejects = (sending: Promise<unknown>, code: Parameters<typeof isError>[1]) =>
      assert.rejects(sending, (error) => {
        assert.ok(isError(error, code), String(error));
        return true;
      });
    const plain = { to: stranger, gasLimit: 21_000n };

    it("NONCE_EXPIRED", () =>
      rejects(wallet.sendTransaction({ ...plain, nonce: 0 }), "NONCE_EXPIRED"));

    it("INSUFFICIENT_FUNDS", () =>
      rejects(wallet.sendTransaction({ ...plain, value: 10n ** 30n }), "INSUFFICIENT_FUNDS"));

    it("REPLACEMENT_UNDERPRICED", async () => {
      const later = (await nonce()) + 5;
      await wallet.sendTransaction({ ...plain, nonce: later });
      const again = wallet.sendTransaction({ ...plain, nonce: later, value: 1n });
      await rejects(again, "REPLACEMENT_UNDERPRICED");
    });
  });

  describe("an unlocked account", () => {
    it("sends and signs", async () => {
      const signer = await provider.getSigner(1);
      assert.equal(signer.address, accounts[1]);
      const receipt = await (await signer.sendTransaction({ to: stranger, value: 1n })).wait();
      assert.equal(receipt?.from, accounts[1]);
      assert.equal(verifyMessage("hello", await signer.signMessage("hello")), accounts[1]);
      const domain = { name: "Test", chainId: 31337 };
      const types = { Order: [{ name: "amount", type: "uint256" }] };
      const signature = await signer.signTypedData(domain, types, { amount: 7n });
      assert.equal(verifyTypedData(domain, types, { amount: 7n }, signature), accounts[1]);
    });
  });

  describe("the provider", () => {
    it("puts calls of one moment into one batch, and gets every answer", async () => {
      const sizes: number[] = [];
      const watch = (event: { action?: string; payload?: unknown }) => {
        if (event.action !== "sendRpcPayload") return;
        sizes.push(Array.isArray(event.payload) ? event.payload.length : 1);
      };
      await provider.on("debug", watch);
      const balances = await Promise.all(
        Array.from({ length: 40 }, (_, index) => provider.getBalance(accounts[0], index % 3)),
      );
      await provider.off("debug", watch);
      assert.equal(balances.length, 40);
      assert.ok(Math.max(...sizes) >= 40, sizes.join());
    });

    it("reads a block with its transactions, and one of hash, number and tag", async () => {
      const block = await provider.getBlock("latest", true);
      assert.ok(block !== null && block.prefetchedTransactions.length === block.length);
      assert.equal((await provider.getBlock(block.hash ?? ""))?.number, block.number);
      assert.equal((await provider.getBlock("finalized"))?.number !== undefined, true);
      assert.equal(await provider.getBlock(1_000_000), null);
    });
  });
});
