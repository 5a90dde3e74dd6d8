/** Arbitrary consensus objects for fast-check. */
import fc from "fast-check";
import { bytesToHash } from "../../src/primitives/hex.ts";
import { makeJustQC } from "../../src/types/certificate.ts";
import {
  compareRank,
  type EpochSummary,
  MAX_REPUTATION,
  START_REPUTATION,
} from "../../src/types/epochSummary.ts";
import type { MacroHeader } from "../../src/types/macroHeader.ts";
import type { Seal } from "../../src/types/seal.ts";
import { hashVoteSignatures, type SidecarCore } from "../../src/types/sidecar.ts";
import type { Member } from "../../src/types/validatorSet.ts";
import type { Ack, SignedVote, Vote } from "../../src/types/vote.ts";

/** Records as the decoders make them, with a prototype. */
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

export const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHash);
export const counters = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);
export const ids = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
export const amounts = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes8 = fc.integer({ min: 0, max: 255 });
const words = fc.integer({ min: 0, max: 0xffff });

/** A signature's worth of bytes that depends on `tag` alone. */
export function fakeSignature(tag: number): Uint8Array {
  return new Uint8Array(2420).fill(tag & 0xff);
}
export const signatures = bytes8.map(fakeSignature);

export const votes: fc.Arbitrary<Vote> = record({
  validator: ids,
  srcEpoch: counters,
  srcHash: hashes,
  tgtEpoch: counters,
  tgtHash: hashes,
  commit: hashes,
});
export const acks: fc.Arbitrary<Ack> = record({
  validator: ids,
  epoch: counters,
  macroHash: hashes,
});
export const seals: fc.Arbitrary<Seal> = record({
  number: counters,
  slot: counters,
  seq: bytes8,
  tick: bytes8,
  proposer: ids,
  blockHash: hashes,
});

/** A sidecar and the signatures of its votes. */
export const sidecars: fc.Arbitrary<{ core: SidecarCore; voteSigs: Uint8Array[] }> = record({
  slot: counters,
  seq: bytes8,
  tick: bytes8,
  proposer: ids,
  reveal: fc.option(hashes, { nil: undefined }),
  votes: fc.array(votes, { maxLength: 5 }),
}).map((fields) => {
  const voteSigs = fields.votes.map(({ validator }) => fakeSignature(validator));
  return { core: { ...fields, sigsHash: hashVoteSignatures(voteSigs) }, voteSigs };
});

export const macroHeaders: fc.Arbitrary<MacroHeader> = record({
  epoch: counters,
  parentMacroHash: hashes,
  firstNumber: counters,
  lastNumber: counters,
  lastBlockHash: hashes,
  stateRoot: hashes,
  microRoot: hashes,
  timeMs: counters,
  mix: hashes,
  finalizedEpoch: counters,
  handoff: counters,
  validatorsHash: hashes,
  nextValidatorsHash: hashes,
  afterNextValidatorsHash: hashes,
  summaryHash: hashes,
});

export const members: fc.Arbitrary<readonly Member[]> = fc
  .uniqueArray(record({ id: ids, stakeOld: amounts, stakeNew: amounts, keyHash: hashes }), {
    selector: ({ id }) => id,
    maxLength: 40,
  })
  .map((list) => list.sort((a, b) => a.id - b.id));

/** Members, a justification certificate and the votes in it. */
export const certificates = fc
  .tuple(members, votes, fc.infiniteStream(fc.boolean()))
  .filter(([list]) => list.length > 0)
  .map(([list, vote, signs]) => {
    const signed = new Map<number, SignedVote>();
    for (const { id, keyHash } of list)
      if (signed.size === 0 || signs.next().value === true)
        signed.set(id, {
          vote: { ...vote, validator: id, commit: keyHash },
          signature: fakeSignature(id),
        });
    return { members: list, signed, qc: makeJustQC(list, signed) };
  });

export const summaries: fc.Arbitrary<EpochSummary> = record({
  epoch: counters,
  frozen: fc.boolean(),
  slots: fc.integer({ min: 0, max: 0xffff_ffff }),
  rows: fc.uniqueArray(
    record({
      id: ids,
      made: words,
      missed: words,
      voted: fc.boolean(),
      voteExpected: fc.boolean(),
      reward: fc.bigInt({ min: 0n, max: 2n ** 50n }),
    }),
    { selector: ({ id }) => id, maxLength: 10 },
  ),
  candidates: fc.uniqueArray(
    record({
      id: ids,
      stake: amounts,
      reputation: fc.constantFrom(0, START_REPUTATION, MAX_REPUTATION),
      keyHash: hashes,
    }),
    { selector: ({ id }) => id, maxLength: 10 },
  ),
}).map((summary) => ({
  ...summary,
  rows: summary.rows.sort((a, b) => a.id - b.id),
  candidates: summary.candidates.sort(compareRank),
  minted: summary.rows.reduce((sum, { reward }) => sum + reward, 0n),
}));
