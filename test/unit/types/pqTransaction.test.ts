import assert from "node:assert/strict";
import fc from "fast-check";
import { keccakHash } from "../../../src/crypto/keccak.ts";
import { openPqKey } from "../../../src/crypto/pqAccounts.ts";
import { pqAlgorithm } from "../../../src/crypto/pqAlgorithms.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { decodeRlp, encodeRlp, type RlpInput, readList } from "../../../src/types/rlp.ts";
import { claimedSender, senderOf } from "../../../src/types/sender.ts";
import type { Transaction } from "../../../src/types/transaction.ts";
import {
  decodeTransaction,
  encodeTransaction,
  signingDigest,
  signingPayload,
  transactionFromItem,
  transactionToItem,
  unsignedTransaction,
} from "../../../src/types/transactionCodec.ts";
import { PQ_TYPE } from "../../../src/types/transactionTypes.ts";
import { codeOf } from "../../support/errors.ts";
import { PQ_FIELDS, PQ_SEEDS, pqAccount, signPq, signWith } from "../../support/pqTransactions.ts";
import { fieldsOf } from "../../support/transactions.ts";

const account = pqAccount(PQ_SEEDS[0]);
const known = signPq(account);

function itemsOf({ raw }: Transaction): RlpInput[] {
  return [...readList(decodeRlp(raw.subarray(1)), "payload")];
}

function rawOf(items: readonly RlpInput[]): Bytes {
  return concatBytes(Uint8Array.of(PQ_TYPE), encodeRlp(items));
}

/** The verdict on the known transaction with some of its items replaced. */
function changed(change: Readonly<Record<number, RlpInput>>): string | undefined {
  const items = itemsOf(known);
  for (const [at, item] of Object.entries(change)) items[Number(at)] = item;
  return codeOf(() => senderOf(decodeTransaction(rawOf(items))));
}

const [SENDER, ALGORITHM, KEY, SIGNATURE] = [9, 10, 11, 12];

describe("a transaction of type 0x51", () => {
  it("has the addresses, the signed hash, the bytes and the hash of the known answer", () => {
    assert.equal(account.address, "0x7dd7d83248c877bc6ff24b35d02f07df730af327");
    assert.equal(pqAccount(PQ_SEEDS[1]).address, "0x67a87504518758ad15e52fe42af099b461a099f8");
    assert.equal(signingPayload(known).length, 1_371);
    assert.equal(
      bytesToHex(signingDigest(known)),
      "0x58506da05e5908cfedc444e34d5038e17df8af49e5e51b3619b2fdfba5ff19d8",
    );
    assert.equal(
      keccakHash(known.signature.pq ?? EMPTY_BYTES),
      "0x6ad1c4861e8f75140ad70f619fa5db1a010bfb9bc95321f02c3b81edd07cebac",
    );
    assert.equal(known.raw.length, 3_794);
    assert.equal(known.hash, "0x7ee5fcbeae05c8eb2e033d7ba81f040f874002185f2cd8080768a630c587318e");
    assert.equal(senderOf(decodeTransaction(known.raw)), account.address);
    assert.equal(claimedSender(known), account.address);
  });

  it("is read as it was written, whatever its fields, and names its sender unseen", () => {
    fc.assert(
      fc.property(fieldsOf(2), (fields) => {
        const signed = signPq(account, { ...fields, type: PQ_TYPE });
        const read = decodeTransaction(signed.raw);
        assert.deepEqual(read, signed);
        assert.equal(senderOf(read), account.address);
        assert.deepEqual(encodeTransaction(read, read.signature.pq ?? EMPTY_BYTES).raw, signed.raw);
        const item = decodeRlp(encodeRlp(transactionToItem(signed)));
        assert.deepEqual(transactionFromItem(item), signed);
      }),
      { numRuns: 25 },
    );
  });

  it("is signed by ML-DSA-65 and 87 and SLH-DSA too", async () => {
    const verifier = new PqVerifier();
    for (const name of ["ML-DSA-65", "ML-DSA-87", "SLH-DSA-SHA2-128s"] as const) {
      const key = await openPqKey(name, PQ_SEEDS[1]);
      await verifier.prepare(name);
      const signed = decodeTransaction((await signWith(key)).raw);
      assert.equal(senderOf(signed, { verifier }), key.address);
      const { publicKeyBytes, signatureBytes } = pqAlgorithm(name);
      assert.equal(signed.pqSender?.publicKey.length, publicKeyBytes);
      assert.equal(signed.signature.pq?.length, signatureBytes);
    }
  });

  it("has zeros for a secp256k1 signature", () => {
    const { v, r, s, yParity } = known.signature;
    assert.deepEqual([v, r, s, yParity], [0n, 0n, 0n, 0]);
  });

  it("wants the empty sender, a known algorithm, and lengths to the byte", () => {
    const { publicKeyBytes, signatureBytes } = account.algorithm;
    const shorter = (length: number) => new Uint8Array(length - 1).fill(1);
    const longer = (length: number) => new Uint8Array(length + 1).fill(1);
    const refused: readonly Readonly<Record<number, RlpInput>>[] = [
      { [SENDER]: new Uint8Array(20).fill(1) },
      { [SENDER]: [] },
      { [ALGORITHM]: EMPTY_BYTES },
      { [ALGORITHM]: Uint8Array.of(0) },
      { [ALGORITHM]: Uint8Array.of(0x10) },
      { [ALGORITHM]: Uint8Array.of(0x11, 0) },
      // the lengths are another algorithm's
      { [ALGORITHM]: Uint8Array.of(0x12) },
      { [KEY]: shorter(publicKeyBytes) },
      { [KEY]: longer(publicKeyBytes) },
      { [KEY]: EMPTY_BYTES },
      { [SIGNATURE]: shorter(signatureBytes) },
      { [SIGNATURE]: longer(signatureBytes) },
      { [SIGNATURE]: EMPTY_BYTES },
      { [KEY]: [new Uint8Array(publicKeyBytes)] },
    ];
    for (const change of refused) assert.equal(changed(change), "BAD_FIELD");
    assert.equal(changed({}), undefined);
  });

  it("wants 13 items and at most 131,072 bytes", () => {
    const items = itemsOf(known);
    const bad = [items.slice(1), items.slice(0, -1), [...items, EMPTY_BYTES], []];
    for (const list of bad)
      assert.equal(
        codeOf(() => decodeTransaction(rawOf(list))),
        "BAD_FIELD",
      );
    const room = 131_072 - known.raw.length;
    const fits = signPq(account, { data: new Uint8Array(room - 5).fill(1) });
    assert.ok(fits.raw.length >= 131_070 && fits.raw.length <= 131_072);
    assert.equal(
      codeOf(() => signPq(account, { data: new Uint8Array(room).fill(1) })),
      "BAD_FIELD",
    );
  });

  it("has no sender when signed in another context, by another key, or over other bytes", () => {
    const { pqSender } = known;
    const fields = { ...PQ_FIELDS, pqSender };
    for (const context of ["", "QNet/msg/1", "QNet/tx/2", "QNet/tx/1\0"]) {
      const digest = signingDigest(fields);
      const signature = account.sign(digest, new TextEncoder().encode(context));
      const signed = encodeTransaction(fields, signature);
      assert.equal(
        codeOf(() => senderOf(signed)),
        "BAD_SIGNATURE",
        JSON.stringify(context),
      );
    }
    assert.equal(changed({ [KEY]: pqAccount(PQ_SEEDS[1]).publicKey }), "BAD_SIGNATURE");
    assert.equal(changed({ 1: Uint8Array.of(1) }), "BAD_SIGNATURE");
  });

  it("takes no secp256k1 signature, and other types take no other", () => {
    const fields = { ...PQ_FIELDS, pqSender: known.pqSender };
    const ecdsa = { r: 1n, s: 1n, yParity: 0 } as const;
    assert.equal(
      codeOf(() => encodeTransaction(fields, ecdsa)),
      "BAD_SIGNATURE",
    );
    for (const type of [0, 2]) {
      const other = { ...PQ_FIELDS, type };
      assert.equal(
        codeOf(() => encodeTransaction(other, new Uint8Array(65))),
        "BAD_SIGNATURE",
      );
    }
    assert.equal(
      codeOf(() => signingPayload(PQ_FIELDS)),
      "BAD_FIELD",
    );
  });

  it("has a payload to sign before its key is known, and a form without signature", () => {
    const { algorithm } = account;
    const template = { ...PQ_FIELDS, pqSender: { algorithm, publicKey: EMPTY_BYTES } };
    const items = readList(decodeRlp(signingPayload(template).subarray(1)), "payload", 12);
    assert.deepEqual(items.slice(9), [EMPTY_BYTES, Uint8Array.of(0x11), EMPTY_BYTES]);
    const call = unsignedTransaction(template);
    assert.deepEqual(call.pqSender, template.pqSender);
    assert.equal(call.signature.pq, undefined);
  });
});
