/** What may be asked about consensus: macro headers, certificates, validators, leaders, proofs. Reads only; the answers are values. */
import type { Chain } from "../chain/chain.ts";
import type { ChainHead } from "../chain/chainEvents.ts";
import { readStakedValidator, type StakedValidator } from "../chain/stakingState.ts";
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Block } from "../types/block.ts";
import type { AckQC } from "../types/certificate.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { Member } from "../types/validatorSet.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import { type Checkpoint, childEpoch, lastCheckpoint } from "./core/chainPoint.ts";
import type { Configuration } from "./core/configuration.ts";
import type { FoundEvidence } from "./core/events.ts";
import { proposerFor } from "./core/extendChain.ts";
import { epochOf, indexInEpoch, slotAt } from "./core/time.ts";
import { headPoint } from "./core/tree.ts";
import type { ConsensusEngine } from "./engine.ts";
import { judgeEvidence } from "./evidenceIntake.ts";
import { inclusionOf } from "./finalityProof.ts";
import { baseFeeOfNextSlot } from "./slotFee.ts";
import type { ValidatorKeys } from "./validatorKeys.ts";

/** An epoch by number, or the newest of a kind. */
export type EpochId = number | "latest" | "safe" | "finalized";

/** A block's place in consensus. */
export interface BlockPlaceFacts {
  readonly sealed: SealedBlock;
  readonly epoch: number;
  /** 1..L */
  readonly index: number;
}

/** A member of cfg(epoch) with its key. */
export interface MemberFacts extends Member {
  readonly publicKey: Bytes | undefined;
}

/** Everything that shows a block's finality to somebody who knows the epoch's validators. */
export interface FinalityProofFacts {
  readonly checkpoint: Checkpoint;
  readonly certificate: AckQC;
  readonly validators: readonly MemberFacts[];
  readonly block: Block;
  /** Of the block's hash up to microRoot */
  readonly siblings: readonly Hash[];
}

/** How far consensus is. */
export interface ConsensusStatus {
  readonly headNumber: number;
  readonly headSlot: number;
  readonly currentSlot: number;
  readonly epoch: number;
  readonly justifiedEpoch: number;
  readonly finalizedEpoch: number;
  readonly finalizedHash: Hash;
  readonly peersBlocksWaiting: number;
  readonly isFetching: boolean;
  readonly validators: readonly Hash[];
}

export interface QueryDependencies {
  readonly engine: ConsensusEngine;
  readonly chain: Chain;
  readonly store: ConsensusStore;
  readonly keys: ValidatorKeys;
  readonly clock: { nowMs(): number };
  readonly verifier: PqVerifier;
}

/** Reads over one engine. */
export class ConsensusQueries {
  readonly #deps: QueryDependencies;

  constructor(dependencies: QueryDependencies) {
    this.#deps = dependencies;
  }

  get engine(): ConsensusEngine {
    return this.#deps.engine;
  }

  /** The checkpoint of an epoch on the head's chain; undefined while the epoch is not over. */
  checkpoint(epoch: EpochId): Checkpoint | undefined {
    const { engine, chain, store } = this.#deps;
    if (epoch === "safe") return engine.view.justified;
    if (epoch === "finalized") return engine.view.finalized;
    const last = lastCheckpoint(headPoint(engine.view));
    if (epoch === "latest" || epoch === last.header.epoch) return last;
    // the first block of the next epoch names it
    const next = this.#length * epoch + 1;
    const root = chain.headerByNumber(BigInt(next))?.parentBeaconBlockRoot;
    return root === undefined ? undefined : store.checkpoint(root);
  }

  /** Certificate of a finalised epoch; undefined: not final, or final by that of a later epoch alone. */
  certificate(epoch: EpochId): AckQC | undefined {
    const checkpoint = this.checkpoint(epoch);
    const certificate = checkpoint && this.#deps.store.certificate(checkpoint.header.epoch);
    return certificate?.macroHash === checkpoint?.hash ? certificate : undefined;
  }

  /** Sidecar and seal of a stored block; undefined for the genesis. */
  sidecar(block: Block): BlockPlaceFacts | undefined {
    const sealed = this.#deps.store.sealed(block);
    const number = Number(block.header.number);
    if (sealed === undefined) return undefined;
    return {
      sealed,
      epoch: epochOf(number, this.#length),
      index: indexInEpoch(number, this.#length),
    };
  }

  /** cfg(epoch) by id; known up to one epoch ahead of the current one. */
  validators(epoch: number): readonly MemberFacts[] | undefined {
    const { keys } = this.#deps;
    return this.#configOf(epoch)?.members.map((member) => ({
      ...member,
      publicKey: keys.get(member.keyHash),
    }));
  }

  /** Leader of a slot after the head, as it is drawn for the epoch of the next block. */
  leader(slot: number): { readonly id: number; readonly keyHash: Hash } | undefined {
    const head = headPoint(this.#deps.engine.view);
    return slot < head.slot ? undefined : proposerFor(head, slot);
  }

  /** A validator in the staking contract at the head. */
  validator(id: number): StakedValidator | undefined {
    const { chain, engine } = this.#deps;
    const state = chain.stateAt(chain.head.hash);
    return readStakedValidator(state, engine.params.config.staking, id);
  }

  /** Base fee of the first block of the slot after this block's, wei per gas. */
  baseFeeAfter(head: ChainHead): bigint {
    const { chain, store, engine } = this.#deps;
    return baseFeeOfNextSlot({ chain, store, params: engine.params }, head);
  }

  get status(): ConsensusStatus {
    const { engine, clock } = this.#deps;
    const { view, params } = engine;
    const head = headPoint(view);
    return {
      headNumber: head.number,
      headSlot: head.slot,
      currentSlot: Math.max(0, slotAt(params, clock.nowMs())),
      epoch: childEpoch(head).epoch,
      justifiedEpoch: view.justified.header.epoch,
      finalizedEpoch: view.finalized.header.epoch,
      finalizedHash: view.finalized.hash,
      peersBlocksWaiting: view.orphans.size,
      isFetching: view.sync !== undefined,
      validators: params.ownKeys,
    };
  }

  /** Proof that a canonical block is final; undefined while no certificate covers its epoch. */
  finalityProof(block: Block): FinalityProofFacts | undefined {
    const { chain } = this.#deps;
    const epoch = epochOf(Number(block.header.number), this.#length);
    const checkpoint = epoch === 0 ? undefined : this.checkpoint(epoch);
    const certificate = this.certificate(epoch);
    const validators = this.validators(epoch);
    if (checkpoint === undefined || certificate === undefined || validators === undefined)
      return undefined;
    if (!chain.isCanonical(block.hash)) return undefined;
    const { firstNumber, lastNumber } = checkpoint.header;
    const hashes: Hash[] = [];
    for (let number = firstNumber; number <= lastNumber; number++) {
      const hash = chain.canonicalHash(BigInt(number));
      if (hash !== undefined) hashes.push(hash);
    }
    const siblings = inclusionOf(hashes, Number(block.header.number) - firstNumber);
    return { checkpoint, certificate, validators, block, siblings };
  }

  /** Contradictions of validators found so far. */
  evidence(): Promise<readonly FoundEvidence[]> {
    return this.#deps.store.evidence();
  }

  /** Judges evidence (RLP) against the head's staking contract and keeps it. Throws EvidenceError. */
  submitEvidence(raw: Bytes): FoundEvidence {
    const { chain, engine, verifier } = this.#deps;
    const { config, chainId } = engine.params;
    const state = chain.stateAt(chain.head.hash);
    const domain = { chainId, salt: config.salt };
    const found = judgeEvidence({ state, staking: config.staking, verifier, domain }, raw);
    engine.report(found);
    return found;
  }

  get #length(): number {
    return this.#deps.engine.params.config.epochLength;
  }

  #configOf(epoch: number): Configuration | undefined {
    const current = childEpoch(headPoint(this.#deps.engine.view));
    if (epoch === current.epoch) return current.config;
    if (epoch === current.epoch + 1) return current.nextConfig;
    return this.checkpoint(epoch)?.config;
  }
}
