/**
 * The composition root: builds each part once, wires their seams, starts them in order and stops them in reverse.
 * Order: database → chain → recovery workers → pool → producer (development chains). The RPC server stands above.
 */
import type { BlockDraft } from "../chain/buildBlock.ts";
import { Chain } from "../chain/chain.ts";
import type { ChainHead, ChainObserver, HeadEvent } from "../chain/chainEvents.ts";
import { readStoredGenesis } from "../chain/genesis.ts";
import { chainMetrics } from "../chain/metrics.ts";
import { networkRules } from "../chain/networkRules.ts";
import { DevClock } from "../consensus/devClock.ts";
import { HeadView } from "../consensus/headView.ts";
import { ConsensusSetup } from "../consensus/openEngine.ts";
import { Producer } from "../consensus/producer.ts";
import type { ConsensusQueries } from "../consensus/queries.ts";
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { type MetricHandles, Metrics } from "../runtime/metrics.ts";
import { ServiceGroup } from "../runtime/service.ts";
import { WorkerError } from "../runtime/workerError.ts";
import { WorkerPool } from "../runtime/workers.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { Journal } from "../txpool/journal.ts";
import { TxPool } from "../txpool/pool.ts";
import { knownSender, rememberSender } from "../types/sender.ts";
import type { Transaction } from "../types/transaction.ts";
import type { NodeOptions } from "./config.ts";
import { startConsensus, startDevConsensus } from "./consensus.ts";
import { demandFastVerifier, makeVerifier, prepareVerifier } from "./cryptoSetup.ts";
import { DevChain } from "./dev.ts";
import { SetupError } from "./setupError.ts";

interface Parts {
  readonly database: Database;
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly verifier: PqVerifier;
  readonly producer: Producer | undefined;
  readonly dev: DevChain | undefined;
  readonly consensus: ConsensusQueries | undefined;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** A running node. */
export class QNode {
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly verifier: PqVerifier;
  readonly database: Database;
  /** Present on development chains that make blocks. */
  readonly producer: Producer | undefined;
  /** Present on development chains that make blocks. */
  readonly dev: DevChain | undefined;
  /** Present on nodes that take part in consensus. */
  readonly consensus: ConsensusQueries | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clientVersion: string;
  /** Folder of the node's data; undefined where everything is in memory. */
  readonly dataDir: string | undefined;
  readonly #services: ServiceGroup;

  private constructor(options: NodeOptions, parts: Parts, services: ServiceGroup) {
    this.chain = parts.chain;
    this.pool = parts.pool;
    this.verifier = parts.verifier;
    this.database = parts.database;
    this.producer = parts.producer;
    this.dev = parts.dev;
    this.consensus = parts.consensus;
    this.clock = parts.clock;
    this.metrics = parts.metrics;
    this.log = options.log;
    this.clientVersion = options.clientVersion;
    this.dataDir = options.dataDir;
    this.#services = services;
  }

  /** Starts everything; when one part fails, stops what ran and throws its error (StorageError, ChainError, SetupError …). */
  static async start(options: NodeOptions): Promise<QNode> {
    const services = new ServiceGroup();
    try {
      return new QNode(options, await startParts(options, services), services);
    } catch (error) {
      await services.stop();
      throw error;
    }
  }

  /** What the producer would build now; undefined where blocks are not made. */
  get nextBlock(): (() => BlockDraft) | undefined {
    const { producer } = this;
    return producer && (() => producer.nextDraft());
  }

  /** Beneficiary of the blocks made here. */
  get miner(): (() => Address) | undefined {
    const { producer } = this;
    return producer && (() => producer.miner);
  }

  /** What to wait for until arrivals are in blocks; undefined where blocks are not made. */
  get settled(): (() => Promise<void> | undefined) | undefined {
    const { producer } = this;
    return producer && (() => producer.settled());
  }

  /** Stops everything in reverse order; safe to call twice. */
  stop(): Promise<void> {
    return this.#services.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function startParts(options: NodeOptions, services: ServiceGroup): Promise<Parts> {
  const { log } = options;
  const metrics = new Metrics({ process: options.processMetrics ?? false });
  const database = await openDatabase({
    path: options.databasePath,
    ...(options.databaseCacheBytes !== undefined && { cacheBytes: options.databaseCacheBytes }),
  });
  await hold(services, "database", () => database.close());
  const verifier = makeVerifier(options);
  const recovery = new WorkerPool(
    { log, verifier },
    { ...(options.recoveryThreads !== undefined && { threads: options.recoveryThreads }) },
  );
  await hold(services, "recovery", () => recovery.stop());
  const handles = metrics.register("chain", chainMetrics);
  const observer = chainObserver(handles);
  const pooled: PooledSource = { get: undefined };
  const { chain, setup } = await openChain(options, {
    database,
    recovery,
    verifier,
    observer,
    pooled,
  });
  await hold(services, "chain", () => chain.close());
  await prepareVerifier(verifier, chain.config, options);
  if (options.producer !== undefined && !chain.isDev)
    throw new SetupError({ code: "PRODUCTION_NEEDS_DEV", chainId: chain.config.chainId });
  if (options.producer !== undefined) demandFastVerifier(verifier, chain.config);
  const base = options.clock ?? systemClock;
  const devClock = options.producer && new DevClock(base);
  const clock = devClock ?? base;
  const pool = makePool(options, { chain, setup, recovery, clock, metrics });
  pooled.get = (hash) => pool.get(hash);
  followHead(chain, pool, handles);
  await services.start([{ name: "pool", start: () => pool.start(), stop: () => pool.stop() }]);
  const common = { database, chain, pool, verifier, clock, metrics };
  if (setup === undefined)
    return { ...common, consensus: undefined, producer: undefined, dev: undefined };
  const sources = { setup, ...common, log, onFatal: options.onFatal };
  if (options.producer === undefined || devClock === undefined) {
    const consensus =
      options.consensus && (await startConsensus(sources, options.consensus, services));
    return { ...common, consensus, producer: undefined, dev: undefined };
  }
  const { keys, mode } = options.producer;
  const manner = { keys, isQuiet: mode !== "cadence" };
  const consensus = await startDevConsensus(sources, manner, services);
  const { engine } = consensus;
  const parts = { ...common, consensus };
  const producer = new Producer({ ...parts, engine, clock: devClock, log }, options.producer);
  const dev = new DevChain(
    { chain, pool, producer, engine, clock: devClock, log },
    options.dev ?? { accounts: [], autoImpersonate: false, logging: false },
  );
  await hold(services, "dev chain", () => dev.close());
  producer.start();
  await hold(services, "producer", () => producer.stop());
  return { ...parts, producer, dev };
}

/** Registers something that runs already for being stopped. */
function hold(services: ServiceGroup, name: string, stop: () => Promise<void>): Promise<void> {
  return services.start([{ name, start: () => Promise.resolve(), stop }]);
}

async function openChain(
  options: NodeOptions,
  parts: {
    readonly database: Database;
    readonly recovery: WorkerPool;
    readonly verifier: PqVerifier;
    readonly observer: ChainObserver;
    readonly pooled: PooledSource;
  },
): Promise<{ readonly chain: Chain; readonly setup: ConsensusSetup | undefined }> {
  const { genesis: wanted, log } = options;
  const { database, recovery, verifier, pooled } = parts;
  const genesis = typeof wanted === "function" ? await wanted(readStoredGenesis(database)) : wanted;
  const config = genesis.config.qnet?.consensus;
  const takesPart = options.consensus !== undefined || (options.producer && config?.dev);
  const setup = takesPart && config ? new ConsensusSetup(database, config) : undefined;
  const chain = await Chain.open(database, genesis, {
    ...(setup?.chainRules ?? networkRules(genesis.config)),
    log,
    verifier,
    observer: parts.observer,
    stateHistory: options.stateHistory,
    evm: options.evm,
    recoverSenders: (transactions) => {
      for (const transaction of transactions) adoptSender(transaction, pooled);
      return recoverAhead(recovery, transactions);
    },
  });
  return { chain, setup };
}

/** Where transactions are found whose signatures were verified on their way into the pool; it comes after the chain. */
interface PooledSource {
  get: ((hash: Hash) => Transaction | undefined) | undefined;
}

/** The hash covers the signature: what is known of the pooled transaction holds for the same bytes in a block. */
function adoptSender(transaction: Transaction, { get }: PooledSource): void {
  if (knownSender(transaction) !== undefined) return;
  const pooled = get?.(transaction.hash);
  const sender = pooled && knownSender(pooled);
  if (sender !== undefined) rememberSender(transaction, sender);
}

/** A sender that cannot be recovered, or workers that are busy: the chain finds out itself, with the block's evidence. */
async function recoverAhead(
  recovery: WorkerPool,
  transactions: readonly Transaction[],
): Promise<void> {
  try {
    await recovery.recoverAll(transactions);
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
  }
}

function makePool(
  options: NodeOptions,
  parts: {
    readonly chain: Chain;
    readonly setup: ConsensusSetup | undefined;
    readonly recovery: WorkerPool;
    readonly clock: Clock;
    readonly metrics: Metrics;
  },
): TxPool {
  const { chain, setup, recovery, clock, metrics } = parts;
  const { log, journalPath: path } = options;
  const slotFee = setup && ((block: ChainHead) => setup.baseFeeAfter(chain, block));
  const head = new HeadView({ chain, clock, slotFee });
  const journal = path === undefined ? undefined : new Journal({ log }, { path });
  return new TxPool({ head, recovery, log, clock, metrics, journal }, options.pool);
}

type ChainHandles = MetricHandles<typeof chainMetrics>;

function chainObserver(handles: ChainHandles): ChainObserver {
  return {
    executed({ elapsedMs, transactions, gasUsed }) {
      handles.execution_seconds.observe(elapsedMs / 1000);
      handles.executed_transactions_total.add(transactions);
      handles.execution_mgas_per_second.set(Number(gasUsed) / 1000 / Math.max(elapsedMs, 0.001));
    },
    stored({ elapsedMs, nodes }) {
      handles.commit_seconds.observe(elapsedMs / 1000);
      handles.trie_nodes_written_total.add(nodes);
    },
  };
}

/** The pool follows the head first, so that whoever hears of a block later finds it up to date. */
function followHead(chain: Chain, pool: TxPool, handles: ChainHandles): void {
  handles.trie_cache_hits.read(() => chain.states.cache.hits);
  handles.trie_cache_misses.read(() => chain.states.cache.misses);
  handles.trie_cache_nodes.read(() => chain.states.cache.size);
  handles.waiting.read(() => chain.waiting);
  handles.head_number.read(() => Number(chain.head.header.number));
  handles.head_timestamp_seconds.read(() => Number(chain.head.header.timestamp));
  chain.on("head", (event: HeadEvent): undefined => {
    pool.onHead(event);
    handles.added_blocks_total.add(event.added.length);
    for (const { transactions, header } of event.added) {
      handles.added_transactions_total.add(transactions.length);
      handles.added_gas_total.add(Number(header.gasUsed));
    }
    if (event.removed.length === 0) return;
    handles.reorganisations_total.add();
    handles.removed_blocks_total.add(event.removed.length);
  });
}
