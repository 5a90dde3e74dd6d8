/**
 * Finding the newest block that is whole. A commit is one atomic batch, so only a damaged disk or a foreign program can
 * leave a head whose block, receipts or state are missing; then the chain goes back to where they agree, and says so.
 */
import { bodyRoots } from "../execution/bodyRoots.ts";
import { NodeError } from "../primitives/errors.ts";
import { type Hash, hexToBytes } from "../primitives/hex.ts";
import { orderedTrieRoot } from "../state/orderedTrie.ts";
import { columns, del, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import type { Block } from "../types/block.ts";
import { hashHeader } from "../types/header.ts";
import { encodeReceipt } from "../types/receipt.ts";
import { deleteAddressIndex } from "./addressIndex.ts";
import { BlockStore } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import { putPointer } from "./commit.ts";
import { deleteLogIndex } from "./logIndex.ts";
import { decodeOverride } from "./overrides.ts";

/** Blocks that opening may give up by itself. */
const MAX_REPAIRED_BLOCKS = 128;

/** What was wrong with a block on the way back. */
export interface Damage {
  readonly number: bigint;
  readonly hash: Hash | undefined;
  readonly problem: string;
}

/** The newest whole block and what had to be passed over to reach it. */
export interface SoundHead {
  readonly hash: Hash;
  readonly number: bigint;
  /** Newest first; empty: nothing to repair. */
  readonly damaged: readonly Damage[];
}

/** Walks back from the stored head, along the canonical numbers, to the first block that is whole. The genesis ends the walk. Throws ChainError DAMAGED after 128 blocks. */
export async function findSoundHead(
  database: Database,
  genesis: { readonly hash: Hash; readonly number: bigint },
): Promise<SoundHead> {
  const store = new BlockStore(database);
  const head = store.pointer("head");
  const known = head && database.get(columns.numbers, head);
  const damaged: Damage[] = [];
  let number = known ?? (await highestNumber(database)) ?? genesis.number;
  let hash = known === undefined ? store.canonicalHash(number) : head;
  for (; number > genesis.number; hash = store.canonicalHash(--number)) {
    const problem = findProblem(database, store, { hash, number });
    if (hash !== undefined && problem === undefined) return { hash, number, damaged };
    damaged.push({ number, hash, problem: problem ?? "no canonical hash" });
    if (damaged.length > MAX_REPAIRED_BLOCKS) refuseRepair(damaged);
  }
  return { ...genesis, damaged };
}

/** So much damage is no interrupted write: the operator decides, nothing is thrown away. */
function refuseRepair(damaged: readonly Damage[]): never {
  const problem = damaged[0]?.problem;
  const missing = `a whole block among the newest ${MAX_REPAIRED_BLOCKS}; the head's problem: ${problem}`;
  throw new ChainError({ code: "DAMAGED", missing });
}

async function highestNumber(database: Database): Promise<bigint | undefined> {
  const last = database.iterate(columns.canonical, { reverse: true, limit: 1 });
  for await (const [number] of last) return number;
  return undefined;
}

function findProblem(
  database: Database,
  store: BlockStore,
  place: { readonly hash: Hash | undefined; readonly number: bigint },
): string | undefined {
  const { hash, number } = place;
  if (hash === undefined) return "no canonical hash";
  if (store.canonicalHash(number) !== hash) return "not canonical at its number";
  try {
    const block = store.block(hash);
    if (block === undefined) return "header missing";
    return findBlockProblem(store, block, number) ?? findStateProblem(database, block);
  } catch (error) {
    // a damaged value cannot be decoded; every such failure is a NodeError with its evidence
    if (!(error instanceof NodeError)) throw error;
    return error.message;
  }
}

function findBlockProblem(store: BlockStore, block: Block, number: bigint): string | undefined {
  const { header, hash } = block;
  if (header.number !== number || hashHeader(header) !== hash) return "header is another block's";
  const parent = store.header(header.parentHash);
  if (parent?.number !== number - 1n || !store.isCanonical(parent, header.parentHash))
    return "parent missing or not canonical";
  // the blob gas is not needed for the roots
  const roots = bodyRoots(block, undefined);
  const agrees =
    roots.transactionsRoot === header.transactionsRoot &&
    roots.sha3Uncles === header.sha3Uncles &&
    roots.withdrawalsRoot === header.withdrawalsRoot;
  if (!agrees) return "body does not belong to the header";
  const receipts = store.receipts(hash);
  if (receipts === undefined) return "receipts missing";
  if (orderedTrieRoot(receipts.map(encodeReceipt)) !== header.receiptsRoot)
    return "receipts do not belong to the header";
  return undefined;
}

function findStateProblem(database: Database, block: Block): string | undefined {
  const raw = database.get(columns.overrides, block.hash);
  const edited = raw && decodeOverride(raw).editedStateRoot;
  for (const root of [block.header.stateRoot, edited])
    if (root !== undefined && !hasStateRoot(database, root)) return `state root ${root} missing`;
  return undefined;
}

/** Whether the root node of a state is stored. */
export function hasStateRoot(database: Database, root: Hash): boolean {
  return root === EMPTY_TRIE_ROOT || database.has(columns.nodes, hexToBytes(root));
}

/** Operations that make the sound head the head: damaged blocks leave numbering and indexes as far as they can be read. */
export function repairHead(database: Database, sound: SoundHead): WriteOp[] {
  const store = new BlockStore(database);
  const operations: WriteOp[] = [putPointer("head", sound.hash)];
  for (const { number, hash } of sound.damaged) {
    operations.push(del(columns.canonical, number));
    if (hash === undefined) continue;
    // a block that is stored again must not be taken for known
    operations.push(del(columns.headers, hash), del(columns.numbers, hash));
    for (const operation of unindex(store, hash, number)) operations.push(operation);
  }
  for (const name of ["safe", "finalized"] as const) {
    const pointed = store.pointer(name);
    const number = pointed && database.get(columns.numbers, pointed);
    if (number === undefined || number > sound.number)
      operations.push(putPointer(name, sound.hash));
  }
  return operations;
}

function unindex(store: BlockStore, hash: Hash, number: bigint): WriteOp[] {
  try {
    const block = store.block(hash);
    const receipts = store.receipts(hash) ?? [];
    if (block === undefined) return [];
    return [
      ...block.transactions.map((transaction) => del(columns.transactions, transaction.hash)),
      ...deleteLogIndex(number, receipts),
      ...deleteAddressIndex(number, block.transactions, receipts),
    ];
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    // unreadable: its index entries stay, and readers check the canonical block anyway
    return [];
  }
}
