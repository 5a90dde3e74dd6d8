/** Opening a stored chain: genesis check or creation, repair of a damaged head, the pointers. */
import { EMPTY_BYTES, equalBytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import type { StateChanges } from "../state/state.ts";
import { columns, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { databaseStateStore, stateChangeOps } from "../storage/stateStore.ts";
import type { Genesis } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";
import { BlockStore } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import { moveCanonical, putBlock, putPointer } from "./commit.ts";
import {
  buildGenesisBlock,
  type GenesisBlock,
  type GenesisTarget,
  genesisMark,
  refuseGenesis,
  storedGenesisFile,
} from "./genesis.ts";
import { NO_OVERRIDE } from "./overrides.ts";
import { findSoundHead, hasStateRoot, repairHead } from "./repair.ts";

/** What block 0 was made from: see `genesisMark`. */
const MARK_KEY = "genesisMark";

interface Pointer {
  readonly header: Header;
  readonly hash: Hash;
}

/** What a chain starts from. */
export interface StoredChain {
  readonly genesisHash: Hash;
  /** Accounts and slots of block 0 */
  readonly genesisWritten: StateChanges["written"];
  readonly pointers: {
    readonly head: Pointer;
    readonly safe: Pointer;
    readonly finalized: Pointer;
  };
}

/** Prepares `database` for the chain of `genesis`. Throws ChainError GENESIS_MISMATCH. */
export async function openStored(
  database: Database,
  genesis: Genesis,
  log: Logger,
): Promise<StoredChain> {
  const { hash, written } = await provideGenesis(database, genesis);
  const sound = await findSoundHead(database, { hash, number: genesis.number });
  if (sound.damaged.length > 0) {
    for (const damage of sound.damaged) log.warn("Block is damaged", { ...damage });
    await database.batch(repairHead(database, sound), { sync: true });
    log.warn("Went back to the newest whole block", { number: sound.number, hash: sound.hash });
  }
  const store = new BlockStore(database);
  const read = (name: "safe" | "finalized") => demandPointer(store, store.pointer(name) ?? hash);
  return {
    genesisHash: hash,
    genesisWritten: written,
    pointers: {
      head: demandPointer(store, sound.hash),
      safe: read("safe"),
      finalized: read("finalized"),
    },
  };
}

interface ProvidedGenesis {
  readonly hash: Hash;
  readonly written: StateChanges["written"];
}

/**
 * Block 0 in the database, and its hash. Where it is stored and was made from this very genesis, its state is not built
 * again; a development chain, whose names of accounts come out of that, is small.
 */
async function provideGenesis(database: Database, genesis: Genesis): Promise<ProvidedGenesis> {
  const stored = new BlockStore(database).pointer("genesis");
  const isDev = genesis.config.qnet?.consensus?.dev === true;
  const mark = genesisMark(genesis);
  const isMarked = equalBytes(database.get(columns.meta, MARK_KEY) ?? EMPTY_BYTES, mark);
  if (stored !== undefined && isMarked && !isDev && !isIncomplete(database, genesis, stored))
    return { hash: stored, written: new Map() };
  const target = stored === undefined && !isDev ? intoDatabase(database) : undefined;
  const first = await buildGenesisBlock(genesis, target);
  const { hash } = first.block;
  if (stored !== undefined && stored !== hash)
    refuseGenesis(stored, hash, database.onDisk ? database.path : undefined);
  const putMark = put(columns.meta, MARK_KEY, mark);
  if (stored === undefined || isIncomplete(database, genesis, hash))
    await writeGenesis(database, genesis, first, putMark);
  else if (!isMarked) await database.batch([putMark], { sync: true });
  return { hash, written: first.changes.written };
}

/** Synced part by part: block 0, which refers to them, must not outlive them. */
function intoDatabase(database: Database): GenesisTarget {
  return {
    store: databaseStateStore(database),
    write: (changes) => database.batch(stateChangeOps(changes), { sync: true }),
  };
}

/** Whether something of block 0 is missing: it can be written again at any time. */
function isIncomplete(database: Database, { number }: Genesis, hash: Hash): boolean {
  const store = new BlockStore(database);
  const header = store.header(hash);
  return (
    header === undefined ||
    store.canonicalHash(number) !== hash ||
    database.get(columns.bodies, hash) === undefined ||
    store.receipts(hash) === undefined ||
    !hasStateRoot(database, header.stateRoot)
  );
}

async function writeGenesis(
  database: Database,
  genesis: Genesis,
  { block, changes }: GenesisBlock,
  putMark: WriteOp,
): Promise<void> {
  const totalDifficulty = block.header.difficulty;
  const record = { block, receipts: [], changes, totalDifficulty, override: NO_OVERRIDE };
  const { operations } = putBlock(record);
  for (const operation of moveCanonical({ removed: [], added: [block] }, () => []))
    operations.push(operation);
  operations.push(
    putMark,
    putPointer("genesis", block.hash),
    put(columns.meta, "genesisFile", storedGenesisFile(genesis)),
  );
  const store = new BlockStore(database);
  for (const name of ["head", "safe", "finalized"] as const)
    if (store.pointer(name) === undefined) operations.push(putPointer(name, block.hash));
  await database.batch(operations, { sync: true });
}

function demandPointer(store: BlockStore, hash: Hash): Pointer {
  const header = store.header(hash);
  if (header === undefined) throw new ChainError({ code: "DAMAGED", missing: `header of ${hash}` });
  return { header, hash };
}
