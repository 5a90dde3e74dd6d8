/** `qnet validator` and `qnet rewards` against a node with the staking contract, over JSON-RPC. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { keccak256 } from "../../src/crypto/keccak.ts";
import { encodeArguments } from "../../src/execution/abiWriter.ts";
import { SYSTEM_ADDRESS } from "../../src/execution/systemCalls.ts";
import { concatBytes } from "../../src/primitives/bytes.ts";
import { bytesToHex } from "../../src/primitives/hex.ts";
import { encodeSummary } from "../../src/types/epochSummary.ts";
import { DEFAULT_STAKING } from "../../src/types/qnetConfig.ts";
import { runCommand, temporaryFolder } from "../support/cli.ts";
import { type DevNode, startDevNode } from "../support/devNode.ts";
import { summary } from "../support/stakingEvidence.ts";

const STAKE = "10000";

async function endEpoch(node: DevNode, epoch: number, id: number, reward: bigint): Promise<void> {
  const text = new TextEncoder().encode("onEpoch(bytes)");
  const raw = encodeSummary(summary(epoch, reward > 0n ? [{ id, reward }] : []));
  const data = bytesToHex(concatBytes(keccak256(text).subarray(0, 4), encodeArguments([raw])));
  await node.call("hardhat_impersonateAccount", SYSTEM_ADDRESS);
  await node.call("hardhat_setBalance", SYSTEM_ADDRESS, "0xde0b6b3a7640000");
  const call = { from: SYSTEM_ADDRESS, to: DEFAULT_STAKING, data, gas: "0xf4240" };
  const hash = await node.call("eth_sendTransaction", call);
  const receipt: unknown = await node.call("eth_getTransactionReceipt", hash);
  assert.ok(typeof receipt === "object" && receipt !== null && "status" in receipt);
  assert.equal(receipt.status, "0x1");
}

describe("qnet validator", function () {
  this.timeout(600_000);

  for (const type of ["secp256k1", "ml-dsa-44"])
    it(`makes a key, registers, earns, rotates, leaves and is paid, one command each, for a ${type} owner`, () =>
      live(type));

  async function live(type: string): Promise<void> {
    await using node = await startDevNode();
    using folder = temporaryFolder();
    const password = join(folder.path, "password");
    writeFileSync(password, "secret\n");
    const place = ["--datadir", folder.path, "--password", password];
    const run = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
      const { status, stdout, stderr } = await runCommand([...args, ...place]);
      assert.equal(status, 0, `${args.join(" ")}: ${stderr}`);
      return stdout.startsWith("{") ? JSON.parse(stdout) : {};
    };
    const { address } = await run("account", "new", "--type", type, "--lightkdf", "--json");
    const owner = String(address).toLowerCase();
    await node.call("hardhat_setBalance", owner, "0xd3c21bcecceda1000000");
    const remote = ["--rpc-url", node.url, "--from", owner];
    const made = await run("validator", "keygen", "--lightkdf", "--json");
    const registered = await run("validator", "register", "--stake", STAKE, ...remote);
    assert.deepEqual([registered["id"], registered["keyHash"]], [1, made["keyHash"]]);
    const status = () => run("validator", "status", "--rpc-url", node.url, "--json", "--id", "1");
    assert.deepEqual(
      [(await status())["status"], (await status())["owner"]],
      ["registered", owner],
    );
    await endEpoch(node, 1, 1, 1_000n);
    const earned = await run("rewards", "check", "--rpc-url", node.url);
    assert.deepEqual([earned["id"], earned["rewardsGwei"]], [1, 1_000]);
    await run("rewards", "claim", ...remote);
    assert.equal((await status())["rewards"], 0);
    await run("validator", "top-up", "--stake", "5", ...remote);
    assert.equal((await status())["stake"], 10_005_000_000_000);
    const second = await run("validator", "keygen", "--lightkdf", "--json");
    await run("validator", "rotate-key", "--id", "1", ...remote);
    assert.equal((await status())["keyHash"], second["keyHash"]);
    await run("validator", "exit", ...remote);
    assert.equal((await status())["status"], "exiting");
    const early = await runCommand(["validator", "withdraw", ...place, ...remote]);
    assert.equal(early.status, 1);
    assert.match(early.stderr, /the staking contract refuses: StillBonded/);
    await endEpoch(node, 2, 1, 0n);
    await run("validator", "withdraw", ...remote);
    assert.equal((await status())["status"], "withdrawn");
  }

  it("says what is missing, and that a chain has no contract or a node does not answer", async () => {
    using folder = temporaryFolder();
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["keygen"], 2, /--datadir is needed/],
      [["register"], 2, /--stake COINS is needed/],
      [["status"], 1, /no JSON-RPC at/],
      [["dance"], 2, /usage: qnet validator/],
    ];
    for (const [args, code, text] of cases) {
      const { status, stderr } = await runCommand([
        "validator",
        ...args,
        "--rpc-url",
        "http://127.0.0.1:1",
      ]);
      assert.equal(status, code, stderr);
      assert.match(stderr, text);
    }
    const none = ["rewards", "check", "--datadir", folder.path, "--rpc-url", "http://127.0.0.1:1"];
    assert.equal((await runCommand(none)).status, 1);
  });
});
