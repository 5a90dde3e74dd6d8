/** Signing for the accounts of a development chain: messages, typed data, transactions. */
import { keccak256 } from "../src/crypto/keccak.ts";
import { signDigest } from "../src/crypto/secp256k1.ts";
import { checkType } from "../src/execution/checkTransaction.ts";
import type { DevChain } from "../src/node/dev.ts";
import { type Bytes, bigIntToBytes, concatBytes, padBytes } from "../src/primitives/bytes.ts";
import type { Address } from "../src/primitives/hex.ts";
import { impersonate } from "../src/types/impersonation.ts";
import { prepareSigners, rememberSender, senderOf } from "../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../src/types/transaction.ts";
import { signTransaction } from "../src/types/transactionCodec.ts";
import type { CallRequest } from "./callRequest.ts";
import type { RpcContext, RpcNode } from "./context.ts";
import { RpcError } from "./errors.ts";

const WORD_BYTES = 32;
/** `v` of a message signature is 27 or 28. */
const MESSAGE_V = 27;
const utf8 = new TextEncoder();

/** The development side of the node; refuses where there is none. */
export function devOf({ node }: RpcContext): DevChain {
  const { dev } = node;
  if (dev === undefined) throw new RpcError({ code: "REFUSED", text: "this node has no accounts" });
  return dev;
}

/** Digest of a personal message. Source: EIP-191, version 0x45. */
export function messageDigest(message: Bytes): Bytes {
  const prefix = utf8.encode(`\x19Ethereum Signed Message:\n${message.length}`);
  return keccak256(concatBytes(prefix, message));
}

/** r ‖ s ‖ v of `digest` by an unlocked account. Throws RpcError when it has no key here. */
export function signAs(context: RpcContext, account: Address, digest: Bytes): Bytes {
  const dev = devOf(context);
  const key = dev.privateKey(account);
  if (key === undefined) {
    const algorithm = dev.pqSigner(account)?.algorithm.name;
    if (algorithm !== undefined) {
      const text = `${account} signs with ${algorithm}: a signature of 65 bytes is none of its`;
      throw new RpcError({ code: "REFUSED", text });
    }
    throw new RpcError({ code: "REFUSED", text: `unknown account: no key for ${account}` });
  }
  const { r, s, yParity } = signDigest(digest, key);
  return concatBytes(
    padBytes(bigIntToBytes(r), WORD_BYTES),
    padBytes(bigIntToBytes(s), WORD_BYTES),
    Uint8Array.of(MESSAGE_V + yParity),
  );
}

/** Sender of a transaction that came as bytes. Throws DecodeError, TransactionError, PqError. */
export async function verifiedSender(
  { chain, verifier }: RpcNode,
  transaction: Transaction,
): Promise<Address> {
  if (transaction.pqSender !== undefined) {
    // an algorithm that no rule knows is not loaded for a stranger
    checkType(transaction, chain.rulesFor(chain.head.header));
    await prepareSigners([transaction], verifier);
  }
  return senderOf(transaction, { verifier });
}

/** Signs with the sender's key, or stands in for it when the sender is impersonated. Throws RpcError. */
export function signOrImpersonate(
  context: RpcContext,
  fields: TransactionFields,
  sender: Address,
): Transaction {
  const dev = devOf(context);
  const key = dev.privateKey(sender);
  if (key !== undefined) {
    const transaction = signTransaction(fields, key);
    rememberSender(transaction, sender);
    return transaction;
  }
  const signer = dev.pqSigner(sender);
  if (signer !== undefined) {
    const transaction = signer.signTransaction(fields);
    rememberSender(transaction, sender);
    return transaction;
  }
  if (dev.isImpersonated(sender) && fields.pqSender === undefined)
    return impersonate(fields, sender);
  throw new RpcError({
    code: "REFUSED",
    text: `unknown account: ${sender} is neither unlocked nor impersonated`,
  });
}

/** The sender of a request that this node is to sign: the first account unless it says. Throws RpcError. */
export function senderFor(context: RpcContext, { from }: CallRequest): Address {
  const sender = from ?? devOf(context).accounts[0];
  if (sender === undefined)
    throw new RpcError({ code: "REFUSED", text: "no account to send from" });
  return sender;
}
