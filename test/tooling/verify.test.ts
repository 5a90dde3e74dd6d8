/** hardhat verify, and what forge would send, against the node's own endpoint, which speaks Sourcify's API. */
import assert from "node:assert/strict";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { repositoryRoot, temporaryFolder, toolOutput } from "../support/runTool.ts";

const TOOL_TIMEOUT_MS = 180_000;
/** Any but 31337, on which Hardhat verifies nothing. */
const CHAIN_ID = 20_999;

describe("verification of contracts by tools", function () {
  this.timeout(TOOL_TIMEOUT_MS);
  let node: DevProcess;
  before(async () => {
    node = await startDevProcess(["--chain-id", String(CHAIN_ID)]);
  });
  after(() => node[Symbol.asyncDispose]());

  const lookUp = async (address: string) => {
    const response = await fetch(
      `${node.url}/v2/contract/${CHAIN_ID}/${address}?fields=compilation`,
    );
    return Object(await response.json());
  };

  it("forge's standard JSON verifies what forge create made", async () => {
    await using project = await temporaryFolder();
    await cp(join(import.meta.dirname, "projects/forge"), project.path, { recursive: true });
    const solc = join(repositoryRoot, "test/support/solcWrap.ts");
    const said = await toolOutput("../../test/support/solcWrap.ts", ["--version"]);
    const version = /Version: (0\.8\.\d+\+commit\.[0-9a-f]+)/.exec(said)?.[1] ?? "";
    const env = { FOUNDRY_OFFLINE: "true", FOUNDRY_SOLC: solc };
    const forge = (args: readonly string[]) =>
      toolOutput("forge", args, { cwd: project.path, env, timeoutMs: TOOL_TIMEOUT_MS });
    const contract = "src/Counter.sol:Counter";
    const wallet = ["--rpc-url", node.url, "--broadcast", "--private-key", keys[0]];
    const printed = await forge([
      ...["create", "--json", ...wallet, contract, "--constructor-args", "7"],
    ]);
    const { deployedTo: address } = JSON.parse(
      printed.slice(printed.indexOf("{"), printed.lastIndexOf("}") + 1),
    );
    // verify-contract asks a server of the compiler's makers first, whatever is sent: here is what it would send
    await forge(["build", "--force", "--build-info"]);
    const folder = join(project.path, "out/build-info");
    const [file = ""] = await readdir(folder);
    const { input } = JSON.parse(await readFile(join(folder, file), "utf8"));
    const response = await fetch(`${node.url}/v2/verify/${CHAIN_ID}/${address}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        stdJsonInput: input,
        compilerVersion: version,
        contractIdentifier: contract,
      }),
    });
    assert.equal(response.status, 202);
    const { verificationId } = Object(await response.json());
    const job = async () =>
      Object(await (await fetch(`${node.url}/v2/verify/${verificationId}`)).json());
    while (!(await job()).isJobCompleted) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await job()).error, undefined);
    const found = await lookUp(address);
    assert.equal(found.match, "exact_match");
    assert.equal(found.compilation.fullyQualifiedName, contract);
  });

  it("hardhat verify verifies what its compiler made", async () => {
    const cwd = join(import.meta.dirname, "projects/hardhat");
    const options = { cwd, env: { RPC_URL: node.url }, timeoutMs: TOOL_TIMEOUT_MS };
    await toolOutput("hardhat", ["build"], options);
    const file = join(cwd, "artifacts/contracts/Vault.sol/Vault.json");
    const { bytecode }: { bytecode: string } = JSON.parse(await readFile(file, "utf8"));
    const unlockTime = 4_000_000_000;
    const data = `${bytecode}${unlockTime.toString(16).padStart(64, "0")}`;
    const hash = await node.call("eth_sendTransaction", { from: accounts[0], data, value: "0x1" });
    const { contractAddress } = Object(await node.call("eth_getTransactionReceipt", hash));
    const verify = ["verify", "sourcify", "--network", "devnet"];
    const printed = await toolOutput(
      "hardhat",
      [...verify, contractAddress, String(unlockTime)],
      options,
    );
    assert.match(printed, /verified/i);
    const found = await lookUp(contractAddress);
    assert.equal(found.match, "exact_match");
    assert.equal(found.compilation.name, "Vault");
  });
});
