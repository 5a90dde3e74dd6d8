/** Opening a stored chain: genesis check or creation, repair of a damaged head, the pointers. */
import type { Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import type { StateChanges } from "../state/state.ts";
import { columns, put } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import type { Genesis } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";
import { BlockStore } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import { moveCanonical, putBlock, putPointer } from "./commit.ts";
import {
  buildGenesisBlock,
  type GenesisBlock,
  refuseGenesis,
  storedGenesisFile,
} from "./genesis.ts";
import { NO_OVERRIDE } from "./overrides.ts";
import { findSoundHead, hasStateRoot, repairHead } from "./repair.ts";

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
  const first = await buildGenesisBlock(genesis);
  const { hash, header } = first.block;
  const stored = new BlockStore(database).pointer("genesis");
  if (stored !== undefined && stored !== hash)
    refuseGenesis(stored, hash, database.onDisk ? database.path : undefined);
  if (stored === undefined || isIncomplete(database, first))
    await writeGenesis(database, genesis, first);
  const sound = await findSoundHead(database, { hash, number: header.number });
  if (sound.damaged.length > 0) {
    for (const damage of sound.damaged) log.warn("Block is damaged", { ...damage });
    await database.batch(repairHead(database, sound), { sync: true });
    log.warn("Went back to the newest whole block", { number: sound.number, hash: sound.hash });
  }
  const store = new BlockStore(database);
  const read = (name: "safe" | "finalized") => demandPointer(store, store.pointer(name) ?? hash);
  return {
    genesisHash: hash,
    genesisWritten: first.changes.written,
    pointers: {
      head: demandPointer(store, sound.hash),
      safe: read("safe"),
      finalized: read("finalized"),
    },
  };
}

/** Whether something of block 0 is missing: it can be written again at any time. */
function isIncomplete(database: Database, { block }: GenesisBlock): boolean {
  const store = new BlockStore(database);
  return (
    store.header(block.hash) === undefined ||
    store.canonicalHash(block.header.number) !== block.hash ||
    database.get(columns.bodies, block.hash) === undefined ||
    store.receipts(block.hash) === undefined ||
    !hasStateRoot(database, block.header.stateRoot)
  );
}

async function writeGenesis(
  database: Database,
  genesis: Genesis,
  { block, changes }: GenesisBlock,
): Promise<void> {
  const totalDifficulty = block.header.difficulty;
  const record = { block, receipts: [], changes, totalDifficulty, override: NO_OVERRIDE };
  const { operations } = putBlock(record);
  for (const operation of moveCanonical({ removed: [], added: [block] }, () => []))
    operations.push(operation);
  operations.push(
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
