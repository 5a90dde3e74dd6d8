/** The core's state at a start: at the genesis, or at the last finalised block with what is stored above it. */

import type { AckQC, JustQC } from "../../types/certificate.ts";
import { votesOf } from "../../types/certificate.ts";
import type { Candidate } from "../../types/epochSummary.ts";
import type { SealedBlock } from "../../types/sealedBlock.ts";
import { insert, noteSeal } from "./blocks.ts";
import type { ChainPoint } from "./chainPoint.ts";
import { memberOf } from "./configuration.ts";
import type { Action } from "./events.ts";
import { countVote } from "./finality.ts";
import { OWN_PEER } from "./gossip.ts";
import type { CoreParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";
import { settle } from "./step.ts";
import { chooseHead } from "./tree.ts";

/** A block that was valid when it was stored. */
export interface StoredBlock {
  readonly block: SealedBlock;
  /** As in ExecutionOutcome, for the last block of an epoch. */
  readonly candidates: readonly Candidate[] | undefined;
}

export interface StartState {
  readonly nowMs: number;
  /** Block of F*: what `finalized` brought last, or the genesis' point. */
  readonly point: ChainPoint;
  readonly certificate: AckQC | undefined;
  /** What `justified` brought, for any checkpoints above F*, in ascending order. */
  readonly justifications: readonly JustQC[];
  /** All stored blocks above F*, parents first; those of other branches are skipped. */
  readonly blocks: readonly StoredBlock[];
}

/** Opens the core. The actions are those of a node that hears all this at once; `setHead` is missing if the head is F*. */
export function openConsensus(
  params: CoreParams,
  start: StartState,
): readonly [ConsensusState, readonly Action[]] {
  const state = atCheckpoint(params, start);
  const out: Action[] = [];
  const origin = { peer: OWN_PEER, token: undefined };
  for (const { block, candidates } of start.blocks) {
    if (state.tree.has(block.block.hash)) continue;
    noteSeal(state, block, out); // two of one place weigh nothing after a restart either
    insert(state, { block, origin, firstSeenMs: 0 }, candidates, out);
    state.head = chooseHead(state); // says which epochs count
  }
  state.head = state.root;
  for (const qc of start.justifications) countJustification(state, qc, out);
  settle(state, out);
  return [state, out];
}

function atCheckpoint(params: CoreParams, { nowMs, point, certificate }: StartState) {
  if (point.closing === undefined) throw new RangeError("only the last block of an epoch is final");
  const { checkpoint } = point.closing;
  const state: ConsensusState = {
    params,
    nowMs,
    tree: new Map(),
    leaves: new Set([point.hash]),
    head: point.hash,
    finalized: checkpoint,
    root: point.hash,
    certificate,
    justified: checkpoint,
    justification: undefined,
    checkpoints: new Map([[checkpoint.hash, checkpoint]]),
    justifiedHashes: new Set([checkpoint.hash]),
    tallies: new Map(),
    history: new Map(),
    seals: new Map(),
    equivocations: new Set(),
    orphans: new Map(),
    early: new Map(),
    flying: new Map(),
    heldCertificates: new Map(),
    pending: new Map(),
    nextId: 1,
    sync: undefined,
    own: {
      voteTarget: 0,
      ackEpoch: 0,
      sealedSlot: 0,
      sealedSeq: 0,
      lastVote: undefined,
      lastAck: undefined,
    },
    waiting: undefined,
  };
  const core = {
    slot: point.slot,
    seq: point.seq,
    tick: point.tick,
    proposer: point.proposer,
    reveal: undefined,
    votes: [],
    sigsHash: checkpoint.hash,
  };
  state.tree.set(point.hash, { point, core, timely: true, weight: 0, carried: [] });
  return state;
}

/** An own certificate: its signatures were good when it was stored. */
function countJustification(state: ConsensusState, qc: JustQC, out: Action[]): void {
  const config = state.checkpoints.get(qc.macroHash)?.config;
  if (config === undefined) return;
  for (const signed of votesOf(qc, config.members)) {
    const member = memberOf(config, signed.vote.validator);
    if (member !== undefined)
      countVote(state, { ...signed, keyHash: member.keyHash }, "certified", out);
  }
}
