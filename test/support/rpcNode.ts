/** A node of real parts in memory for tests of the RPC server: chain, pool, no producer. */
import type { RpcNode } from "../../rpc/context.ts";
import { HeadView } from "../../src/consensus/headView.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { Metrics } from "../../src/runtime/metrics.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import { TxPool } from "../../src/txpool/pool.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { openTestChain, readFixtureChain } from "./chains.ts";

/** A node and how to let go of it. */
export interface TestNode extends RpcNode, AsyncDisposable {}

/** A node on a genesis. */
export async function startTestNode(genesis: Genesis): Promise<TestNode> {
  const test = await openTestChain(genesis);
  const { chain } = test;
  const recovery = new WorkerPool({ log: silentLogger }, { threads: 0 });
  const pool = new TxPool({
    head: new HeadView({ chain, clock: systemClock }),
    recovery,
    log: silentLogger,
    clock: systemClock,
    metrics: new Metrics(),
  });
  const follow = chain.on("head", (change) => {
    pool.onHead(change);
    return undefined;
  });
  return {
    chain,
    database: test.database,
    pool,
    verifier: pqVerifier,
    log: silentLogger,
    clock: systemClock,
    clientVersion: "qnet/test",
    async [Symbol.asyncDispose]() {
      follow();
      await pool.stop();
      await recovery.stop();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** A node on the published chain of 54 blocks, Homestead to BPO2. */
export async function startFixtureNode(): Promise<TestNode> {
  const { genesis, blocks } = readFixtureChain();
  const node = await startTestNode(genesis);
  for (const block of blocks) await node.chain.importBlock(block);
  const { hash } = node.chain.head;
  await node.chain.setForkchoice({ safe: hash, finalized: hash });
  return node;
}
