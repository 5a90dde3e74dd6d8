import assert from "node:assert/strict";
import { signMlDsa } from "../../../src/crypto/pqKeys.ts";
import type { Bytes } from "../../../src/primitives/bytes.ts";
import { MAX_TRANSACTION_BYTES } from "../../../src/txpool/admit.ts";
import type { PoolOptions } from "../../../src/txpool/poolOptions.ts";
import { rememberSender } from "../../../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../../../src/types/transaction.ts";
import {
  decodeTransaction,
  encodeTransaction,
  signingDigest,
} from "../../../src/types/transactionCodec.ts";
import { codeOfRejection } from "../../support/errors.ts";
import {
  PQ_SEEDS,
  pqAccount,
  pqRules,
  signPq,
  TRANSACTION_CONTEXT,
} from "../../support/pqTransactions.ts";
import { blockOf, include, type TestPool, testPool } from "../../support/testPool.ts";

const account = pqAccount(PQ_SEEDS[0]);
const other = pqAccount(PQ_SEEDS[1]);

/** A pool of a chain with type 0x51, and how many signatures it had verified. */
function pqPool(options: Partial<PoolOptions> = {}): TestPool & { verified(): number } {
  const test = testPool(options);
  test.head.rules = pqRules();
  let verified = 0;
  const { recovery } = test;
  const recover = recovery.recover.bind(recovery);
  recovery.recover = (transaction) => {
    verified++;
    return recover(transaction);
  };
  return { ...test, verified: () => verified };
}

function rawOf(fields: Partial<TransactionFields> = {}): Bytes {
  return signPq(account, fields).raw;
}

/** The same payload with another good signature, made with randomness. */
function signedAnew(transaction: Transaction): Transaction {
  const digest = signingDigest(transaction);
  const signature = signMlDsa("ML-DSA-44", PQ_SEEDS[0], digest, TRANSACTION_CONTEXT);
  return encodeTransaction(transaction, signature);
}

/** The transaction with its signature damaged. */
function broken(raw: Bytes): Bytes {
  const copy = Uint8Array.from(raw);
  copy[copy.length - 1_000] = (copy[copy.length - 1_000] ?? 0) ^ 1;
  return copy;
}

describe("TxPool with transactions of type 0x51", () => {
  it("takes them, counts their bytes, and finds them by their derived sender", async () => {
    const { pool, verified } = pqPool();
    const { hash } = await pool.add(rawOf(), "local");
    await pool.add(rawOf({ nonce: 1n }), "peer");
    assert.equal(pool.get(hash)?.type, 0x51);
    assert.equal(pool.nonce(account.address), 2n);
    assert.equal(verified(), 2);
    const { bytes } = pool.stats();
    assert.ok(bytes > 7_500 && bytes < 7_700);
  });

  it("refuses for size, form, type, algorithm, gas, fees, nonce and funds before it looks at the signature", async () => {
    const { pool, head, verified } = pqPool();
    const refused = async (raw: Bytes, code: string) =>
      assert.equal(await codeOfRejection(pool.add(broken(raw), "local")), code);
    const oversized = new Uint8Array(MAX_TRANSACTION_BYTES + 1_001).fill(0x51);
    await refused(oversized, "OVERSIZED");
    await refused(rawOf().subarray(0, -1), "BAD_RLP");
    await refused(rawOf({ chainId: 1n }), "WRONG_CHAIN_ID");
    await refused(rawOf({ gasLimit: 84_211n }), "INTRINSIC_GAS");
    await refused(rawOf({ maxPriorityFeePerGas: 4_000_000_000n }), "TIP_ABOVE_MAX_FEE");
    head.nonces.set(account.address, 3n);
    await refused(rawOf({ nonce: 2n }), "NONCE_TOO_LOW");
    head.balances.set(account.address, 1n);
    await refused(rawOf({ nonce: 3n }), "INSUFFICIENT_FUNDS");
    head.rules = pqRules({ verifyGas: { "ML-DSA-65": 9_000 } });
    await refused(rawOf(), "ALGORITHM_NOT_ENABLED");
    head.rules = testPool().head.rules;
    await refused(rawOf({ nonce: 3n }), "TYPE_NOT_SUPPORTED");
    assert.equal(verified(), 0);
  });

  it("refuses a bad signature, and remembers why", async () => {
    const { pool, verified } = pqPool();
    const raw = broken(rawOf());
    assert.equal(await codeOfRejection(pool.add(raw, "peer")), "INVALID_SENDER");
    assert.equal(verified(), 1);
    const status = pool.status(decodeTransaction(raw).hash);
    assert.equal(status?.state, "refused");
    assert.deepEqual(pool.stats(), { pending: 0, queued: 0, bytes: 0 });
  });

  it("knows a transaction by sender and nonce: the same payload signed anew is a replacement that pays too little", async () => {
    const { pool, verified } = pqPool();
    const first = await pool.add(rawOf(), "local");
    const twin = signedAnew(first);
    assert.notEqual(twin.hash, first.hash);
    assert.equal(await codeOfRejection(pool.add(twin.raw, "peer")), "REPLACEMENT_UNDERPRICED");
    assert.equal(verified(), 1, "no signature was verified for that");
    assert.equal(await codeOfRejection(pool.add(first.raw, "peer")), "ALREADY_KNOWN");
    const tenMore = { maxFeePerGas: 3_300_000_000n, maxPriorityFeePerGas: 1_100_000_000n };
    const onlyOne = { maxFeePerGas: 3_300_000_000n };
    assert.equal(
      await codeOfRejection(pool.add(rawOf(onlyOne), "peer")),
      "REPLACEMENT_UNDERPRICED",
    );
    const better = await pool.add(rawOf(tenMore), "peer");
    assert.equal(pool.get(first.hash), undefined);
    assert.equal(pool.get(better.hash)?.hash, better.hash);
    assert.equal(pool.stats().pending, 1);
  });

  it("takes one of two signatures of a payload that come together", async () => {
    const { pool } = pqPool();
    const first = signPq(account);
    const both = [first, signedAnew(first)].map(({ raw }) => pool.add(raw, "peer"));
    const outcomes = await Promise.allSettled(both);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.equal(pool.stats().pending, 1);
  });

  it("keeps within its bytes: the senders that pay least leave", async () => {
    const { pool } = pqPool({ maxBytes: 8_000, accountSlots: 0 });
    await pool.add(rawOf(), "peer");
    await pool.add(rawOf({ nonce: 1n }), "peer");
    const rich = { maxFeePerGas: 9_000_000_000n, maxPriorityFeePerGas: 9_000_000_000n };
    await pool.add(signPq(other, rich).raw, "peer");
    assert.ok(pool.stats().bytes <= 8_000);
    assert.equal(pool.nonce(other.address), 1n);
    assert.equal(pool.nonce(account.address), 1n);
  });

  it("verifies nothing again when blocks are undone, and none that an impersonation names", async () => {
    const test = pqPool();
    const { pool, head, verified } = test;
    const sent = await pool.add(rawOf(), "peer");
    const block = include(test, 1n, [sent], () => account.address);
    assert.equal(pool.stats().pending, 0);
    head.nonces.set(account.address, 0n);
    head.included.clear();
    pool.onHead({ added: [blockOf(1n, [])], removed: [block] });
    assert.equal(pool.get(sent.hash)?.hash, sent.hash);
    assert.equal(verified(), 1);
    const adopted = decodeTransaction(signPq(other).raw);
    rememberSender(adopted, other.address);
    await pool.addTransaction(adopted, "peer");
    assert.equal(verified(), 1);
  });
});
