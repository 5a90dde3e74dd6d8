/**
 * The transaction object of eth_call, eth_estimateGas, eth_sendTransaction and their kin: what a caller may say about a
 * transaction that is not signed yet.
 */
import { pqAddress } from "../src/crypto/pqAccounts.ts";
import { type Bytes, equalBytes } from "../src/primitives/bytes.ts";
import type { Address, Hash } from "../src/primitives/hex.ts";
import type { AccessListItem, Authorization, PqSender } from "../src/types/transaction.ts";
import { PQ_TYPE } from "../src/types/transactionTypes.ts";
import {
  address,
  data,
  hash,
  list,
  looseQuantity,
  type ParamCodec,
  quantity,
  quantity64,
  refuse,
} from "./codec.ts";
import { RpcError } from "./errors.ts";
import { object } from "./objects.ts";
import { algorithmName, pqSenderOf } from "./pqRequest.ts";

/** A transaction as far as the caller described it. */
export interface CallRequest {
  readonly type: number | undefined;
  readonly chainId: bigint | undefined;
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  readonly gas: bigint | undefined;
  /** wei per gas */
  readonly gasPrice: bigint | undefined;
  /** wei per gas */
  readonly maxFeePerGas: bigint | undefined;
  /** wei per gas */
  readonly maxPriorityFeePerGas: bigint | undefined;
  /** wei */
  readonly value: bigint | undefined;
  readonly nonce: bigint | undefined;
  readonly data: Bytes | undefined;
  readonly accessList: readonly AccessListItem[] | undefined;
  /** wei per blob gas */
  readonly maxFeePerBlobGas: bigint | undefined;
  readonly blobVersionedHashes: readonly Hash[] | undefined;
  readonly authorizationList: readonly Authorization[] | undefined;
  /** Key of the sender of a transaction of type 0x51; its public key may be missing */
  readonly pqSender: PqSender | undefined;
}

const MAX_TYPE = 0x7fn;
const MAX_ACCESS_LIST_ITEMS = 10_000;
const MAX_STORAGE_KEYS = 100_000;
const MAX_AUTHORIZATIONS = 1_000;

const accessListItem: ParamCodec<AccessListItem> = {
  ...object("access list item", { address, storageKeys: list(hash, MAX_STORAGE_KEYS) }, [
    "address",
  ]),
  decode(json, where) {
    const item = accessListFields.decode(json, where);
    if (item.address === undefined) return refuse(`${where}.address`, "missing");
    return { address: item.address, storageKeys: item.storageKeys ?? [] };
  },
};
const accessListFields = object("access list item", {
  address,
  storageKeys: list(hash, MAX_STORAGE_KEYS),
});

const authorizationFields = object("authorization", {
  chainId: looseQuantity,
  address,
  nonce: looseQuantity,
  // "0x00" is a form that wallets send
  yParity: looseQuantity,
  v: looseQuantity,
  r: looseQuantity,
  s: looseQuantity,
});

const authorization: ParamCodec<Authorization> = {
  schema: authorizationFields.schema,
  decode(json, where) {
    const item = authorizationFields.decode(json, where);
    const { chainId, address: target, nonce, r, s } = item;
    const yParity = item.yParity ?? item.v;
    if (target === undefined) return refuse(`${where}.address`, "missing");
    if (chainId === undefined || nonce === undefined) return refuse(where, "incomplete");
    return { chainId, address: target, nonce, yParity: yParity ?? 0n, r: r ?? 0n, s: s ?? 0n };
  },
};

const fields = object("transaction request", {
  type: quantity64,
  chainId: quantity,
  from: address,
  to: address,
  gas: quantity64,
  gasPrice: quantity,
  maxFeePerGas: quantity,
  maxPriorityFeePerGas: quantity,
  value: quantity,
  nonce: quantity64,
  data,
  input: data,
  accessList: list(accessListItem, MAX_ACCESS_LIST_ITEMS),
  maxFeePerBlobGas: quantity,
  blobVersionedHashes: list(hash),
  authorizationList: list(authorization, MAX_AUTHORIZATIONS),
  pqAlgorithm: algorithmName,
  pqPublicKey: data,
});

function inputOf(input: Bytes | undefined, older: Bytes | undefined, where: string) {
  if (input !== undefined && older !== undefined && !equalBytes(input, older)) {
    refuse(
      where,
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    );
  }
  return input ?? older;
}

/** The account of a key that was given; undefined where only the algorithm is. */
function accountOf({ algorithm, publicKey }: PqSender): Address | undefined {
  return publicKey.length === 0 ? undefined : pqAddress(algorithm.name, publicKey);
}

/** Transaction object of a call. `input` and `data` may both be there when they are equal. */
export const callRequest: ParamCodec<CallRequest> = {
  schema: fields.schema,
  decode(json, where) {
    const given = fields.decode(json, where);
    const { type, gasPrice, maxFeePerGas, maxPriorityFeePerGas, pqAlgorithm, pqPublicKey } = given;
    if (type !== undefined && type > MAX_TYPE) refuse(`${where}.type`, "transaction type > 0x7f");
    if (
      gasPrice !== undefined &&
      (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined)
    ) {
      refuse(where, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    }
    const pqSender = pqSenderOf({ type, from: given.from, pqAlgorithm, pqPublicKey }, where);
    const isNamed = type !== undefined || pqSender !== undefined;
    // field by field: copying what is left of `given` costs as much as reading it
    return {
      type: isNamed ? Number(type ?? PQ_TYPE) : undefined,
      chainId: given.chainId,
      from: given.from ?? (pqSender && accountOf(pqSender)),
      to: given.to,
      gas: given.gas,
      gasPrice,
      maxFeePerGas,
      maxPriorityFeePerGas,
      value: given.value,
      nonce: given.nonce,
      data: inputOf(given.input, given.data, where),
      accessList: given.accessList,
      maxFeePerBlobGas: given.maxFeePerBlobGas,
      blobVersionedHashes: given.blobVersionedHashes,
      authorizationList: given.authorizationList,
      pqSender,
    };
  },
};

/** Throws RpcError REFUSED, in geth's words, for a request that is meant for another chain. */
export function requireChain({ chainId }: CallRequest, want: bigint): void {
  if (chainId === undefined || chainId === want) return;
  const text = `chainId does not match node's (have=${chainId}, want=${want})`;
  throw new RpcError({ code: "REFUSED", text });
}
