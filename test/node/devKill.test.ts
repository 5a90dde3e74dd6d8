/** A development chain whose process is killed while it makes blocks: it opens again with all that it had acknowledged. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { packageFolder } from "../../cli/package.ts";
import { temporaryFolder } from "../support/cli.ts";

const ROUNDS = 3;
const EPOCH = 6;
const START_MS = 20_000;

async function start(folder: string) {
  const config = join(folder, "node.json");
  await rm(config, { force: true });
  const args = [
    "--datadir",
    join(folder, "data"),
    "--port",
    "0",
    "--silent",
    "--config-out",
    config,
  ];
  const child = spawn(process.execPath, ["cli/main.ts", "dev", ...args], {
    cwd: packageFolder(),
    stdio: "ignore",
  });
  const deadline = performance.now() + START_MS;
  let text = "";
  while (!text.trimEnd().endsWith("}")) {
    assert.ok(performance.now() < deadline && child.exitCode === null, "it starts");
    await new Promise((resolve) => setTimeout(resolve, 20));
    text = await readFile(config, "utf8").catch(() => "");
  }
  const url: string = JSON.parse(text).http;
  const call = async (method: string, ...params: readonly unknown[]) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "content-type": "application/json" };
    const reply = JSON.parse(await (await fetch(url, { method: "POST", headers, body })).text());
    assert.equal(reply.error, undefined);
    return reply.result;
  };
  const height = async (tag: string) =>
    Number((await call("eth_getBlockByNumber", tag, false)).number);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  };
  return { call, height, end, [Symbol.asyncDispose]: () => end("SIGKILL") };
}

describe("a development chain that is killed", function () {
  this.timeout(120_000);

  it("opens at its last block with its finality, and goes on", async () => {
    using folder = temporaryFolder();
    let seen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await using node = await start(folder.path);
      const head = await node.height("latest");
      assert.ok(head >= seen, `block ${seen} was acknowledged, the head is ${head}`);
      assert.equal(await node.height("finalized"), head - (head % EPOCH));
      await node.call("anvil_mine", "0x7");
      seen = await node.height("latest");
      assert.equal(seen, head + 7);
      assert.equal(await node.height("safe"), seen - (seen % EPOCH));
      // blocks are under way when the process ends
      node.call("anvil_mine", "0x2710").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100 + 70 * round));
      await node.end("SIGKILL");
    }
  });
});
