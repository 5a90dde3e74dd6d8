/** Where every chain starts: macro header 0 and the state of epoch 1. Source: docs/consensus.md §2, §3. */
import { keccakHash } from "../../crypto/keccak.ts";
import { type Hash, hexToBytes, ZERO_HASH } from "../../primitives/hex.ts";
import { type Candidate, type EpochSummary, hashSummary } from "../../types/epochSummary.ts";
import type { Header } from "../../types/header.ts";
import { hashMacroHeader, type MacroHeader, microRootOf } from "../../types/macroHeader.ts";
import { hashValidators } from "../../types/validatorSet.ts";
import type { ChainPoint, Checkpoint, EpochState } from "./chainPoint.ts";
import { proposers, singleSet } from "./configuration.ts";
import { leaderTable } from "./leader.ts";
import type { CoreParams } from "./params.ts";

/** R_0, which is R_{-1} as well. */
export function firstMix({ config }: CoreParams): Hash {
  return keccakHash(hexToBytes(config.salt));
}

/** The genesis; `candidates` are those of its state, in rank order, and must not be empty (RangeError). */
export function genesisPoint(
  params: CoreParams,
  genesis: { readonly header: Header; readonly hash: Hash },
  candidates: readonly Candidate[],
): ChainPoint {
  if (candidates.length === 0) throw new RangeError("a genesis without validators");
  const mix = firstMix(params);
  const checkpoint = genesisCheckpoint(params, genesis, candidates);
  const { config } = checkpoint;
  const next: EpochState = {
    epoch: 1,
    checkpoints: [checkpoint],
    config,
    nextConfig: config,
    leaders: leaderTable(proposers(config), mix, candidates),
    mintedTotal: 0n,
  };
  return {
    hash: genesis.hash,
    parentHash: ZERO_HASH,
    number: 0,
    slot: 0,
    seq: 0,
    tick: 0,
    proposer: 0,
    proposerKey: ZERO_HASH,
    stateRoot: genesis.header.stateRoot,
    baseFeePerGas: genesis.header.baseFeePerGas ?? 0n,
    gasLimit: genesis.header.gasLimit,
    slotGasUsed: 0n,
    epochState: next,
    mix,
    commits: new Map(),
    revealed: new Set(),
    included: new Map(),
    closing: { checkpoint, next },
  };
}

function genesisCheckpoint(
  params: CoreParams,
  { header, hash }: { readonly header: Header; readonly hash: Hash },
  candidates: readonly Candidate[],
): Checkpoint {
  const config = singleSet(candidates);
  const validatorsHash = hashValidators(config.members);
  const summary: EpochSummary = {
    epoch: 0,
    frozen: false,
    slots: 0,
    minted: 0n,
    rows: [],
    candidates,
  };
  const macro: MacroHeader = {
    epoch: 0,
    parentMacroHash: ZERO_HASH,
    firstNumber: 0,
    lastNumber: 0,
    lastBlockHash: hash,
    stateRoot: header.stateRoot,
    microRoot: microRootOf([hash]),
    timeMs: params.genesisMs,
    mix: firstMix(params),
    finalizedEpoch: 0,
    handoff: 0,
    validatorsHash,
    nextValidatorsHash: validatorsHash,
    afterNextValidatorsHash: validatorsHash,
    summaryHash: hashSummary(summary),
  };
  return { header: macro, hash: hashMacroHeader(macro), slot: 0, config, summary };
}
