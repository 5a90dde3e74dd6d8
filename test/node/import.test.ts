import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChainError } from "../../src/chain/chainError.ts";
import type { NodeOptions } from "../../src/node/config.ts";
import { QNode } from "../../src/node/node.ts";
import { SetupError } from "../../src/node/setupError.ts";
import { ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { plainGenesis, readFixtureChain } from "../support/chains.ts";

const HEAD = "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7";
const MAX_STOP_MS = 2_000;

function optionsOf(path: string | undefined, genesis: NodeOptions["genesis"]): NodeOptions {
  return { genesis, databasePath: path, clientVersion: "qnet/test", log: silentLogger };
}

describe("a node with the public chain on disk", () => {
  let folder = "";
  const { genesis, blocks } = readFixtureChain();
  const path = () => join(folder, "chain");
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "qnet-import-"));
    await using node = await QNode.start(optionsOf(path(), genesis));
    for (const block of blocks.filter(({ header }) => header.number > 0n))
      assert.equal((await node.chain.importBlock(block)).status, "imported");
    const { hash } = node.chain.head;
    await node.chain.setForkchoice({ safe: hash, finalized: hash });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("opens again with the published head, safe and finalized", async () => {
    await using node = await QNode.start(optionsOf(path(), genesis));
    const { chain } = node;
    assert.deepEqual([chain.head.hash, chain.safe.hash, chain.finalized.hash], [HEAD, HEAD, HEAD]);
    for (const block of blocks) {
      const stored = chain.blockByNumber(block.header.number);
      assert.equal(stored?.hash, block.hash);
      assert.equal(chain.receipts(block.hash)?.length, block.transactions.length);
      assert.equal(chain.stateAt(block.hash).root(), block.header.stateRoot);
    }
    assert.match(await node.metrics.text(), /qnet_chain_head_number 54/);
  });

  it("takes the genesis of its directory when it may choose", async () => {
    const seen: unknown[] = [];
    await using node = await QNode.start(
      optionsOf(path(), (stored) => {
        seen.push(stored?.config.chainId);
        return stored ?? plainGenesis();
      }),
    );
    assert.deepEqual(seen, [3_503_995_874_084_926n]);
    assert.equal(node.chain.head.hash, HEAD);
  });

  it("refuses another genesis with both hashes and the path, and lets go of the directory", async () => {
    await assert.rejects(QNode.start(optionsOf(path(), plainGenesis())), (error) => {
      assert.ok(error instanceof ChainError && error.reason.code === "GENESIS_MISMATCH");
      assert.equal(error.reason.path, path());
      assert.ok(error.message.includes(error.reason.stored));
      assert.ok(error.message.includes(error.reason.given));
      assert.match(error.message, /--datadir/);
      return true;
    });
    await using node = await QNode.start(optionsOf(path(), genesis));
    assert.equal(node.chain.head.hash, HEAD);
  });

  it("makes no blocks without `dev: true`", async () => {
    const producer = {
      mode: "instant",
      blockTimeMs: 0,
      emptyBlocks: false,
      miner: ZERO_ADDRESS,
      keys: [],
    } as const;
    const options = { ...optionsOf(undefined, plainGenesis()), producer };
    await assert.rejects(QNode.start(options), (error) => error instanceof SetupError);
  });

  it("stops in time while blocks wait for import", async () => {
    const node = await QNode.start(optionsOf(undefined, genesis));
    const imports = blocks.slice(1, 30).map((block) => node.chain.importBlock(block));
    const settled = Promise.allSettled(imports);
    const startMs = performance.now();
    await node.stop();
    assert.ok(performance.now() - startMs < MAX_STOP_MS);
    const last = (await settled).at(-1);
    assert.equal(last?.status, "rejected");
  });
});
