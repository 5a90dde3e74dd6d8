/** Keys that sign transactions for commands: secp256k1 here, post-quantum ones here or at a remote signer. */
import { z } from "zod";
import { type PqAlgorithm, pqAlgorithm } from "../src/crypto/pqAlgorithms.ts";
import type { StoredKey } from "../src/crypto/storedKey.ts";
import { type Bytes, EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { type Address, bytesToHex, formatQuantity } from "../src/primitives/hex.ts";
import { localSigner, type Signer } from "../src/signer/signer.ts";
import { TRANSACTION_CONTEXT } from "../src/types/pqSignature.ts";
import type { Transaction, TransactionFields } from "../src/types/transaction.ts";
import {
  encodeTransaction,
  signingDigest,
  signTransaction,
} from "../src/types/transactionCodec.ts";
import { PQ_TYPE } from "../src/types/transactionTypes.ts";
import { CommandError } from "./exit.ts";
import type { RpcEndpoint } from "./rpcEndpoint.ts";

/** A key that signs transactions, wherever it is. */
export interface TransactionKey {
  /** undefined: secp256k1 */
  readonly pq: { readonly algorithm: PqAlgorithm; readonly publicKey: Bytes } | undefined;
  readonly sign: (fields: TransactionFields) => Promise<Transaction>;
  readonly close: () => Promise<void>;
}

/** What is to be sent. */
export interface TransactionWish {
  readonly from: Address;
  /** undefined: contract creation */
  readonly to: Address | undefined;
  /** wei */
  readonly value: bigint;
  readonly data: Bytes;
}

const quantity = z
  .string()
  .regex(/^0x[0-9a-f]+$/)
  .transform(BigInt);
const filled = z.object({
  tx: z.object({
    chainId: quantity,
    nonce: quantity,
    gas: quantity,
    maxFeePerGas: quantity,
    maxPriorityFeePerGas: quantity,
  }),
});

/** The key of a key file. */
export async function keyOfFile(key: StoredKey): Promise<TransactionKey> {
  if (key.type !== "secp256k1") return keyOfSigner(await localSigner(key.type, key.secret));
  return {
    pq: undefined,
    sign: (fields) => Promise.resolve(signTransaction(fields, key.secret)),
    close: async () => undefined,
  };
}

/** A post-quantum key behind a signer. */
export function keyOfSigner(signer: Signer): TransactionKey {
  return {
    pq: { algorithm: pqAlgorithm(signer.algorithm), publicKey: signer.publicKey },
    sign: async (fields) => {
      const signature = await signer.sign(signingDigest(fields), TRANSACTION_CONTEXT);
      return encodeTransaction(fields, signature);
    },
    close: () => signer.close(),
  };
}

/** The transaction with the node's nonce, gas and fees; receiver, value and data are the wish's alone. Throws CommandError. */
export async function fillTransaction(
  endpoint: RpcEndpoint,
  wish: TransactionWish,
  { pq }: Pick<TransactionKey, "pq">,
): Promise<TransactionFields> {
  const request = {
    from: wish.from,
    ...(wish.to !== undefined && { to: wish.to }),
    value: formatQuantity(wish.value),
    ...(wish.data.length > 0 && { data: bytesToHex(wish.data) }),
    type: formatQuantity(BigInt(pq === undefined ? 2 : PQ_TYPE)),
    ...(pq !== undefined && { pqAlgorithm: pq.algorithm.name }),
  };
  const reply = filled.safeParse(await endpoint.call("eth_fillTransaction", request));
  if (!reply.success) {
    const problem = `eth_fillTransaction: expected nonce, gas and fees: ${reply.error.message}`;
    throw new CommandError({ code: "FAILED", problem });
  }
  const { gas, ...rest } = reply.data.tx;
  return {
    ...rest,
    type: pq === undefined ? 2 : PQ_TYPE,
    gasLimit: gas,
    to: wish.to,
    value: wish.value,
    data: wish.data.length === 0 ? EMPTY_BYTES : wish.data,
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
    pqSender: pq,
  };
}
