/**
 * Transactions by address: as sender, as recipient, as the contract they create. One entry per address and block.
 * Key: address ‖ block number ‖ position of its first transaction in the block. Value: the roles in it, then position and
 * roles of each further one. Only the canonical chain is indexed.
 */
import { contractAddress } from "../execution/contractAddress.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, hexToBytes } from "../primitives/hex.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database, Range } from "../storage/database.ts";
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
const ROLES_BYTES = 1;
/** What each transaction after the first adds to a value. */
const FURTHER_BYTES = POSITION_BYTES + ROLES_BYTES;

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

/** Positions of an address in one block, ascending, and its roles at each. */
interface Places {
  readonly positions: number[];
  readonly roles: number[];
}

function placesOf(
  transactions: readonly Transaction[],
  receipts: readonly Receipt[],
): ReadonlyMap<Address, Places> {
  const places = new Map<Address, Places>();
  for (let index = 0; index < transactions.length; index++) {
    const transaction = transactions[index];
    if (transaction === undefined) continue;
    const sender = storedSender(transaction);
    note(places, sender, index, SENDER);
    if (transaction.to !== undefined) note(places, transaction.to, index, RECIPIENT);
    else if (receipts[index]?.outcome !== 0)
      note(places, contractAddress(sender, transaction.nonce), index, CREATED);
  }
  return places;
}

function note(places: Map<Address, Places>, address: Address, position: number, role: number) {
  const known = places.get(address);
  if (known === undefined) {
    places.set(address, { positions: [position], roles: [role] });
    return;
  }
  const last = known.positions.length - 1;
  if (known.positions[last] === position) known.roles[last] = (known.roles[last] ?? 0) | role;
  else {
    known.positions.push(position);
    known.roles.push(role);
  }
}

/** Writes the index entries of a block. */
export function putAddressIndex(
  number: bigint,
  transactions: readonly Transaction[],
  receipts: readonly Receipt[],
): WriteOp[] {
  const operations: WriteOp[] = [];
  for (const [address, { positions, roles }] of placesOf(transactions, receipts)) {
    const key = keyOf(address, { blockNumber: number, index: positions[0] ?? 0 });
    operations.push(put(columns.addressIndex, key, encodePlaces(positions, roles)));
  }
  return operations;
}

/** Deletes the index entries of a block that leaves the canonical chain. */
export function deleteAddressIndex(
  number: bigint,
  transactions: readonly Transaction[],
  receipts: readonly Receipt[],
): WriteOp[] {
  const operations: WriteOp[] = [];
  for (const [address, { positions }] of placesOf(transactions, receipts)) {
    // not the first alone: earlier versions wrote an entry for each position, which is a value of one place
    for (const index of positions)
      operations.push(del(columns.addressIndex, keyOf(address, { blockNumber: number, index })));
  }
  return operations;
}

function encodePlaces(positions: readonly number[], roles: readonly number[]): Bytes {
  const value = new Uint8Array(ROLES_BYTES + (positions.length - 1) * FURTHER_BYTES);
  value[0] = roles[0] ?? 0;
  for (let i = 1, at = ROLES_BYTES; i < positions.length; i++, at += FURTHER_BYTES) {
    writePosition(value, at, positions[i] ?? 0);
    value[at + POSITION_BYTES] = roles[i] ?? 0;
  }
  return value;
}

/** All transactions of one entry, in order. */
function decodePlaces(key: Bytes, value: Bytes): AddressTransaction[] {
  const blockNumber = readNumber(key, ADDRESS_BYTES);
  const first = readPosition(key, ADDRESS_BYTES + NUMBER_BYTES);
  const found = [withRoles({ blockNumber, index: first }, value[0] ?? 0)];
  for (let at = ROLES_BYTES; at + FURTHER_BYTES <= value.length; at += FURTHER_BYTES) {
    const index = readPosition(value, at);
    found.push(withRoles({ blockNumber, index }, value[at + POSITION_BYTES] ?? 0));
  }
  return found;
}

function withRoles(position: Position, roles: number): AddressTransaction {
  return {
    ...position,
    isSender: (roles & SENDER) !== 0,
    isRecipient: (roles & RECIPIENT) !== 0,
    isCreated: (roles & CREATED) !== 0,
  };
}

/** The transactions of an address in the canonical chain. */
export async function searchAddress(
  database: Database,
  address: Address,
  query: AddressQuery,
): Promise<AddressTransaction[]> {
  const reverse = query.order === "newestFirst";
  const found: AddressTransaction[] = [];
  // an entry has at least one transaction to give, but for the one that holds `after`
  const options = { ...rangeOf(address, query), reverse, limit: query.limit + 1 };
  for await (const [key, value] of database.iterate(columns.addressIndex, options)) {
    const places = decodePlaces(key, value);
    for (const place of reverse ? places.reverse() : places) {
      if (found.length >= query.limit) return found;
      if (isBeyond(place, query.after, reverse)) found.push(place);
    }
  }
  return found;
}

/** Keys of the entries that a search may find something in. */
function rangeOf(address: Address, { order, after }: AddressQuery): Range<Bytes> {
  const first = keyOf(address, { blockNumber: 0n, index: 0 });
  const last = keyOf(address, { blockNumber: MAX_NUMBER, index: MAX_POSITION });
  if (after === undefined) return { gte: first, lte: last };
  if (order === "newestFirst") return { gte: first, lt: keyOf(address, after) };
  return { gte: keyOf(address, { ...after, index: 0 }), lte: last };
}

/** Whether a place comes after another one in the order of the search. */
function isBeyond(place: Position, after: Position | undefined, reverse: boolean): boolean {
  if (after === undefined) return true;
  if (place.blockNumber !== after.blockNumber)
    return place.blockNumber > after.blockNumber !== reverse;
  return reverse ? place.index < after.index : place.index > after.index;
}

function keyOf(address: Address, position: Position): Bytes {
  const key = new Uint8Array(KEY_BYTES);
  key.set(hexToBytes(address));
  writeNumber(key, ADDRESS_BYTES, position.blockNumber);
  writePosition(key, ADDRESS_BYTES + NUMBER_BYTES, position.index);
  return key;
}
