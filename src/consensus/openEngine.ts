/** Consensus of one node put together: what chain needs before it opens, and the engine over the open chain. */
import type { Chain } from "../chain/chain.ts";
import type { ChainDependencies, ChainHead } from "../chain/chainEvents.ts";
import { importedIsHead } from "../chain/importBlock.ts";
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Database } from "../storage/database.ts";
import type { TxPool } from "../txpool/pool.ts";
import { encodeSummary } from "../types/epochSummary.ts";
import type { Header } from "../types/header.ts";
import type { ConsensusConfig } from "../types/qnetConfig.ts";
import { ApprovedBlocks } from "./approvedBlocks.ts";
import { BlockWork } from "./blockWork.ts";
import { ConsensusStore } from "./consensusStore.ts";
import { coreParams } from "./core/params.ts";
import { ConsensusEngine } from "./engine.ts";
import type { EngineOptions } from "./engineParts.ts";
import { EvidenceKeeper } from "./evidenceKeeper.ts";
import { FinalityWork } from "./finalityWork.ts";
import { ownMessages } from "./ownMessages.ts";
import { ConsensusQueries } from "./queries.ts";
import { SignatureWork, type Signer } from "./signatureWork.ts";
import { baseFeeOfNextSlot } from "./slotFee.ts";
import type { Transport } from "./transport.ts";
import { ValidatorKeys } from "./validatorKeys.ts";

/** What is there before the chain is open. */
export class ConsensusSetup {
  readonly store: ConsensusStore;
  readonly approved = new ApprovedBlocks();
  readonly config: ConsensusConfig;

  constructor(database: Database, config: ConsensusConfig) {
    this.store = new ConsensusStore(database, { isRewindable: config.dev });
    this.config = config;
  }

  /** Rules for `Chain.open`. */
  get chainRules(): Pick<ChainDependencies, "sealRules" | "headRule" | "epochCallOf"> {
    return {
      sealRules: this.approved,
      headRule: importedIsHead,
      epochCallOf: (header) => this.#epochCallOf(header),
    };
  }

  /** Base fee of the slot after the block's. */
  baseFeeAfter(chain: Chain, head: ChainHead): bigint {
    return baseFeeOfNextSlot({ chain, store: this.store, params: this }, head);
  }

  /** The first block of each epoch but the first tells the staking contract what the epoch before was. */
  #epochCallOf({ number, parentBeaconBlockRoot }: Header) {
    const { epochLength, staking } = this.config;
    if (number <= 1n || number % BigInt(epochLength) !== 1n) return undefined;
    if (parentBeaconBlockRoot === undefined) return undefined;
    const checkpoint = this.store.checkpoint(parentBeaconBlockRoot);
    return checkpoint && { staking, summary: encodeSummary(checkpoint.summary) };
  }
}

export interface OpenEngineDependencies {
  readonly setup: ConsensusSetup;
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly verifier: PqVerifier;
  readonly transport: Transport;
  readonly signers: readonly Signer[];
  /** `real`: by which work is measured, where a development chain has moved time. */
  readonly clock: Clock & { readonly real?: Clock };
  readonly log: Logger;
}

/** Opens the engine and what can be asked about it. With `listenMs` 0 nothing is listened for, and own old messages are not looked for either. */
export async function openEngine(
  deps: OpenEngineDependencies,
  options: EngineOptions,
): Promise<ConsensusQueries> {
  const { setup, chain, verifier, log } = deps;
  const { store, approved, config } = setup;
  await verifier.prepare("ML-DSA-44");
  const signers = new Map(deps.signers.map((signer) => [signer.keyHash, signer]));
  const params = coreParams(chain.genesis, config, [...signers.keys()]);
  const keys = new ValidatorKeys(store, config);
  const domain = { chainId: params.chainId, salt: config.salt };
  const signatures = new SignatureWork({ verifier, keys, signers, domain, log });
  const clock = deps.clock.real ?? deps.clock;
  const blocks = new BlockWork({ ...deps, clock, store, approved, keys, config });
  const { evidenceWindow } = config;
  const finality = new FinalityWork({ chain, store, log, evidenceWindow }, options);
  const evidenceKeeper = new EvidenceKeeper(store, await store.evidence());
  const parts = { ...deps, params, store, blocks, signatures, finality, evidenceKeeper };
  const engine = await ConsensusEngine.open(parts, options);
  if (options.listenMs > 0 && signers.size > 0)
    for (const seen of ownMessages(engine.view, { chain, store })) await signatures.noteSeen(seen);
  return new ConsensusQueries({ ...deps, engine, store, keys });
}
