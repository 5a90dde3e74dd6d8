/** A node of real parts in memory for tests of the RPC server: chain, pool, no producer. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RpcNode } from "../../rpc/context.ts";
import { nextBaseFee, nextBlobFee } from "../../rpc/feeHistory.ts";
import { Chain } from "../../src/chain/chain.ts";
import { anySeal, plainHeadRule } from "../../src/chain/importBlock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { Metrics } from "../../src/runtime/metrics.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import { openDatabase } from "../../src/storage/database.ts";
import type { HeadState } from "../../src/txpool/headState.ts";
import { TxPool } from "../../src/txpool/pool.ts";
import { decodeBlock } from "../../src/types/block.ts";
import { parseGenesisText } from "../../src/types/genesis.ts";
import { rlpItemLength } from "../../src/types/rlp.ts";

/** The published fixture chain, when it is at hand. */
export const fixtureFolder: string =
  process.env["QNET_FIXTURES"] ?? join(import.meta.dirname, "../../../shared/fixtures");

/** What the pool sees of the chain. */
function headStateOf(chain: Chain): HeadState {
  const rules = () => {
    const { number, timestamp, difficulty } = chain.head.header;
    return chain.config.forks.rules({ number: number + 1n, timestamp: timestamp + 1n, difficulty });
  };
  return {
    account: (address) =>
      chain.stateAt(chain.head.hash).account(address) ?? { nonce: 0n, balance: 0n },
    get rules() {
      return rules();
    },
    get gasLimit() {
      return chain.head.header.gasLimit;
    },
    get baseFee() {
      return nextBaseFee(chain, chain.head.header);
    },
    get blobBaseFee() {
      return rules().blobs && nextBlobFee(chain, chain.head.header);
    },
    inclusion(hash) {
      const found = chain.transaction(hash);
      if (found === undefined) return undefined;
      const { number } = found.block.header;
      const finalized = number <= chain.finalized.header.number;
      return { blockNumber: number, blockHash: found.block.hash, finalized };
    },
  };
}

/** A node and how to let go of it. */
export interface TestNode extends RpcNode, AsyncDisposable {}

/** A node on a genesis file's text, and the RLP blocks imported into it. */
export async function startTestNode(genesis: string, blocks?: Uint8Array): Promise<TestNode> {
  const database = await openDatabase();
  const chain = await Chain.open(database, parseGenesisText(genesis), {
    sealRules: anySeal,
    headRule: plainHeadRule,
    log: silentLogger,
  });
  if (blocks !== undefined) await importAll(chain, blocks);
  const recovery = new WorkerPool({ log: silentLogger }, { threads: 0 });
  const pool = new TxPool({
    head: headStateOf(chain),
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
    pool,
    log: silentLogger,
    clock: systemClock,
    clientVersion: "qnet/test",
    async [Symbol.asyncDispose]() {
      follow();
      await pool.stop();
      await recovery.stop();
      await chain.close();
      await database.close();
    },
  };
}

async function importAll(chain: Chain, blocks: Uint8Array): Promise<void> {
  for (let offset = 0; offset < blocks.length; ) {
    const item = rlpItemLength(blocks, offset);
    if (item === undefined) throw new RangeError(`no whole block at ${offset}`);
    await chain.importBlock(decodeBlock(blocks.subarray(offset, offset + item.totalLength)));
    offset += item.totalLength;
  }
  const { hash } = chain.head;
  await chain.setForkchoice({ safe: hash, finalized: hash });
}

/** The published chain of 54 blocks, Homestead to BPO2. */
export function startFixtureNode(): Promise<TestNode> {
  const folder = join(fixtureFolder, "rpc-compat");
  const genesis = readFileSync(join(folder, "genesis.json"), "utf8");
  return startTestNode(genesis, readFileSync(join(folder, "chain.rlp")));
}
