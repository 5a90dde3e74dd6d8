/** A development chain of real parts below the node: chain, consensus engine, pool, producer. */
import { devValidatorKeys } from "../../cli/devAccounts.ts";
import type { Chain } from "../../src/chain/chain.ts";
import { DevClock } from "../../src/consensus/devClock.ts";
import type { ConsensusEngine } from "../../src/consensus/engine.ts";
import { HeadView } from "../../src/consensus/headView.ts";
import { ConsensusSetup, openEngine } from "../../src/consensus/openEngine.ts";
import { Producer, type ProducerOptions } from "../../src/consensus/producer.ts";
import { UnprotectedSigner } from "../../src/consensus/signing/unprotectedSigner.ts";
import { noPeers } from "../../src/consensus/transport.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { Metrics } from "../../src/runtime/metrics.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { TxPool } from "../../src/txpool/pool.ts";
import { devnetGenesis, openTestChain, TEST_MINER } from "./chains.ts";

export interface DevProducer extends AsyncDisposable {
  readonly chain: Chain;
  readonly engine: ConsensusEngine;
  readonly pool: TxPool;
  readonly producer: Producer;
  readonly clock: DevClock;
  readonly metrics: Metrics;
}

/** Starts one in memory; instant unless `options` say otherwise. */
export async function startDevProducer(
  real: Clock,
  options: Partial<ProducerOptions> = {},
  threads = 0,
): Promise<DevProducer> {
  const genesis = devnetGenesis();
  const config = genesis.config.qnet?.consensus;
  if (config === undefined) throw new RangeError("a devnet has validators");
  const database = await openDatabase();
  const setup = new ConsensusSetup(database, config);
  const test = await openTestChain(genesis, { ...setup.chainRules, database });
  const { chain } = test;
  const clock = new DevClock(real);
  const log = silentLogger;
  const metrics = new Metrics();
  const recovery = new WorkerPool({ log }, { threads });
  const head = new HeadView({ chain, clock });
  const pool = new TxPool({ head, recovery, log, clock, metrics });
  chain.on("head", (event): undefined => {
    pool.onHead(event);
  });
  const domain = { chainId: genesis.config.chainId, salt: config.salt };
  const signers = devValidatorKeys().map((key) => new UnprotectedSigner(key, domain));
  const { engine } = await openEngine(
    { setup, chain, pool, verifier: pqVerifier, transport: noPeers, signers, clock, log },
    { listenMs: 0, isDriven: true, isQuiet: true },
  );
  engine.start();
  const producer = new Producer(
    { chain, engine, pool, clock, log, metrics },
    { mode: "instant", blockTimeMs: 0, emptyBlocks: false, miner: TEST_MINER, ...options },
  );
  producer.start();
  const close = async () => {
    await producer.stop();
    await engine.stop();
    await recovery.stop();
    await test[Symbol.asyncDispose]();
  };
  return { chain, engine, pool, producer, clock, metrics, [Symbol.asyncDispose]: close };
}
