/**
 * Opens the development chain of a data directory for blocks from a file: the consensus core judges each one with its
 * sidecar and seal, and this node's validator votes on as if it had made them. The file's history is as old or as far in the
 * future as its user wanted, so the clock is beyond all of it.
 */
import { existsSync } from "node:fs";
import { readStoredGenesis } from "../src/chain/genesis.ts";
import type { ConsensusEngine } from "../src/consensus/engine.ts";
import { QNode } from "../src/node/node.ts";
import { ZERO_ADDRESS } from "../src/primitives/hex.ts";
import { type Clock, systemClock } from "../src/runtime/clock.ts";
import { openDatabase } from "../src/storage/database.ts";
import type { Genesis } from "../src/types/genesis.ts";
import type { SealedBlock } from "../src/types/sealedBlock.ts";
import { type ChainAccess, openChain, refuseEmpty } from "./chainAccess.ts";
import { chainFolder } from "./dataFolder.ts";
import { devValidatorKeys } from "./devAccounts.ts";
import { clientVersion } from "./package.ts";

/** About the year 225,000. */
const AFTER_ALL_MS = 7e15;
const clock: Clock = { ...systemClock, nowMs: () => AFTER_ALL_MS };

/** An open chain, and consensus where the chain has one that can judge blocks of a file. */
export interface ImportAccess extends ChainAccess {
  readonly engine: ConsensusEngine | undefined;
}

type Dependencies = Parameters<typeof openChain>[2];

/** As `openChain`, for writing. Throws what that throws, SetupError, StartError. */
export async function openForImport(
  datadir: string,
  genesis: Genesis | undefined,
  dependencies: Dependencies,
): Promise<ImportAccess> {
  const found = genesis ?? (await storedGenesis(datadir));
  if (found.config.qnet?.consensus?.dev !== true)
    return { ...(await openChain(datadir, found, dependencies)), engine: undefined };
  const node = await QNode.start({
    genesis: found,
    databasePath: chainFolder(datadir),
    producer: {
      mode: "manual",
      blockTimeMs: 0,
      emptyBlocks: false,
      miner: ZERO_ADDRESS,
      keys: devValidatorKeys(),
    },
    recoveryThreads: 0,
    clientVersion: clientVersion(true),
    log: dependencies.log,
    evm: dependencies.evm,
    databaseCacheBytes: dependencies.cacheBytes,
    clock,
  });
  const { chain, database, consensus } = node;
  return { chain, database, engine: consensus?.engine, close: () => node.stop() };
}

async function storedGenesis(datadir: string): Promise<Genesis> {
  const path = chainFolder(datadir);
  if (!existsSync(path)) refuseEmpty(datadir);
  await using database = await openDatabase({ path });
  return readStoredGenesis(database) ?? refuseEmpty(datadir);
}

/** A rule that a block breaks, as consensus tells it. */
export interface Fault {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** Gives a block to consensus; undefined: it is stored. */
export async function takeSealed(
  { chain, engine }: { readonly chain: ImportAccess["chain"]; readonly engine: ConsensusEngine },
  block: SealedBlock,
): Promise<Fault | undefined> {
  const { hash, header } = block.block;
  let fault: Fault | undefined;
  const end = engine.on("invalid", ({ fault: { code, expected, got } }): undefined => {
    fault = { field: code, expected, got };
  });
  try {
    engine.receive({ type: "block", block }, { peer: "file", token: undefined });
    await engine.settled();
  } finally {
    end();
  }
  if (chain.header(hash) !== undefined) return undefined;
  const [bad] = chain.badBlocks.all;
  if (bad?.block.hash === hash && "field" in bad.reason) {
    const { field, expected, got } = bad.reason;
    return { field, expected: String(expected), got: String(got) };
  }
  return fault ?? { field: "parentHash", expected: "a known block", got: header.parentHash };
}
