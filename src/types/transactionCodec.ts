/** Bytes ⇄ transactions (EIP-2718), what is signed, and signing. Every Transaction of this program left `decodeTransaction`'s reader. */
import { keccak256, keccakHash } from "../crypto/keccak.ts";
import { type EcdsaSignature, signDigest } from "../crypto/secp256k1.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { decodeFlat } from "./flatTransaction.ts";
import {
  decodeRlp,
  encodeRlp,
  fail,
  type RlpInput,
  type RlpItem,
  readList,
  showBytes,
} from "./rlp.ts";
import type { Signature, Transaction, TransactionFields } from "./transaction.ts";
import { NO_ENTRIES, type TransactionDraft } from "./transactionFields.ts";
import { LEGACY_TYPE, type TransactionType, transactionTypes } from "./transactionTypes.ts";

/** First byte of an RLP list: a legacy transaction. Smaller ones up to 0x7f are types. Source: EIP-2718 */
const FIRST_LEGACY_BYTE = 0xc0;
const MAX_U64 = 2n ** 64n - 1n;
const BLOB_HASH_VERSION = "0x01";

/** Transaction from its canonical encoding, without blob sidecar. Throws DecodeError. */
export function decodeTransaction(raw: Bytes): Transaction {
  return decodeFlat(raw) ?? decodeByItems(raw);
}

/** The same item by item, for every type, and with the evidence of what is wrong. Throws DecodeError. */
export function decodeByItems(raw: Bytes): Transaction {
  const first = raw[0];
  if (first === undefined)
    fail("BAD_RLP", { where: "transaction", expected: "a transaction", got: "nothing" });
  if (first >= FIRST_LEGACY_BYTE) {
    const items = readList(decodeRlp(raw, "transaction"), "transaction");
    return readTransaction(typeRow(LEGACY_TYPE), items, raw);
  }
  // 0 means legacy inside this program only: no transaction starts with that byte.
  const row = first === LEGACY_TYPE ? undefined : transactionTypes.get(first);
  if (row === undefined)
    fail("UNKNOWN_TYPE", {
      where: "transaction",
      expected: "a known transaction type",
      got: showBytes(raw.subarray(0, 1)),
    });
  return readTransaction(
    row,
    readList(decodeRlp(raw.subarray(1), "transaction"), "transaction"),
    raw,
  );
}

/** Transaction from its form within a block: a list if legacy, else a byte string. Throws DecodeError. */
export function transactionFromItem(item: RlpItem): Transaction {
  if (item instanceof Uint8Array) {
    if ((item[0] ?? 0) >= FIRST_LEGACY_BYTE)
      fail("BAD_FIELD", {
        where: "transaction",
        expected: "a list, or the bytes of a typed transaction",
        got: showBytes(item),
      });
    return decodeTransaction(item);
  }
  return readTransaction(typeRow(LEGACY_TYPE), item, encodeRlp(item));
}

/** A transaction's form within a block: a list if legacy, else a byte string. */
export function transactionToItem(transaction: Transaction): RlpInput {
  return transaction.type === LEGACY_TYPE ? { encoded: transaction.raw } : transaction.raw;
}

/** Transaction from a row's payload items and its canonical bytes. Throws DecodeError. */
export function readTransaction(
  row: TransactionType,
  items: readonly RlpItem[],
  raw: Bytes,
): Transaction {
  const where = "transaction";
  const fieldCount = row.fields.length;
  if (row.maxBytes !== undefined && raw.length > row.maxBytes)
    fail("BAD_FIELD", {
      where,
      expected: `at most ${row.maxBytes} bytes`,
      got: `${raw.length} bytes`,
    });
  readList(items, where, fieldCount + row.signature.itemNames.length);
  const draft = emptyDraft(row.type);
  for (let i = 0; i < fieldCount; i++) {
    const field = row.fields[i];
    field?.read(items[i], draft, `${where}.${field.name}`);
  }
  const signature = row.signature.read(items.slice(fieldCount), draft, where, raw);
  return { ...draft, signature, raw, hash: keccakHash(raw) };
}

/**
 * The signed transaction with these fields; type 0x51 takes the bytes of its algorithm's signature. Throws DecodeError on
 * values that the type cannot carry.
 */
export function encodeTransaction(
  fields: TransactionFields,
  signature: EcdsaSignature | Bytes,
): Transaction {
  const row = typeRow(fields.type);
  const complete = row.signature.complete(fields, signature);
  const payload = encodeRlp([...fieldItems(row, fields), ...row.signature.write(complete, fields)]);
  return decodeTransaction(withType(row, payload));
}

/**
 * The transaction with zeros where a signature belongs: what a simulated call would be on chain. No node accepts it.
 * Fields that the type does not have are neutral afterwards. Throws DecodeError on values that the type cannot carry.
 */
export function unsignedTransaction(fields: TransactionFields): Transaction {
  const row = typeRow(fields.type);
  const signature: Signature = { v: 0n, r: 0n, s: 0n, yParity: 0 };
  const items = [...fieldItems(row, fields), ...row.signature.write(signature, fields)];
  const raw = withType(row, encodeRlp(items));
  const draft = emptyDraft(row.type);
  // read back from the bytes, so that the fields are what the hash commits to
  const list = readList(
    decodeRlp(row.type === LEGACY_TYPE ? raw : raw.subarray(1), "call"),
    "call",
  );
  for (const [index, field] of row.fields.entries()) {
    field.read(list[index], draft, `call.${field.name}`);
  }
  const { pqSender } = fields;
  return { ...draft, ...(pqSender && { pqSender }), signature, raw, hash: keccakHash(raw) };
}

/** Keccak-256 of what the sender signs, 32 bytes. Throws DecodeError on values that the type cannot carry. */
export function signingDigest(fields: TransactionFields): Bytes {
  return keccak256(signingPayload(fields));
}

/** What the sender signs, before hashing: the unsigned transaction of eth_fillTransaction and wallets. Throws DecodeError. */
export function signingPayload(fields: TransactionFields): Bytes {
  const row = typeRow(fields.type);
  const items = [...fieldItems(row, fields), ...row.signature.signedItems(fields)];
  return withType(row, encodeRlp(items));
}

/** The transaction signed with a 32-byte secp256k1 key. Throws DecodeError, and RangeError on a key that is none. */
export function signTransaction(fields: TransactionFields, privateKey: Bytes): Transaction {
  return encodeTransaction(fields, signDigest(signingDigest(fields), privateKey));
}

/** The registry's row of a type. Throws DecodeError on an unknown one. */
export function typeRow(type: number): TransactionType {
  return (
    transactionTypes.get(type) ??
    fail("UNKNOWN_TYPE", {
      where: "transaction.type",
      expected: "a known transaction type",
      got: String(type),
    })
  );
}

/**
 * Rules that no chain state and no fork changes, beyond what decoding demands: a usable nonce (EIP-2681), a tip not
 * above the maximum fee (EIP-1559), blob hashes of a known version and at least one (EIP-4844), at least one
 * authorization (EIP-7702). Throws DecodeError with code BAD_TRANSACTION.
 */
export function validateTransactionShape(fields: TransactionFields): void {
  const refuse = (field: keyof TransactionFields, expected: string, got: string) =>
    fail("BAD_TRANSACTION", { where: `transaction.${field}`, expected, got });
  if (fields.nonce >= MAX_U64) refuse("nonce", "less than 2^64 - 1", String(fields.nonce));
  if (fields.maxPriorityFeePerGas > fields.maxFeePerGas)
    refuse(
      "maxPriorityFeePerGas",
      `at most maxFeePerGas, ${fields.maxFeePerGas}`,
      String(fields.maxPriorityFeePerGas),
    );
  const columns: readonly string[] = typeRow(fields.type).fields.map(({ name }) => name);
  if (columns.includes("blobVersionedHashes")) {
    const stranger = fields.blobVersionedHashes.find((hash) => !hash.startsWith(BLOB_HASH_VERSION));
    if (stranger !== undefined) refuse("blobVersionedHashes", "version 0x01", stranger.slice(0, 4));
    if (fields.blobVersionedHashes.length === 0)
      refuse("blobVersionedHashes", "at least one", "none");
  }
  if (columns.includes("authorizationList") && fields.authorizationList.length === 0)
    refuse("authorizationList", "at least one", "none");
}

function fieldItems(row: TransactionType, fields: TransactionFields): RlpInput[] {
  return row.fields.map((field) => field.write(fields, `transaction.${field.name}`));
}

function withType(row: TransactionType, payload: Bytes): Bytes {
  return row.type === LEGACY_TYPE ? payload : concatBytes(Uint8Array.of(row.type), payload);
}

function emptyDraft(type: number): TransactionDraft {
  return {
    type,
    chainId: undefined,
    nonce: 0n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
    gasLimit: 0n,
    to: undefined,
    value: 0n,
    data: EMPTY_BYTES,
    accessList: NO_ENTRIES,
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: NO_ENTRIES,
    authorizationList: NO_ENTRIES,
  };
}
