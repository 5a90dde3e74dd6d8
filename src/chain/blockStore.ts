/**
 * Blocks and their results as stored: reads with bounded caches. It never writes; batches are made in commit.ts.
 * A block read from disk gets its senders from their column, so that none is recovered twice in its life.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToAddress, bytesToHash, type Hash } from "../primitives/hex.ts";
import { BoundedCache } from "../runtime/cache.ts";
import { columns } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { type Block, decodeBody, makeBlock } from "../types/block.ts";
import type { Header } from "../types/header.ts";
import { decodeReceiptsFromStorage, type Receipt } from "../types/receipt.ts";
import { rememberSender } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import { ChainError } from "./chainError.ts";

const CACHED_HEADERS = 4_096;
const CACHED_BLOCKS = 1_024;
/** Memory of decoded blocks: about 22,000 transfers. */
const CACHED_BLOCK_BYTES = 24 * 1024 * 1024;
const CACHED_RECEIPT_BYTES = 8 * 1024 * 1024;
const ADDRESS_BYTES = 20;
/** What a decoded transaction or receipt takes in memory beyond its encoding (measured: 980 and 150 for a transfer). */
const TRANSACTION_OVERHEAD_BYTES = 1_024;
const RECEIPT_OVERHEAD_BYTES = 160;
/** Logs take about this many times their encoding. */
const LOGS_FACTOR = 4;
const ENTRY_OVERHEAD_BYTES = 2_048;

/** A transaction in the canonical chain. */
export interface TransactionPosition {
  readonly block: Block;
  readonly index: number;
}

interface CachedReceipts {
  readonly receipts: readonly Receipt[];
  readonly sizeBytes: number;
}

/** Reads blocks, receipts and the canonical numbering. */
export class BlockStore {
  readonly #database: Database;
  readonly #headers = new BoundedCache<Hash, Header>({ entries: CACHED_HEADERS });
  readonly #blocks = new BoundedCache<Hash, Block>({
    entries: CACHED_BLOCKS,
    bytes: CACHED_BLOCK_BYTES,
    sizeOf: ({ sizeBytes, transactions: { length } }) =>
      sizeBytes + length * TRANSACTION_OVERHEAD_BYTES + ENTRY_OVERHEAD_BYTES,
  });
  readonly #receipts = new BoundedCache<Hash, CachedReceipts>({
    entries: CACHED_BLOCKS,
    bytes: CACHED_RECEIPT_BYTES,
    sizeOf: ({ sizeBytes, receipts: { length } }) =>
      sizeBytes * LOGS_FACTOR + length * RECEIPT_OVERHEAD_BYTES + ENTRY_OVERHEAD_BYTES,
  });

  constructor(database: Database) {
    this.#database = database;
  }

  header(hash: Hash): Header | undefined {
    const cached = this.#headers.get(hash);
    if (cached !== undefined) return cached;
    const header = this.#database.get(columns.headers, hash);
    if (header !== undefined) this.#headers.set(hash, header);
    return header;
  }

  /** Hash of the canonical block at this height. */
  canonicalHash(number: bigint): Hash | undefined {
    return number < 0n ? undefined : this.#database.get(columns.canonical, number);
  }

  isCanonical(header: Header, hash: Hash): boolean {
    return this.canonicalHash(header.number) === hash;
  }

  /** The block with the senders of its transactions known; any block stored, canonical or not. */
  block(hash: Hash): Block | undefined {
    const cached = this.#blocks.get(hash);
    if (cached !== undefined) return cached;
    const header = this.header(hash);
    if (header === undefined) return undefined;
    const body = this.#database.get(columns.bodies, hash);
    if (body === undefined) missing(`body of ${hash}`);
    const block = makeBlock(header, decodeBody(body));
    this.#rememberSenders(block);
    this.#blocks.set(hash, block);
    return block;
  }

  receipts(hash: Hash): readonly Receipt[] | undefined {
    const cached = this.#receipts.get(hash);
    if (cached !== undefined) return cached.receipts;
    const raw = this.#database.get(columns.receipts, hash);
    if (raw === undefined) return undefined;
    const receipts = decodeReceiptsFromStorage(raw);
    this.#receipts.set(hash, { receipts, sizeBytes: raw.length });
    return receipts;
  }

  /** Where a transaction stands in the canonical chain. */
  transaction(hash: Hash): TransactionPosition | undefined {
    const found = this.#database.get(columns.transactions, hash);
    if (found === undefined) return undefined;
    const blockHash = this.canonicalHash(found.blockNumber);
    const block = blockHash && this.block(blockHash);
    // an entry that a repair could not remove points to nothing or to another transaction
    if (block?.transactions[found.index]?.hash !== hash) return undefined;
    return { block, index: found.index };
  }

  totalDifficulty(hash: Hash): bigint | undefined {
    return this.#database.get(columns.totalDifficulty, hash);
  }

  /** Throws ChainError UNKNOWN_BLOCK. */
  demandHeader(hash: Hash): Header {
    const header = this.header(hash);
    if (header === undefined) throw new ChainError({ code: "UNKNOWN_BLOCK", hash });
    return header;
  }

  /** Throws ChainError UNKNOWN_BLOCK. */
  demandBlock(hash: Hash): Block {
    const block = this.block(hash);
    if (block === undefined) throw new ChainError({ code: "UNKNOWN_BLOCK", hash });
    return block;
  }

  /** Receipts of a block that is stored. Throws ChainError DAMAGED. */
  demandReceipts(hash: Hash): readonly Receipt[] {
    return this.receipts(hash) ?? missing(`receipts of ${hash}`);
  }

  /** Total difficulty of a block that is stored. Throws ChainError DAMAGED. */
  demandDifficulty(hash: Hash): bigint {
    return this.totalDifficulty(hash) ?? missing(`total difficulty of ${hash}`);
  }

  /** A hash that the chain keeps under a name. */
  pointer(name: "head" | "safe" | "finalized" | "genesis"): Hash | undefined {
    const raw = this.#database.get(columns.meta, name);
    return raw && bytesToHash(raw);
  }

  /** Hash of the ancestor of the block `from` at this height, `from` itself included. */
  ancestorHash(from: Hash, number: bigint): Hash | undefined {
    let hash = from;
    for (let header = this.header(hash); header !== undefined; header = this.header(hash)) {
      if (header.number === number) return hash;
      if (header.number < number) return undefined;
      if (this.isCanonical(header, hash)) return this.canonicalHash(number);
      hash = header.parentHash;
    }
    return undefined;
  }

  /** Keeps a block just stored in the caches. */
  remember(block: Block, receipts: readonly Receipt[], receiptBytes: number): void {
    this.#headers.set(block.hash, block.header);
    this.#blocks.set(block.hash, block);
    this.#receipts.set(block.hash, { receipts, sizeBytes: receiptBytes });
  }

  #rememberSenders(block: Block): void {
    const senders = this.#database.get(columns.senders, block.hash);
    if (senders?.length !== block.transactions.length * ADDRESS_BYTES) return;
    for (const [index, transaction] of block.transactions.entries())
      rememberSender(transaction, senderAt(senders, index));
  }
}

function missing(what: string): never {
  throw new ChainError({ code: "DAMAGED", missing: what });
}

function senderAt(senders: Bytes, index: number) {
  return bytesToAddress(senders.subarray(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES));
}

/** The senders of a block's transactions side by side, 20 bytes each. */
export function packSenders(
  transactions: readonly Transaction[],
  senderOf: (transaction: Transaction) => Bytes,
): Bytes {
  const packed = new Uint8Array(transactions.length * ADDRESS_BYTES);
  for (const [index, transaction] of transactions.entries())
    packed.set(senderOf(transaction), index * ADDRESS_BYTES);
  return packed;
}
