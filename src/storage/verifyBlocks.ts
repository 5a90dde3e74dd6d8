/** Checks of the stored chain: every canonical block is whole, is what its hash says, and joins its neighbours. */
import { keccakHash } from "../crypto/keccak.ts";
import { equalBytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash } from "../primitives/hex.ts";
import { orderedTrieRoot } from "../state/orderedTrie.ts";
import { type BlockBody, decodeBody, withdrawalToItems } from "../types/block.ts";
import { orBlooms } from "../types/bloom.ts";
import { type Header, hashHeader, headerToItems } from "../types/header.ts";
import { decodeReceiptsFromStorage, encodeReceipt } from "../types/receipt.ts";
import { encodeRlp } from "../types/rlp.ts";
import { columns } from "./columns.ts";
import type { Database } from "./database.ts";
import { errorText } from "./storageError.ts";

const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;
const POINTERS = ["head", "safe", "finalized", "genesis"] as const;

/** Something that is not as it must be. `block` is undefined when no block is concerned. */
export interface DatabaseProblem {
  readonly block: bigint | undefined;
  readonly problem: string;
}

/** Where `name` points. */
export function readPointer(database: Database, name: (typeof POINTERS)[number]): Hash | undefined {
  const raw = database.get(columns.meta, name);
  return raw?.length === HASH_BYTES ? bytesToHash(raw) : undefined;
}

/** Problems of the named blocks: each must be stored, and canonical. */
export function pointerProblems(database: Database): DatabaseProblem[] {
  const problems: DatabaseProblem[] = [];
  for (const name of POINTERS) {
    const hash = readPointer(database, name);
    if (hash === undefined) {
      problems.push({ block: undefined, problem: `${name} points to no block` });
      continue;
    }
    const number = database.get(columns.numbers, hash);
    if (number === undefined || database.get(columns.canonical, number) !== hash) {
      problems.push({ block: number, problem: `${name} (${hash}) is not a canonical block` });
    }
  }
  return problems;
}

/** Problems of the canonical block `number`; `child` is the header of the next one. */
export function blockProblems(
  database: Database,
  number: bigint,
  child: Header | undefined,
): { readonly header: Header | undefined; readonly problems: DatabaseProblem[] } {
  const problems: DatabaseProblem[] = [];
  const note = (problem: string) => problems.push({ block: number, problem });
  const hash = attempt(() => database.get(columns.canonical, number), note);
  if (hash === undefined) {
    note("has no canonical hash");
    return { header: undefined, problems };
  }
  if (child !== undefined && child.parentHash !== hash)
    note(`${hash} is not the parent of the next block`);
  const header = attempt(() => database.get(columns.headers, hash), note);
  if (header === undefined) {
    note(`header of ${hash} is missing`);
    return { header, problems };
  }
  const computed = hashHeader(header);
  if (computed !== hash) note(`header stored under ${hash} has hash ${computed}`);
  if (header.number !== number) note(`header says number ${header.number}`);
  if (database.get(columns.numbers, hash) !== number) note(`number of ${hash} is not stored`);
  attempt(() => checkBody(database, { header, hash }, note), note);
  return { header, problems };
}

type Note = (problem: string) => unknown;

interface Stored {
  readonly header: Header;
  readonly hash: Hash;
}

/** Bytes that cannot be decoded are a finding here, not a failure. */
function attempt<T>(read: () => T, note: Note): T | undefined {
  try {
    return read();
  } catch (error) {
    note(errorText(error));
    return undefined;
  }
}

function checkBody(database: Database, stored: Stored, note: Note): void {
  const { header, hash } = stored;
  const raw = database.get(columns.bodies, hash);
  if (raw === undefined) {
    note("body is missing");
    return;
  }
  const body = decodeBody(raw);
  const expect = (name: string, got: Hash | undefined, want: Hash | undefined) => {
    if (got !== want) note(`${name} is ${got ?? "absent"}, the header says ${want ?? "absent"}`);
  };
  expect(
    "transactionsRoot",
    orderedTrieRoot(body.transactions.map(({ raw: bytes }) => bytes)),
    header.transactionsRoot,
  );
  expect("sha3Uncles", keccakHash(encodeRlp(body.ommers.map(headerToItems))), header.sha3Uncles);
  const withdrawals = body.withdrawals?.map((each) => encodeRlp(withdrawalToItems(each)));
  expect("withdrawalsRoot", withdrawals && orderedTrieRoot(withdrawals), header.withdrawalsRoot);
  checkIndexes(database, stored, { body, note });
  checkReceipts(database, stored, { body, note });
}

interface Context {
  readonly body: BlockBody;
  readonly note: Note;
}

function checkIndexes(database: Database, { header, hash }: Stored, { body, note }: Context): void {
  const senders = database.get(columns.senders, hash);
  if (senders !== undefined && senders.length !== body.transactions.length * ADDRESS_BYTES) {
    note(`${senders.length} bytes of senders for ${body.transactions.length} transactions`);
  }
  for (const [index, transaction] of body.transactions.entries()) {
    const found = database.get(columns.transactions, transaction.hash);
    if (found?.blockNumber !== header.number || found.index !== index) {
      note(`transaction ${transaction.hash} is not found by its hash`);
    }
  }
}

function checkReceipts(
  database: Database,
  { header, hash }: Stored,
  { body, note }: Context,
): void {
  const raw = database.get(columns.receipts, hash);
  if (raw === undefined) {
    note("receipts are missing");
    return;
  }
  const receipts = decodeReceiptsFromStorage(raw);
  if (receipts.length !== body.transactions.length) {
    note(`${receipts.length} receipts for ${body.transactions.length} transactions`);
  }
  const root = orderedTrieRoot(receipts.map(encodeReceipt));
  if (root !== header.receiptsRoot)
    note(`receiptsRoot is ${root}, the header says ${header.receiptsRoot}`);
  if (!equalBytes(orBlooms(receipts.map(({ logsBloom }) => logsBloom)), header.logsBloom)) {
    note("logsBloom is not that of the receipts");
  }
}
