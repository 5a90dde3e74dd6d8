import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IpcSocketProvider } from "ethers";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { toolOutput } from "../support/runTool.ts";

const FILE_TIMEOUT_MS = 30_000;

describe("tools over IPC", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let folder: string;
  let path: string;
  let node: DevProcess;
  before(async function () {
    folder = mkdtempSync(join(tmpdir(), "qnet-ipc-"));
    path = join(folder, "anvil.ipc");
    node = await startDevProcess(["--ipc", path]);
    if (node.isPeer) this.skip();
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    assert.ok(!existsSync(path), "the node removes its socket");
    rmSync(folder, { recursive: true });
  });
  const cast = async (...args: readonly string[]) =>
    (await toolOutput("cast", [...args, "--rpc-url", path])).trim();

  it("cast reads, sends and sees the receipt", async () => {
    assert.equal(await cast("chain-id"), "31337");
    const sent = await cast(
      "send",
      "--json",
      "--private-key",
      keys[0],
      "--value",
      "7",
      accounts[1],
    );
    assert.equal(JSON.parse(sent).status, "0x1");
    assert.equal(await cast("nonce", accounts[0]), "1");
  });

  it("ethers sends, and is told of the block", async () => {
    const provider = new IpcSocketProvider(path);
    try {
      const told = new Promise<number>((resolve) => provider.once("block", resolve));
      await provider.send("eth_subscribe", ["newPendingTransactions"]);
      const signer = await provider.getSigner(accounts[1]);
      const sent = await signer.sendTransaction({ to: accounts[2], value: 1n });
      const receipt = await sent.wait();
      assert.equal(receipt?.status, 1);
      assert.equal(await told, receipt.blockNumber);
    } finally {
      await provider.destroy();
    }
  });
});
