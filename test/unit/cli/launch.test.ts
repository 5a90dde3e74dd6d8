import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildGenesisBlock } from "../../../src/chain/genesis.ts";
import { readStakedValidator } from "../../../src/chain/stakingState.ts";
import { State } from "../../../src/state/state.ts";
import { parseGenesisText } from "../../../src/types/genesis.ts";
import { runCommand, temporaryFolder } from "../../support/cli.ts";

const OWNER = `0x${"ab".repeat(20)}`;

/** Runs a command that must succeed and prints one object. */
async function facts(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runCommand(args);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

describe("qnet genesis build", function () {
  this.timeout(300_000);

  it("makes a network of entries that each validator printed by itself", async () => {
    using folder = temporaryFolder();
    const password = join(folder.path, "password");
    writeFileSync(password, "secret\n");
    const entries: string[] = [];
    for (const index of [0, 1]) {
      const datadir = join(folder.path, `v${index}`);
      const keys = ["--datadir", datadir, "--password", password];
      await facts("validator", "keygen", ...keys, "--lightkdf", "--json");
      const owner = `0x${String(index + 1).repeat(40)}`;
      const applied = ["--from", owner, "--stake", "20000", "--template", "testnet"];
      const { stdout } = await runCommand(["validator", "apply", ...keys, ...applied]);
      const file = join(folder.path, `entry${index}.json`);
      writeFileSync(file, stdout);
      entries.push(file);
    }
    const output = join(folder.path, "genesis.json");
    const flags = ["--template", "testnet", "--timestamp", "1700000000", "--output", output];
    const built = await facts("genesis", "build", ...entries, ...flags);
    assert.equal(built["validators"], 2);
    assert.equal(built["stakeGwei"], 40_000_000_000_000);
    const genesis = parseGenesisText(readFileSync(output, "utf8"));
    const { block, changes } = await buildGenesisBlock(genesis);
    assert.equal(block.hash, built["genesisHash"]);
    const state = new State(
      {
        getNode: (hash) => changes.nodes.get(Buffer.from(hash).toString("hex")),
        getCode: (hash) => changes.code.get(hash),
      },
      changes.root,
    );
    const staking = genesis.config.qnet?.consensus?.staking;
    assert.ok(staking);
    assert.equal(readStakedValidator(state, staking, 1)?.owner, `0x${"2".repeat(40)}`);
    const initialised = await facts("init", output, "--datadir", join(folder.path, "node"));
    assert.equal(initialised["genesisHash"], built["genesisHash"]);
    const again = await runCommand(["genesis", "build", ...entries, ...flags]);
    assert.equal(again.status, 1, "a file that others may have is not written over");
  });

  it("refuses an entry that was made for another network", async () => {
    using folder = temporaryFolder();
    const password = join(folder.path, "password");
    writeFileSync(password, "secret\n");
    const keys = ["--datadir", folder.path, "--password", password];
    await facts("validator", "keygen", ...keys, "--lightkdf", "--json");
    const foreign = ["validator", "apply", ...keys, "--from", OWNER, "--template", "mainnet"];
    const { stdout } = await runCommand(foreign);
    const file = join(folder.path, "entry.json");
    writeFileSync(file, stdout);
    const output = join(folder.path, "genesis.json");
    const flags = ["--template", "testnet", "--output", output];
    const { status, stderr } = await runCommand(["genesis", "build", file, ...flags]);
    assert.equal(status, 4);
    assert.match(stderr, /validators\.0\.keyProof/);
  });

  it("says what is no entry", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "entry.json");
    writeFileSync(file, "{}");
    const { status, stderr } = await runCommand(["genesis", "build", file, "--output", "x"]);
    assert.equal(status, 4);
    assert.match(stderr, /holds no validator's entry/);
  });
});

describe("qnet testnet", function () {
  this.timeout(300_000);

  it("writes data directories of one chain, each with keys that only its owner can read", async () => {
    using folder = temporaryFolder();
    const flags = ["--validators", "3", "--network", "testnet", "--out", folder.path];
    const made = await facts("testnet", ...flags);
    assert.equal(made["validators"], 3);
    const seats = [0, 1, 2].map((index) => join(folder.path, `node${index}`));
    assert.deepEqual(made["folders"], seats);
    for (const seat of seats) {
      assert.equal(statSync(join(seat, "password.txt")).mode & 0o077, 0);
      const text = readFileSync(join(seat, "genesis.json"), "utf8");
      const { block } = await buildGenesisBlock(parseGenesisText(text));
      assert.equal(block.hash, made["genesisHash"]);
      const listed = await runCommand(["account", "list", "--datadir", seat, "--json"]);
      const [{ address }] = JSON.parse(listed.stdout);
      assert.ok(JSON.parse(text).alloc[address]);
    }
    const { status, stderr } = await runCommand(["testnet", ...flags]);
    assert.equal(status, 1);
    assert.match(stderr, /is there already/);
  });
});
