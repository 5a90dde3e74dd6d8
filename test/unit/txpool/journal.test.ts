import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressOf } from "../../../src/crypto/secp256k1.ts";
import { bigIntToHash, bytesToHex } from "../../../src/primitives/hex.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { Journal } from "../../../src/txpool/journal.ts";
import { senderOf } from "../../../src/types/sender.ts";
import { signTransaction } from "../../../src/types/transactionCodec.ts";
import { include, testPool, transactionOf } from "../../support/testPool.ts";

const KEY = new Uint8Array(32).fill(5);

describe("Journal", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "qnet-journal-"));
    path = join(folder, "transactions.journal");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = () => new Journal({ log: silentLogger }, { path });
  const signed = (nonce: bigint) => signTransaction(transactionOf({ nonce }), KEY);

  it("brings local transactions back after a restart, and only those that still wait", async () => {
    const first = testPool({}, open());
    await first.pool.start();
    const transactions = [0n, 1n, 2n].map(signed);
    for (const { raw } of transactions) await first.pool.add(raw, "local");
    await first.pool.add(signed(3n).raw, "peer");
    const [mined, ...waiting] = transactions;
    assert.ok(mined);
    include(first, 1n, [mined], senderOf);
    await first.pool.stop();

    const second = testPool({}, open());
    second.head.nonces.set(addressOf(KEY), 1n);
    await second.pool.start();
    assert.deepEqual(second.pool.stats().pending, 2);
    for (const { hash } of waiting) assert.ok(second.pool.get(hash));
    assert.equal(second.pool.get(mined.hash), undefined);
    await second.pool.stop();
  });

  it("keeps all of a file that is more than half of what it may be over a restart", async () => {
    const large = () => new Journal({ log: silentLogger }, { path, maxBytes: 4_000_000 });
    const raws = Array.from({ length: 30 }, (_, i) => new Uint8Array(100_000).fill(i));
    const keepAll = (journal: Journal, all: readonly Uint8Array[]) => {
      for (const [i, raw] of all.entries()) journal.keep(bigIntToHash(BigInt(i)), raw);
    };
    const first = large();
    keepAll(first, raws);
    await first.close();
    const second = large();
    const loaded = await second.load();
    assert.equal(loaded.length, raws.length);
    keepAll(second, loaded);
    second.rotate();
    await second.close();
    assert.equal((await large().load()).length, raws.length);
  });

  it("reads up to a damaged record and writes a whole file again", async () => {
    const { pool } = testPool({}, open());
    await pool.start();
    for (const nonce of [0n, 1n]) await pool.add(signed(nonce).raw, "local");
    await pool.stop();
    await truncate(path, (await stat(path)).size - 3);
    await appendFile(path, Buffer.from("rubbish"));
    const again = testPool({}, open());
    await again.pool.start();
    assert.equal(again.pool.stats().pending, 1);
    await again.pool.stop();
    const whole = await open().load();
    assert.deepEqual(
      whole.map((raw) => Buffer.from(raw)),
      [Buffer.from(signed(0n).raw)],
    );
  });

  it("keeps what was signed for an unlocked account", async () => {
    const { pool } = testPool({}, open());
    await pool.start();
    await pool.addTransaction(signed(0n), "local");
    await pool.addTransaction(signed(1n), "peer");
    await pool.stop();
    const kept = await open().load();
    assert.deepEqual(kept.map(bytesToHex), [bytesToHex(signed(0n).raw)]);
  });

  it("keeps nothing of impersonated accounts", async () => {
    const { pool } = testPool({}, open());
    await pool.start();
    await pool.addTransaction(transactionOf(), "local");
    await pool.stop();
    assert.equal((await readFile(path)).length, 0);
  });
});
