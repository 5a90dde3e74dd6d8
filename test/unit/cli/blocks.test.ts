import assert from "node:assert/strict";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { chainFolder } from "../../../cli/dataFolder.ts";
import { type Bytes, concatBytes } from "../../../src/primitives/bytes.ts";
import { columns, del } from "../../../src/storage/columns.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { type Block, encodeBlock } from "../../../src/types/block.ts";
import { formatGenesis } from "../../../src/types/genesis.ts";
import {
  mineTestBlock,
  openTestChain,
  plainGenesis,
  testTransaction,
} from "../../support/chains.ts";
import { runCommand, temporaryFolder } from "../../support/cli.ts";

const genesis = plainGenesis();
let blocks: readonly Block[] = [];
let chainFile: Bytes = new Uint8Array(0);

/** A folder with genesis.json and chain.rlp, and a shorthand for commands on a data directory in it. */
function workspace() {
  const folder = temporaryFolder();
  const file = (name: string) => join(folder.path, name);
  writeFileSync(file("genesis.json"), formatGenesis(genesis));
  writeFileSync(file("chain.rlp"), chainFile);
  const qnet = async (datadir: string, ...args: string[]) => {
    const result = await runCommand([...args, "--datadir", file(datadir), "--verbosity", "0"]);
    return { ...result, json: result.stdout === "" ? undefined : JSON.parse(result.stdout) };
  };
  return { file, qnet, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

before(async () => {
  await using opened = await openTestChain(genesis);
  const { chain } = opened;
  const made: Block[] = [];
  for (let nonce = 0; nonce < 12; nonce++) {
    made.push(await mineTestBlock(chain, [testTransaction(chain, 0, nonce)]));
  }
  blocks = made;
  chainFile = concatBytes(...made.map(encodeBlock));
});

describe("qnet init", () => {
  it("prints hash and state root, and refuses another genesis with both hashes", async () => {
    using work = workspace();
    const first = await work.qnet("a", "init", work.file("genesis.json"));
    assert.equal(first.status, 0, first.stderr);
    assert.equal(first.json.genesisHash, blocks[0]?.header.parentHash);
    assert.match(first.json.stateRoot, /^0x[0-9a-f]{64}$/);
    assert.equal(first.json.chainId, 31337);
    assert.deepEqual((await work.qnet("a", "init", work.file("genesis.json"))).json, first.json);
    const other = await work.qnet("a", "init", "devnet", "--genesis-hash", `0x${"11".repeat(32)}`);
    assert.equal(other.status, 4);
    writeFileSync(work.file("other.json"), formatGenesis(plainGenesis(29_000_000)));
    const mismatch = await work.qnet("a", "init", work.file("other.json"));
    assert.equal(mismatch.status, 4);
    assert.match(mismatch.stderr, new RegExp(first.json.genesisHash));
  });

  it("names what is wrong with a genesis file, status 4", async () => {
    using work = workspace();
    writeFileSync(work.file("bad.json"), '{"config":{"chainId":0},"gasLimit":1,"alloc":{}}');
    const { status, stderr } = await work.qnet("a", "init", work.file("bad.json"));
    assert.equal(status, 4);
    assert.match(stderr, /bad\.json.*\nconfig\.chainId: must not be 0/);
  });
});

describe("qnet import and export", () => {
  it("imports, resumes, exports in each form, and imports that to the same head", async () => {
    using work = workspace();
    const source = ["--genesis", work.file("genesis.json"), work.file("chain.rlp")];
    const part = await work.qnet("a", "import", "--until", "5", ...source);
    assert.deepEqual([part.json.imported, part.json.head.number], [5, 5]);
    const rest = await work.qnet("a", "import", work.file("chain.rlp"));
    const head = { number: 12, hash: blocks[11]?.hash, stateRoot: blocks[11]?.header.stateRoot };
    assert.deepEqual([rest.json.imported, rest.json.skipped], [7, 5]);
    assert.deepEqual(rest.json.head, head);
    for (const name of ["out.rlp", "out.rlp.gz", "out.rlp.zst"]) {
      const exported = await work.qnet("a", "export", work.file(name));
      assert.deepEqual([exported.json.exported, exported.json.last], [13, 12], exported.stderr);
      const copy = await work.qnet(`d-${name}`, "import", ...source.slice(0, 2), work.file(name));
      assert.deepEqual(copy.json.head, head);
      assert.equal(copy.json.skipped, 1); // block 0
    }
    const some = await work.qnet("a", "export", "--first", "1", work.file("some.rlp"));
    assert.equal(some.json.exported, 12);
    assert.deepEqual(new Uint8Array(readFileSync(work.file("some.rlp"))), chainFile);
  });

  it("recognises compressed files by their content", async () => {
    using work = workspace();
    writeFileSync(work.file("a"), gzipSync(chainFile));
    writeFileSync(work.file("b"), zstdCompressSync(chainFile));
    for (const name of ["a", "b"]) {
      const args = ["import", "--genesis", work.file("genesis.json"), work.file(name)];
      assert.equal((await work.qnet(`data-${name}`, ...args)).json.imported, 12);
    }
  });

  it("reads concatenated compressed files to their end", async () => {
    using work = workspace();
    const half = encodeBlock(blocks[0] ?? assert.fail()).length;
    const parts = [chainFile.subarray(0, half), chainFile.subarray(half)];
    for (const [name, pack] of [
      ["gz", gzipSync],
      ["zst", zstdCompressSync],
    ] as const) {
      writeFileSync(work.file(name), concatBytes(...parts.map((part) => pack(part))));
      const args = ["import", "--genesis", work.file("genesis.json"), work.file(name)];
      assert.equal((await work.qnet(`data-${name}`, ...args)).json?.imported, 12, name);
    }
  });

  it("names a compressed file that is cut off or has something else behind it", async () => {
    using work = workspace();
    await work.qnet("a", "init", work.file("genesis.json"));
    for (const [name, pack] of [
      ["gz", gzipSync],
      ["zst", zstdCompressSync],
    ] as const) {
      const packed = pack(chainFile);
      for (const content of [
        packed.subarray(0, packed.length / 2),
        packed.subarray(0, -1),
        concatBytes(packed, new Uint8Array(3).fill(7)),
        concatBytes(packed, packed.subarray(0, 20)),
      ]) {
        writeFileSync(work.file(name), content);
        const { status, stderr } = await work.qnet("a", "import", work.file(name));
        assert.equal(status, 1, `${name}: ${content.length} of ${packed.length} bytes`);
        assert.match(stderr, new RegExp(`^Fatal: ${work.file(name)} `));
        assert.doesNotMatch(stderr, /\n +at /);
      }
    }
    const folder = await work.qnet("a", "import", work.file("a"));
    assert.equal(folder.status, 1);
    assert.doesNotMatch(folder.stderr, /\n +at /);
  });

  it("stops at the first invalid block, keeping those before", async () => {
    using work = workspace();
    const bad = blocks.map((block, index) =>
      index === 4 ? { ...block, header: { ...block.header, gasUsed: 1n } } : block,
    );
    writeFileSync(work.file("chain.rlp"), concatBytes(...bad.map(encodeBlock)));
    const args = ["import", "--genesis", work.file("genesis.json"), work.file("chain.rlp")];
    const { status, json } = await work.qnet("a", ...args);
    assert.equal(status, 1);
    assert.equal(json.error.number, 5);
    assert.equal(json.error.field, "gasUsed");
    assert.deepEqual([json.error.expected, json.error.got].sort(), ["1", "21000"]);
    assert.equal((await work.qnet("a", "export", work.file("left.rlp"))).json.last, 4);
  });

  it("says where a file is cut off or no block file at all", async () => {
    using work = workspace();
    truncateSync(work.file("chain.rlp"), chainFile.length - 1);
    const args = ["import", "--genesis", work.file("genesis.json"), work.file("chain.rlp")];
    const cut = await work.qnet("a", ...args);
    assert.equal(cut.status, 1);
    assert.match(cut.stderr, /ends inside block 12/);
    const text = await work.qnet("a", "import", work.file("genesis.json"));
    assert.match(text.stderr, /is no file of RLP blocks: none begins where block 1 should/);
  });

  it("skips the genesis block in front and refuses another one, status 4", async () => {
    using work = workspace();
    await using other = await openTestChain(plainGenesis(29_000_000));
    const block0 = other.chain.blockByNumber(0n);
    assert.ok(block0);
    writeFileSync(work.file("chain.rlp"), encodeBlock(block0));
    const args = ["import", "--genesis", work.file("genesis.json"), work.file("chain.rlp")];
    const { status, stderr } = await work.qnet("a", ...args);
    assert.equal(status, 4);
    assert.match(stderr, new RegExp(block0.hash));
  });

  it("stops at a block boundary when asked to, status 0", async () => {
    using work = workspace();
    const stop = AbortSignal.abort();
    const args = ["import", "--genesis", work.file("genesis.json"), work.file("chain.rlp")];
    const common = ["--datadir", work.file("a"), "--verbosity", "0"];
    const { status, stdout } = await runCommand([...args, ...common], { stop });
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).imported, 0);
  });

  it("refuses a range that is not stored, and an empty data directory", async () => {
    using work = workspace();
    await work.qnet("a", "init", work.file("genesis.json"));
    const beyond = await work.qnet("a", "export", "--last", "1", work.file("x.rlp"));
    assert.equal(beyond.status, 1);
    const empty = await work.qnet("b", "import", work.file("chain.rlp"));
    assert.equal(empty.status, 2);
    assert.match(empty.stderr, /holds no chain/);
    for (const [command, operand] of [
      ["import", "chain.rlp"],
      ["export", "x.rlp"],
    ] as const) {
      assert.equal((await work.qnet("none", command, work.file(operand))).status, 2);
      assert.ok(!existsSync(work.file("none")), "a mistyped directory is not made");
    }
  });
});

describe("qnet db", () => {
  it("finds a sound database sound and counts its entries", async () => {
    using work = workspace();
    await work.qnet("a", "import", "--genesis", work.file("genesis.json"), work.file("chain.rlp"));
    const verified = await work.qnet("a", "db", "verify");
    assert.equal(verified.status, 0, verified.stdout);
    assert.equal(verified.json.counts.blocks, 13);
    const { json } = await work.qnet("a", "db", "stats");
    const headers = json.columns.find(({ name }: { name: string }) => name === "headers");
    assert.equal(headers.entries, 13);
    assert.equal((await work.qnet("none", "db", "stats")).status, 1);
  });

  it("tells of flat state that is not the trie's, and makes it anew", async () => {
    using work = workspace();
    await work.qnet("a", "import", "--genesis", work.file("genesis.json"), work.file("chain.rlp"));
    const sound = await work.qnet("a", "db", "verify");
    assert.equal(sound.json.flat.root, sound.json.flat.rebuilt);
    assert.ok(sound.json.flat.accounts > 0);
    {
      await using database = await openDatabase({ path: chainFolder(work.file("a")) });
      for await (const [key] of database.iterate(columns.flatAccounts, { limit: 1 }))
        await database.batch([del(columns.flatAccounts, key)]);
    }
    const wrong = await work.qnet("a", "db", "verify");
    assert.equal(wrong.status, 5);
    assert.notEqual(wrong.json.flat.root, wrong.json.flat.rebuilt);
    assert.match(JSON.stringify(wrong.json.problems), /is missing, the trie has it/);
    const repaired = await work.qnet("a", "db", "repair");
    assert.equal(repaired.status, 0, repaired.stdout);
    assert.deepEqual(repaired.json.flat, sound.json.flat);
  });
});
