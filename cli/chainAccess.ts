/** Opens the chain of a data directory for commands that run without a node. */
import { existsSync } from "node:fs";
import { Chain } from "../src/chain/chain.ts";
import type { ChainDependencies } from "../src/chain/chainEvents.ts";
import { readStoredGenesis } from "../src/chain/genesis.ts";
import { networkRules } from "../src/chain/networkRules.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../src/storage/database.ts";
import type { Genesis } from "../src/types/genesis.ts";
import { chainFolder } from "./dataFolder.ts";
import { UsageError } from "./exit.ts";

/** An open chain; close it to release the data directory. */
export interface ChainAccess {
  readonly chain: Chain;
  readonly database: Database;
  close(): Promise<void>;
}

/**
 * Opens the chain in `datadir`, writing `genesis` into an empty one; without `genesis` there must be a chain.
 * Throws UsageError, StorageError LOCKED and DAMAGED, ChainError GENESIS_MISMATCH.
 */
export async function openChain(
  datadir: string,
  genesis: Genesis | undefined,
  {
    cacheBytes,
    ...dependencies
  }: Pick<ChainDependencies, "log" | "stateHistory" | "recoverSenders" | "evm"> &
    Pick<DatabaseOptions, "cacheBytes">,
): Promise<ChainAccess> {
  const path = chainFolder(datadir);
  // a mistyped directory must not be made
  if (genesis === undefined && !existsSync(path)) refuseEmpty(datadir);
  const database = await openDatabase({ path, ...(cacheBytes !== undefined && { cacheBytes }) });
  try {
    const found = genesis ?? readStoredGenesis(database);
    if (found === undefined) refuseEmpty(datadir);
    const chain = await Chain.open(database, found, {
      ...networkRules(found.config),
      ...dependencies,
    });
    const close = async () => {
      await chain.close();
      await database.close();
    };
    return { chain, database, close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Throws UsageError. */
export function refuseEmpty(datadir: string): never {
  throw new UsageError(`${datadir} holds no chain: run qnet init first, or give --genesis`);
}
