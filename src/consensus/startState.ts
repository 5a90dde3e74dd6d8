/** Where consensus starts: the last finalised block with everything stored above it, or the genesis. */
import type { Chain } from "../chain/chain.ts";
import { readCandidates } from "../chain/stakingState.ts";
import { assert, NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Clock } from "../runtime/clock.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import type { ChainPoint } from "./core/chainPoint.ts";
import { genesisPoint } from "./core/genesisPoint.ts";
import type { StartState, StoredBlock } from "./core/openConsensus.ts";
import type { CoreParams } from "./core/params.ts";
import { isCheckpoint } from "./core/time.ts";

export type StartErrorReason = {
  /** The database was made by a version whose dev chain had no seals. */
  readonly code: "BLOCK_WITHOUT_SEAL";
  readonly number: bigint;
  readonly hash: Hash;
};

/** Stored blocks that consensus cannot start from. */
export class StartError extends NodeError<StartErrorReason> {}

interface StartSources {
  readonly params: CoreParams;
  readonly chain: Chain;
  readonly store: ConsensusStore;
  readonly clock: Clock;
}

/** Reads the start from disk. Throws StorageError, ChainError, StartError. */
export async function loadStart(sources: StartSources): Promise<StartState> {
  if (sources.params.config.dev) return startBelow(sources, sources.chain.head.hash);
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

/**
 * The start from which `head` and nothing else is reached: on a dev chain, whose head is where its user puts it, other
 * branches and what was final on them do not count. Throws StorageError, ChainError, StartError.
 */
export async function startBelow(sources: StartSources, head: Hash): Promise<StartState> {
  const { chain, store, clock } = sources;
  const blocks: StoredBlock[] = [];
  let point = store.pointAt(head);
  for (let hash = head; point === undefined; point = store.pointAt(hash)) {
    if (hash === chain.genesisHash) {
      point = await genesisStart(sources);
      break;
    }
    const stored = storedBlock(sources, hash);
    blocks.push(stored);
    hash = stored.block.block.header.parentHash;
  }
  const checkpoint = point.closing?.checkpoint;
  const certificate = checkpoint && store.certificate(checkpoint.header.epoch);
  return {
    nowMs: clock.nowMs(),
    point,
    certificate: certificate?.macroHash === checkpoint?.hash ? certificate : undefined,
    justifications: [],
    blocks: blocks.reverse(),
  };
}

function storedBlock({ params, chain, store }: StartSources, hash: Hash): StoredBlock {
  const block = chain.block(hash);
  assert(block !== undefined, "the chain below a stored block is stored");
  const sealed = store.sealed(block);
  const { number } = block.header;
  if (sealed === undefined)
    throw new StartError(
      { code: "BLOCK_WITHOUT_SEAL", number, hash },
      {
        message: `block ${number} (${hash}) has no seal: this development chain was made by an older version, before its blocks were sealed; start a new one in another directory`,
      },
    );
  return { block: sealed, candidates: candidatesAfter({ params, chain }, sealed) };
}

/** Who may be validator after a block: its own post-state decides, whatever was edited since. */
function candidatesAfter(
  { params, chain }: Pick<StartSources, "params" | "chain">,
  { block: { header, hash } }: SealedBlock,
) {
  const { staking, maxActive, epochLength } = params.config;
  if (!isCheckpoint(Number(header.number), epochLength)) return undefined;
  return readCandidates(chain.states.open(hash, header.stateRoot), staking, maxActive);
}

async function genesisStart({ params, chain, store }: StartSources): Promise<ChainPoint> {
  const hash = chain.genesisHash;
  const header = chain.header(hash);
  assert(header !== undefined, "an open chain has its genesis");
  const { staking, maxActive } = params.config;
  const state = chain.states.open(hash, header.stateRoot);
  const candidates = readCandidates(state, staking, maxActive);
  const point = genesisPoint(params, { header, hash }, candidates);
  if (point.closing !== undefined) await store.write(store.checkpointOps(point.closing.checkpoint));
  return point;
}

async function storedBlocks({ params, chain, store }: StartSources): Promise<StoredBlock[]> {
  const found: StoredBlock[] = [];
  for (const hash of await store.unfinal()) {
    const block = chain.block(hash);
    const sealed = block && store.sealed(block);
    // a damaged head was taken back: its block is not there any more
    if (sealed === undefined) continue;
    found.push({ block: sealed, candidates: candidatesAfter({ params, chain }, sealed) });
  }
  return found;
}
