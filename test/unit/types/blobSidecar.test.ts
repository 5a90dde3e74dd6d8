import assert from "node:assert/strict";
import fc from "fast-check";
import { loadKzg } from "../../../src/crypto/kzg.ts";
import { concatBytes } from "../../../src/primitives/bytes.ts";
import {
  type BlobSidecar,
  decodeNetworkTransaction,
  encodeNetworkTransaction,
  verifyBlobSidecar,
  versionedHashOf,
} from "../../../src/types/blobSidecar.ts";
import { encodeRlp, type RlpInput } from "../../../src/types/rlp.ts";
import { signTransaction } from "../../../src/types/transactionCodec.ts";
import { testBlob } from "../../support/blobs.ts";
import { codeOf } from "../../support/errors.ts";
import { BLOB_HASH, fieldsOf, PLAIN_FIELDS, TEST_KEY } from "../../support/transactions.ts";

const { blob, commitment, blobProof, cellProofs } = testBlob();
const HASH = versionedHashOf(commitment);
const transaction = signTransaction(
  { ...PLAIN_FIELDS, type: 3, blobVersionedHashes: [HASH] },
  TEST_KEY,
);
const CANCUN: BlobSidecar = {
  version: 0,
  blobs: [blob],
  commitments: [commitment],
  proofs: [blobProof],
};
const OSAKA: BlobSidecar = { ...CANCUN, version: 1, proofs: cellProofs };

function codeFor(...items: readonly RlpInput[]): string | undefined {
  const payload: RlpInput = { encoded: transaction.raw.subarray(1) };
  const raw = concatBytes(Uint8Array.of(3), encodeRlp([payload, ...items]));
  return codeOf(() => decodeNetworkTransaction(raw));
}

describe("decodeNetworkTransaction", () => {
  it("reads both forms of sidecar and the canonical transaction in them", () => {
    for (const sidecar of [CANCUN, OSAKA]) {
      const sent = encodeNetworkTransaction({ transaction, sidecar });
      assert.deepEqual(decodeNetworkTransaction(sent), { transaction, sidecar });
    }
  });

  it("takes transactions without sidecar, type 3 included", () => {
    for (const type of [0, 1, 2, 3, 4]) {
      const [fields] = fc.sample(fieldsOf(type), { numRuns: 1, seed: type });
      const signed = signTransaction(fields ?? assert.fail(), TEST_KEY);
      const network = { transaction: signed, sidecar: undefined };
      assert.deepEqual(decodeNetworkTransaction(encodeNetworkTransaction(network)), network);
    }
  });

  it("refuses wrong versions, counts and lengths", () => {
    const [blobs, commitments, proofs] = [[blob], [commitment], [blobProof]];
    assert.equal(codeFor(blobs, commitments, proofs), undefined);
    const cases: readonly (readonly RlpInput[])[] = [
      [],
      [blobs],
      [blobs, commitments],
      [blobs, commitments, proofs, []],
      [Uint8Array.of(2), blobs, commitments, cellProofs],
      [new Uint8Array(0), blobs, commitments, proofs],
      [Uint8Array.of(1), blobs, commitments, proofs],
      [Uint8Array.of(1), blobs, commitments, cellProofs.slice(1)],
      [blobs, commitments, cellProofs],
      [[], commitments, proofs],
      [blobs, [], proofs],
      [
        [blob, blob],
        [commitment, commitment],
        [blobProof, blobProof],
      ],
      [[blob.subarray(1)], commitments, proofs],
      [blobs, [commitment.subarray(1)], proofs],
      [blobs, commitments, [blobProof.subarray(1)]],
      [blob, commitments, proofs],
    ];
    for (const [i, items] of cases.entries())
      assert.equal(codeFor(...items), "BAD_FIELD", `case ${i}`);
  });

  it("refuses commitments that the transaction does not name", () => {
    assert.equal(codeFor([blob], [blobProof], [blobProof]), "BAD_TRANSACTION");
    assert.notEqual(HASH, BLOB_HASH);
    assert.ok(HASH.startsWith("0x01"));
  });

  it("throws nothing but DecodeError on changed bytes", () => {
    const raw = encodeNetworkTransaction({ transaction, sidecar: OSAKA });
    const heads = fc.oneof(fc.nat(400), fc.nat(raw.length - 1));
    fc.assert(
      fc.property(heads, fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(raw).fill(byte, at, at + 1);
        if (codeOf(() => decodeNetworkTransaction(changed)) === undefined)
          assert.deepEqual(encodeNetworkTransaction(decodeNetworkTransaction(changed)), changed);
      }),
      { numRuns: 100 },
    );
  });
});

describe("verifyBlobSidecar", () => {
  it("accepts what is proven and refuses the rest", async () => {
    const kzg = await loadKzg();
    for (const sidecar of [CANCUN, OSAKA]) verifyBlobSidecar(sidecar, kzg);
    for (const bad of [
      { ...CANCUN, proofs: [commitment] },
      { ...OSAKA, proofs: cellProofs.toReversed() },
    ])
      assert.equal(
        codeOf(() => verifyBlobSidecar(bad, kzg)),
        "BAD_TRANSACTION",
      );
  });
});
