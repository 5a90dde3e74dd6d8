/** What changes in the database when a block is stored or the head moves: lists of operations for ONE batch. */
import { type Hash, hexToBytes } from "../primitives/hex.ts";
import type { StateChanges } from "../state/state.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import { stateChangeOps } from "../storage/stateStore.ts";
import { type Block, encodeBody } from "../types/block.ts";
import { encodeReceiptsForStorage, type Receipt } from "../types/receipt.ts";
import { storedSender } from "../types/sender.ts";
import { deleteAddressIndex, putAddressIndex } from "./addressIndex.ts";
import { type BlockStore, packSenders } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import type { ChainHead, Forkchoice, Pointers } from "./chainEvents.ts";
import { deleteLogIndex, putLogIndex } from "./logIndex.ts";
import { encodeOverride, isEmptyOverride, type OverrideRecord } from "./overrides.ts";
import { putStateRoot } from "./stateHistory.ts";

/** A block with everything that its execution gave. */
export interface BlockRecord {
  readonly block: Block;
  readonly receipts: readonly Receipt[];
  readonly changes: StateChanges;
  readonly totalDifficulty: bigint;
  readonly override: OverrideRecord;
}

/** Stores a block beside the others, without making it canonical. `receiptBytes`: its receipts in stored form. */
export function putBlock(record: BlockRecord): { operations: WriteOp[]; receiptBytes: number } {
  const { block, override } = record;
  const { hash, header } = block;
  const receipts = encodeReceiptsForStorage(record.receipts);
  const senders = packSenders(block.transactions, (transaction) =>
    hexToBytes(storedSender(transaction)),
  );
  const operations = stateChangeOps(record.changes);
  operations.push(
    put(columns.headers, hash, header),
    put(columns.numbers, hash, header.number),
    put(columns.bodies, hash, encodeBody(block)),
    put(columns.receipts, hash, receipts),
    put(columns.totalDifficulty, hash, record.totalDifficulty),
    putStateRoot(hash, header),
  );
  if (senders.length > 0) operations.push(put(columns.senders, hash, senders));
  if (!isEmptyOverride(override))
    operations.push(put(columns.overrides, hash, encodeOverride(override)));
  return { operations, receiptBytes: receipts.length };
}

/** How the canonical chain goes over to another head. */
export interface Route {
  /** Blocks that stay stored and stop being canonical, newest first. */
  readonly removed: readonly Block[];
  /** Blocks that become canonical, oldest first. */
  readonly added: readonly Block[];
}

/** The way from the canonical head to `target`, which may not be stored yet (its parent is). */
export function routeTo(store: BlockStore, headNumber: bigint, target: Block): Route {
  const added: Block[] = [];
  let block = target;
  while (!store.isCanonical(block.header, block.hash)) {
    added.push(block);
    block = store.demandBlock(block.header.parentHash);
  }
  const removed: Block[] = [];
  for (let number = headNumber; number > block.header.number; number--) {
    const hash = store.canonicalHash(number);
    if (hash === undefined)
      throw new ChainError({ code: "DAMAGED", missing: `canonical hash of block ${number}` });
    removed.push(store.demandBlock(hash));
  }
  return { removed, added: added.reverse() };
}

/** Rewrites numbering and indexes along a route. Receipts come from `receiptsOf`, since a new block is not stored yet. */
export function moveCanonical(
  route: Route,
  receiptsOf: (block: Block) => readonly Receipt[],
): WriteOp[] {
  const operations: WriteOp[] = [];
  for (const block of route.removed) {
    const { number } = block.header;
    operations.push(del(columns.canonical, number));
    for (const { hash } of block.transactions) operations.push(del(columns.transactions, hash));
    append(operations, deleteLogIndex(number, receiptsOf(block)));
    append(operations, deleteAddressIndex(number, block.transactions, receiptsOf(block)));
  }
  for (const block of route.added) {
    const { number } = block.header;
    operations.push(put(columns.canonical, number, block.hash));
    for (const [index, { hash }] of block.transactions.entries())
      operations.push(put(columns.transactions, hash, { blockNumber: number, index }));
    append(operations, putLogIndex(number, receiptsOf(block)));
    append(operations, putAddressIndex(number, block.transactions, receiptsOf(block)));
  }
  return operations;
}

/** Safe and finalized block once `target` is the head: those asked for, else as before unless the head goes back behind them. */
export function namedBlocks(
  store: BlockStore,
  target: Block,
  { choice, before }: { readonly choice: Forkchoice; readonly before: Pointers },
): Pick<Pointers, "safe" | "finalized"> {
  const named = (wish: Hash | undefined, old: ChainHead): ChainHead => {
    if (wish !== undefined) return { header: store.demandHeader(wish), hash: wish };
    return old.header.number > target.header.number ? target : old;
  };
  return {
    safe: named(choice.safe, before.safe),
    finalized: named(choice.finalized, before.finalized),
  };
}

/** Points a name of the chain to a block. */
export function putPointer(name: "head" | "safe" | "finalized" | "genesis", hash: Hash): WriteOp {
  return put(columns.meta, name, hexToBytes(hash));
}

function append(target: WriteOp[], more: readonly WriteOp[]): void {
  for (const operation of more) target.push(operation);
}
