import assert from "node:assert/strict";
import { QNode } from "../../src/node/node.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import {
  buildTestBlock,
  mineTestBlock,
  plainGenesis,
  TEST_ADDRESSES,
  testTransaction,
} from "../support/chains.ts";

function startNode(): Promise<QNode> {
  return QNode.start({
    genesis: plainGenesis(),
    clientVersion: "qnet/test",
    log: silentLogger,
    recoveryThreads: 0,
  });
}

describe("a node whose chain reorganises", () => {
  it("gives the transactions of undone blocks back to the pool and takes them in again", async () => {
    await using node = await startNode();
    const { chain, pool } = node;
    const genesis = chain.head;
    const kept = testTransaction(chain, 0, 0);
    const undone = testTransaction(chain, 1, 0);
    for (const transaction of [kept, undone]) await pool.add(transaction.raw, "local");
    await mineTestBlock(chain, [kept]);
    await mineTestBlock(chain, [undone]);
    assert.deepEqual(pool.stats(), { pending: 0, queued: 0, bytes: 0 });
    const draft = { parent: genesis, timestamp: genesis.header.timestamp + 7n };
    const side = await buildTestBlock(chain, [kept], draft);
    await chain.importBlock(side.block, side);
    assert.equal(pool.get(kept.hash), undefined, "it is in the other chain as well");
    assert.equal(pool.get(undone.hash)?.hash, undone.hash);
    assert.equal(pool.status(undone.hash)?.state, "pending");
    const sender = TEST_ADDRESSES[1];
    assert.ok(sender);
    assert.equal(pool.nonce(sender), 1n);
    const last = await mineTestBlock(chain, [undone]);
    assert.equal(pool.get(undone.hash), undefined);
    assert.equal(chain.transaction(undone.hash)?.block.hash, last.hash);
  });

  it("comes to the same state by either side, as a node that saw one side only", async () => {
    await using node = await startNode();
    await using other = await startNode();
    const genesis = node.chain.head;
    const longer: Hash[] = [];
    for (let nonce = 0; nonce < 6; nonce++) {
      const block = await mineTestBlock(node.chain, [testTransaction(node.chain, 0, nonce)]);
      longer.push(block.hash);
    }
    const draft = { parent: genesis, timestamp: genesis.header.timestamp + 7n };
    const side = await buildTestBlock(node.chain, [testTransaction(node.chain, 0, 0)], draft);
    await node.chain.importBlock(side.block, side);
    await other.chain.importBlock(side.block);
    const next = await mineTestBlock(other.chain, [testTransaction(other.chain, 0, 1)]);
    await node.chain.importBlock(next);
    assert.equal(node.chain.head.hash, other.chain.head.hash);
    for (let number = 3n; number <= 6n; number++)
      assert.equal(node.chain.canonicalHash(number), undefined);
    const back = longer[5];
    assert.ok(back);
    await node.chain.setForkchoice({ head: back });
    for (const [index, hash] of longer.entries())
      assert.equal(node.chain.canonicalHash(BigInt(index + 1)), hash);
    const sender = TEST_ADDRESSES[0];
    assert.ok(sender);
    assert.equal(node.chain.stateAt(back).account(sender)?.nonce, 6n);
  });
});
