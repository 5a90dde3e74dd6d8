import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHash } from "../../../src/primitives/hex.ts";
import { acksOf, votesOf } from "../../../src/types/certificate.ts";
import {
  contradiction,
  decodeEvidence,
  EVIDENCE_KIND,
  encodeEvidence,
  type FinalityMessage,
  offenceOf,
} from "../../../src/types/evidence.ts";
import { microRootOf } from "../../../src/types/macroHeader.ts";
import { merkleProof, merkleRoot, rootFromProof } from "../../../src/types/merkle.ts";
import { encodeSeal } from "../../../src/types/seal.ts";
import { hashValidators, hasQuorum } from "../../../src/types/validatorSet.ts";
import type { Vote } from "../../../src/types/vote.ts";
import * as values from "../../support/consensusValues.ts";
import { codeOf } from "../../support/errors.ts";

const fill = (byte: string) => parseHash(`0x${byte.repeat(32)}`);
const _domain = { chainId: 31_337n, salt: fill("11") };

const vote: Vote = {
  validator: 0,
  srcEpoch: 0,
  srcHash: fill("aa"),
  tgtEpoch: 1,
  tgtHash: fill("bb"),
  commit: fill("cc"),
};

describe("merkleRoot", () => {
  it("agrees with the proofs of its leaves, and with no other leaf", () => {
    fc.assert(
      fc.property(fc.array(values.hashes, { minLength: 1, maxLength: 100 }), (leaves) => {
        const bytes = leaves.map((leaf) => Buffer.from(leaf.slice(2), "hex"));
        const root = merkleRoot(bytes);
        const index = leaves.length >> 1;
        const proof = merkleProof(bytes, index);
        assert.equal(rootFromProof(leaves[index] ?? fill("00"), index, proof), root);
        assert.notEqual(rootFromProof(fill("ef"), index, proof), root);
        assert.equal(rootFromProof(fill("ef"), 2 ** proof.length, proof), undefined);
      }),
      { numRuns: 30 },
    );
  });

  it("is the leaf itself for one, and pads three to four", () => {
    assert.equal(microRootOf([fill("aa")]), fill("aa"));
    const three = [fill("aa"), fill("bb"), fill("cc")];
    assert.equal(microRootOf(three), microRootOf([...three, fill("00")]));
    assert.equal(merkleProof(Array(90).fill(new Uint8Array(32)), 89).length, 7);
  });
});

describe("certificates", () => {
  it("give back the votes they were made from", () => {
    fc.assert(
      fc.property(values.certificates, ({ members, signed, qc }) => {
        assert.deepEqual(votesOf(qc, members), [...signed.values()]);
      }),
      { numRuns: 30 },
    );
  });

  it("refuse a bitmap for another number of members", () => {
    const qc = { epoch: 1, macroHash: fill("aa"), bitmap: Uint8Array.of(4), signatures: [] };
    const member = { stakeOld: 1n, stakeNew: 1n, keyHash: fill("00") };
    assert.equal(
      codeOf(() => acksOf(qc, [{ id: 1, ...member }])),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => acksOf(qc, [])),
      "BAD_FIELD",
    );
  });
});

describe("hasQuorum", () => {
  const set = (...stakes: readonly (readonly [bigint, bigint])[]) =>
    stakes.map(([stakeOld, stakeNew], id) => ({ id, stakeOld, stakeNew, keyHash: fill("00") }));

  it("wants exactly two thirds", () => {
    const three = set([1n, 1n], [1n, 1n], [1n, 1n]);
    assert.ok(hasQuorum(three, new Set([0, 2])));
    assert.ok(!hasQuorum(three, new Set([0, 9])));
    assert.ok(!hasQuorum(set([34n, 34n], [33n, 33n], [33n, 33n]), new Set([1, 2])));
    assert.ok(!hasQuorum([], new Set([0])));
  });

  it("wants them in the old set and in the new one during a hand-off", () => {
    const joint = set([1n, 0n], [1n, 0n], [0n, 1n], [0n, 1n]);
    assert.ok(!hasQuorum(joint, new Set([0, 1])));
    assert.ok(!hasQuorum(joint, new Set([2, 3])));
    assert.ok(hasQuorum(joint, new Set([0, 1, 2, 3])));
  });
});

describe("hashValidators", () => {
  it("changes with each field and refuses another order", () => {
    const a = { id: 1, stakeOld: 2n, stakeNew: 3n, keyHash: fill("01") };
    const all = [
      a,
      { ...a, id: 2 },
      { ...a, stakeOld: 9n },
      { ...a, stakeNew: 9n },
      { ...a, keyHash: fill("02") },
    ];
    assert.equal(new Set(all.map((member) => hashValidators([member]))).size, all.length);
    assert.equal(
      codeOf(() => hashValidators([a, a])),
      "BAD_FIELD",
    );
  });
});

describe("contradiction", () => {
  const voteOf = (
    srcEpoch: number,
    tgtEpoch: number,
    tgtHash = fill("bb"),
    validator = 0,
  ): FinalityMessage => ({
    type: "vote",
    vote: { ...vote, validator, srcEpoch, tgtEpoch, tgtHash },
  });
  const ackOf = (epoch: number, macroHash = fill("bb"), validator = 0): FinalityMessage => ({
    type: "ack",
    ack: { validator, epoch, macroHash },
  });
  const rows: readonly (readonly [string, FinalityMessage, FinalityMessage, string | undefined])[] =
    [
      ["one target, two hashes", voteOf(0, 2), voteOf(0, 2, fill("bc")), "double vote"],
      ["one target, two sources", voteOf(0, 2), voteOf(1, 2), "double vote"],
      ["the same vote", voteOf(0, 2), voteOf(0, 2), undefined],
      ["a vote around a vote", voteOf(0, 4), voteOf(1, 3), "vote surround"],
      ["votes with one source", voteOf(0, 4), voteOf(0, 3), undefined],
      ["votes one after the other", voteOf(0, 1), voteOf(1, 2), undefined],
      ["one epoch, two acks", ackOf(2), ackOf(2, fill("bc")), "double ack"],
      ["the same ack", ackOf(2), ackOf(2), undefined],
      ["a vote across an ack", voteOf(1, 3), ackOf(2), "ack surround"],
      ["a vote from what was acked", voteOf(2, 3), ackOf(2), undefined],
      ["a vote for what was acked", voteOf(1, 2), ackOf(2), undefined],
      ["another validator", voteOf(0, 4), voteOf(1, 3, fill("bb"), 1), undefined],
      ["another validator's ack", voteOf(1, 3), ackOf(2, fill("bb"), 1), undefined],
    ];
  for (const [name, a, b, offence] of rows)
    it(`finds ${offence ?? "nothing"} in ${name}`, () => {
      assert.equal(contradiction(a, b), offence);
      assert.equal(contradiction(b, a), offence);
    });

  it("finds a second commitment alone a double vote", () => {
    const other: FinalityMessage = { type: "vote", vote: { ...vote, commit: fill("cd") } };
    assert.equal(contradiction({ type: "vote", vote }, other), "double vote");
  });

  it("finds two blocks in one place of a slot, and refuses evidence of nothing", () => {
    const seal = { number: 1, slot: 5, seq: 0, tick: 0, proposer: 0, blockHash: fill("dd") };
    const side = (of: typeof seal) => ({
      key: 0,
      body: encodeSeal(of),
      signature: values.fakeSignature(1),
    });
    const evidence = {
      kind: EVIDENCE_KIND.doubleSeal,
      a: side(seal),
      b: side({ ...seal, number: 2, blockHash: fill("de") }),
    };
    assert.equal(offenceOf(evidence), "double seal");
    const nothing = encodeEvidence({
      ...evidence,
      b: side({ ...seal, seq: 1, blockHash: fill("de") }),
    });
    assert.equal(
      codeOf(() => decodeEvidence(nothing)),
      "BAD_FIELD",
    );
  });
});
