import assert from "node:assert/strict";
import fc from "fast-check";
import {
  exportProtection,
  importProtection,
} from "../../../../src/consensus/signing/interchange.ts";
import { ProtectionLog } from "../../../../src/consensus/signing/protectionLog.ts";
import { SigningError } from "../../../../src/consensus/signing/signingError.ts";
import type { ValidatorMessage } from "../../../../src/consensus/signing/signingRules.ts";
import {
  type SigningKey,
  ValidatorSigner,
} from "../../../../src/consensus/signing/validatorSigner.ts";
import { MlDsaKey } from "../../../../src/crypto/mlDsaKey.ts";
import type { Bytes } from "../../../../src/primitives/bytes.ts";
import { columns, del, put } from "../../../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../../../src/storage/database.ts";
import {
  ack,
  identityOf,
  isSlashablePair,
  RecordingKey,
  seal,
  vote,
} from "../../../support/signing.ts";

const key = new MlDsaKey(new Uint8Array(32).fill(7));
const identity = identityOf(key);

/** A key whose process may end between the record of an intent and the signature. */
class DyingKey extends RecordingKey implements SigningKey {
  dies = false;

  override sign(message: Bytes): Promise<Bytes> {
    return this.dies ? Promise.reject(new Error("power failed")) : super.sign(message);
  }
}

/** One machine with the key. */
interface Machine {
  readonly key: DyingKey;
  readonly log: ProtectionLog;
  readonly signer: ValidatorSigner;
}

async function machineOver(database: Database): Promise<Machine> {
  const dying = new DyingKey(key);
  const log = await ProtectionLog.open(database, identity);
  return { key: dying, log, signer: new ValidatorSigner({ key: dying, log }) };
}

async function machine(): Promise<Machine> {
  return machineOver(await openDatabase());
}

/** Writes the intent down and ends before the signature. */
async function intend({ key: dying, signer }: Machine, message: ValidatorMessage): Promise<void> {
  dying.dies = true;
  await signer.sign(message).catch(() => undefined);
  dying.dies = false;
}

async function move(from: Machine, to: Machine): Promise<void> {
  await importProtection(to.log, await exportProtection(from.log));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SigningError, `a SigningError, got ${String(error)}`);
  return error.reason.code;
}

describe("ValidatorSigner between machines", () => {
  it("signs an intent of its own after the crash", async () => {
    for (const message of [seal(5, 1), vote(2, 3), ack(3)]) {
      const one = await machine();
      await intend(one, message);
      assert.equal((await one.signer.sign(message)).length, 2420);
    }
  });

  const overtaken: readonly [string, ValidatorMessage, ValidatorMessage, string][] = [
    ["another block in its place (S4)", seal(5, 1), seal(5, 1, 2), "SEAL_NOT_NEWER"],
    ["another vote for its target (S1)", vote(2, 3), vote(2, 3, 2), "VOTE_NOT_NEWER"],
    ["a vote inside it (S3)", vote(2, 6), vote(3, 5), "VOTE_SURROUNDS"],
    ["a vote across its epoch (S2)", ack(4), vote(3, 6), "ACK_CROSSED"],
    ["an ack that it goes across (S2)", vote(3, 6), ack(4), "VOTE_CROSSES_ACK"],
  ];
  for (const [what, intent, signed, code] of overtaken)
    it(`never signs an intent once a twin's records hold ${what}`, async () => {
      const [one, twin] = [await machine(), await machine()];
      await intend(one, intent);
      await twin.signer.sign(signed);
      await move(twin, one);
      assert.equal(await codeOf(one.signer.sign(intent)), code);
      if (intent.type === signed.type)
        assert.equal(await one.signer.noteSeen(signed), true, "imported, so not foreign");
    });

  const floor = { slot: 5, seq: 255, target: 3, source: 2, ack: 3, completeAbove: 3 };
  for (const [intent, seen] of [
    [seal(5, 1), seal(5, 1, 2)],
    [vote(2, 3), vote(2, 3, 2)],
    [ack(3), ack(3, 2)],
  ] as const)
    it(`never signs an intent below an adopted floor: a ${intent.type}`, async () => {
      const database = await openDatabase();
      const one = await machineOver(database);
      await intend(one, intent);
      assert.equal(await one.signer.noteSeen(seen), false);
      await one.signer.adopt(floor);
      await assert.rejects(one.signer.sign(intent), SigningError);
      const restarted = await machineOver(database);
      await assert.rejects(restarted.signer.sign(intent), SigningError);
      assert.equal(await restarted.signer.noteSeen(seen), true);
      for (const message of [seal(6, 0), vote(3, 4), ack(4)])
        assert.equal((await restarted.signer.sign(message)).length, 2420);
    });

  const requests = fc.oneof(
    fc.tuple(fc.nat(5), fc.nat(1), fc.nat(1)).map(([slot, seq, fork]) => seal(slot, seq, fork)),
    fc.tuple(fc.nat(6), fc.nat(6), fc.nat(1)).map(([src, tgt, fork]) => vote(src, tgt, fork)),
    fc.tuple(fc.nat(6), fc.nat(1)).map(([epoch, fork]) => ack(epoch, fork)),
  );
  const steps = fc.array(
    fc.record({ message: requests, way: fc.constantFrom("sign", "sign", "sign", "die", "move") }),
    { minLength: 5, maxLength: 30 },
  );

  type Step = { readonly message: ValidatorMessage; readonly way: string };

  /** Carries the steps out; a machine that takes over tries everything again that was ever asked. */
  async function carryOut(plan: readonly Step[], machines: [Machine, Machine]): Promise<void> {
    let [here, there] = machines;
    const sign = (message: ValidatorMessage) => here.signer.sign(message).catch(() => undefined);
    for (const [index, { message, way }] of plan.entries()) {
      if (way === "sign") await sign(message);
      else if (way === "die") await intend(here, message);
      else {
        // the last thing it does is an intent that the export does not know
        const data = await exportProtection(here.log);
        await intend(here, message);
        await importProtection(there.log, data);
        [here, there] = [there, here];
        for (const earlier of plan.slice(0, index)) await sign(earlier.message);
      }
    }
  }

  it("makes no slashable pair on two machines that it moves between, whatever dies (property)", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const machines: [Machine, Machine] = [await machine(), await machine()];
        await carryOut(plan, machines);
        const messages = plan.map(({ message }) => message);
        const made = machines.flatMap(({ key: dying }) => dying.signed(messages, identity));
        for (const [index, a] of made.entries())
          for (const b of made.slice(index + 1))
            assert.ok(!isSlashablePair(a, b), JSON.stringify([a, b]));
      }),
      { numRuns: 400 },
    );
  });
});

describe("ProtectionLog.open", () => {
  const signedKey = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 3, 0);

  const damages: readonly [string, (database: Database) => Promise<void>][] = [
    [
      "no bounds beside its records",
      (database) => database.batch([del(columns.meta, "signerBounds")]),
    ],
    [
      "bounds below its records",
      (database) => database.batch([put(columns.meta, "signerBounds", new Uint8Array(48))]),
    ],
    [
      "bounds cut short",
      (database) => database.batch([put(columns.meta, "signerBounds", new Uint8Array(47))]),
    ],
    ["no name", (database) => database.batch([del(columns.meta, "signerIdentity")])],
    [
      "a record cut short",
      (database) => database.batch([put(columns.signed, signedKey, new Uint8Array(39))]),
    ],
    [
      "a signature cut short",
      (database) => database.batch([put(columns.signed, signedKey, new Uint8Array(1_000))]),
    ],
  ];
  for (const [what, damage] of damages)
    it(`refuses records with ${what}`, async () => {
      const database = await openDatabase();
      const { signer } = await machineOver(database);
      await signer.sign(vote(2, 3));
      await ProtectionLog.open(database, identity);
      await damage(database);
      assert.equal(await codeOf(ProtectionLog.open(database, identity)), "DAMAGED_RECORDS");
    });

  it("begins anew only where there is nothing at all", async () => {
    const database = await openDatabase();
    const log = await ProtectionLog.open(database, identity);
    assert.equal(log.isNew, true);
    assert.equal((await ProtectionLog.open(database, identity)).isNew, false);
  });
});
