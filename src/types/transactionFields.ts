/** One codec per field of a transaction: how it is read from, and written to, the item of a payload. */
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import {
  fail,
  hexItem,
  type RlpInput,
  type RlpItem,
  readAddress,
  readBytes,
  readHash,
  readList,
  readUint,
  uintItem,
} from "./rlp.ts";
import type { AccessListItem, Authorization, TransactionFields } from "./transaction.ts";

/** Fields while they are being read. */
export type TransactionDraft = {
  -readonly [K in keyof TransactionFields]: TransactionFields[K];
};

/** How one field stands in a payload. `read` throws DecodeError. */
export interface FieldCodec {
  /** As in JSON-RPC, for the evidence of errors. */
  readonly name: string;
  readonly read: (item: RlpItem | undefined, draft: TransactionDraft, where: string) => void;
  readonly write: (fields: TransactionFields, where: string) => RlpInput;
}

type UintField = {
  [K in keyof TransactionFields]-?: TransactionFields[K] extends bigint ? K : never;
}[keyof TransactionFields];

const GAS_BITS = 64;
const NONCE_BITS = 64;
const WORD_BITS = 256;
/** Shared by all fields that hold nothing: a pool and its blocks keep 100,000 transactions and more. */
export const NO_ENTRIES: readonly never[] = [];

function uintField(name: UintField, bits: number): FieldCodec {
  return {
    name,
    read: (item, draft, where) => {
      draft[name] = readUint(item, where, bits);
    },
    write: (fields, where) => uintItem(fields[name], where),
  };
}

export const chainIdField: FieldCodec = {
  name: "chainId",
  read: (item, draft, where) => {
    draft.chainId = readUint(item, where, WORD_BITS);
  },
  write: (fields, where) =>
    fields.chainId === undefined
      ? fail("BAD_FIELD", { where, expected: "a chain id", got: "nothing" })
      : uintItem(fields.chainId, where),
};

/** Any 64-bit value; that 2^64 - 1 cannot be used is a rule of validity (EIP-2681). */
export const nonceField = uintField("nonce", NONCE_BITS);
export const maxPriorityFeePerGasField = uintField("maxPriorityFeePerGas", WORD_BITS);
export const maxFeePerGasField = uintField("maxFeePerGas", WORD_BITS);
export const gasLimitField = uintField("gasLimit", GAS_BITS);
export const valueField = uintField("value", WORD_BITS);
export const maxFeePerBlobGasField = uintField("maxFeePerBlobGas", WORD_BITS);

/** One price for both fees: types 0 and 1. */
export const gasPriceField: FieldCodec = {
  name: "gasPrice",
  read: (item, draft, where) => {
    const gasPrice = readUint(item, where, WORD_BITS);
    draft.maxFeePerGas = gasPrice;
    draft.maxPriorityFeePerGas = gasPrice;
  },
  write: (fields, where) => uintItem(fields.maxFeePerGas, where),
};

/** Empty creates a contract. */
export const toField: FieldCodec = {
  name: "to",
  read: (item, draft, where) => {
    draft.to = readBytes(item, where).length === 0 ? undefined : readAddress(item, where);
  },
  write: (fields) => hexItem(fields.to),
};

/** `to` of the types that create no contracts: 3 (EIP-4844) and 4 (EIP-7702). */
export const callOnlyToField: FieldCodec = {
  name: "to",
  read: (item, draft, where) => {
    draft.to = readAddress(item, where);
  },
  write: (fields) => hexItem(fields.to),
};

export const dataField: FieldCodec = {
  name: "data",
  read: (item, draft, where) => {
    const data = readBytes(item, where);
    draft.data = data.length === 0 ? EMPTY_BYTES : data;
  },
  write: (fields) => fields.data,
};

export const accessListField: FieldCodec = {
  name: "accessList",
  read: (item, draft, where) => {
    draft.accessList = readEach(item, where, readAccessListItem);
  },
  write: (fields) =>
    fields.accessList.map(({ address, storageKeys }) => [
      hexItem(address),
      storageKeys.map(hexItem),
    ]),
};

export const blobVersionedHashesField: FieldCodec = {
  name: "blobVersionedHashes",
  read: (item, draft, where) => {
    draft.blobVersionedHashes = readEach(item, where, readHash);
  },
  write: (fields) => fields.blobVersionedHashes.map(hexItem),
};

export const authorizationListField: FieldCodec = {
  name: "authorizationList",
  read: (item, draft, where) => {
    draft.authorizationList = readEach(item, where, readAuthorization);
  },
  write: (fields, where) =>
    fields.authorizationList.map((entry) => authorizationItems(entry, where)),
};

/** The entries of a list. Most are empty: one empty list serves all of those. */
function readEach<T>(
  item: RlpItem | undefined,
  where: string,
  read: (entry: RlpItem, where: string) => T,
): readonly T[] {
  const entries = readList(item, where);
  return entries.length === 0 ? NO_ENTRIES : entries.map((entry) => read(entry, where));
}

function readAccessListItem(item: RlpItem, where: string): AccessListItem {
  const [address, storageKeys] = readList(item, where, 2);
  const keysWhere = `${where}.storageKeys`;
  return {
    address: readAddress(address, `${where}.address`),
    storageKeys: readList(storageKeys, keysWhere).map((key) => readHash(key, keysWhere)),
  };
}

function readAuthorization(item: RlpItem, where: string): Authorization {
  const [chainId, address, nonce, yParity, r, s] = readList(item, where, 6);
  return {
    chainId: readUint(chainId, `${where}.chainId`, WORD_BITS),
    address: readAddress(address, `${where}.address`),
    nonce: readUint(nonce, `${where}.nonce`, NONCE_BITS),
    yParity: readUint(yParity, `${where}.yParity`, 8),
    r: readUint(r, `${where}.r`, WORD_BITS),
    s: readUint(s, `${where}.s`, WORD_BITS),
  };
}

function authorizationItems(authorization: Authorization, where: string): RlpInput[] {
  return [
    uintItem(authorization.chainId, where),
    hexItem(authorization.address),
    uintItem(authorization.nonce, where),
    uintItem(authorization.yParity, where),
    uintItem(authorization.r, where),
    uintItem(authorization.s, where),
  ];
}
