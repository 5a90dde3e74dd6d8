import assert from "node:assert/strict";
import { createTestClient, getAddress, http, publicActions, walletActions } from "viem";
import { foundry } from "viem/chains";
import { accounts, type DevProcess, startDevProcess } from "../support/devProcess.ts";

const FILE_TIMEOUT_MS = 30_000;
const POLLING_MS = 50;
const stranger = "0x000000000000000000000000000000000007e571";
const whale = "0xBE0eB53F46cd790Cd13851d5EFf43D12404d33E8";
const ether = 10n ** 18n;

function connect(node: DevProcess, mode: "anvil" | "hardhat") {
  return createTestClient({
    mode,
    chain: foundry,
    transport: http(node.url),
    account: accounts[0],
    cacheTime: 0,
    pollingInterval: POLLING_MS,
  })
    .extend(publicActions)
    .extend(walletActions);
}

/** Every test action of viem, but setRpcUrl, which is of a fork. */
for (const mode of ["anvil", "hardhat"] as const) {
  describe(`viem's test actions, mode ${mode}`, function () {
    this.timeout(FILE_TIMEOUT_MS);
    let node: DevProcess;
    let client: ReturnType<typeof connect>;
    let initial: `0x${string}`;

    before(async () => {
      node = await startDevProcess();
      client = connect(node, mode);
    });
    after(() => node[Symbol.asyncDispose]());
    beforeEach(async () => {
      initial = await client.snapshot();
    });
    afterEach(async () => {
      await client.revert({ id: initial });
      await client.setAutomine(true);
    });

    const head = () => client.getBlock();
    const pay = async (value = 1n) => client.sendTransaction({ to: stranger, value });

    it("setBalance, setNonce, setCode, setStorageAt", async () => {
      const slot = `0x${"3".padStart(64, "0")}` as const;
      const value = `0x${"7".padStart(64, "0")}` as const;
      await client.setBalance({ address: stranger, value: 5n * ether });
      await client.setNonce({ address: stranger, nonce: 9 });
      await client.setCode({ address: stranger, bytecode: "0x602a5f5260205ff3" });
      await client.setStorageAt({ address: stranger, index: 3, value });
      await client.mine({ blocks: 1 });
      assert.equal(await client.getBalance({ address: stranger }), 5n * ether);
      assert.equal(await client.getTransactionCount({ address: stranger }), 9);
      assert.equal(await client.getCode({ address: stranger }), "0x602a5f5260205ff3");
      assert.equal(await client.getStorageAt({ address: stranger, slot }), value);
      assert.equal(BigInt((await client.call({ to: stranger })).data ?? "0x0"), 42n);
    });

    it("mine with an interval", async () => {
      const start = await head();
      await client.mine({ blocks: 3, interval: 60 });
      const end = await head();
      assert.equal(end.number - start.number, 3n);
      assert.ok(end.timestamp - start.timestamp >= 120n);
    });

    it("increaseTime, setNextBlockTimestamp", async () => {
      const start = await head();
      await client.increaseTime({ seconds: 3_600 });
      await client.mine({ blocks: 1 });
      const later = await head();
      assert.ok(later.timestamp >= start.timestamp + 3_600n);
      await client.setNextBlockTimestamp({ timestamp: later.timestamp + 500n });
      await client.mine({ blocks: 1 });
      assert.equal((await head()).timestamp, later.timestamp + 500n);
    });

    it("setBlockTimestampInterval, removeBlockTimestampInterval", async function () {
      if (mode === "hardhat") this.skip(); // neither Hardhat nor anvil has hardhat_setBlockTimestampInterval
      await client.setBlockTimestampInterval({ interval: 11 });
      await client.mine({ blocks: 1 });
      const start = await head();
      await client.mine({ blocks: 2 });
      assert.equal((await head()).timestamp, start.timestamp + 22n);
      await client.removeBlockTimestampInterval();
    });

    it("setAutomine, getAutomine, the pool's three views, dropTransaction", async () => {
      assert.equal(await client.getAutomine(), true);
      await client.setAutomine(false);
      assert.equal(await client.getAutomine(), false);
      const hash = await pay();
      assert.deepEqual(await client.getTxpoolStatus(), { pending: 1, queued: 0 });
      assert.ok(JSON.stringify(await client.getTxpoolContent()).includes(hash));
      assert.equal(Object.keys((await client.inspectTxpool()).pending).length, 1);
      await client.dropTransaction({ hash });
      assert.deepEqual(await client.getTxpoolStatus(), { pending: 0, queued: 0 });
      await client.setAutomine(true);
      await client.waitForTransactionReceipt({ hash: await pay() });
      assert.deepEqual(await client.getTxpoolStatus(), { pending: 0, queued: 0 });
    });

    it("setIntervalMining", async function () {
      // one method, two units: the mode sends milliseconds, and this chain says that it counts seconds, as anvil does
      if (mode === "hardhat") this.skip();
      const start = await client.getBlockNumber();
      await client.setIntervalMining({ interval: 1 });
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      await client.setIntervalMining({ interval: 0 });
      const end = await client.getBlockNumber();
      assert.ok(end > start, `${end} > ${start}`);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      assert.equal(await client.getBlockNumber(), end);
    });

    it("impersonateAccount, stopImpersonatingAccount", async () => {
      await client.setBalance({ address: whale, value: 10n * ether });
      await client.impersonateAccount({ address: whale });
      const sending = { account: whale, to: stranger, value: ether } as const;
      const hash = await client.sendTransaction(sending);
      const receipt = await client.waitForTransactionReceipt({ hash });
      assert.deepEqual([getAddress(receipt.from), receipt.status], [whale, "success"]);
      await client.stopImpersonatingAccount({ address: whale });
      await assert.rejects(client.sendTransaction(sending));
    });

    it("sendUnsignedTransaction", async () => {
      await client.setBalance({ address: whale, value: 10n * ether });
      await client.impersonateAccount({ address: whale });
      const request = { from: whale, to: stranger, value: 1n } as const;
      const hash = await client.sendUnsignedTransaction(request);
      const receipt = await client.waitForTransactionReceipt({ hash });
      assert.deepEqual([getAddress(receipt.from), receipt.status], [whale, "success"]);
      await client.stopImpersonatingAccount({ address: whale });
    });

    it("setBlockGasLimit, setCoinbase, setNextBlockBaseFeePerGas", async () => {
      const { gasLimit } = await head();
      await client.setBlockGasLimit({ gasLimit: 12_345_678n });
      await client.setCoinbase({ address: whale });
      await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 7_777n });
      await client.mine({ blocks: 1 });
      const made = await head();
      assert.deepEqual(
        [made.gasLimit, getAddress(made.miner), made.baseFeePerGas],
        [12_345_678n, whale, 7_777n],
      );
      await client.setBlockGasLimit({ gasLimit });
    });

    it("setMinGasPrice", async function () {
      if (node.isPeer) this.skip(); // anvil takes it before London only
      await client.setMinGasPrice({ gasPrice: 10n ** 12n });
      await assert.rejects(client.sendTransaction({ to: stranger, gasPrice: 10n ** 11n }));
      await client.setMinGasPrice({ gasPrice: 0n });
      await client.sendTransaction({ to: stranger, gasPrice: 10n ** 11n });
    });

    it("setLoggingEnabled", async () => {
      await client.setLoggingEnabled(false);
      await client.setLoggingEnabled(true);
    });

    it("snapshot and revert put back state, height, clock and the next block's fee", async () => {
      const start = await head();
      const id = await client.snapshot();
      await client.increaseTime({ seconds: 100_000 });
      await pay(ether);
      await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 5n });
      await client.revert({ id });
      assert.equal((await head()).hash, start.hash);
      assert.equal(await client.getBalance({ address: stranger }), 0n);
      await client.mine({ blocks: 1 });
      const next = await head();
      assert.ok(next.timestamp < start.timestamp + 1_000n, "the clock is put back");
      if (!node.isPeer) assert.notEqual(next.baseFeePerGas, 5n);
    });

    it("dumpState, loadState", async () => {
      await client.setBalance({ address: stranger, value: 3n });
      const dump = await client.dumpState();
      await client.setBalance({ address: stranger, value: 4n });
      await client.loadState({ state: dump });
      assert.equal(await client.getBalance({ address: stranger }), 3n);
    });

    it("reset", async function () {
      if (node.isPeer) this.skip(); // it would end the snapshot that puts the peer's state back
      await pay(ether);
      await client.reset();
      assert.equal(await client.getBlockNumber(), 0n);
      assert.equal(await client.getBalance({ address: stranger }), 0n);
      initial = await client.snapshot();
    });
  });
}
