import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type DevProcess, startDevProcess } from "../support/devProcess.ts";
import { repositoryRoot, runTool, type ToolOptions } from "../support/runTool.ts";

/** One run compiles, starts Hardhat and tests: about 4 s of processor time. */
const RUN_TIMEOUT_MS = 120_000;

describe("Hardhat 3", function () {
  this.timeout(RUN_TIMEOUT_MS);
  let node: DevProcess;

  before(async () => {
    node = await startDevProcess();
  });
  after(() => node[Symbol.asyncDispose]());

  /** Runs a task against the node; a failure is told with all that Hardhat printed. */
  async function hardhat(args: readonly string[], options: ToolOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await runTool("hardhat", [...args, "--network", "devnet"], {
      ...options,
      env: { QNET_TEST_RPC_URL: node.url, RPC_URL: node.url },
      timeoutMs: RUN_TIMEOUT_MS,
    });
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  }

  it("passes the tests of this repository's contracts", async () => {
    const printed = await hardhat(["test"]);
    assert.match(printed, /32 passing/);
  });

  it("deploys a module with Ignition, and finds it deployed when asked again", async () => {
    // a folder of its own: Ignition goes on with what an earlier chain of this id had
    const id = `tooling-${process.pid}`;
    const folder = join(repositoryRoot, "contracts/ignition/deployments", id);
    const deploy = ["ignition", "deploy", "contracts/ignition/modules/SampleToken.ts"];
    try {
      assert.match(await hardhat([...deploy, "--deployment-id", id]), /successfully deployed/);
      const addresses = await readFile(join(folder, "deployed_addresses.json"), "utf8");
      const [address]: unknown[] = Object.values(JSON.parse(addresses));
      const code = await node.call("eth_getCode", address, "latest");
      assert.ok(typeof code === "string" && code.length > 2);
      assert.match(await hardhat([...deploy, "--deployment-id", id]), /Nothing new to deploy/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("passes a user's project with fixtures and every network helper", async () => {
    const cwd = join(import.meta.dirname, "projects/hardhat");
    const printed = await hardhat(["test"], { cwd });
    assert.match(printed, /14 passing/);
  });
});
