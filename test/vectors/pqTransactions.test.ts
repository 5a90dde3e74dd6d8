import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { PqVerifier } from "../../src/crypto/pqVerifier.ts";
import { checkAgainstRules } from "../../src/execution/checkTransaction.ts";
import { intrinsicGas } from "../../src/execution/gas.ts";
import { hexToBytes } from "../../src/primitives/hex.ts";
import { DecodeError } from "../../src/types/rlp.ts";
import { senderOf } from "../../src/types/sender.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { decodeTransaction } from "../../src/types/transactionCodec.ts";
import { codeOf } from "../support/errors.ts";
import { PQ_SEEDS, pqAccount, pqRules, signPq } from "../support/pqTransactions.ts";
import {
  type Expected,
  makeVectors,
  type PqTransactionVector,
  VECTOR_FILE,
} from "../tools/makePqTransactions.ts";

const rules = pqRules();
const verifier = new PqVerifier();
const text = gunzipSync(readFileSync(VECTOR_FILE)).toString("utf8");
const vectors: readonly PqTransactionVector[] = JSON.parse(text);

function judge(txbytes: string): Expected {
  let transaction: Transaction;
  try {
    transaction = decodeTransaction(hexToBytes(txbytes));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { code, where } = error.reason;
    return { stage: "decode", code, where };
  }
  const unlawful = codeOf(() => checkAgainstRules(transaction, rules));
  if (unlawful !== undefined) return { stage: "rules", code: unlawful };
  const forged = codeOf(() => senderOf(transaction, { verifier }));
  if (forged !== undefined) return { stage: "signature", code: forged };
  const sender = senderOf(transaction, { verifier });
  return { hash: transaction.hash, sender, intrinsicGas: Number(intrinsicGas(transaction, rules)) };
}

describe("transactions of type 0x51", () => {
  before(async () => {
    for (const name of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const)
      await verifier.prepare(name);
  });

  for (const { name, txbytes, expected } of vectors)
    it(name, () => assert.deepEqual(judge(txbytes), expected));

  it("are what test/tools/makePqTransactions.ts writes, with names of their own", () => {
    assert.equal(text, JSON.stringify(makeVectors()));
    const names = vectors.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.filter((name) => !name.startsWith("valid/")).length >= 60);
  });
});

describe("a signed transaction of type 0x51", () => {
  const account = pqAccount(PQ_SEEDS[0]);
  const { raw } = signPq(account, { data: Uint8Array.of(1, 2, 3) });

  /** What the changed bytes pass for, if for anything. */
  function passesFor(changed: Uint8Array): { hash: string; sender: string } | undefined {
    try {
      const transaction = decodeTransaction(changed);
      checkAgainstRules(transaction, rules);
      return { hash: transaction.hash, sender: senderOf(transaction) };
    } catch (error) {
      assert.ok(error instanceof Error && "reason" in error, String(error));
      return undefined;
    }
  }

  /** Every bit near the ends of fields, key and signature; one bit of every 7th byte between. */
  function* bitsToFlip(): Generator<readonly [at: number, bit: number]> {
    const signatureStart = raw.length - 2_420;
    for (let at = 0; at < raw.length; at++) {
      const isEdge = at < 140 || at > raw.length - 100 || Math.abs(at - signatureStart) < 8;
      if (isEdge) for (let bit = 0; bit < 8; bit++) yield [at, bit];
      else if (at % 7 === 0) yield [at, at % 8];
    }
  }

  it("cannot be changed in any bit without losing its validity", function () {
    this.timeout(120_000);
    for (const [at, bit] of bitsToFlip()) {
      const changed = Uint8Array.from(raw);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      assert.equal(passesFor(changed), undefined, `bit ${bit} of byte ${at}`);
    }
  });
});
