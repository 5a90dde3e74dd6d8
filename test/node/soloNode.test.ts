/** `qnet node --solo` as its user starts it: a process whose one validator finalises, is killed and goes on. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { networkText } from "../../cli/genesisFiles.ts";
import { runCommand, temporaryFolder } from "../support/cli.ts";
import { repositoryRoot, toolEnvironment } from "../support/runTool.ts";

const WAIT_MS = 90_000;
const POLL_MS = 100;
const QUICK = { slotMs: 1000, tickMs: 250, epochLength: 8, commitBlocks: 5, voteDelaySlots: 1 };
const OPEN = { emptyBlocks: true, dev: false, maxActive: 10 };

/** A network without validators whose epochs are short. */
function template(): string {
  const file = JSON.parse(networkText("devnet"));
  const { qnet } = file.config;
  const consensus = { ...qnet.consensus, ...QUICK, ...OPEN, validators: [] };
  return JSON.stringify({ ...file, config: { ...file.config, qnet: { ...qnet, consensus } } });
}

const OWNER = "0x00000000000000000000000000000000000a11ce";

class NodeProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  printed = "";

  constructor(args: readonly string[], home: string) {
    const line = ["cli/main.ts", "node", "--http.port", "0", "--log.format", "json", ...args];
    const env = toolEnvironment(home);
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    const child = spawn(process.execPath, line, { cwd: repositoryRoot, env, stdio });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.printed += text;
    });
    this.child = child;
  }

  async until<T>(what: string, read: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const endMs = Date.now() + WAIT_MS;
    for (;;) {
      const found = await read();
      if (found !== undefined) return found;
      const { exitCode } = this.child;
      if (exitCode !== null || Date.now() > endMs)
        throw new Error(`${what}: exit ${exitCode}\n${this.printed}`);
      await sleep(POLL_MS);
    }
  }

  url(): Promise<string> {
    return this.until("address", () => /"http":"(http:[^"]+)"/.exec(this.printed)?.[1]);
  }

  // biome-ignore lint/suspicious/noExplicitAny: replies are read as a caller reads them
  async call(method: string, ...params: readonly unknown[]): Promise<any> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "content-type": "application/json" };
    const response = await fetch(await this.url(), { method: "POST", headers, body });
    return JSON.parse(await response.text()).result;
  }

  final(epoch: number): Promise<number> {
    return this.until(`final epoch ${epoch}`, async () => {
      const { finalizedEpoch } = await this.call("qnet_syncStatus");
      return Number(finalizedEpoch) >= epoch ? Number(finalizedEpoch) : undefined;
    });
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end("SIGKILL");
  }
}

describe("qnet node --solo", function () {
  this.timeout(300_000);

  it("finalises alone, goes on after kill -9 without contradicting itself, and as --validator too", async () => {
    using folder = temporaryFolder();
    const network = join(folder.path, "template.json");
    writeFileSync(network, template());
    const datadir = join(folder.path, "solo");
    const args = ["--datadir", datadir, "--solo", "--network", network];
    let before: { readonly number: string; readonly hash: string };
    {
      await using node = new NodeProcess(args, folder.path);
      await node.final(1);
      assert.match(node.printed, /Rehearsal on one machine/);
      before = await node.call("eth_getBlockByNumber", "finalized", false);
      assert.equal(Number(before.number) % QUICK.epochLength, 0);
      await node.end("SIGKILL");
    }
    const genesis = join(datadir, "genesis.json");
    const consensus = JSON.parse(readFileSync(genesis, "utf8")).config.qnet.consensus;
    const { salt } = JSON.parse(networkText("devnet")).config.qnet.consensus;
    assert.notEqual(consensus.salt, salt);
    const own = ["--datadir", datadir, "--validator", "--network", genesis];
    const password = ["--validator-password", join(datadir, "password.txt")];
    const [{ owner }] = consensus.validators;
    const flags = [...password, "--i-know-what-i-do", "--report-evidence", owner];
    await using again = new NodeProcess([...own, ...flags], folder.path);
    const epoch = Number(before.number) / QUICK.epochLength;
    await again.final(epoch + 1);
    const same = await again.call("eth_getBlockByNumber", before.number, false);
    assert.equal(same.hash, before.hash);
    assert.deepEqual(await again.call("qnet_getEvidence"), []);
    assert.equal((await again.call("qnet_getReputation", "0x0")).status, "registered");
    const light = ["light", "verify", "--network", genesis, "--rpc-url", await again.url()];
    const verified = await runCommand([...light, "--json"]);
    assert.equal(verified.status, 0, verified.stderr);
    assert.ok(JSON.parse(verified.stdout).epoch > epoch, verified.stdout);
    await again.end("SIGTERM");
    assert.equal(again.child.exitCode, 0, again.printed);
    await assertListens([...own, ...password], folder.path);
  });

  it("refuses to sign where it cannot, and says why", async () => {
    using folder = temporaryFolder();
    const datadir = join(folder.path, "node");
    const network = join(folder.path, "template.json");
    writeFileSync(network, template());
    const seats = ["--network", network, "--validators", "2", "--out", folder.path];
    const made = await runCommand(["testnet", ...seats]);
    assert.equal(made.status, 0, made.stderr);
    const genesis = join(folder.path, "node0", "genesis.json");
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["--validator"], 2, /names no validators, give --network FILE/],
      [["--i-know-what-i-do"], 2, /needs --validator/],
      [["--report-evidence", OWNER], 2, /--report-evidence needs --validator/],
      [["--solo", "--network", network, "--report-evidence", OWNER], 1, new RegExp(OWNER)],
      [["--solo", "--network", "devnet"], 2, /use qnet dev/],
      [["--validator", "--network", "devnet"], 2, /use qnet dev/],
      [["--validator", "--network", genesis], 2, /network of 2 validators is not supported yet/],
    ];
    for (const [args, code, text] of cases) {
      const { status, stderr } = await runCommand(["node", "--datadir", datadir, ...args]);
      assert.equal(status, code, stderr);
      assert.match(stderr, text);
    }
  });
});

/** Without the operator's word that nobody else signs, nothing is signed for two epochs of slots. */
async function assertListens(args: readonly string[], home: string): Promise<void> {
  await using node = new NodeProcess(args, home);
  const head = async () => Number(await node.call("eth_blockNumber"));
  const before = await head();
  const startMs = Date.now();
  await node.until("a block", async () => ((await head()) > before ? true : undefined));
  const slots = (Date.now() - startMs) / QUICK.slotMs;
  assert.ok(slots > 2 * QUICK.epochLength - 2, `a block after ${slots} slots`);
}
