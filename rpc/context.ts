/** What a handler may use: the node, its own connection, the limits and the shared registries of the server. */
import type { BlockDraft } from "../src/chain/buildBlock.ts";
import type { Chain } from "../src/chain/chain.ts";
import type { ConsensusQueries } from "../src/consensus/queries.ts";
import type { PqVerifier } from "../src/crypto/pqVerifier.ts";
import type { PrecompileOffload } from "../src/execution/precompiles/offload.ts";
import type { DevChain } from "../src/node/dev.ts";
import type { Address } from "../src/primitives/hex.ts";
import type { Logger } from "../src/runtime/log.ts";
import type { Database } from "../src/storage/database.ts";
import type { TxPool } from "../src/txpool/pool.ts";
import type { Caller } from "./callers.ts";
import type { Filters } from "./filters.ts";
import type { HeadStates } from "./headStates.ts";
import type { KnownKeys } from "./knownKeys.ts";
import type { Method } from "./method.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { TextCache } from "./textCache.ts";

/** The node as handlers see it. */
export interface RpcNode {
  readonly chain: Chain;
  readonly pool: TxPool;
  /** What precompiles verify with. */
  readonly verifier: PqVerifier;
  /** Entries as they are on disk, and where servers keep what outlives the process; only the chain writes its columns. */
  readonly database: Database;
  readonly log: Logger;
  /** Time of the chain; `real` where a development chain has moved it. */
  readonly clock: { nowMs(): number; readonly real?: { nowMs(): number } };
  /** Such as `qnet/v0.1.0/linux-x64/node24`. */
  readonly clientVersion: string;
  /** Folder of the node's data; absent where everything is in memory. */
  readonly dataDir?: string | undefined;
  /** What the producer would build now; absent where blocks are not made. */
  readonly nextBlock?: (() => BlockDraft) | undefined;
  /** Beneficiary of the blocks made here. */
  readonly miner?: (() => Address) | undefined;
  /** What to wait for until what was sent before is in a block, or was found not to fit; absent where blocks are not made. */
  readonly settled?: (() => Promise<void> | undefined) | undefined;
  /** Present on development chains only. */
  readonly dev?: DevChain | undefined;
  /** Present on nodes that take part in the consensus of validators. */
  readonly consensus?: ConsensusQueries | undefined;
  /** Absent where a node has no peers to be in step with. */
  readonly network?: RpcNetwork | undefined;
}

/** The node's peers as callers may ask about them. */
export interface RpcNetwork {
  peerCount(): number;
  /** Height at which the last synchronisation began. */
  startingBlock(): bigint;
  /** Height of the chain that the peers have; synchronisation goes there. */
  highestBlock(): bigint;
}

/** Files of blocks on the node's machine. Both reject with RpcError REFUSED where it cannot be done. */
export interface ChainFiles {
  /** Writes blocks `first` to `last`, by default to the head, into a new file. */
  exportChain(file: string, first: bigint, last?: bigint): Promise<void>;
  importChain(file: string): Promise<void>;
}

/** The way to a caller that can be spoken to unasked (WebSocket). */
export interface PushChannel {
  /** Sends one message; false when the connection is gone or too slow. */
  send(message: string): boolean;
  /** Runs `task` once the reply to the current request has been sent. */
  afterReply(task: () => void): void;
  /** Open subscriptions of this connection: id → how to end it. */
  readonly subscriptions: Map<string, () => void>;
}

/** The caller's connection. */
export interface Connection {
  readonly caller: Caller;
  readonly push?: PushChannel;
}

/** Limits of execution and queries that the operator may set. */
export interface RpcLimits {
  /** Gas of one eth_call, and of all calls of one simulation. */
  readonly gasCap: bigint;
  /** ms of EVM time of one call */
  readonly evmTimeoutMs: number;
  /** Highest fee of a transaction sent over RPC, wei; 0 = no limit. */
  readonly txFeeCap: bigint;
  /** Whether transactions without replay protection are taken. */
  readonly allowUnprotected: boolean;
  /** Blocks of one eth_getLogs query; 0 = no limit. */
  readonly logRange: bigint;
  /** ms of one search for logs */
  readonly searchTimeoutMs: number;
}

export interface RpcContext {
  readonly node: RpcNode;
  readonly connection: Connection;
  readonly limits: RpcLimits;
  readonly states: HeadStates;
  /** Runs long precompiles of calls and traces. */
  readonly offload: PrecompileOffload;
  readonly filters: Filters;
  readonly subscriptions: Subscriptions;
  readonly texts: TextCache;
  readonly keys: KnownKeys;
  /** Groups that this server offers for the key exchange, best first; none without TLS. */
  readonly tlsGroups: readonly string[];
  /** Absent where a server offers none. */
  readonly chainFiles: ChainFiles | undefined;
  /** The methods of this server that are open. */
  readonly methods: readonly Method[];
}
