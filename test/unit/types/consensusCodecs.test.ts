import assert from "node:assert/strict";
import fc from "fast-check";
import { keccak256, keccakHash } from "../../../src/crypto/keccak.ts";
import { bytesToHex, parseHash } from "../../../src/primitives/hex.ts";
import { makeBlock } from "../../../src/types/block.ts";
import {
  decodeAckQC,
  decodeJustQC,
  encodeAckQC,
  encodeJustQC,
  makeAckQC,
} from "../../../src/types/certificate.ts";
import {
  commitHash,
  consensusMessage,
  MESSAGE_KIND,
  taggedHash,
} from "../../../src/types/consensusMessage.ts";
import { decodeSummary, encodeSummary, hashSummary } from "../../../src/types/epochSummary.ts";
import { decodeEvidence, EVIDENCE_KIND, encodeEvidence } from "../../../src/types/evidence.ts";
import type { Header } from "../../../src/types/header.ts";
import {
  decodeMacroHeader,
  encodeMacroHeader,
  hashMacroHeader,
} from "../../../src/types/macroHeader.ts";
import { DecodeError, encodeRlp } from "../../../src/types/rlp.ts";
import { decodeSeal, encodeSeal } from "../../../src/types/seal.ts";
import { decodeSealedBlock, encodeSealedBlock, sealOf } from "../../../src/types/sealedBlock.ts";
import { decodeSidecar, encodeSidecar, hashSidecar } from "../../../src/types/sidecar.ts";
import {
  decodeAck,
  decodeSignedAck,
  decodeSignedVote,
  decodeVote,
  encodeAck,
  encodeSignedAck,
  encodeSignedVote,
  encodeVote,
  type SignedAck,
  type Vote,
} from "../../../src/types/vote.ts";
import * as values from "../../support/consensusValues.ts";
import { codeOf } from "../../support/errors.ts";

const fill = (byte: string) => parseHash(`0x${byte.repeat(32)}`);
const domain = { chainId: 31_337n, salt: fill("11") };
const messageHex = (kind: number, body: Uint8Array) =>
  bytesToHex(consensusMessage(domain, kind, body));
const mebibyte = 1_048_576;

const header: Header = {
  parentHash: fill("01"),
  sha3Uncles: fill("02"),
  miner: "0x0000000000000000000000000000000000000003" as Header["miner"],
  stateRoot: fill("04"),
  transactionsRoot: fill("05"),
  receiptsRoot: fill("06"),
  logsBloom: new Uint8Array(256),
  difficulty: 0n,
  number: 7n,
  gasLimit: 30_000_000n,
  gasUsed: 0n,
  timestamp: 8n,
  extraData: new Uint8Array(32),
  mixHash: fill("09"),
  nonce: new Uint8Array(8),
  baseFeePerGas: 7n,
  withdrawalsRoot: fill("0a"),
  blobGasUsed: 0n,
  excessBlobGas: 0n,
  parentBeaconBlockRoot: fill("0b"),
  requestsHash: fill("0c"),
};
const block = makeBlock(header, { transactions: [], ommers: [], withdrawals: [] });

const vote: Vote = {
  validator: 0,
  srcEpoch: 0,
  srcHash: fill("aa"),
  tgtEpoch: 1,
  tgtHash: fill("bb"),
  commit: fill("cc"),
};

describe("consensusMessage", () => {
  it("has the specification's known answers", () => {
    assert.equal(
      messageHex(MESSAGE_KIND.vote, encodeVote(vote)),
      "0xefff73b231de7ffa0dde2359f9aee51e8ceba89ed7509de56ac886bb6394b114",
    );
    const seal = { number: 1, slot: 5, seq: 0, tick: 0, proposer: 0, blockHash: fill("dd") };
    assert.equal(
      messageHex(MESSAGE_KIND.seal, encodeSeal(seal)),
      "0xb46280db7c32e327b837353f1785c15d79672973768618d5536e7b1961f3833b",
    );
    const ack = { validator: 0, epoch: 1, macroHash: fill("bb") };
    assert.equal(
      messageHex(MESSAGE_KIND.ack, encodeAck(ack)),
      "0x8e1929816911709e6e08a703bfde730e59e88a3a714e64f60a3d7b64d7ef0ca8",
    );
  });
});

describe("hashes that nobody signs", () => {
  it("are tagged with their kind", () => {
    const salt = Buffer.from("11".repeat(32), "hex");
    const expected = (kind: string, body: string) =>
      bytesToHex(keccak256(Buffer.from(`514e455431${kind}${body}`, "hex")));
    const commitBody = `0000000000007a69${"11".repeat(32)}00000003${"00".repeat(7)}02${"ee".repeat(32)}`;
    assert.equal(commitHash(domain, 3, 2, fill("ee")), expected("10", commitBody));
    assert.equal(bytesToHex(taggedHash("mix", salt)), expected("11", "11".repeat(32)));
    assert.equal(bytesToHex(taggedHash("leader", salt)), expected("14", "11".repeat(32)));
  });

  it("cover the whole object", () => {
    fc.assert(
      fc.property(values.macroHeaders, values.summaries, (macro, summary) => {
        assert.equal(hashMacroHeader(macro), keccakHash(encodeMacroHeader(macro)));
        assert.equal(hashSummary(summary), keccakHash(encodeSummary(summary)));
      }),
      { numRuns: 10 },
    );
  });
});

describe("codecs of consensus", () => {
  const sealedBlocks = fc
    .tuple(values.sidecars, values.signatures, fc.boolean())
    .map(([{ core, voteSigs }, seal, pruned]) =>
      pruned ? { block, core, voteSigs: [], seal: undefined } : { block, core, voteSigs, seal },
    );
  const signedVotes = fc
    .tuple(values.votes, values.signatures)
    .map(([of, signature]) => ({ vote: of, signature }));
  const signedAcks = fc
    .tuple(values.acks, values.signatures)
    .map(([of, signature]) => ({ ack: of, signature }));
  const ackCertificates = values.certificates.map(({ members, signed: votes }) => {
    const acks = new Map<number, SignedAck>();
    for (const [validator, { vote: of, signature }] of votes)
      acks.set(validator, {
        ack: { validator, epoch: of.tgtEpoch, macroHash: of.tgtHash },
        signature,
      });
    return makeAckQC(members, acks);
  });
  const evidence = fc
    .tuple(values.votes, values.hashes, values.signatures)
    .map(([of, tgtHash, signature]) => ({
      kind: EVIDENCE_KIND.doubleVote,
      a: { key: 0, body: encodeVote(of), signature },
      b: { key: 1, body: encodeVote({ ...of, tgtHash }), signature },
    }));

  const codecs: readonly Codec[] = [
    codec("vote", values.votes, encodeVote, decodeVote),
    codec("ack", values.acks, encodeAck, decodeAck),
    codec("seal", values.seals, encodeSeal, decodeSeal),
    codec("signed vote", signedVotes, encodeSignedVote, decodeSignedVote),
    codec("signed ack", signedAcks, encodeSignedAck, decodeSignedAck),
    codec(
      "sidecar",
      values.sidecars.map(({ core }) => core),
      encodeSidecar,
      decodeSidecar,
    ),
    codec("sealed block", sealedBlocks, encodeSealedBlock, (raw) =>
      decodeSealedBlock(raw, mebibyte),
    ),
    codec("macro header", values.macroHeaders, encodeMacroHeader, decodeMacroHeader),
    codec("ack certificate", ackCertificates, encodeAckQC, decodeAckQC),
    codec(
      "justification",
      values.certificates.map(({ qc }) => qc),
      encodeJustQC,
      decodeJustQC,
    ),
    codec("summary", values.summaries, encodeSummary, decodeSummary),
    codec("evidence", evidence, encodeEvidence, decodeEvidence),
  ];

  for (const { name, readsBack, readsMutated, readsRandom } of codecs) {
    it(`reads back each ${name} (P9)`, readsBack);
    it(`takes only one encoding of a ${name} and throws nothing untyped (P9)`, readsMutated);
    it(`reads random bytes as a ${name} or refuses them (P9)`, readsRandom);
  }

  it("refuses counters that no program could count", () => {
    const body = encodeSeal({
      number: 0,
      slot: 0,
      seq: 0,
      tick: 0,
      proposer: 0,
      blockHash: fill("00"),
    });
    body.fill(0xff, 0, 8);
    assert.equal(
      codeOf(() => decodeSeal(body)),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => encodeVote({ ...vote, srcEpoch: 2 ** 53 })),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => encodeVote({ ...vote, validator: 2 ** 32 })),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => encodeVote({ ...vote, validator: -1 })),
      "BAD_FIELD",
    );
  });

  it("refuses a block above the limit before reading it", () => {
    const raw = new Uint8Array(1001);
    assert.equal(
      codeOf(() => decodeSealedBlock(raw, 1000)),
      "RLP_LIMIT",
    );
  });

  it("refuses another version and items too many", () => {
    const core = {
      slot: 1,
      seq: 0,
      tick: 0,
      proposer: 0,
      reveal: undefined,
      votes: [],
      sigsHash: fill("00"),
    };
    const raw = encodeSidecar(core);
    raw[1] = 2;
    assert.equal(
      codeOf(() => decodeSidecar(raw)),
      "BAD_FIELD",
    );
    const one = Uint8Array.of(1);
    assert.equal(
      codeOf(() => decodeMacroHeader(encodeRlp(Array(15).fill(one)))),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => decodeMacroHeader(encodeRlp(Array(17).fill(one)))),
      "RLP_LIMIT",
    );
  });
});

describe("sealOf", () => {
  it("names the block and its place in the slot", () => {
    const core = {
      slot: 5,
      seq: 1,
      tick: 2,
      proposer: 3,
      reveal: undefined,
      votes: [],
      sigsHash: fill("00"),
    };
    const seal = { number: 7, slot: 5, seq: 1, tick: 2, proposer: 3, blockHash: block.hash };
    assert.deepEqual(sealOf({ block, core }), seal);
    assert.equal(hashSidecar(core).length, 66);
  });
});

/** Mutated inputs and random ones for each codec; a million of each with QNET_TEST_RUNS=1000000. */
const RUNS = Number(process.env["QNET_TEST_RUNS"] ?? 300);
/** Mutants of one value: a value of kilobytes costs more to draw than to decode. */
const MUTANTS = RUNS > 10_000 ? 200 : 1;

interface Codec {
  readonly name: string;
  readonly readsBack: () => void;
  readonly readsMutated: () => void;
  readonly readsRandom: () => void;
}

function codec<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (raw: Uint8Array) => T,
): Codec {
  const canonical = (bytes: Uint8Array) => {
    const decoded = attempt(() => decode(bytes));
    if (decoded !== undefined) assert.deepEqual(encode(decoded), bytes);
  };
  return {
    name,
    readsBack: () =>
      fc.assert(
        fc.property(arbitrary, (value) => assert.deepEqual(decode(encode(value)), value)),
        { numRuns: 50 },
      ),
    readsMutated: () =>
      fc.assert(
        fc.property(arbitrary, manyMutations, (value, many) => {
          const encoded = encode(value);
          for (const mutate of many) canonical(mutate(encoded));
        }),
        { numRuns: RUNS / MUTANTS },
      ),
    readsRandom: () =>
      fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), canonical), { numRuns: RUNS }),
  };
}

const mutations: fc.Arbitrary<(raw: Uint8Array) => Uint8Array> = fc
  .tuple(
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.integer({ min: 0, max: 255 }),
    fc.nat(3),
  )
  .map(([place, byte, how]) => (raw: Uint8Array) => {
    const at = Math.floor(raw.length * place ** 3); // the structure lies in front
    const before = raw.subarray(0, at);
    if (how === 0) return Buffer.concat([before, Uint8Array.of(byte), raw.subarray(at + 1)]);
    if (how === 1) return Buffer.concat([before, Uint8Array.of(byte), raw.subarray(at)]);
    if (how === 2) return Buffer.concat([before, raw.subarray(at + 1)]);
    return Uint8Array.from(before);
  })
  .map((mutate) => (raw: Uint8Array) => Uint8Array.from(mutate(raw)));

const manyMutations = fc.array(mutations, { minLength: MUTANTS, maxLength: MUTANTS });

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
