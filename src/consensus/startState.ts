/** Where consensus starts: the last finalised block with everything stored above it, or the genesis. */
import type { Chain } from "../chain/chain.ts";
import { readCandidates } from "../chain/stakingState.ts";
import { assert } from "../primitives/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import type { ChainPoint } from "./core/chainPoint.ts";
import { genesisPoint } from "./core/genesisPoint.ts";
import type { StartState, StoredBlock } from "./core/openConsensus.ts";
import type { CoreParams } from "./core/params.ts";
import { isCheckpoint } from "./core/time.ts";

interface StartSources {
  readonly params: CoreParams;
  readonly chain: Chain;
  readonly store: ConsensusStore;
  readonly clock: Clock;
}

/** Reads the start from disk. Throws StorageError, ChainError. */
export async function loadStart(sources: StartSources): Promise<StartState> {
  const { store, clock } = sources;
  const stored = store.point();
  const point = stored ?? (await genesisStart(sources));
  return {
    nowMs: clock.nowMs(),
    point,
    certificate: stored?.closing && store.certificate(stored.closing.checkpoint.header.epoch),
    justifications: await store.justifications(),
    blocks: await storedBlocks(sources),
  };
}

async function genesisStart({ params, chain, store }: StartSources): Promise<ChainPoint> {
  const hash = chain.genesisHash;
  const header = chain.header(hash);
  assert(header !== undefined, "an open chain has its genesis");
  const { staking, maxActive } = params.config;
  const candidates = readCandidates(chain.stateAt(hash), staking, maxActive);
  const point = genesisPoint(params, { header, hash }, candidates);
  if (point.closing !== undefined) await store.write(store.checkpointOps(point.closing.checkpoint));
  return point;
}

async function storedBlocks({ params, chain, store }: StartSources): Promise<StoredBlock[]> {
  const { staking, maxActive, epochLength } = params.config;
  const found: StoredBlock[] = [];
  for (const hash of await store.unfinal()) {
    const block = chain.block(hash);
    const sealed = block && store.sealed(block);
    // a damaged head was taken back: its block is not there any more
    if (sealed === undefined) continue;
    const closes = isCheckpoint(Number(sealed.block.header.number), epochLength);
    const candidates = closes ? readCandidates(chain.stateAt(hash), staking, maxActive) : undefined;
    found.push({ block: sealed, candidates });
  }
  return found;
}
