/**
 * The open registry of transaction types: one row each. A row says which fields stand in the payload and in which
 * order, how the transaction is signed, and from which fork on it exists; codec, pool, execution and RPC read the row.
 */
import type { ForkName, Rules } from "./forks.ts";
import { pqSignature } from "./pqSignature.ts";
import { legacySignature, type SignatureScheme, yParitySignature } from "./signatureSchemes.ts";
import {
  accessListField,
  authorizationListField,
  blobVersionedHashesField,
  callOnlyToField,
  chainIdField,
  dataField,
  type FieldCodec,
  gasLimitField,
  gasPriceField,
  maxFeePerBlobGasField,
  maxFeePerGasField,
  maxPriorityFeePerGasField,
  nonceField,
  toField,
  valueField,
} from "./transactionFields.ts";

export interface TransactionType {
  /** First byte of the encoding (EIP-2718); legacy has none and counts as 0. */
  readonly type: number;
  /** For logs, metrics and evidence. */
  readonly name: string;
  /** First fork that knows the type. */
  readonly activeSince: ForkName;
  /** Section of the genesis without which no fork knows the type. */
  readonly needs?: "pqTransactions";
  /** Longest encoding; the others are bounded by pool and block alone. */
  readonly maxBytes?: number;
  /** Payload items in order, without the signature's. */
  readonly fields: readonly FieldCodec[];
  readonly signature: SignatureScheme;
}

export const LEGACY_TYPE = 0;
/** EIP-2930 */
export const ACCESS_LIST_TYPE = 1;
/** EIP-1559 */
export const DYNAMIC_FEE_TYPE = 2;
/** EIP-4844 */
export const BLOB_TYPE = 3;
/** EIP-7702 */
export const SET_CODE_TYPE = 4;

/** Signed by a post-quantum key; 0x40 to 0x7f is the range that Ethereum leaves to other chains (EIP-7808). */
export const PQ_TYPE = 0x51;

const MAX_PQ_BYTES = 131_072;

const TYPES: readonly TransactionType[] = [
  {
    type: LEGACY_TYPE,
    name: "legacy",
    activeSince: "frontier",
    fields: [nonceField, gasPriceField, gasLimitField, toField, valueField, dataField],
    signature: legacySignature,
  },
  {
    type: ACCESS_LIST_TYPE,
    name: "accessList",
    activeSince: "berlin",
    fields: [
      chainIdField,
      nonceField,
      gasPriceField,
      gasLimitField,
      toField,
      valueField,
      dataField,
      accessListField,
    ],
    signature: yParitySignature,
  },
  {
    type: DYNAMIC_FEE_TYPE,
    name: "dynamicFee",
    activeSince: "london",
    fields: [
      chainIdField,
      nonceField,
      maxPriorityFeePerGasField,
      maxFeePerGasField,
      gasLimitField,
      toField,
      valueField,
      dataField,
      accessListField,
    ],
    signature: yParitySignature,
  },
  {
    type: BLOB_TYPE,
    name: "blob",
    activeSince: "cancun",
    fields: [
      chainIdField,
      nonceField,
      maxPriorityFeePerGasField,
      maxFeePerGasField,
      gasLimitField,
      callOnlyToField,
      valueField,
      dataField,
      accessListField,
      maxFeePerBlobGasField,
      blobVersionedHashesField,
    ],
    signature: yParitySignature,
  },
  {
    type: SET_CODE_TYPE,
    name: "setCode",
    activeSince: "prague",
    fields: [
      chainIdField,
      nonceField,
      maxPriorityFeePerGasField,
      maxFeePerGasField,
      gasLimitField,
      callOnlyToField,
      valueField,
      dataField,
      accessListField,
      authorizationListField,
    ],
    signature: yParitySignature,
  },
  {
    type: PQ_TYPE,
    name: "postQuantum",
    activeSince: "osaka",
    needs: "pqTransactions",
    maxBytes: MAX_PQ_BYTES,
    fields: [
      chainIdField,
      nonceField,
      maxPriorityFeePerGasField,
      maxFeePerGasField,
      gasLimitField,
      toField,
      valueField,
      dataField,
      accessListField,
    ],
    signature: pqSignature,
  },
];

/** Every type this node can read, by its number. */
export const transactionTypes: ReadonlyMap<number, TransactionType> = new Map(
  TYPES.map((row) => [row.type, row]),
);

/** Whether blocks under `rules` may hold transactions of this type. */
export function isTypeActive({ activeSince, needs }: TransactionType, rules: Rules): boolean {
  return rules.has(activeSince) && (needs === undefined || rules[needs] !== undefined);
}
