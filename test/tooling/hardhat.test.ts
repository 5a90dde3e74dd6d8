import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type DevProcess, startDevProcess } from "../support/devProcess.ts";
import { repositoryRoot, runTool, type ToolOptions } from "../support/runTool.ts";

/** One run compiles, starts Hardhat and tests: about 4 s of processor time. */
const RUN_TIMEOUT_MS = 120_000;

const QUANTUM = "0x51";
/** Networks of hardhat.config.ts, and the type of the transactions that they send. */
const NETWORKS = [
  { network: "devnet", who: "the node's", type: "0x2" },
  { network: "quantum", who: "ML-DSA", type: QUANTUM },
] as const;

describe("Hardhat 3", function () {
  this.timeout(RUN_TIMEOUT_MS);
  let node: DevProcess;

  before(async () => {
    node = await startDevProcess();
  });
  after(() => node[Symbol.asyncDispose]());

  /** Type of the last transaction of the newest block that has one. */
  async function lastType(): Promise<string | undefined> {
    for (let back = 0; back < 20; back++) {
      const head = Number(await node.call("eth_blockNumber"));
      const block = await node.call(
        "eth_getBlockByNumber",
        `0x${(head - back).toString(16)}`,
        true,
      );
      assert.ok(typeof block === "object" && block !== null && "transactions" in block);
      const { transactions } = block as { transactions: readonly { type: string }[] };
      const last = transactions.at(-1);
      if (last !== undefined) return last.type;
    }
    return undefined;
  }

  /** Runs a task against the node; a failure is told with all that Hardhat printed. */
  async function hardhat(args: readonly string[], options: ToolOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await runTool("hardhat", args, {
      ...options,
      env: { QNET_TEST_RPC_URL: node.url, RPC_URL: node.url },
      timeoutMs: RUN_TIMEOUT_MS,
    });
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  }

  for (const { network, who, type } of NETWORKS) {
    it(`passes the tests of this repository's contracts with ${who} accounts`, async function () {
      if (node.isPeer && type === QUANTUM) return this.skip();
      const printed = await hardhat(["test", "--network", network]);
      assert.match(printed, /33 passing/);
      assert.equal(await lastType(), type);
    });

    it(`deploys a module from ${who} accounts, and finds it deployed when asked again`, async function () {
      if (node.isPeer && type === QUANTUM) return this.skip();
      // a folder of its own: Ignition goes on with what an earlier chain of this id had
      const id = `tooling-${network}-${process.pid}`;
      const folder = join(repositoryRoot, "contracts/ignition/deployments", id);
      const module = "contracts/ignition/modules/SampleToken.ts";
      const deploy = ["ignition", "deploy", module, "--deployment-id", id, "--network", network];
      try {
        assert.match(await hardhat(deploy), /successfully deployed/);
        assert.equal(await lastType(), type);
        const addresses = await readFile(join(folder, "deployed_addresses.json"), "utf8");
        const [address]: unknown[] = Object.values(JSON.parse(addresses));
        const code = await node.call("eth_getCode", address, "latest");
        assert.ok(typeof code === "string" && code.length > 2);
        assert.match(await hardhat(deploy), /Nothing new to deploy/);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it("passes a user's project with fixtures and every network helper", async () => {
    const cwd = join(import.meta.dirname, "projects/hardhat");
    const printed = await hardhat(["test", "--network", "devnet"], { cwd });
    assert.match(printed, /14 passing/);
  });
});
