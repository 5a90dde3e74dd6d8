/** Blocks and what they hold beside the header. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { type Header, hashHeader, headerFromItems, headerToItems } from "./header.ts";
import {
  decodeRlp,
  encodedRlpLength,
  encodeRlp,
  fail,
  hexItem,
  type RlpInput,
  type RlpItem,
  readAddress,
  readList,
  readUint,
  uintItem,
} from "./rlp.ts";
import type { Transaction } from "./transaction.ts";
import { transactionFromItem, transactionToItem } from "./transactionCodec.ts";

/** EIP-4895 withdrawal. */
export interface Withdrawal {
  readonly index: bigint;
  readonly validatorIndex: bigint;
  readonly address: Address;
  /** gwei */
  readonly amount: bigint;
}

export interface BlockBody {
  readonly transactions: readonly Transaction[];
  readonly ommers: readonly Header[];
  /** undefined before Shanghai */
  readonly withdrawals: readonly Withdrawal[] | undefined;
}

export interface Block extends BlockBody {
  readonly header: Header;
  /** keccak256 of the header's RLP */
  readonly hash: Hash;
  /** Length of the block's RLP in bytes. */
  readonly sizeBytes: number;
}

const BODY_ITEMS: readonly number[] = [2, 3];

/** Block from its RLP [header, transactions, ommers, withdrawals?]. Throws DecodeError. */
export function decodeBlock(raw: Bytes): Block {
  return { ...partsFromItem(decodeRlp(raw, "block")), sizeBytes: raw.length };
}

/** Block from its decoded RLP list, inside another list. Throws DecodeError. */
export function blockFromItem(item: RlpItem | undefined): Block {
  const parts = partsFromItem(item);
  return { ...parts, sizeBytes: encodedRlpLength(blockToItems(parts)) };
}

/** Items of the block's RLP list. */
export function blockToItems(block: BlockBody & { readonly header: Header }): RlpInput[] {
  return blockItems(block.header, block);
}

/** RLP of the block. */
export function encodeBlock(block: BlockBody & { readonly header: Header }): Bytes {
  return encodeRlp(blockToItems(block));
}

/** The block that these parts make, with its hash and size. */
export function makeBlock(header: Header, body: BlockBody): Block {
  const { transactions, ommers, withdrawals } = body;
  return {
    header,
    transactions,
    ommers,
    withdrawals,
    hash: hashHeader(header),
    sizeBytes: encodedRlpLength(blockItems(header, body)),
  };
}

/** RLP [transactions, ommers, withdrawals?]: what the database holds beside the header. */
export function encodeBody(body: BlockBody): Bytes {
  return encodeRlp(bodyItems(body));
}

/** Body from its RLP. Throws DecodeError. */
export function decodeBody(raw: Bytes): BlockBody {
  return bodyFromItems(readList(decodeRlp(raw, "body"), "body"), "body");
}

/** Items of a withdrawal's RLP list, which is also its value in the withdrawals trie. Source: EIP-4895 */
export function withdrawalToItems(withdrawal: Withdrawal): RlpInput[] {
  return [
    uintItem(withdrawal.index),
    uintItem(withdrawal.validatorIndex),
    hexItem(withdrawal.address),
    uintItem(withdrawal.amount),
  ];
}

/** Withdrawal from the items of its RLP list. Throws DecodeError. */
export function withdrawalFromItems(item: RlpItem): Withdrawal {
  const [index, validatorIndex, address, amount] = readList(item, "withdrawal", 4);
  return {
    index: readUint(index, "withdrawal.index", 64),
    validatorIndex: readUint(validatorIndex, "withdrawal.validatorIndex", 64),
    address: readAddress(address, "withdrawal.address"),
    amount: readUint(amount, "withdrawal.amount", 64),
  };
}

function partsFromItem(item: RlpItem | undefined): Omit<Block, "sizeBytes"> {
  const [header, ...body] = readList(item, "block");
  const decoded = headerFromItems(readList(header, "block.header"), "block.header");
  return { header: decoded, ...bodyFromItems(body, "block"), hash: hashHeader(decoded) };
}

function blockItems(header: Header, body: BlockBody): RlpInput[] {
  return [headerToItems(header), ...bodyItems(body)];
}

function bodyItems({ transactions, ommers, withdrawals }: BlockBody): RlpInput[] {
  const items: RlpInput[] = [transactions.map(transactionToItem), ommers.map(headerToItems)];
  if (withdrawals !== undefined) items.push(withdrawals.map(withdrawalToItems));
  return items;
}

function bodyFromItems(items: readonly RlpItem[], where: string): BlockBody {
  if (!BODY_ITEMS.includes(items.length))
    fail("BAD_FIELD", {
      where,
      expected: "transactions, ommers and perhaps withdrawals",
      got: `${items.length} items`,
    });
  const [transactions, ommers, withdrawals] = items;
  return {
    transactions: readList(transactions, `${where}.transactions`).map(transactionFromItem),
    ommers: readList(ommers, `${where}.ommers`).map((ommer) =>
      headerFromItems(readList(ommer, `${where}.ommers`), `${where}.ommers`),
    ),
    withdrawals:
      withdrawals === undefined
        ? undefined
        : readList(withdrawals, `${where}.withdrawals`).map(withdrawalFromItems),
  };
}
