/** Post-quantum accounts that a development chain signs for, as it does for its secp256k1 accounts. */
import { pqAlgorithm } from "../crypto/pqAlgorithms.ts";
import { type MlDsaName, mlDsaPublicKey, signMlDsa } from "../crypto/pqKeys.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Address } from "../primitives/hex.ts";
import { TRANSACTION_CONTEXT } from "../types/pqSignature.ts";
import type { PqSender, Transaction, TransactionFields } from "../types/transaction.ts";
import { encodeTransaction, signingDigest } from "../types/transactionCodec.ts";

/** An account the node can sign for. */
export interface DevPqAccount {
  readonly address: Address;
  readonly algorithm: MlDsaName;
  /** 32 bytes */
  readonly seed: Bytes;
}

/** The key of such an account. */
export interface DevSigner extends PqSender {
  /** The fields as a transaction of type 0x51, in 0.5 ms. Throws DecodeError on values that it cannot carry. */
  signTransaction(fields: TransactionFields): Transaction;
}

/** Opens the account's key. */
export function devSigner({ algorithm: name, seed }: DevPqAccount): DevSigner {
  const pqSender = { algorithm: pqAlgorithm(name), publicKey: mlDsaPublicKey(name, seed) };
  return {
    ...pqSender,
    signTransaction(fields) {
      const full = { ...fields, pqSender };
      const signature = signMlDsa(name, seed, signingDigest(full), TRANSACTION_CONTEXT);
      return encodeTransaction(full, signature);
    },
  };
}
