import assert from "node:assert/strict";
import {
  exportProtection,
  formatInterchange,
  importProtection,
  parseInterchange,
} from "../../../../src/consensus/signing/interchange.ts";
import { ProtectionLog } from "../../../../src/consensus/signing/protectionLog.ts";
import { SigningError } from "../../../../src/consensus/signing/signingError.ts";
import { ValidatorSigner } from "../../../../src/consensus/signing/validatorSigner.ts";
import { MlDsaKey } from "../../../../src/crypto/mlDsaKey.ts";
import { openDatabase } from "../../../../src/storage/database.ts";
import { ack, identityOf, seal, vote } from "../../../support/signing.ts";

const key = new MlDsaKey(new Uint8Array(32).fill(7));
const identity = identityOf(key);

async function openLog(of = identity): Promise<ProtectionLog> {
  return ProtectionLog.open(await openDatabase(), of);
}

/** The text exported after these messages were signed. */
async function exportedText(): Promise<string> {
  const log = await openLog();
  const signer = new ValidatorSigner({ key, log });
  const messages = [seal(3, 1), seal(4, 0), vote(0, 1), vote(1, 2), ack(1)];
  for (const message of messages) await signer.sign(message);
  return formatInterchange([await exportProtection(log)]);
}

async function importedSigner(text: string): Promise<ValidatorSigner> {
  const log = await openLog();
  const [data] = parseInterchange(text);
  assert.ok(data !== undefined);
  await importProtection(log, data);
  return new ValidatorSigner({ key, log });
}

function refusedWith(code: string) {
  return (error: unknown) => error instanceof SigningError && error.reason.code === code;
}

describe("interchange", () => {
  it("carries every bound to another machine", async () => {
    const signer = await importedSigner(await exportedText());
    const bounds = { slot: 4, seq: 0, target: 2, source: 1, ack: 1, completeAbove: 2 };
    assert.deepEqual(signer.bounds, bounds);
    await assert.rejects(signer.sign(seal(4, 0, 9)), refusedWith("SEAL_NOT_NEWER"));
    await assert.rejects(signer.sign(vote(1, 2, 9)), refusedWith("VOTE_NOT_NEWER"));
    await assert.rejects(signer.sign(ack(1, 9)), refusedWith("ACK_NOT_NEWER"));
    assert.equal((await signer.sign(vote(1, 3))).length, 2420);
  });

  it("lets the other machine sign again what was signed, byte for byte", async () => {
    const signer = await importedSigner(await exportedText());
    assert.equal((await signer.sign(vote(1, 2))).length, 2420);
    assert.equal(await signer.noteSeen(vote(1, 2)), true);
  });

  it("forbids by a bound without signing root", async () => {
    const file = JSON.parse(await exportedText());
    file.data[0].signed_blocks = [{ slot: "100", seq: "0" }];
    const signer = await importedSigner(JSON.stringify(file));
    await assert.rejects(signer.sign(seal(100, 0)), refusedWith("SEAL_NOT_NEWER"));
    assert.equal((await signer.sign(seal(100, 1))).length, 2420);
  });

  it("never lowers a bound", async () => {
    const log = await openLog();
    const signer = new ValidatorSigner({ key, log });
    await signer.sign(seal(50, 0));
    const [data] = parseInterchange(await exportedText());
    assert.ok(data !== undefined);
    await importProtection(log, data);
    assert.equal(signer.bounds.slot, 50);
  });

  it("is stable: what was imported exports the same text", async () => {
    const text = await exportedText();
    const log = await openLog();
    const [data] = parseInterchange(text);
    assert.ok(data !== undefined);
    await importProtection(log, data);
    assert.equal(formatInterchange([await exportProtection(log)]), text);
  });

  it("refuses another network's and another key's records", async () => {
    const [data] = parseInterchange(await exportedText());
    assert.ok(data !== undefined);
    const otherChain = await openLog({ ...identity, chainId: 1n });
    await assert.rejects(importProtection(otherChain, data), refusedWith("WRONG_NETWORK"));
    const otherKey = await openLog(identityOf(new MlDsaKey(new Uint8Array(32))));
    await assert.rejects(importProtection(otherKey, data), refusedWith("WRONG_RECORDS"));
  });

  const broken: readonly [what: string, from: string, to: string][] = [
    ["text that is no JSON", "{", "["],
    ["another version", '"interchange_format_version": "1"', '"interchange_format_version": "5"'],
    ["no data", '"data"', '"date"'],
    ["a number that is no string", '"slot": "3"', '"slot": 3'],
    ["a negative slot", '"slot": "3"', '"slot": "-1"'],
    ["a slot of 2^53", '"slot": "3"', '"slot": "9007199254740992"'],
    ["a slot that has no next", '"slot": "3"', '"slot": "9007199254740991"'],
    ["a seq beyond a byte", '"seq": "1"', '"seq": "256"'],
  ];
  for (const [what, from, to] of broken)
    it(`refuses ${what}`, async () => {
      const text = await exportedText();
      assert.ok(text.includes(from));
      assert.throws(() => parseInterchange(text.replace(from, to)), refusedWith("BAD_INTERCHANGE"));
    });
});
