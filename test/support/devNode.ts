/** A development node of real parts in memory behind its RPC server, for tests. */

import { devValidatorKeys } from "../../cli/devAccounts.ts";
import { allMethods } from "../../rpc/methods/index.ts";
import { startRpcServer } from "../../rpc/server.ts";
import type { ProducerOptions } from "../../src/consensus/producer.ts";
import { QNode } from "../../src/node/node.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { type Logger, silentLogger } from "../../src/runtime/log.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { devnetGenesis, TEST_ADDRESSES, TEST_KEYS, TEST_MINER } from "./chains.ts";
import { PQ_SEEDS, pqAccount } from "./pqTransactions.ts";

export interface DevNodeOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly logging?: boolean;
  /** Directory of the database; default: in memory */
  readonly databasePath?: string;
  /** Default: genesis/devnet.json */
  readonly genesis?: Genesis;
  readonly onFatal?: (error: Error) => void;
  /** Default: instant */
  readonly producer?: Partial<ProducerOptions>;
}

export interface DevNode extends AsyncDisposable {
  readonly node: QNode;
  readonly url: string;
  readonly wsUrl: string;
  /** Calls one method and gives its result; an error is thrown as it is. */
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /** Waits until the pool holds nothing that can be mined. */
  settled(): Promise<void>;
}

const MAX_WAIT_MS = 5_000;
const INSTANT = { mode: "instant", blockTimeMs: 0, emptyBlocks: false } as const;

/** Namespaces of all methods. */
function namespaces(): readonly string[] {
  return [...new Set(allMethods.map(({ name }) => name.slice(0, name.indexOf("_"))))];
}

/** Starts an instantly mining node with the three test accounts unlocked. */
export async function startDevNode(options: DevNodeOptions = {}): Promise<DevNode> {
  const node = await QNode.start({
    genesis: options.genesis ?? devnetGenesis(),
    databasePath: options.databasePath,
    clientVersion: "anvil-compatible/qnet/test",
    log: options.log ?? silentLogger,
    clock: options.clock ?? systemClock,
    onFatal: options.onFatal,
    recoveryThreads: 0,
    pool: { allowUnprotected: true },
    producer: { ...INSTANT, miner: TEST_MINER, keys: devValidatorKeys(), ...options.producer },
    dev: {
      accounts: TEST_KEYS.map((privateKey, index) => {
        const address = TEST_ADDRESSES[index];
        if (address === undefined) throw new RangeError("a key without an address");
        return { address, privateKey };
      }),
      pqAccounts: PQ_SEEDS.map((seed) => {
        const { address } = pqAccount(seed);
        return { address, algorithm: "ML-DSA-44", seed };
      }),
      autoImpersonate: false,
      logging: options.logging ?? false,
    },
  });
  const server = await startRpcServer(node, {
    hosts: ["127.0.0.1"],
    port: 0,
    api: namespaces(),
    allowUnprotected: true,
    verify: true,
    metrics: node.metrics,
  });
  const call = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    const response = await fetch(server.httpUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const reply: unknown = await response.json();
    if (typeof reply !== "object" || reply === null) throw new TypeError("no reply");
    if ("error" in reply) throw reply.error;
    return "result" in reply ? reply.result : undefined;
  };
  return {
    node,
    url: server.httpUrl,
    wsUrl: server.wsUrl,
    call,
    async settled() {
      const end = Date.now() + MAX_WAIT_MS;
      while (node.pool.stats().pending > 0) {
        if (Date.now() > end) throw new Error("the pool does not empty");
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await node.stop();
    },
  };
}
