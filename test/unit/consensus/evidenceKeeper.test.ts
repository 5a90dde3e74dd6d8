import assert from "node:assert/strict";
import { ConsensusStore } from "../../../src/consensus/consensusStore.ts";
import type { FoundEvidence } from "../../../src/consensus/core/events.ts";
import {
  EvidenceKeeper,
  MAX_EVIDENCE_OF_VALIDATOR,
} from "../../../src/consensus/evidenceKeeper.ts";
import { bodyOf, type ValidatorMessage } from "../../../src/consensus/signing/signingRules.ts";
import { ZERO_HASH } from "../../../src/primitives/hex.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { ack, seal, vote } from "../../support/signing.ts";

const side = (message: ValidatorMessage) => ({
  body: bodyOf(message).body,
  signature: new Uint8Array(2420),
  keyHash: ZERO_HASH,
});

const doubleSeal = (slot: number, seq = 0): FoundEvidence => ({
  offence: "double seal",
  validator: 3,
  a: side(seal(slot, seq, 1)),
  b: side(seal(slot, seq, 2)),
});

const doubleVote = (target: number): FoundEvidence => ({
  offence: "double vote",
  validator: 3,
  a: side(vote(0, target, 1)),
  b: side(vote(0, target, 2)),
});

async function freshKeeper() {
  const store = new ConsensusStore(await openDatabase(), { isRewindable: false });
  return { store, keeper: new EvidenceKeeper(store, []) };
}

describe("EvidenceKeeper", () => {
  it("keeps one piece for a slot, however often and in whatever form it comes", async () => {
    const { store, keeper } = await freshKeeper();
    const writes = Array.from({ length: 5_000 }, (_, n) => keeper.admit(doubleSeal(9, n % 8)));
    assert.equal(writes.filter((write) => write !== undefined).length, 1);
    for (const write of writes) await write?.();
    assert.deepEqual(await store.evidence(), [doubleSeal(9)]);
  });

  it("keeps few of a validator, the newest", async () => {
    const { store, keeper } = await freshKeeper();
    const slots = [50, 3, 2, 90, 80, 70, 60, 40, 30, 20, 10, 100];
    for (const slot of slots) await keeper.admit(doubleSeal(slot))?.();
    const kept = (await store.evidence()).map(({ a }) => a.body[15]);
    const newest = slots.sort((a, b) => b - a).slice(0, MAX_EVIDENCE_OF_VALIDATOR);
    assert.deepEqual(
      kept.sort((a = 0, b = 0) => b - a),
      newest,
    );
  });

  it("lets double seals take no place of what ends a validator at once", async () => {
    const { store, keeper } = await freshKeeper();
    for (let slot = 0; slot < 100; slot++) await keeper.admit(doubleSeal(slot))?.();
    await keeper.admit(doubleVote(5))?.();
    const crossed: FoundEvidence = {
      offence: "ack surround",
      validator: 3,
      a: side(ack(6)),
      b: side(vote(1, 7)),
    };
    await keeper.admit(crossed)?.();
    const found = (await store.evidence()).filter(({ offence }) => offence !== "double seal");
    assert.deepEqual(found.map(({ offence }) => offence).sort(), ["ack surround", "double vote"]);
  });

  it("bounds what waits to be written, and knows after a restart what it has", async () => {
    const { store, keeper } = await freshKeeper();
    const writes = Array.from({ length: 1_000 }, (_, n) => keeper.admit(doubleVote(n + 1)));
    assert.ok(writes.filter((write) => write !== undefined).length <= 16);
    for (const write of writes) await write?.();
    const known = await store.evidence();
    assert.equal(known.length, MAX_EVIDENCE_OF_VALIDATOR);
    const after = new EvidenceKeeper(store, known);
    for (const evidence of known) assert.equal(after.admit(evidence), undefined);
    assert.notEqual(after.admit(doubleVote(2_000)), undefined);
  });
});
