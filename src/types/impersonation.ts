/**
 * Transactions of senders without a key, which development chains allow: a placeholder stands where the signature
 * belongs. It names its sender, so it cannot be mistaken for the signature of anybody else.
 */
import type { Address } from "../primitives/hex.ts";
import { rememberSender } from "./sender.ts";
import type { Signature, Transaction, TransactionFields } from "./transaction.ts";
import { encodeTransaction } from "./transactionCodec.ts";

/** Above every address, so that no placeholder is zero. */
const MARK = 1n << 160n;
/** `v` of a legacy transaction is 35 + 2 × chain id + yParity (EIP-155). */
const EIP155_V = 35n;
const PLAIN_V = 27n;

function placeholderFor(sender: Address): bigint {
  return MARK | BigInt(sender);
}

function placeholder({ type, chainId }: TransactionFields, sender: Address): Signature {
  const value = placeholderFor(sender);
  const legacy = chainId === undefined ? PLAIN_V : EIP155_V + 2n * chainId;
  return { v: type === 0 ? legacy : 0n, r: value, s: value, yParity: 0 };
}

/** The transaction with r = s = 2^160 + sender for a signature; its sender is remembered with it. */
export function impersonate(fields: TransactionFields, sender: Address): Transaction {
  const transaction = encodeTransaction(fields, placeholder(fields, sender));
  rememberSender(transaction, sender);
  return transaction;
}

/** Whether the placeholder of `sender` stands in the place of the signature. */
export function isImpersonated({ signature }: Transaction, sender: Address): boolean {
  return signature.r === signature.s && signature.r === placeholderFor(sender);
}
