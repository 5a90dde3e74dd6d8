import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlockError } from "../../src/chain/blockError.ts";
import type { NodeOptions } from "../../src/node/config.ts";
import { QNode } from "../../src/node/node.ts";
import type { Address } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { type Block, decodeBlock, encodeBlock, makeBlock } from "../../src/types/block.ts";
import { decodeReceipt, encodeReceipt } from "../../src/types/receipt.ts";
import { knownSender, rememberSender } from "../../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../../src/types/transaction.ts";
import { decodeTransaction } from "../../src/types/transactionCodec.ts";
import { buildTestBlock, mineTestBlock, plainGenesis, testTransaction } from "../support/chains.ts";
import { codeOfRejection } from "../support/errors.ts";
import {
  PQ_SEEDS,
  pqAccount,
  pqGenesis,
  signPq,
  signWith,
  slhDsaKey,
} from "../support/pqTransactions.ts";

const first = pqAccount(PQ_SEEDS[0]);
const accounts = [first, pqAccount(PQ_SEEDS[1], "ML-DSA-65"), pqAccount(PQ_SEEDS[1], "ML-DSA-87")];
const slhKey = await slhDsaKey();
const slhSigned = await signWith(slhKey, { maxFeePerGas: 10_000_000_000n, gasLimit: 200_000n });
const funded: readonly Address[] = [...accounts, slhKey].map(({ address }) => address);
const FEES = { maxFeePerGas: 10_000_000_000n, gasLimit: 200_000n };

function start(options: Partial<NodeOptions> = {}): Promise<QNode> {
  return QNode.start({
    genesis: pqGenesis({}, funded),
    clientVersion: "qnet/test",
    log: silentLogger,
    recoveryThreads: 0,
    ...options,
  });
}

/** The transaction as others read it from bytes: who sent it is not known. */
function received(account = first, fields: Partial<TransactionFields> = {}): Transaction {
  return decodeTransaction(signPq(account, { ...FEES, ...fields }).raw);
}

/** The block as it comes from elsewhere. */
function foreign(block: Block): Block {
  return decodeBlock(encodeBlock(block));
}

/** A block with `transactions`, whoever they are from: their senders are taken at their word. */
async function blockOn(node: QNode, transactions: readonly Transaction[]): Promise<Block> {
  for (const transaction of transactions) rememberSender(transaction, first.address);
  return (await buildTestBlock(node.chain, transactions)).block;
}

async function refusal(node: QNode, block: Block) {
  const { hash } = node.chain.head;
  try {
    await node.chain.importBlock(foreign(block));
  } catch (error) {
    assert.ok(error instanceof BlockError, String(error));
    assert.equal(node.chain.head.hash, hash);
    assert.equal(node.chain.block(block.hash), undefined);
    return error.reason;
  }
  return assert.fail("the block was taken");
}

describe("blocks with transactions of type 0x51", () => {
  for (const recoveryThreads of [0, 2])
    it(`go from pool to chain, and into another node, with ${recoveryThreads} threads`, async () => {
      await using node = await start({ recoveryThreads });
      const sent = [...accounts.map((account) => received(account)), slhSigned];
      for (const { raw } of sent) await node.pool.add(raw, "peer");
      const mixed = [...node.pool.select(), { transaction: testTransaction(node.chain, 0, 0) }];
      const block = await mineTestBlock(
        node.chain,
        mixed.map(({ transaction }) => transaction),
      );
      assert.equal(block.transactions.length, 5);
      assert.deepEqual(node.pool.stats(), { pending: 0, queued: 0, bytes: 0 });
      const receipts = node.chain.receipts(block.hash) ?? [];
      for (const receipt of receipts) {
        assert.equal(receipt.outcome, 1);
        assert.deepEqual(decodeReceipt(encodeReceipt(receipt)), receipt);
      }
      assert.equal(receipts.filter(({ type }) => type === 0x51).length, 4);
      await using other = await start({ recoveryThreads });
      const { isHead } = await other.chain.importBlock(foreign(block));
      assert.equal(isHead, true);
      for (const [index, { hash }] of sent.entries()) {
        const found = other.chain.transaction(hash);
        const stored = found?.block.transactions[found.index];
        assert.ok(stored);
        assert.equal(knownSender(stored), funded[index]);
      }
    });

  it("are refused for a bad signature, a foreign key or another algorithm, and nothing is written", async () => {
    await using node = await start();
    const raw = Uint8Array.from(received().raw);
    raw[raw.length - 1_000] = (raw[raw.length - 1_000] ?? 0) ^ 1;
    const bad = await blockOn(node, [decodeTransaction(raw)]);
    const reason = await refusal(node, bad);
    assert.equal(reason.code, "INVALID_TRANSACTION");
    assert.equal(reason.field, "transactions[0]");
    assert.equal(reason.expected, "a valid signature");
    await using strict = await start({
      genesis: pqGenesis({ verifyGas: { "ML-DSA-65": 9_000 } }, funded),
    });
    const disabled = await blockOn(node, [received()]);
    const { header } = disabled;
    const moved = makeBlock({ ...header, parentHash: strict.chain.genesisHash }, disabled);
    const { code, got } = await refusal(strict, moved);
    assert.equal(code, "INVALID_TRANSACTION");
    assert.match(String(got), /ALGORITHM_NOT_ENABLED/);
  });

  it("are unknown to a plain Ethereum chain, and before their time", async () => {
    await using node = await start();
    const block = await blockOn(node, [received()]);
    for (const genesis of [plainGenesis(), pqGenesis({ time: 10_000_000_000 }, funded)]) {
      await using plain = await start({ genesis });
      const { hash } = plain.chain.head;
      const moved = makeBlock({ ...block.header, parentHash: hash }, block);
      const { code, got } = await refusal(plain, moved);
      assert.equal(code, "INVALID_TRANSACTION");
      assert.match(String(got), /TYPE_NOT_SUPPORTED/);
      const adding = plain.pool.add(received().raw, "peer");
      assert.equal(await codeOfRejection(adding), "TYPE_NOT_SUPPORTED");
    }
  });

  it("take senders from the pool: no signature is verified twice", async () => {
    await using node = await start();
    await using other = await start();
    const { raw, hash } = received();
    await node.pool.add(raw, "peer");
    await other.pool.add(raw, "peer");
    const pooled = node.pool.get(hash);
    assert.ok(pooled);
    const { block } = await buildTestBlock(node.chain, [pooled]);
    const { verify } = other.verifier;
    let calls = 0;
    other.verifier.verify = (...args) => {
      calls++;
      return verify.apply(other.verifier, args);
    };
    try {
      const copy = foreign(block);
      assert.equal((await other.chain.importBlock(copy)).isHead, true);
      assert.equal(calls, 0);
    } finally {
      other.verifier.verify = verify;
    }
  });

  it("give their transactions back when they are undone", async () => {
    await using node = await start();
    const { chain, pool } = node;
    const genesis = chain.head;
    const undone = await pool.add(received().raw, "peer");
    await mineTestBlock(chain, [undone]);
    assert.equal(pool.stats().pending, 0);
    const draft = { parent: genesis, timestamp: genesis.header.timestamp + 7n };
    const side = await buildTestBlock(chain, [testTransaction(chain, 0, 0)], draft);
    await chain.importBlock(side.block, side);
    assert.equal(pool.status(undone.hash)?.state, "pending");
    assert.equal(pool.nonce(first.address), 1n);
  });
});

describe("a node with transactions of type 0x51 on disk", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "qnet-pq-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("has them, their senders and those that still wait after a restart", async () => {
    const options = {
      databasePath: join(folder, "chain"),
      journalPath: join(folder, "transactions"),
    };
    const mined = received();
    const waiting = received(first, { nonce: 1n });
    {
      await using node = await start(options);
      const pooled = await node.pool.add(mined.raw, "local");
      await node.pool.add(waiting.raw, "local");
      await mineTestBlock(node.chain, [pooled]);
    }
    await using node = await start(options);
    const found = node.chain.transaction(mined.hash);
    const stored = found?.block.transactions[found.index];
    assert.deepEqual(stored?.raw, mined.raw);
    assert.equal(stored && knownSender(stored), first.address);
    assert.equal(node.pool.get(waiting.hash)?.hash, waiting.hash);
    assert.equal(node.pool.nonce(first.address), 2n);
  });
});
