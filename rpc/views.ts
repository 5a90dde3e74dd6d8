/**
 * Blocks, transactions, receipts and logs as JSON-RPC shows them. A field of a fork is there when the value is there,
 * and a field of a transaction type when the type has it: nothing is added, nothing padded.
 */
import type { Address, Hash } from "../src/primitives/hex.ts";
import type { Block } from "../src/types/block.ts";
import { type Header, hashHeader } from "../src/types/header.ts";
import type { Receipt } from "../src/types/receipt.ts";
import { senderOf } from "../src/types/sender.ts";
import {
  type AccessListItem,
  type Authorization,
  effectiveGasPrice,
  type Transaction,
} from "../src/types/transaction.ts";
import {
  address,
  boolean,
  count,
  data,
  dataOf,
  hash,
  list,
  quantity,
  type ResultCodec,
  text,
} from "./codec.ts";
import type { PlacedLog } from "./logs.ts";
import { type Field, field, maybe, orNull, view } from "./objects.ts";
import { withdrawalView } from "./withdrawal.ts";

/** A transaction and its place; `block` is undefined while it is pending. */
export interface PlacedTransaction {
  readonly transaction: Transaction;
  readonly sender: Address;
  readonly block: { readonly header: Header; readonly hash: Hash } | undefined;
  readonly index: number;
}

/** The transaction at `index` of a block that has it. */
export function placedTransaction(block: Block, index: number): PlacedTransaction | undefined {
  const transaction = block.transactions[index];
  return transaction && { transaction, sender: senderOf(transaction), block, index };
}

/** A transaction of the pool. */
export function pendingTransactionOf(transaction: Transaction): PlacedTransaction {
  return { transaction, sender: senderOf(transaction), block: undefined, index: 0 };
}

/** EIP-2718 types by what they brought. */
const type = { accessList: 1, dynamicFee: 2, blob: 3, setCode: 4 } as const;

const accessListItem: ResultCodec<AccessListItem> = view("access list entry", {
  address: field(address, (item: AccessListItem) => item.address),
  storageKeys: field(list(hash), (item) => item.storageKeys),
});

/** EIP-2930 list. */
export const accessListView = list(accessListItem);

const authorizationView: ResultCodec<Authorization> = view("EIP-7702 authorization", {
  chainId: field(quantity, (item: Authorization) => item.chainId),
  address: field(address, (item) => item.address),
  nonce: field(quantity, (item) => item.nonce),
  yParity: field(quantity, (item) => item.yParity),
  r: field(quantity, (item) => item.r),
  s: field(quantity, (item) => item.s),
});

/** Wei per gas: what was paid when mined, the most that will be when pending. */
function gasPriceOf({ transaction, block }: PlacedTransaction): bigint {
  if (block === undefined) return transaction.maxFeePerGas;
  return effectiveGasPrice(transaction, block.header.baseFeePerGas);
}

type Pick<T> = (transaction: Transaction) => T;

/** A field of transactions whose type passes `has`. */
function ofType<T>(
  codec: ResultCodec<T>,
  has: (type: number) => boolean,
  pick: Pick<T>,
): Field<PlacedTransaction> {
  return maybe(codec, ({ transaction }) => (has(transaction.type) ? pick(transaction) : undefined));
}

const transactionFields: { readonly [key: string]: Field<PlacedTransaction> } = {
  blockHash: orNull(hash, ({ block }: PlacedTransaction) => block?.hash),
  blockNumber: orNull(quantity, ({ block }) => block?.header.number),
  blockTimestamp: orNull(quantity, ({ block }) => block?.header.timestamp),
  from: field(address, ({ sender }) => sender),
  gas: field(quantity, ({ transaction }) => transaction.gasLimit),
  gasPrice: field(quantity, gasPriceOf),
  maxFeePerGas: ofType(
    quantity,
    (t) => t >= type.dynamicFee,
    (tx) => tx.maxFeePerGas,
  ),
  maxPriorityFeePerGas: ofType(
    quantity,
    (t) => t >= type.dynamicFee,
    (tx) => tx.maxPriorityFeePerGas,
  ),
  maxFeePerBlobGas: ofType(
    quantity,
    (t) => t === type.blob,
    (tx) => tx.maxFeePerBlobGas,
  ),
  hash: field(hash, ({ transaction }) => transaction.hash),
  input: field(data, ({ transaction }) => transaction.data),
  nonce: field(quantity, ({ transaction }) => transaction.nonce),
  to: orNull(address, ({ transaction }) => transaction.to),
  transactionIndex: orNull(count, ({ block, index }) => (block === undefined ? undefined : index)),
  value: field(quantity, ({ transaction }) => transaction.value),
  type: field(count, ({ transaction }) => transaction.type),
  accessList: ofType(
    accessListView,
    (t) => t >= type.accessList,
    (tx) => tx.accessList,
  ),
  chainId: maybe(quantity, ({ transaction }) => transaction.chainId),
  blobVersionedHashes: ofType(
    list(hash),
    (t) => t === type.blob,
    (tx) => tx.blobVersionedHashes,
  ),
  authorizationList: ofType(
    list(authorizationView),
    (t) => t === type.setCode,
    (tx) => tx.authorizationList,
  ),
  v: field(quantity, ({ transaction }) => transaction.signature.v),
  r: field(quantity, ({ transaction }) => transaction.signature.r),
  s: field(quantity, ({ transaction }) => transaction.signature.s),
  yParity: ofType(
    count,
    (t) => t >= type.accessList,
    (tx) => tx.signature.yParity,
  ),
  // type 0x51 has them beside v, r and s of zero, which clients cannot do without; no key may be called "signature"
  pqAlgorithm: maybe(text, ({ transaction }) => transaction.pqSender?.algorithm.name),
  pqPublicKey: maybe(data, ({ transaction: { pqSender } }) =>
    pqSender?.publicKey.length === 0 ? undefined : pqSender?.publicKey,
  ),
  pqSignature: maybe(data, ({ transaction }) => transaction.signature.pq),
};

/** Key and signature, of any type. */
const PROOF_FIELDS: ReadonlySet<string> = new Set([
  "v",
  "r",
  "s",
  "yParity",
  "pqPublicKey",
  "pqSignature",
]);

/** A transaction without key and signature, which are most of one of type 0x51. */
export const transactionSummaryView: ResultCodec<PlacedTransaction> = view(
  "transaction summary",
  Object.fromEntries(Object.entries(transactionFields).filter(([key]) => !PROOF_FIELDS.has(key))),
);

/** A transaction, mined or pending. */
export const transactionView: ResultCodec<PlacedTransaction> = view(
  "transaction",
  transactionFields,
);

/** A transaction before it is sent: a price of gas only where it is one of its fields, so that it may go into a request. */
export const unsentTransactionView: ResultCodec<PlacedTransaction> = view("unsent transaction", {
  ...transactionFields,
  gasPrice: ofType(
    quantity,
    (t) => t < type.dynamicFee,
    (tx) => tx.maxFeePerGas,
  ),
});

/** Fields of a header, for whatever has one. */
function headerFields<S>(headerOf: (source: S) => Header): { readonly [key: string]: Field<S> } {
  const of = <T>(codec: ResultCodec<T>, pick: (header: Header) => T): Field<S> =>
    field(codec, (source) => pick(headerOf(source)));
  const since = <T>(codec: ResultCodec<T>, pick: (header: Header) => T | undefined): Field<S> =>
    maybe(codec, (source) => pick(headerOf(source)));
  return {
    parentHash: of(hash, (h) => h.parentHash),
    sha3Uncles: of(hash, (h) => h.sha3Uncles),
    miner: of(address, (h) => h.miner),
    stateRoot: of(hash, (h) => h.stateRoot),
    transactionsRoot: of(hash, (h) => h.transactionsRoot),
    receiptsRoot: of(hash, (h) => h.receiptsRoot),
    logsBloom: of(dataOf(256), (h) => h.logsBloom),
    difficulty: of(quantity, (h) => h.difficulty),
    number: of(quantity, (h) => h.number),
    gasLimit: of(quantity, (h) => h.gasLimit),
    gasUsed: of(quantity, (h) => h.gasUsed),
    timestamp: of(quantity, (h) => h.timestamp),
    extraData: of(data, (h) => h.extraData),
    mixHash: of(hash, (h) => h.mixHash),
    nonce: of(dataOf(8), (h) => h.nonce),
    baseFeePerGas: since(quantity, (h) => h.baseFeePerGas),
    withdrawalsRoot: since(hash, (h) => h.withdrawalsRoot),
    blobGasUsed: since(quantity, (h) => h.blobGasUsed),
    excessBlobGas: since(quantity, (h) => h.excessBlobGas),
    parentBeaconBlockRoot: since(hash, (h) => h.parentBeaconBlockRoot),
    requestsHash: since(hash, (h) => h.requestsHash),
  };
}

/** A header to be shown; one that is not sealed yet has no hash. */
export interface ShownHeader {
  readonly header: Header;
  readonly hash: Hash | undefined;
}

const headerOnly = headerFields(({ header }: ShownHeader) => header);

/** null in a block that is not sealed yet. */
function whenSealed<S>(inner: Field<S> | undefined, isSealed: (source: S) => boolean): Field<S> {
  return {
    schema: { oneOf: [{ type: "null" }, inner?.schema ?? {}] },
    always: true,
    write: (source) => (isSealed(source) ? inner?.write(source) : null),
  };
}

const hasHash = ({ hash }: ShownHeader) => hash !== undefined;

/** A header alone: newHeads, eth_getHeaderBy…. */
export const headerView: ResultCodec<ShownHeader> = view("header", {
  hash: orNull(hash, (shown: ShownHeader) => shown.hash),
  ...headerOnly,
  miner: whenSealed(headerOnly["miner"], hasHash),
  nonce: whenSealed(headerOnly["nonce"], hasHash),
});

/** A block to be shown, with whole transactions or their hashes. */
export interface ShownBlock {
  readonly block: Block;
  readonly full: boolean;
  /** A block that is not sealed yet: it has no hash, nonce and miner. */
  readonly pending?: boolean;
}

function shownTransactions({ block }: ShownBlock): readonly PlacedTransaction[] {
  return block.transactions.map((transaction, index) => ({
    transaction,
    sender: senderOf(transaction),
    block,
    index,
  }));
}

const fullTransactions = list(transactionView);
const transactionHashes = list(hash);

/** Transactions of a block: objects or hashes. */
const transactionsField: Field<ShownBlock> = {
  schema: { oneOf: [fullTransactions.schema, transactionHashes.schema] },
  always: true,
  write: (shown) =>
    shown.full
      ? fullTransactions.encode(shownTransactions(shown))
      : transactionHashes.encode(shown.block.transactions.map((transaction) => transaction.hash)),
};

const sealed = headerFields(({ block }: ShownBlock) => block.header);

const isSealed = ({ pending }: ShownBlock) => pending !== true;

/** Fields of a whole block. */
export const blockFields: { readonly [key: string]: Field<ShownBlock> } = {
  hash: whenSealed(
    field(hash, ({ block }: ShownBlock) => block.hash),
    isSealed,
  ),
  ...sealed,
  miner: whenSealed(sealed["miner"], isSealed),
  nonce: whenSealed(sealed["nonce"], isSealed),
  size: field(count, ({ block }: ShownBlock) => block.sizeBytes),
  transactions: transactionsField,
  uncles: field(list(hash), ({ block }: ShownBlock) => block.ommers.map(hashHeader)),
  withdrawals: maybe(list(withdrawalView), ({ block }: ShownBlock) => block.withdrawals),
};

/** A whole block. */
export const blockView: ResultCodec<ShownBlock> = view("block", blockFields);

/** A header and the length of the block it would make alone. */
export interface ShownOmmer {
  readonly header: Header;
  readonly hash: Hash;
  readonly sizeBytes: number;
}

/** An ommer: a header, shown as a block without content. */
export const ommerView: ResultCodec<ShownOmmer> = view("ommer", {
  hash: field(hash, (ommer: ShownOmmer) => ommer.hash),
  ...headerFields((ommer: ShownOmmer) => ommer.header),
  size: field(count, (ommer: ShownOmmer) => ommer.sizeBytes),
  uncles: field(list(hash), () => []),
});

/** A log with its place. */
export const logView: ResultCodec<PlacedLog> = view("log", {
  address: field(address, ({ log }: PlacedLog) => log.address),
  topics: field(list(hash), ({ log }) => log.topics),
  data: field(data, ({ log }) => log.data),
  blockNumber: field(quantity, ({ blockNumber }) => blockNumber),
  transactionHash: field(hash, ({ transactionHash }) => transactionHash),
  transactionIndex: field(count, ({ transactionIndex }) => transactionIndex),
  blockHash: field(hash, ({ blockHash }) => blockHash),
  blockTimestamp: field(quantity, ({ blockTimestamp }) => blockTimestamp),
  logIndex: field(count, ({ logIndex }) => logIndex),
  removed: field(boolean, ({ removed }) => removed),
});

/** A receipt and everything JSON-RPC derives for it from its block. */
export interface PlacedReceipt extends PlacedTransaction {
  readonly block: Block;
  readonly receipt: Receipt;
  readonly gasUsed: bigint;
  /** Position of its first log among the block's. */
  readonly firstLogIndex: number;
  readonly contractAddress: Address | undefined;
  /** wei per blob gas in this block; undefined before Cancun */
  readonly blobGasPrice: bigint | undefined;
}

/** EIP-4844 */
const GAS_PER_BLOB = 131_072n;

/** A receipt. */
export const receiptView: ResultCodec<PlacedReceipt> = view("receipt", {
  blockHash: field(hash, ({ block }: PlacedReceipt) => block.hash),
  blockNumber: field(quantity, ({ block }) => block.header.number),
  contractAddress: orNull(address, ({ contractAddress }) => contractAddress),
  cumulativeGasUsed: field(quantity, ({ receipt }) => receipt.cumulativeGasUsed),
  effectiveGasPrice: field(quantity, gasPriceOf),
  from: field(address, ({ sender }) => sender),
  gasUsed: field(quantity, ({ gasUsed }) => gasUsed),
  blobGasPrice: maybe(quantity, ({ transaction, blobGasPrice }) =>
    transaction.type === type.blob ? blobGasPrice : undefined,
  ),
  blobGasUsed: maybe(quantity, ({ transaction }) =>
    transaction.type === type.blob
      ? GAS_PER_BLOB * BigInt(transaction.blobVersionedHashes.length)
      : undefined,
  ),
  logs: field(list(logView), ({ receipt, transaction, block, index, firstLogIndex }) =>
    receipt.logs.map((log, offset) => ({
      log,
      blockHash: block.hash,
      blockNumber: block.header.number,
      blockTimestamp: block.header.timestamp,
      transactionHash: transaction.hash,
      transactionIndex: index,
      logIndex: firstLogIndex + offset,
      removed: false,
    })),
  ),
  logsBloom: field(dataOf(256), ({ receipt }) => receipt.logsBloom),
  root: maybe(hash, ({ receipt: { outcome } }) =>
    typeof outcome === "number" ? undefined : outcome,
  ),
  status: maybe(count, ({ receipt: { outcome } }) =>
    typeof outcome === "number" ? outcome : undefined,
  ),
  to: orNull(address, ({ transaction }) => transaction.to),
  transactionHash: field(hash, ({ transaction }) => transaction.hash),
  transactionIndex: field(count, ({ index }) => index),
  type: field(count, ({ transaction }) => transaction.type),
});
