import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeFunctionResult, encodeFunctionData, getAddress, parseAbi } from "viem";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { repositoryRoot, temporaryFolder, toolOutput } from "../support/runTool.ts";

const FORGE_TIMEOUT_MS = 60_000;
const beef = `0x${"beef".padStart(40, "0")}`;
const CREATE2_DEPLOYER = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
const counterAbi = parseAbi([
  "function number() view returns (uint256)",
  "function owner() view returns (address)",
]);

interface Broadcast {
  readonly transactions: readonly { readonly transactionType: string; readonly hash: string }[];
  readonly receipts: readonly Readonly<Record<string, unknown>>[];
  readonly returns: Readonly<Record<string, { readonly value: string }>>;
}

describe("forge", function () {
  this.timeout(FORGE_TIMEOUT_MS);
  let node: DevProcess;
  let project: Awaited<ReturnType<typeof temporaryFolder>>;

  before(async () => {
    node = await startDevProcess();
    project = await temporaryFolder();
    await cp(join(import.meta.dirname, "projects/forge"), project.path, { recursive: true });
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });

  const forge = (...args: readonly string[]) =>
    toolOutput(
      "forge",
      [
        ...args.slice(0, 1),
        ...["--offline", "--use", join(repositoryRoot, "test/support/solcWrap.ts")],
        ...["--rpc-url", node.url, "--broadcast"],
        ...args.slice(1),
      ],
      { cwd: project.path },
    );

  async function read(to: string, functionName: "number" | "owner"): Promise<unknown> {
    const data = encodeFunctionData({ abi: counterAbi, functionName });
    const answer = await node.call("eth_call", { to, data }, "latest");
    assert.ok(typeof answer === "string" && answer.startsWith("0x"));
    return decodeFunctionResult({ abi: counterAbi, functionName, data: `0x${answer.slice(2)}` });
  }

  const balanceOf = async (address: string) =>
    BigInt(String(await node.call("eth_getBalance", address, "latest")));

  const create = async (...wallet: readonly string[]) => {
    const contract = "src/Counter.sol:Counter";
    const printed = await forge("create", "--json", ...wallet, contract, "--constructor-args", "7");
    const deployed: Record<string, string> = JSON.parse(
      printed.slice(printed.indexOf("{"), printed.lastIndexOf("}") + 1),
    );
    return { to: deployed["deployedTo"] ?? "", hash: deployed["transactionHash"] };
  };

  it("creates a contract with a key of its own", async () => {
    const { to, hash } = await create("--private-key", keys[0]);
    assert.equal(await read(to, "number"), 7n);
    assert.equal(await read(to, "owner"), accounts[0]);
    const receipt = await node.call("eth_getTransactionReceipt", hash);
    assert.ok(typeof receipt === "object" && receipt !== null && "contractAddress" in receipt);
    assert.equal(getAddress(String(receipt.contractAddress)), getAddress(to));
  });

  it("creates a contract as an unlocked account", async () => {
    const { to } = await create("--unlocked", "--from", accounts[1]);
    assert.equal(await read(to, "owner"), accounts[1]);
  });

  it("runs a script: creations, calls, CREATE2 through the deployer, a transfer", async () => {
    const before = await balanceOf(beef);
    await forge("script", "--private-key", keys[0], "script/Deploy.s.sol:Deploy");
    const file = join(project.path, "broadcast/Deploy.s.sol/31337/run-latest.json");
    const { transactions, receipts, returns }: Broadcast = JSON.parse(await readFile(file, "utf8"));
    assert.deepEqual(
      transactions.map(({ transactionType }) => transactionType),
      ["CREATE", "CALL", "CREATE2", "CALL", "CALL"],
    );
    assert.deepEqual(
      receipts.map(({ status }) => status),
      Array(5).fill("0x1"),
    );
    assert.equal(receipts[2]?.["to"], CREATE2_DEPLOYER);
    const [plain = "", salted = ""] = Object.values(returns).map(({ value }) => value);
    assert.equal(await read(plain, "number"), 8n);
    assert.equal(await read(salted, "number"), 100n);
    assert.equal(await balanceOf(plain), 5n);
    const after = await balanceOf(beef);
    assert.equal(after - before, 3n);
  });

  it("runs a script step by step, waiting for each receipt", async () => {
    const start = Number(await node.call("eth_blockNumber"));
    // the address of a CREATE2 depends on the salt, not on who sends
    const script = join(project.path, "script/Deploy.s.sol");
    const source = await readFile(script, "utf8");
    await writeFile(script, source.replace("uint256(1)", "uint256(2)"));
    await forge("script", "--slow", "--private-key", keys[2], "script/Deploy.s.sol:Deploy");
    assert.equal(Number(await node.call("eth_blockNumber")), start + 5);
  });
});
