/**
 * How transactions of type 0x51 are signed: sender (empty), algorithm, public key and signature stand behind the fields. The
 * key travels with the transaction and is part of what is signed, so no other key or algorithm can claim the signature.
 * A signer can make many valid signatures for one payload: what identifies such a transaction is sender and nonce.
 */
import { PQ_CONTEXTS, pqAddress } from "../crypto/pqAccounts.ts";
import { type PqAlgorithm, pqAlgorithmById } from "../crypto/pqAlgorithms.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { fail, type RlpInput, type RlpItem, readBytes, showBytes } from "./rlp.ts";
import type { SignatureScheme } from "./signatureSchemes.ts";
import type { Signature, TransactionFields } from "./transaction.ts";

/** Context of the signatures of transactions (FIPS 204 and 205, "ctx"). */
export const TRANSACTION_CONTEXT: Bytes = new TextEncoder().encode(PQ_CONTEXTS.transaction);
/** Gas of recovering a secp256k1 key, which the base cost of a transaction covers and this type does without. */
const ECRECOVER_GAS = 3_000n;
/** RLP head of a signature: the shortest has 666 bytes, the longest 49,856. */
const SIGNATURE_HEAD_BYTES = 3;

/** sender, pqAlgorithm, pqPublicKey and pqSignature of type 0x51. */
export const pqSignature: SignatureScheme = {
  itemNames: ["sender", "pqAlgorithm", "pqPublicKey", "pqSignature"],
  read: ([senderItem, algorithmItem, keyItem, signatureItem], draft, where, raw) => {
    // 20 bytes are reserved for accounts that keep their key in a registry
    readBytes(senderItem, `${where}.sender`, 0);
    const algorithm = readAlgorithm(algorithmItem, `${where}.pqAlgorithm`);
    const { publicKeyBytes, signatureBytes } = algorithm;
    readBytes(keyItem, `${where}.pqPublicKey`, publicKeyBytes);
    readBytes(signatureItem, `${where}.pqSignature`, signatureBytes);
    // views of the last two items: with copies a pool would need twice the memory
    const signatureStart = raw.length - signatureBytes;
    const keyEnd = signatureStart - SIGNATURE_HEAD_BYTES;
    draft.pqSender = { algorithm, publicKey: raw.subarray(keyEnd - publicKeyBytes, keyEnd) };
    return signatureOf(raw.subarray(signatureStart));
  },
  write: ({ pq }, fields) => [...senderItems(fields), pq ?? noSignature(fields)],
  signedItems: senderItems,
  complete: (_fields, signature) =>
    signature instanceof Uint8Array
      ? signatureOf(signature)
      : fail("BAD_SIGNATURE", {
          where: "transaction.pqSignature",
          expected: "a signature by the key that the transaction names",
          got: "a secp256k1 signature",
        }),
  recoverSender: (digest, { pqSender, signature: { pq } }, verifier) => {
    if (pqSender === undefined || pq === undefined) return undefined;
    const { algorithm, publicKey } = pqSender;
    const { name } = algorithm;
    const good = verifier.verify(name, publicKey, digest, pq, TRANSACTION_CONTEXT);
    return good ? pqAddress(name, publicKey) : undefined;
  },
  witnessGas: ({ pqSender }, { pqTransactions }) => {
    if (pqSender === undefined || pqTransactions === undefined) return 0n;
    const { name, publicKeyBytes, signatureBytes } = pqSender.algorithm;
    const verifyGas = pqTransactions.verifyGas.get(name) ?? 0n;
    const bytes = BigInt(publicKeyBytes + signatureBytes);
    return verifyGas + pqTransactions.witnessGasPerByte * bytes - ECRECOVER_GAS;
  },
};

/** What stands in the place of a signature in a call that is shown as a transaction. */
function noSignature({ pqSender }: TransactionFields): Bytes {
  return new Uint8Array(pqSender?.algorithm.signatureBytes ?? 0);
}

function signatureOf(pq: Bytes): Signature {
  return { v: 0n, r: 0n, s: 0n, yParity: 0, pq };
}

function senderItems({ pqSender }: TransactionFields): RlpInput[] {
  if (pqSender === undefined)
    fail("BAD_FIELD", {
      where: "transaction.pqAlgorithm",
      expected: "an algorithm and a public key",
      got: "nothing",
    });
  return [EMPTY_BYTES, Uint8Array.of(pqSender.algorithm.id), pqSender.publicKey];
}

function readAlgorithm(item: RlpItem | undefined, where: string): PqAlgorithm {
  const id = readBytes(item, where, 1);
  return (
    pqAlgorithmById(id[0]) ??
    fail("BAD_FIELD", { where, expected: "a known signature algorithm", got: showBytes(id) })
  );
}
