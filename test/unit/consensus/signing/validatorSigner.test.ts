import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ProtectionLog } from "../../../../src/consensus/signing/protectionLog.ts";
import { SigningError } from "../../../../src/consensus/signing/signingError.ts";
import { bodyOf, type ValidatorMessage } from "../../../../src/consensus/signing/signingRules.ts";
import {
  type SigningKey,
  ValidatorSigner,
} from "../../../../src/consensus/signing/validatorSigner.ts";
import { MlDsaKey } from "../../../../src/crypto/mlDsaKey.ts";
import { pqVerifier } from "../../../../src/crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../../../../src/primitives/bytes.ts";
import { bigIntToHash } from "../../../../src/primitives/hex.ts";
import { type Database, openDatabase } from "../../../../src/storage/database.ts";
import { StorageError } from "../../../../src/storage/storageError.ts";
import { consensusMessage } from "../../../../src/types/consensusMessage.ts";
import {
  ack,
  CrashingStore,
  identityOf,
  isSlashablePair,
  RecordingKey,
  seal,
  vote,
} from "../../../support/signing.ts";

const key = new MlDsaKey(new Uint8Array(32).fill(7));
const identity = identityOf(key);

async function signerOver(database: Database, signing: SigningKey = key): Promise<ValidatorSigner> {
  return new ValidatorSigner({ key: signing, log: await ProtectionLog.open(database, identity) });
}

async function freshSigner(): Promise<ValidatorSigner> {
  return signerOver(await openDatabase());
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SigningError, `a SigningError, got ${String(error)}`);
  return error.reason.code;
}

describe("ValidatorSigner", () => {
  before(() => pqVerifier.prepare("ML-DSA-44"));

  it("makes signatures that the precompile's verifier accepts", async () => {
    const signer = await freshSigner();
    for (const message of [seal(5, 0), vote(0, 1), ack(1)]) {
      const signature = await signer.sign(message);
      const { kind, body } = bodyOf(message);
      const bytes = consensusMessage(identity, kind, body);
      assert.ok(pqVerifier.verify("ML-DSA-44", key.publicKey, bytes, signature, EMPTY_BYTES));
    }
  });

  it("returns the stored signature for an identical request, although signatures are hedged", async () => {
    const signer = await freshSigner();
    const first = await signer.sign(vote(0, 1));
    assert.deepEqual(await signer.sign(vote(0, 1)), first);
  });

  it("gives the same secret at every start, another for another fork or epoch", async () => {
    const [one, other] = [await freshSigner(), await freshSigner()];
    const [a, b] = [bigIntToHash(1n), bigIntToHash(2n)];
    assert.equal(one.commitSecret(3, a), other.commitSecret(3, a));
    assert.notEqual(one.commitSecret(3, a), one.commitSecret(3, b));
    assert.notEqual(one.commitSecret(3, a), one.commitSecret(4, a));
  });

  const refused: readonly [string, readonly ValidatorMessage[], ValidatorMessage, string][] = [
    ["a second block of one place (S4)", [seal(5, 1)], seal(5, 1, 2), "SEAL_NOT_NEWER"],
    ["a block of an older slot", [seal(5, 0)], seal(4, 3), "SEAL_NOT_NEWER"],
    ["a second vote for one target (S1)", [vote(0, 1)], vote(0, 1, 2), "VOTE_NOT_NEWER"],
    ["a vote around another (S3)", [vote(2, 3)], vote(1, 4), "VOTE_SURROUNDS"],
    ["a vote across an ack (S2)", [ack(2)], vote(1, 3), "VOTE_CROSSES_ACK"],
    ["an ack below a vote that crosses it (S2)", [vote(1, 5)], ack(3), "ACK_CROSSED"],
    ["a second ack of one epoch (S1')", [ack(2)], ack(2, 2), "ACK_NOT_NEWER"],
    ["a vote from its target", [], vote(3, 3), "VOTE_BACKWARDS"],
  ];
  for (const [what, before_, request, code] of refused)
    it(`refuses ${what}`, async () => {
      const signer = await freshSigner();
      for (const message of before_) await signer.sign(message);
      assert.equal(await codeOf(signer.sign(request)), code);
    });

  it("signs an ack between votes none of which crosses it", async () => {
    const signer = await freshSigner();
    for (const message of [vote(0, 1), vote(1, 2), vote(2, 3)]) await signer.sign(message);
    assert.equal((await signer.sign(ack(2))).length, 2420);
  });

  it("refuses after a restart what it refused before it, on disk", async () => {
    const path = mkdtempSync(join(tmpdir(), "qnet-signer-"));
    try {
      const first = await signerOver(await openDatabase({ path }));
      assert.equal(first.isNew, true);
      const signature = await first.sign(vote(0, 1));
      await first.close();
      const second = await signerOver(await openDatabase({ path }));
      assert.equal(second.isNew, false);
      assert.deepEqual(await second.sign(vote(0, 1)), signature);
      assert.equal(await codeOf(second.sign(vote(0, 1, 2))), "VOTE_NOT_NEWER");
      await assert.rejects(openDatabase({ path }), (error: unknown) => {
        assert.ok(error instanceof StorageError);
        return error.reason.code === "LOCKED";
      });
      await second.close();
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  });

  it("refuses the records of another key", async () => {
    const database = await openDatabase();
    await ProtectionLog.open(database, identity);
    const other = new MlDsaKey(new Uint8Array(32).fill(8));
    assert.equal(await codeOf(ProtectionLog.open(database, identityOf(other))), "WRONG_RECORDS");
    const log = await ProtectionLog.open(database, identity);
    assert.throws(() => new ValidatorSigner({ key: other, log }), SigningError);
  });
});

describe("ValidatorSigner.noteSeen", () => {
  it("knows its own messages, and those that were pruned do not alarm it", async () => {
    const signer = await signerOver(await openDatabase(), new RecordingKey(key));
    for (let slot = 0; slot < 300; slot++) await signer.sign(seal(slot, 0));
    assert.equal(await signer.noteSeen(seal(299, 0)), true);
    assert.equal(await signer.noteSeen(seal(3, 0)), true);
    assert.equal((await signer.sign(seal(300, 0))).length, 2420);
  });

  const foreign: readonly [string, readonly ValidatorMessage[], ValidatorMessage][] = [
    ["a message beyond the records: they are an older copy", [vote(0, 1)], vote(1, 2)],
    ["a message beside the records: a twin signs", [seal(1, 0), seal(9, 0)], seal(5, 0)],
    ["another message in a recorded place", [ack(1)], ack(1, 2)],
    ["any message, without records", [], vote(0, 1)],
  ];
  for (const [what, own, seen] of foreign)
    it(`stops for good at ${what}`, async () => {
      const database = await openDatabase();
      const signer = await signerOver(database);
      for (const message of own) await signer.sign(message);
      assert.equal(await signer.noteSeen(seen), false);
      assert.equal(await codeOf(signer.sign(seal(1_000, 0))), "FOREIGN_MESSAGE");
      const restarted = await signerOver(database);
      assert.equal(await codeOf(restarted.sign(seal(1_000, 0))), "FOREIGN_MESSAGE");
    });

  it("goes on above a floor on the operator's word", async () => {
    const signer = await freshSigner();
    await signer.noteSeen(vote(0, 7));
    const floor = { slot: 99, seq: 255, target: 9, source: 8, ack: 8, completeAbove: 9 };
    await signer.adopt(floor);
    assert.equal(await codeOf(signer.sign(seal(99, 255))), "SEAL_NOT_NEWER");
    assert.equal(await codeOf(signer.sign(vote(8, 9))), "VOTE_NOT_NEWER");
    assert.equal((await signer.sign(vote(9, 10))).length, 2420);
    assert.equal((await signer.sign(ack(9))).length, 2420);
  });
});

describe("ValidatorSigner under crashes", () => {
  const requests = fc.array(
    fc.oneof(
      fc.tuple(fc.nat(6), fc.nat(2), fc.nat(2)).map(([slot, seq, fork]) => seal(slot, seq, fork)),
      fc.tuple(fc.nat(6), fc.nat(6), fc.nat(2)).map(([src, tgt, fork]) => vote(src, tgt, fork)),
      fc.tuple(fc.nat(6), fc.nat(2)).map(([epoch, fork]) => ack(epoch, fork)),
    ),
    { minLength: 5, maxLength: 40 },
  );
  const crashes = fc.array(fc.record({ after: fc.nat(9), applied: fc.boolean() }), {
    maxLength: 6,
  });

  it("never makes a slashable pair, whatever the order and wherever it dies (property)", async () => {
    await fc.assert(
      fc.asyncProperty(requests, crashes, async (messages, plan) => {
        const recording = new RecordingKey(key);
        const database = await openDatabase();
        const store = new CrashingStore(database, plan);
        let signer = await restart(store, recording);
        for (const message of messages) {
          await signer.sign(message).catch(async (error: unknown) => {
            if (error instanceof SigningError) return;
            signer = await restart(store, recording);
          });
        }
        const made = recording.signed(messages, identity);
        for (const [index, a] of made.entries())
          for (const b of made.slice(index + 1))
            assert.ok(!isSlashablePair(a, b), JSON.stringify([a, b]));
      }),
      { numRuns: 400 },
    );
  });

  it("would make one if the intent were written after signing (the property can fail)", async () => {
    const recording = new RecordingKey(key);
    const store = new CrashingStore(await openDatabase(), []);
    const signer = await restart(store, recording);
    // a store that loses the intent without saying so is what a missing fsync is
    store.loseSilently();
    await signer.sign(vote(0, 1));
    const again = await restart(store, recording);
    await again.sign(vote(0, 1, 2));
    const [a, b] = recording.signed([vote(0, 1), vote(0, 1, 2)], identity);
    assert.ok(a !== undefined && b !== undefined && isSlashablePair(a, b));
  });

  async function restart(store: CrashingStore, recording: RecordingKey): Promise<ValidatorSigner> {
    for (;;) {
      store.crash();
      try {
        return new ValidatorSigner({
          key: recording,
          log: await ProtectionLog.open(store, identity),
        });
      } catch (error) {
        if (!(error instanceof Error && error.message === "crash")) throw error;
      }
    }
  }
});
