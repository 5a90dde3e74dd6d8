/** web3.js 4: accounts, transfers, contracts with events and reverts, blocks and subscriptions. */
import assert from "node:assert/strict";
import { Web3 } from "web3";
import { type Artifact, compileContract } from "../support/compile.ts";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";

const FILE_TIMEOUT_MS = 60_000;
const supply = 10n ** 21n;

describe("web3.js", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let web3: Web3;
  let artifact: Artifact;
  before(async () => {
    [node, artifact] = await Promise.all([
      startDevProcess(),
      compileContract("contracts/samples/SampleToken.sol"),
    ]);
    web3 = new Web3(node.url);
    web3.eth.transactionPollingInterval = 50;
    for (const key of keys) web3.eth.accounts.wallet.add(key);
  });
  after(() => node[Symbol.asyncDispose]());

  const deploy = async () => {
    const contract = new web3.eth.Contract([...artifact.abi] as never[]);
    const creation = contract.deploy({ data: artifact.bytecode, arguments: [supply] } as never);
    return creation.send({ from: accounts[0], gas: "3000000" });
  };

  it("reads the chain", async () => {
    assert.equal(await web3.eth.getChainId(), 31_337n);
    assert.equal(await web3.eth.net.getId(), 31_337n);
    assert.equal(await web3.eth.net.isListening(), true);
    const block = await web3.eth.getBlock("latest");
    assert.equal(typeof block.hash, "string");
    assert.ok((await web3.eth.getGasPrice()) > 0n);
  });

  it("sends coins with a key of its own and finds the receipt", async () => {
    const [from, to] = [accounts[0], accounts[1]];
    const before = await web3.eth.getBalance(to);
    const receipt = await web3.eth.sendTransaction({ from, to, value: "5", gas: 21_000 });
    assert.equal(receipt.status, 1n);
    assert.equal((await web3.eth.getBalance(to)) - before, 5n);
    const found = await web3.eth.getTransaction(receipt.transactionHash);
    assert.equal(BigInt(found.value), 5n);
  });

  it("deploys, calls, and reads the events of a contract", async () => {
    const token = await deploy();
    const { methods } = token;
    const [owner, other] = accounts;
    await methods["transfer"]?.(other, 7n).send({ from: owner, gas: "100000" });
    assert.equal(await methods["balanceOf"]?.(other).call(), 7n);
    const events = await token.getPastEvents("allEvents", { fromBlock: 0 });
    assert.equal(events.length, 2);
  });

  it("names the reason of a revert", async () => {
    const token = await deploy();
    const call = token.methods["transfer"]?.(accounts[0], supply).call({ from: accounts[2] });
    await assert.rejects(Promise.resolve(call), (error: unknown) => {
      assert.match(String(Object(error).cause?.message ?? error), /revert/i);
      return true;
    });
  });

  it("hears of new blocks over WebSocket", async () => {
    const socket = new Web3(node.wsUrl);
    const heads = await socket.eth.subscribe("newHeads");
    const heard = new Promise<bigint>((resolve) => {
      heads.on("data", ({ number }) => resolve(BigInt(number ?? 0)));
    });
    await node.call("evm_mine");
    assert.equal(await heard, BigInt(String(await node.call("eth_blockNumber"))));
    await heads.unsubscribe();
    socket.provider?.disconnect();
  });
});
