/** Who sent a transaction: recovered (or verified) once, then remembered as long as the transaction object lives. */
import { pqAddress } from "../crypto/pqAccounts.ts";
import type { PqAlgorithmName } from "../crypto/pqAlgorithms.ts";
import { type PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import { SECP256K1_HALF_ORDER } from "../crypto/secp256k1.ts";
import type { Address } from "../primitives/hex.ts";
import { fail } from "./rlp.ts";
import type { Transaction } from "./transaction.ts";
import { signingDigest, typeRow } from "./transactionCodec.ts";

export interface SenderRules {
  /** Frontier accepted both `s` of a signature; from Homestead on only the lower counts (EIP-2). Default: false. */
  readonly allowHighS?: boolean;
  /** What verifies type 0x51; its algorithms are prepared. Default: the common verifier. */
  readonly verifier?: PqVerifier | undefined;
}

const senders = new WeakMap<Transaction, Address>();

/**
 * The account that signed. Throws DecodeError with code BAD_SIGNATURE if there is none; on type 0x51 also RangeError and
 * PqError as the verifier does.
 */
export function senderOf(transaction: Transaction, rules: SenderRules = {}): Address {
  if (rules.allowHighS !== true) requireLowS(transaction);
  const known = senders.get(transaction);
  if (known !== undefined) return known;
  const { signature: scheme } = typeRow(transaction.type);
  const { verifier = pqVerifier } = rules;
  const sender = scheme.recoverSender(signingDigest(transaction), transaction, verifier);
  if (sender === undefined)
    fail("BAD_SIGNATURE", {
      where: "transaction.signature",
      expected: "a signature from which the sender can be recovered",
      got: transaction.hash,
    });
  senders.set(transaction, sender);
  return sender;
}

/** Takes the sender from a source that has checked it: a worker thread, the database, an impersonated account. */
export function rememberSender(transaction: Transaction, sender: Address): void {
  senders.set(transaction, sender);
}

/** The account that a transaction of type 0x51 names, its signature unseen; other types name none. */
export function claimedSender({ pqSender }: Transaction): Address | undefined {
  return pqSender && pqAddress(pqSender.algorithm.name, pqSender.publicKey);
}

/** Sender of a transaction in a block that was found valid; Frontier accepted signatures that later forks refuse. */
export function storedSender(transaction: Transaction): Address {
  return (
    knownSender(transaction) ??
    claimedSender(transaction) ??
    senderOf(transaction, { allowHighS: true })
  );
}

/** Algorithms of the post-quantum signatures among these transactions, each once. */
export function signatureAlgorithms(transactions: Iterable<Transaction>): PqAlgorithmName[] {
  const found = new Set<PqAlgorithmName>();
  for (const { pqSender } of transactions)
    if (pqSender !== undefined) found.add(pqSender.algorithm.name);
  return [...found];
}

/** Makes the verifier ready for these transactions; undefined: nothing is to be waited for. Rejects with PqError. */
export function prepareSigners(
  transactions: Iterable<Transaction>,
  verifier: PqVerifier,
): Promise<unknown> | undefined {
  const missing = signatureAlgorithms(transactions).filter((name) => !verifier.isPrepared(name));
  if (missing.length === 0) return undefined;
  return Promise.all(missing.map((name) => verifier.prepare(name)));
}

/** The sender if it was recovered or remembered before. */
export function knownSender(transaction: Transaction): Address | undefined {
  return senders.get(transaction);
}

function requireLowS({ signature, hash }: Transaction): void {
  if (signature.s > SECP256K1_HALF_ORDER)
    fail("BAD_SIGNATURE", {
      where: "transaction.s",
      expected: "at most half of the curve's order (EIP-2)",
      got: hash,
    });
}
