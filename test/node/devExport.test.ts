/** A development chain as a file: exported with its seals, judged again by whoever imports it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { encodeBlock } from "../../src/types/block.ts";
import { rlpItemLength } from "../../src/types/rlp.ts";
import { decodeSealedBlock, encodeSealedBlock } from "../../src/types/sealedBlock.ts";
import { testTransaction } from "../support/chains.ts";
import { runCommand, temporaryFolder } from "../support/cli.ts";
import { startDevNode } from "../support/devNode.ts";

const BLOCKS = 20;
const MAX_BYTES = 1_000_000;

function itemsOf(file: string): Uint8Array[] {
  const bytes = new Uint8Array(readFileSync(file));
  const items: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = rlpItemLength(bytes, at)?.totalLength ?? assert.fail();
    items.push(bytes.subarray(at, at + length));
    at += length;
  }
  return items;
}

describe("export and import of a development chain", function () {
  this.timeout(60_000);

  it("brings blocks, seals and finality over, and takes nothing that was changed", async () => {
    using folder = temporaryFolder();
    const place = (name: string) => `${folder.path}/${name}`;
    const qnet = (...args: readonly string[]) => runCommand([...args, "--verbosity", "0"]);
    const made = await (async () => {
      await using dev = await startDevNode({ databasePath: place("a/chain") });
      const { chain, pool } = dev.node;
      for (let number = 1; number <= BLOCKS; number++) {
        if (number % 3 === 0) await dev.call("evm_increaseTime", 86_400 * number);
        if (number % 2 === 0) await dev.call("evm_mine");
        else await pool.add(testTransaction(chain, 0, (number - 1) / 2).raw, "local");
        await dev.settled();
        await dev.call("eth_blockNumber");
      }
      return { head: chain.head, finalized: chain.finalized };
    })();
    assert.equal(made.head.header.number, BigInt(BLOCKS));
    const file = place("chain.rlp");
    const exported = await qnet("export", "--datadir", place("a"), file);
    assert.equal(exported.status, 0, exported.stderr);

    const source = ["import", "--genesis", "genesis/devnet.json", "--datadir"];
    const imported = await qnet(...source, place("b"), file);
    assert.equal(imported.status, 0, imported.stdout + imported.stderr);
    assert.equal(JSON.parse(imported.stdout).imported, BLOCKS);
    const again = await qnet(...source, place("b"), file);
    assert.equal(JSON.parse(again.stdout).skipped, BLOCKS + 1);
    for (const name of ["a", "b"]) {
      const verified = await qnet("db", "verify", "--datadir", place(name));
      assert.equal(verified.status, 0, verified.stdout);
    }
    {
      await using dev = await startDevNode({ databasePath: place("b/chain") });
      const { chain } = dev.node;
      assert.equal(chain.head.hash, made.head.hash);
      assert.equal(chain.finalized.hash, made.finalized.hash);
      await dev.call("hardhat_mine", "0x6");
      assert.equal(chain.finalized.header.number, 24n);
    }

    const [first = assert.fail(), ...items] = itemsOf(file);
    const sealed = items.map((raw) => decodeSealedBlock(raw, MAX_BYTES));
    const ninth = sealed[8] ?? assert.fail();
    const seal = ninth.seal?.with(7, (ninth.seal[7] ?? 0) ^ 1);
    const { proposer } = ninth.core;
    const wrong: readonly (readonly [string, Uint8Array])[] = [
      ["BAD_SEAL", encodeSealedBlock({ ...ninth, seal })],
      [
        "WRONG_LEADER",
        encodeSealedBlock({ ...ninth, core: { ...ninth.core, proposer: proposer + 1 } }),
      ],
      ["extraData", encodeBlock(ninth.block)],
    ];
    for (const [field, raw] of wrong) {
      writeFileSync(file, Buffer.concat([first, ...items.slice(0, 8), raw, ...items.slice(9)]));
      const refused = await qnet(...source, place(`c-${field}`), file);
      assert.equal(refused.status, 1);
      const { error } = JSON.parse(refused.stdout);
      assert.deepEqual([error.number, error.field], [9, field]);
    }
  });
});
