import assert from "node:assert/strict";
import { encodeDeployData, getAddress, type Hex, keccak256, toHex } from "viem";
import { type Artifact, compileContract } from "../support/compile.ts";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { runTool, toolOutput } from "../support/runTool.ts";

const FILE_TIMEOUT_MS = 30_000;
const CREATE2_DEPLOYER = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
const stranger = "0x00000000000000000000000000000000000c0ffe";
const supply = 10n ** 21n;
const transferTopic = keccak256(toHex("Transfer(address,address,uint256)"));

type Json = Readonly<Record<string, unknown>>;

describe("cast", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let artifact: Artifact;
  let token: string;
  let creation: Json;

  const cast = async (...args: readonly string[]): Promise<string> => {
    return (await toolOutput("cast", args, { env: { ETH_RPC_URL: node.url } })).trim();
  };
  const castJson = async (...args: readonly string[]): Promise<Json> => {
    const [command = "", ...rest] = args;
    return JSON.parse(await cast(command, "--json", ...rest));
  };
  /** Sends and gives the receipt. */
  const send = (...args: readonly string[]) => castJson("send", "--private-key", keys[0], ...args);
  const deployData = (): Hex =>
    encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args: [supply] });

  before(async () => {
    [node, artifact] = await Promise.all([
      startDevProcess(),
      compileContract("contracts/samples/SampleToken.sol"),
    ]);
    creation = await send("--create", deployData());
    token = String(creation["contractAddress"]);
  });
  after(() => node[Symbol.asyncDispose]());

  describe("sends", () => {
    it("a contract creation", async () => {
      assert.equal(creation["status"], "0x1");
      assert.equal(await cast("code", token), await node.call("eth_getCode", token, "latest"));
      assert.equal(await cast("call", token, "totalSupply()(uint256)"), `${supply} [1e21]`);
    });

    it("a transfer of each type: legacy, access list, dynamic fee", async () => {
      const types = ["0x0", "0x1", "0x2"];
      const flags = [["--legacy"], ["--legacy", "--access-list", "[]"], []];
      for (const [index, type] of types.entries()) {
        const receipt = await send("--value", "7", ...(flags[index] ?? []), stranger);
        assert.deepEqual([receipt["type"], receipt["gasUsed"]], [type, "0x5208"]);
      }
      assert.equal(await cast("balance", stranger), "21");
    });

    it("a call, encoded from its signature", async () => {
      const receipt = await send(token, "transfer(address,uint256)", stranger, "5");
      assert.equal(receipt["status"], "0x1");
      assert.equal(await cast("call", token, "balanceOf(address)(uint256)", stranger), "5");
    });

    it("as an unlocked account", async () => {
      const args = ["--unlocked", "--from", accounts[1], "--value", "1", stranger];
      const receipt = await castJson("send", ...args);
      assert.equal(getAddress(String(receipt["from"])), accounts[1]);
    });

    it("the delegation of EIP-7702", async () => {
      const receipt = await send("--auth", token, stranger);
      assert.equal(receipt["type"], "0x4");
      assert.equal(await cast("code", accounts[0]), `0xef0100${token.slice(2).toLowerCase()}`);
      const undone = await send("--auth", `0x${"0".repeat(40)}`, stranger);
      assert.equal(undone["status"], "0x1");
      assert.equal(await cast("code", accounts[0]), "0x");
    });

    it("what mktx signed before", async () => {
      const raw = await cast("mktx", "--private-key", keys[2], "--value", "3", stranger);
      const receipt = await castJson("publish", raw);
      assert.equal(receipt["status"], "0x1");
      assert.equal(getAddress(String(receipt["from"])), accounts[2]);
    });

    it("without waiting, and finds the receipt later", async () => {
      const hash = await cast("send", "--async", "--private-key", keys[2], stranger);
      assert.match(hash, /^0x[0-9a-f]{64}$/);
      assert.equal(await cast("receipt", hash, "status"), "true");
    });
  });

  describe("refuses with exit code 1", () => {
    const fails = async (...args: readonly string[]) => {
      const { code, stderr } = await runTool("cast", args, { env: { ETH_RPC_URL: node.url } });
      assert.equal(code, 1);
      return stderr;
    };

    it("a reverting call, with the custom error's data and name", async () => {
      const [selector, owner] = [
        keccak256(toHex("InsufficientBalance(address,uint256,uint256)")),
        stranger,
      ];
      const printed = await fails(
        "call",
        "--from",
        owner,
        token,
        "transfer(address,uint256)",
        owner,
        "6",
      );
      assert.match(printed, /execution reverted/);
      assert.ok(printed.includes(selector.slice(0, 10)), printed);
    });

    it("a reverting send, before it is sent", async () => {
      const nonce = await cast("nonce", accounts[0]);
      const args = [token, "transfer(address,uint256)", stranger, String(supply + 1n)];
      assert.match(await fails("send", "--private-key", keys[0], ...args), /execution reverted/);
      assert.equal(await cast("nonce", accounts[0]), nonce);
    });

    it("a nonce that is used", async () => {
      const printed = await fails("send", "--private-key", keys[0], "--nonce", "0", stranger);
      assert.match(printed, /nonce too low/);
    });

    it("a value that the account does not have", async () => {
      const value = ["--value", "20000ether", stranger];
      assert.match(await fails("send", "--private-key", keys[1], ...value), /insufficient funds/i);
    });

    it("a method that does not exist", async () => {
      assert.match(await fails("rpc", "eth_noSuchMethod"), /-32601/);
    });
  });

  describe("reads", () => {
    it("the chain, the client, the fee", async () => {
      assert.equal(await cast("chain-id"), "31337");
      assert.match(await cast("client"), /^anvil/);
      assert.ok(BigInt(await cast("gas-price")) > 0n);
      assert.ok(BigInt(await cast("base-fee")) > 0n);
    });

    it("the gas of a call and of a creation", async () => {
      const from = ["--from", accounts[0]];
      assert.equal(await cast("estimate", ...from, stranger, "--value", "1"), "21000");
      const call = await cast(
        "estimate",
        ...from,
        token,
        "transfer(address,uint256)",
        accounts[2],
        "1",
      );
      assert.ok(Number(call) > 45_000 && Number(call) < 60_000, call);
      const create = await cast("estimate", ...from, "--create", deployData());
      assert.ok(Math.abs(Number(create) - Number(creation["gasUsed"])) < 20_000, create);
    });

    it("balance, nonce, code and its hash", async () => {
      const balance = BigInt(await cast("balance", accounts[2]));
      assert.ok(balance > 9_999n * 10n ** 18n && balance < 10_000n * 10n ** 18n);
      const nonce = await node.call("eth_getTransactionCount", accounts[2], "latest");
      assert.equal(await cast("nonce", accounts[2]), String(Number(nonce)));
      assert.equal(
        await cast("codesize", token),
        String((artifact.deployedBytecode.length - 2) / 2),
      );
      const code = String(await node.call("eth_getCode", token, "latest"));
      assert.equal(await cast("codehash", token), keccak256(`0x${code.slice(2)}`));
      assert.notEqual(await cast("code", CREATE2_DEPLOYER), "0x");
    });

    it("a block by number, tag and hash, with its transactions", async () => {
      const number = String(Number(creation["blockNumber"]));
      const block = await castJson("block", number, "--full");
      assert.equal(block["hash"], creation["blockHash"]);
      const [transaction] = Array.isArray(block["transactions"]) ? block["transactions"] : [];
      assert.equal(transaction?.hash, creation["transactionHash"]);
      assert.equal((await castJson("block", String(block["hash"])))["number"], block["number"]);
      const head = Number(await cast("block-number"));
      assert.equal(Number((await castJson("block", "latest"))["number"]), head);
      assert.equal(Number((await castJson("block", "earliest"))["number"]), 0);
      assert.match(await cast("age", number), /20\d\d/);
    });

    it("a transaction and its receipt", async () => {
      const hash = String(creation["transactionHash"]);
      const transaction = await castJson("tx", hash);
      assert.equal(transaction["input"], deployData());
      assert.equal(getAddress(String(transaction["from"])), accounts[0]);
      const raw = await cast("tx", hash, "--raw");
      assert.equal(keccak256(`0x${raw.slice(2)}`), hash);
      const receipt = await castJson("receipt", hash);
      assert.equal(receipt["contractAddress"], creation["contractAddress"]);
    });

    it("logs by event and argument", async () => {
      const event = "Transfer(address indexed,address indexed,uint256)";
      const from = String(Number(creation["blockNumber"]));
      const range = ["--from-block", from, "--address", token];
      const all: Json[] = JSON.parse(await cast("logs", "--json", ...range, event));
      assert.equal(all.length, 2);
      assert.ok(all.every(({ topics }) => Array.isArray(topics) && topics[0] === transferTopic));
      const one: Json[] = JSON.parse(await cast("logs", "--json", ...range, event, accounts[0]));
      assert.equal(one.length, 1);
      assert.equal(BigInt(String(one[0]?.["data"])), 5n);
    });

    it("storage, and its proof", async () => {
      const slot = await toolOutput("cast", ["index", "address", stranger, "0"]);
      assert.equal(BigInt(await cast("storage", token, slot.trim())), 5n);
      const proof = await castJson("proof", token, slot.trim());
      const [entry] = Array.isArray(proof["storageProof"]) ? proof["storageProof"] : [];
      assert.equal(BigInt(entry.value), 5n);
      assert.ok(Array.isArray(proof["accountProof"]) && proof["accountProof"].length > 0);
      assert.equal(await cast("storage-root", token), proof["storageHash"]);
    });

    it("an access list", async () => {
      const call = [token, "transfer(address,uint256)", accounts[2], "1"];
      const made = await castJson("access-list", "--from", accounts[0], ...call);
      assert.ok(Number(made["gasUsed"]) > 21_000);
      const [entry] = Array.isArray(made["accessList"]) ? made["accessList"] : [];
      assert.equal(getAddress(entry.address), getAddress(token));
      assert.equal(entry.storageKeys.length, 2);
    });

    it("any method, with parameters as words or as one JSON value", async () => {
      assert.equal(await cast("rpc", "eth_chainId"), '"0x7a69"');
      const words = await cast("rpc", "eth_getBlockByNumber", "latest", "false");
      const raw = await cast("rpc", "--raw", "eth_getBlockByNumber", '["latest",false]');
      assert.equal(JSON.parse(words).hash, JSON.parse(raw).hash);
    });

    it("the pool", async () => {
      const waiting = await cast(
        "send",
        "--async",
        "--private-key",
        keys[1],
        "--nonce",
        "900",
        stranger,
      );
      const status: Json = JSON.parse(await cast("tx-pool", "status"));
      assert.deepEqual([Number(status["pending"]), Number(status["queued"])], [0, 1]);
      assert.ok((await cast("tx-pool", "content")).includes(waiting));
      assert.match(await cast("tx-pool", "inspect"), /900/);
    });
  });

  describe("runs again by itself", () => {
    it("a mined transaction, from historic state", async () => {
      await send("--value", "1", stranger);
      const moved = await send(token, "transfer(address,uint256)", stranger, "5");
      const printed = await cast("run", "--quick", String(moved["transactionHash"]));
      assert.match(printed, /Transaction successfully executed/);
      assert.match(printed, new RegExp(`Gas used: ${Number(moved["gasUsed"])}`));
    });

    it("a call, with its trace", async () => {
      const call = [token, "balanceOf(address)(uint256)", stranger];
      const printed = await cast("call", "--trace", ...call);
      assert.match(printed, /Transaction successfully executed/);
    });
  });
});
