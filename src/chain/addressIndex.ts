/**
 * Transactions by address: as sender, as recipient, as the contract they create. One key per address and transaction:
 * address ‖ block number ‖ position in the block, and the roles as value. Only the canonical chain is indexed.
 */
import { contractAddress } from "../execution/contractAddress.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, hexToBytes } from "../primitives/hex.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import type { Receipt } from "../types/receipt.ts";
import { storedSender } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import {
  NUMBER_BYTES,
  POSITION_BYTES,
  readNumber,
  readPosition,
  writeNumber,
  writePosition,
} from "./indexKeys.ts";

const SENDER = 1;
const RECIPIENT = 2;
const CREATED = 4;
const ADDRESS_BYTES = 20;
const KEY_BYTES = ADDRESS_BYTES + NUMBER_BYTES + POSITION_BYTES;
const MAX_NUMBER = 2n ** 64n - 1n;
const MAX_POSITION = 2 ** 32 - 1;

/** A place in the canonical chain. */
export interface Position {
  readonly blockNumber: bigint;
  readonly index: number;
}

/** A transaction that an address took part in. */
export interface AddressTransaction extends Position {
  readonly isSender: boolean;
  readonly isRecipient: boolean;
  /** The address is the contract that the transaction made. */
  readonly isCreated: boolean;
}

/** A part of an address's history. */
export interface AddressQuery {
  readonly order: "oldestFirst" | "newestFirst";
  /** Only what comes after this place in the given order. */
  readonly after?: Position;
  readonly limit: number;
}

function* entriesOf(
  number: bigint,
  transactions: readonly Transaction[],
  receipts: readonly Receipt[],
): Generator<readonly [key: Bytes, roles: number]> {
  for (const [index, transaction] of transactions.entries()) {
    const roles = new Map<Address, number>();
    const sender = storedSender(transaction);
    roles.set(sender, SENDER);
    if (transaction.to !== undefined)
      roles.set(transaction.to, (roles.get(transaction.to) ?? 0) | RECIPIENT);
    else if (receipts[index]?.outcome !== 0)
      roles.set(contractAddress(sender, transaction.nonce), CREATED);
    for (const [address, role] of roles)
      yield [keyOf(address, { blockNumber: number, index }), role];
  }
}

/** Writes the index entries of a block. */
export function putAddressIndex(
  number: bigint,
  transactions: readonly Transaction[],
  receipts: readonly Receipt[],
): WriteOp[] {
  return Array.from(entriesOf(number, transactions, receipts), ([key, roles]) =>
    put(columns.addressIndex, key, Uint8Array.of(roles)),
  );
}

/** Deletes the index entries of a block that leaves the canonical chain. */
export function deleteAddressIndex(
  number: bigint,
  transactions: readonly Transaction[],
  receipts: readonly Receipt[],
): WriteOp[] {
  return Array.from(entriesOf(number, transactions, receipts), ([key]) =>
    del(columns.addressIndex, key),
  );
}

/** The transactions of an address in the canonical chain. */
export async function searchAddress(
  database: Database,
  address: Address,
  query: AddressQuery,
): Promise<AddressTransaction[]> {
  const reverse = query.order === "newestFirst";
  const first = keyOf(address, { blockNumber: 0n, index: 0 });
  const last = keyOf(address, { blockNumber: MAX_NUMBER, index: MAX_POSITION });
  const after = query.after && keyOf(address, query.after);
  const range = reverse
    ? { gte: first, ...(after === undefined ? { lte: last } : { lt: after }) }
    : { ...(after === undefined ? { gte: first } : { gt: after }), lte: last };
  const found: AddressTransaction[] = [];
  const options = { ...range, reverse, limit: query.limit };
  for await (const [key, value] of database.iterate(columns.addressIndex, options)) {
    const roles = value[0] ?? 0;
    found.push({
      blockNumber: readNumber(key, ADDRESS_BYTES),
      index: readPosition(key, ADDRESS_BYTES + NUMBER_BYTES),
      isSender: (roles & SENDER) !== 0,
      isRecipient: (roles & RECIPIENT) !== 0,
      isCreated: (roles & CREATED) !== 0,
    });
  }
  return found;
}

function keyOf(address: Address, position: Position): Bytes {
  const key = new Uint8Array(KEY_BYTES);
  key.set(hexToBytes(address));
  writeNumber(key, ADDRESS_BYTES, position.blockNumber);
  writePosition(key, ADDRESS_BYTES + NUMBER_BYTES, position.index);
  return key;
}
