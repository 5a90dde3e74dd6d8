import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../../../cli/package.ts";
import { temporaryFolder } from "../../support/cli.ts";
import { engineToken } from "../../tools/rpc-compat.mjs";

const STOP_LIMIT_MS = 2_000;

/** The program as a process of its own; killed with `using`. */
class Qnet {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, ["cli/main.ts", ...args], { cwd: packageFolder() });
    this.child.stdout?.on("data", (chunk) => {
      this.stdout += String(chunk);
    });
    this.child.stderr?.on("data", (chunk) => {
      this.stderr += String(chunk);
    });
  }

  /** Waits for a text on either stream; fails when the process ends first. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      assert.equal(this.child.exitCode, null, `ended: ${this.stdout}${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, "close");
    return this.child.exitCode;
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const start = performance.now();
    this.child.kill(signal);
    const status = await this.end();
    const elapsedMs = performance.now() - start;
    assert.ok(elapsedMs < STOP_LIMIT_MS, `stopped after ${elapsedMs} ms`);
    return status;
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }
}

async function call(url: string, method: string, params: unknown[] = []): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = Object(await response.json());
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}

describe("qnet as a process", function () {
  this.timeout(60_000);

  it("keeps a dev chain in its data directory and refuses what contradicts it", async () => {
    using folder = temporaryFolder();
    const datadir = ["--datadir", join(folder.path, "data")];
    const out = join(folder.path, "config.json");
    const address = `0x${"77".repeat(20)}`;
    {
      using dev = new Qnet(["dev", "-p", "0", "--config-out", out, ...datadir]);
      const [, url = ""] = await dev.says(/RPC {2}(\S+)/);
      assert.equal(await call(url, "eth_chainId"), "0x7a69");
      const config = JSON.parse(readFileSync(out, "utf8"));
      assert.equal(config.http, url);
      assert.equal(statSync(out).mode & 0o777, 0o600);
      const [from] = config.available_accounts;
      await call(url, "eth_sendTransaction", [{ from, to: address, value: "0x5" }]);
      using second = new Qnet(["dev", "-p", "0", ...datadir]);
      assert.equal(await second.end(), 3);
      assert.match(second.stderr, new RegExp(`in use by process ${dev.child.pid}`));
      const port = new URL(url).port;
      using busy = new Qnet(["-p", port]);
      assert.equal(await busy.end(), 6);
      assert.match(busy.stderr, /^Fatal: .*port/m);
      assert.equal(await dev.stop("SIGTERM"), 0, dev.stderr);
    }
    using contradicting = new Qnet(["dev", "-p", "0", "--gas-limit", "1000000", ...datadir]);
    assert.equal(await contradicting.end(), 2);
    assert.match(contradicting.stderr, /--gas-limit contradicts/);
    using reopened = new Qnet(["dev", "-p", "0", ...datadir]);
    const [, url = ""] = await reopened.says(/RPC {2}(\S+)/);
    assert.equal(await call(url, "eth_getBalance", [address, "latest"]), "0x5");
    assert.equal(await reopened.stop("SIGINT"), 0);
  });

  it("opens the Engine API of a plain chain to who has the secret it made", async () => {
    using folder = temporaryFolder();
    const { config, ...header } = JSON.parse(
      readFileSync(join(packageFolder(), "genesis/devnet.json"), "utf8"),
    );
    const { qnet: _, ...plain } = config;
    const genesis = join(folder.path, "genesis.json");
    writeFileSync(genesis, JSON.stringify({ config: plain, ...header }));
    const datadir = join(folder.path, "data");
    const args = ["--datadir", datadir, "--network", genesis, "--http.port", "0"];
    using node = new Qnet(["node", ...args, "--authrpc.port", "0"]);
    const [, url = ""] = await node.says(/Engine API is ready.*http=(\S+)/);
    const secret = readFileSync(join(datadir, "jwtsecret"), "utf8").trim();
    assert.equal(statSync(join(datadir, "jwtsecret")).mode & 0o777, 0o600);
    const ask = (headers: Record<string, string>) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "engine_exchangeCapabilities",
          params: [[]],
        }),
      });
    assert.equal((await ask({})).status, 401);
    const reply = await ask({ authorization: `Bearer ${engineToken(secret)}` });
    assert.ok(Object(await reply.json()).result.includes("engine_forkchoiceUpdatedV3"));
    assert.equal(await node.stop("SIGTERM"), 0);
  });

  it("serves a network that is not launched", async () => {
    using folder = temporaryFolder();
    const args = ["node", "--datadir", folder.path, "--network", "testnet", "--http.port", "0"];
    using node = new Qnet(args);
    await node.says(/Not launched: this genesis names no validators/);
    const [, url = ""] = await node.says(/http=(\S+)/);
    assert.equal(await call(url, "eth_chainId"), "0x514f");
    assert.equal(await call(url, "eth_blockNumber"), "0x0");
    assert.match(String(await call(url, "web3_clientVersion")), /^qnet\/v.*\/node\d+$/);
    assert.equal(await node.stop("SIGTERM"), 0);
  });
});
