/** Keys and signatures apart from the transactions that carry them, and what of them a quantum computer could use. */
import { type Bytes, bigIntToBytes, concatBytes, padBytes } from "../../src/primitives/bytes.ts";
import type { Address } from "../../src/primitives/hex.ts";
import { isImpersonated } from "../../src/types/impersonation.ts";
import type { PqSender } from "../../src/types/transaction.ts";
import { address, data, hash, list, nullable, text } from "../codec.ts";
import { exposureOf, exposureView } from "../exposure.ts";
import { defineMethod, param } from "../method.ts";
import { field, maybe, view } from "../objects.ts";
import { type PlacedTransaction, transactionSummaryView } from "../views.ts";
import { findTransaction } from "./transaction.ts";

const WORD_BYTES = 32;

/** What proves who sent a transaction. */
interface Proof {
  readonly algorithm: string;
  /** undefined: secp256k1, which recovers it from the signature */
  readonly publicKey: Bytes | undefined;
  readonly signature: Bytes;
}

const proofView = view<Proof>("signature", {
  algorithm: field(text, (proof: Proof) => proof.algorithm),
  publicKey: maybe(data, (proof) => proof.publicKey),
  signature: field(data, (proof) => proof.signature),
});

/** undefined: an impersonated sender, who signed nothing. */
function proofOf({ transaction, sender }: PlacedTransaction): Proof | undefined {
  const { pqSender, signature } = transaction;
  if (pqSender !== undefined && signature.pq !== undefined) {
    const { algorithm, publicKey } = pqSender;
    return { algorithm: algorithm.name, publicKey, signature: signature.pq };
  }
  if (isImpersonated(transaction, sender)) return undefined;
  const { r, s, yParity } = signature;
  const [high, low] = [r, s].map((part) => padBytes(bigIntToBytes(part), WORD_BYTES));
  const parts = [high, low, Uint8Array.of(yParity)].filter((part) => part !== undefined);
  return { algorithm: "secp256k1", publicKey: undefined, signature: concatBytes(...parts) };
}

interface AccountKey extends PqSender {
  readonly address: Address;
}

const keyView = view<AccountKey>("post-quantum key", {
  address: field(address, (key: AccountKey) => key.address),
  algorithm: field(text, (key) => key.algorithm.name),
  publicKey: field(data, (key) => key.publicKey),
});

/** qnet_getTransactionSummary and its kin. */
export const pqAccountMethods = [
  defineMethod({
    name: "qnet_getTransactionSummary",
    summary: "Returns a transaction, mined or pending, without its key and signature.",
    params: [param("hash", hash)],
    result: nullable(transactionSummaryView),
    handler: findTransaction,
  }),
  defineMethod({
    name: "qnet_getTransactionSignature",
    summary:
      "Returns algorithm, public key and signature of a transaction; of secp256k1 r, s and yParity in 65 bytes.",
    params: [param("hash", hash)],
    result: nullable(proofView),
    handler: (context, wanted) => {
      const found = findTransaction(context, wanted);
      return found && proofOf(found);
    },
  }),
  defineMethod({
    name: "qnet_getAccountKey",
    summary:
      "Returns the post-quantum key of an account, once it has sent a transaction of type 0x51; null before, and for other accounts.",
    params: [param("address", address)],
    result: nullable(keyView),
    handler: ({ keys }, account) => {
      const key = keys.find(account);
      return key && { ...key, address: account };
    },
  }),
  defineMethod({
    name: "qnet_getExposure",
    summary:
      "Tells whether an account's secp256k1 public key is in the open, since when, and what a quantum computer could take.",
    params: [param("address", address)],
    result: exposureView,
    handler: exposureOf,
  }),
  defineMethod({
    name: "qnet_accounts",
    summary:
      "Returns the unlocked post-quantum accounts, whose signatures wallets of eth_accounts would not understand.",
    params: [],
    result: list(keyView),
    devOnly: true,
    handler: ({ node }) =>
      (node.dev?.pqAccounts ?? []).flatMap((account) => {
        const key = node.dev?.pqSigner(account);
        return key === undefined ? [] : [{ ...key, address: account }];
      }),
  }),
];
