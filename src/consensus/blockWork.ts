/**
 * The core's blocks on the chain: executing foreign ones, building and storing own ones, with their consensus data in the
 * same batch. One thing at a time, in the order in which the core asked.
 */
import { BlockError } from "../chain/blockError.ts";
import { type BuiltBlock, buildBlock, type Candidates } from "../chain/buildBlock.ts";
import type { Chain } from "../chain/chain.ts";
import { readCandidates, readStakedValidator } from "../chain/stakingState.ts";
import { type Address, type Hash, hexToBytes, ZERO_ADDRESS } from "../primitives/hex.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { State } from "../state/state.ts";
import type { TxPool } from "../txpool/pool.ts";
import type { Selection } from "../txpool/select.ts";
import type { Candidate } from "../types/epochSummary.ts";
import type { ConsensusConfig } from "../types/qnetConfig.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import { hashSidecar } from "../types/sidecar.ts";
import { CONSENSUS_SIGNATURE_BYTES, VOTE_BODY_BYTES } from "../types/vote.ts";
import type { ApprovedBlocks } from "./approvedBlocks.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import { blockIntervalMs } from "./core/cadence.ts";
import { sidecarOf } from "./core/duties.ts";
import type { BuildPlan, ExecutionOutcome } from "./core/events.ts";
import { isCheckpoint } from "./core/time.ts";
import { draftOf } from "./nextBlock.ts";
import type { ValidatorKeys } from "./validatorKeys.ts";

export interface BlockWorkDependencies {
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly store: ConsensusStore;
  readonly approved: ApprovedBlocks;
  readonly keys: ValidatorKeys;
  readonly config: ConsensusConfig;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A block made for a plan, not sealed yet. */
export interface OwnBlock {
  readonly built: BuiltBlock;
  readonly candidates: readonly Candidate[] | undefined;
}

/** What whoever makes blocks by order decides beside the plan. */
export interface BlockOrder {
  readonly miner: Address;
  readonly excessBlobGas: bigint | undefined;
  /** Time for executing transactions; undefined: no limit */
  readonly timeMs: number | undefined;
  /** No block without a transaction. */
  readonly needsTransaction: boolean;
}

/** Share of the interval between blocks in which one is built. */
const BUILD_SHARE = 0.4;
/** RLP heads around block, sidecar and signatures. */
const FRAME_BYTES = 512;
/** Failures after which a transaction may run in a later block. */
const WAITS: ReadonlySet<string> = new Set([
  "GAS_LIMIT_REACHED",
  "BLOB_GAS_LIMIT_REACHED",
  "MAX_FEE_BELOW_BASE_FEE",
  "BLOB_FEE_TOO_LOW",
  "NONCE_TOO_HIGH",
  "NONCE_TOO_LOW",
]);

/** Time for executing the transactions of a block at the cadence for so many that wait. */
export function buildTimeMs({ slotMs }: Pick<ConsensusConfig, "slotMs">, pending: number): number {
  return Math.min(slotMs, blockIntervalMs(pending)) * BUILD_SHARE;
}

/** Carries the core's wishes about blocks out. */
export class BlockWork {
  readonly #deps: BlockWorkDependencies;

  constructor(dependencies: BlockWorkDependencies) {
    this.#deps = dependencies;
  }

  /** Executes and stores a block that the core has judged; `isNext`: it extends the head, and most likely becomes it. */
  async execute(sealed: SealedBlock, isNext: boolean): Promise<ExecutionOutcome> {
    const { chain, log } = this.#deps;
    const { hash, header } = sealed.block;
    try {
      await this.#import(sealed, undefined, isNext);
      return {
        ok: true,
        candidates: await this.#candidatesAfter(header.number, () => chain.stateAt(hash)),
      };
    } catch (error) {
      if (error instanceof BlockError) {
        log.warn("Block is invalid", { number: header.number, hash, problem: error.message });
        return { ok: false, invalid: true };
      }
      log.error("Block could not be executed", { number: header.number, hash, error });
      return { ok: false, invalid: false };
    }
  }

  /** Builds the planned block; undefined: there is nothing to put into it, or its parent is gone. */
  async build(
    plan: BuildPlan,
    secret: Hash | undefined,
    order: BlockOrder | undefined,
  ): Promise<OwnBlock | undefined> {
    const { chain, pool, clock, config } = this.#deps;
    const { header: expected } = plan;
    const header = chain.header(expected.parentHash);
    if (header === undefined) return undefined;
    const parent = { header, hash: expected.parentHash };
    const { excessBlobGas, needsTransaction = false } = order ?? {};
    const isEmptyUseless = plan.needsTransaction || needsTransaction;
    const { gasLimit, baseFeePerGas: baseFee } = expected;
    const selection = pool.select({ gasLimit, baseFee });
    const first = selection.next();
    if (first.done === true && isEmptyUseless) return undefined;
    const draft = draftOf(parent, expected, {
      miner: order?.miner ?? this.#feeRecipient(plan),
      extraData: hexToBytes(hashSidecar(sidecarOf(plan, secret))),
      overrides: { ...plan.wishes, ...(excessBlobGas !== undefined && { excessBlobGas }) },
    });
    const timeMs = order === undefined ? buildTimeMs(config, pool.stats().pending) : order.timeMs;
    const built = await buildBlock(chain, draft, resume(first, selection), {
      gas: expected.gasLeft,
      maxBytes: config.maxBlockBytes - overheadBytes(plan),
      ...(timeMs !== undefined && { timeMs }),
      clock,
    });
    for (const { hash, error } of built.skipped)
      if (!WAITS.has(error.reason.code))
        pool.remove(hash, { code: "NOT_EXECUTABLE", problem: error.message });
    if (isEmptyUseless && built.block.transactions.length === 0) return undefined;
    const { number } = built.block.header;
    return { built, candidates: await this.#candidatesAfter(number, () => built.state) };
  }

  /** Stores an own block once it is sealed. */
  async store(sealed: SealedBlock, built: BuiltBlock, isNext: boolean): Promise<void> {
    await this.#import(sealed, built, isNext);
  }

  #import(sealed: SealedBlock, built: BuiltBlock | undefined, isNext: boolean) {
    const { approved, chain, store } = this.#deps;
    const role = isNext ? "candidate" : "aside";
    return approved.during(sealed.block.hash, () =>
      chain.importBlock(sealed.block, built, { role, also: store.blockOps(sealed) }),
    );
  }

  /** Who may be validator after the last block of an epoch; their keys are learnt with it. */
  async #candidatesAfter(
    number: bigint,
    state: () => State,
  ): Promise<readonly Candidate[] | undefined> {
    const { config, keys, store } = this.#deps;
    if (!isCheckpoint(Number(number), config.epochLength)) return undefined;
    const after = state();
    const candidates = readCandidates(after, config.staking, config.maxActive);
    const learnt = keys.learn(after, candidates);
    if (learnt.length > 0) await store.write(learnt);
    return candidates;
  }

  #feeRecipient({ proposer, header }: BuildPlan): Address {
    const { chain, config } = this.#deps;
    const state = chain.stateAt(header.parentHash);
    return readStakedValidator(state, config.staking, proposer)?.feeRecipient ?? ZERO_ADDRESS;
  }
}

function resume(first: ReturnType<Selection["next"]>, rest: Selection): Candidates {
  return {
    skip: (sender) => rest.skip(sender),
    *[Symbol.iterator]() {
      if (first.done === true) return;
      yield first.value;
      yield* rest;
    },
  };
}

function overheadBytes({ votes }: BuildPlan): number {
  return FRAME_BYTES + votes.length * (VOTE_BODY_BYTES + CONSENSUS_SIGNATURE_BYTES + 8);
}
