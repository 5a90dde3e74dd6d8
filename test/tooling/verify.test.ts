/** hardhat verify and forge verify-contract against the node's own endpoint, which speaks Sourcify's API. */
import assert from "node:assert/strict";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { temporaryFolder, toolOutput } from "../support/runTool.ts";
import { installSolc, SOLC_PROGRAM, startSolcList } from "../support/solcList.ts";

const TOOL_TIMEOUT_MS = 180_000;
/** Any but 31337, on which Hardhat verifies nothing. */
const CHAIN_ID = 20_999;
const POLL_MS = 50;

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

  const isDone = async (id: string) =>
    Object(await (await fetch(`${node.url}/v2/verify/${id}`)).json()).isJobCompleted === true;

  it("forge verify-contract verifies what forge create made", async () => {
    await using project = await temporaryFolder();
    await using home = await temporaryFolder();
    await cp(join(import.meta.dirname, "projects/forge"), project.path, { recursive: true });
    const said = await toolOutput("../../test/support/solcWrap.ts", ["--version"]);
    const version = /Version: (0\.8\.\d+\+commit\.[0-9a-f]+)/.exec(said)?.[1] ?? "";
    await installSolc(home.path, version);
    await using list = await startSolcList(version);
    const own = { HOME: home.path, FOUNDRY_OFFLINE: "true", FOUNDRY_SOLC: SOLC_PROGRAM };
    const env = { ...own, ...list.env };
    const forge = (...args: readonly string[]) =>
      toolOutput("forge", args, { cwd: project.path, env, timeoutMs: TOOL_TIMEOUT_MS });
    const contract = "src/Counter.sol:Counter";
    const wallet = ["--rpc-url", node.url, "--broadcast", "--private-key", keys[0]];
    const printed = await forge(
      ...["create", "--json", ...wallet, contract, "--constructor-args", "7"],
    );
    const { deployedTo: address, transactionHash } = JSON.parse(
      printed.slice(printed.indexOf("{"), printed.lastIndexOf("}") + 1),
    );
    assert.equal((await lookUp(address)).match, null);
    const server = ["--chain", String(CHAIN_ID), "--verifier", "sourcify"];
    const place = [...server, "--verifier-url", `${node.url}/`];
    const created = ["--creation-transaction-hash", transactionHash];
    const verify = () => forge("verify-contract", ...place, ...created, address, contract);
    const sent = await verify();
    const [, id = ""] = /Verification Job ID: `([0-9a-f-]{36})`/.exec(sent) ?? [];
    assert.notEqual(id, "", sent);
    while (!(await isDone(id))) await sleep(POLL_MS);
    assert.match(
      await forge("verify-check", ...place, id),
      /successfully verified[\s\S]*exact_match/,
    );
    const found = await lookUp(address);
    assert.deepEqual([found.match, found.creationMatch], ["exact_match", "exact_match"]);
    assert.equal(found.compilation.fullyQualifiedName, contract);
    assert.equal(found.compilation.compilerVersion, version);
    assert.match(await verify(), /already .*verified/);
    assert.ok(list.served > 0);
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
