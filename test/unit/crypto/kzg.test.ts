import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  BLOB_BYTES,
  loadedKzg,
  loadKzg,
  verifyBlobCellProofs,
  verifyBlobProofs,
} from "../../../src/crypto/kzg.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { testBlob } from "../../support/blobs.ts";

const { blob, commitment, blobProof, cellProofs } = testBlob();
const KZG_MODULE = fileURLToPath(new URL("../../../src/crypto/kzg.ts", import.meta.url));
const word = (last: string) => `0x${last.padStart(64, "0")}`;
/** The group's order: one more than the largest field element. */
const MODULUS = word("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
const INFINITY = `0xc0${"00".repeat(47)}`;

function changed(bytes: Uint8Array): Uint8Array {
  return bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);
}

describe("loadKzg", () => {
  it("loads nothing before it is called, and once only", async () => {
    const program = `const { loadedKzg, loadKzg } = await import(${JSON.stringify(KZG_MODULE)});
      const before = loadedKzg();
      const [a, b] = await Promise.all([loadKzg(), loadKzg()]);
      console.log(before === undefined, a === b, loadedKzg() === a);`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program]);
    assert.equal(output.toString(), "true true true\n");
    assert.equal(await loadKzg(), loadedKzg());
  });
});

describe("verifyProof", () => {
  it("accepts the constant polynomial's value and no other", async () => {
    const kzg = await loadKzg();
    const twos = kzg.blobToKzgCommitment(`0x${word("2").slice(2).repeat(4096)}`);
    assert.equal(kzg.verifyProof(twos, word("5"), word("2"), INFINITY), true);
    assert.equal(kzg.verifyProof(twos, word("5"), word("3"), INFINITY), false);
  });

  it("answers false to malformed points and to field elements out of range", async () => {
    const kzg = await loadKzg();
    for (const bad of [`0x${"ff".repeat(48)}`, `0x${"00".repeat(48)}`, "0x12"]) {
      assert.equal(kzg.verifyProof(bad, word("5"), word("2"), INFINITY), false);
      assert.equal(kzg.verifyProof(INFINITY, word("5"), word("0"), bad), false);
    }
    assert.equal(kzg.verifyProof(INFINITY, word("0"), word("0"), INFINITY), true);
    assert.equal(kzg.verifyProof(INFINITY, MODULUS, word("0"), INFINITY), false);
    assert.equal(kzg.verifyProof(INFINITY, word("0"), MODULUS, INFINITY), false);
  });
});

describe("verifyBlobProofs", () => {
  const good = { blobs: [blob], commitments: [commitment], proofs: [blobProof] };

  it("accepts proven blobs", async () => {
    assert.equal(verifyBlobProofs(await loadKzg(), good), true);
  });

  it("answers false to another blob, proof or commitment, and to wrong counts and lengths", async () => {
    const kzg = await loadKzg();
    for (const bad of [
      { ...good, blobs: [changed(blob)] },
      { ...good, proofs: [commitment] },
      { ...good, proofs: [changed(blobProof)] },
      { ...good, commitments: [blobProof] },
      { ...good, proofs: [] },
      { ...good, commitments: [] },
      { ...good, blobs: [blob.subarray(1)] },
      { ...good, blobs: [new Uint8Array(BLOB_BYTES).fill(255)] },
    ])
      assert.equal(verifyBlobProofs(kzg, bad), false);
  });
});

describe("verifyBlobCellProofs", () => {
  const good = { blobs: [blob], commitments: [commitment], proofs: cellProofs };

  it("accepts proven cells", async () => {
    assert.equal(verifyBlobCellProofs(await loadKzg(), good), true);
  });

  it("answers false to proofs in another order, another blob, and wrong counts and lengths", async () => {
    const kzg = await loadKzg();
    for (const bad of [
      { ...good, proofs: cellProofs.toReversed() },
      { ...good, blobs: [changed(blob)] },
      { ...good, proofs: cellProofs.slice(1) },
      { ...good, proofs: cellProofs.with(0, changed(commitment)) },
      { ...good, commitments: [commitment.subarray(1)] },
      { ...good, blobs: [] },
    ])
      assert.equal(verifyBlobCellProofs(kzg, bad), false);
  });

  it("works on the hex that the library takes", async () => {
    const kzg = await loadKzg();
    assert.equal(kzg.blobToKzgCommitment(bytesToHex(blob)), bytesToHex(commitment));
  });
});
