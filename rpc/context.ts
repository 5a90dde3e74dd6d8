/** What a handler may use: the node, its own connection, and the settings of the server. */
import type { Bytes } from "../src/primitives/bytes.ts";
import type { Address, Hash } from "../src/primitives/hex.ts";
import type { Account } from "../src/types/account.ts";
import type { Block } from "../src/types/block.ts";
import type { Header } from "../src/types/header.ts";
import type { Receipt } from "../src/types/receipt.ts";
import type { Transaction } from "../src/types/transaction.ts";

export interface RpcState {
  account(address: Address): Account | undefined;
  code(address: Address): Bytes;
  slot(address: Address, key: Hash): Bytes;
}

export interface RpcHead {
  readonly header: Header;
  readonly hash: Hash;
}

export interface RpcChain {
  readonly genesisHash: Hash;
  readonly config: { readonly chainId: bigint };
  readonly head: RpcHead;
  readonly safe: RpcHead;
  readonly finalized: RpcHead;
  headerByNumber(number: bigint): Header | undefined;
  header(hash: Hash): Header | undefined;
  canonicalHash(number: bigint): Hash | undefined;
  block(hash: Hash): Block | undefined;
  blockByNumber(number: bigint): Block | undefined;
  receipts(hash: Hash): readonly Receipt[] | undefined;
  transaction(hash: Hash): { readonly block: Block; readonly index: number } | undefined;
  stateAt(hash: Hash): RpcState;
}

export interface RpcPool {
  get(hash: Hash): Transaction | undefined;
  nonce(address: Address): bigint;
}

/** The node as handlers see it. */
export interface RpcNode {
  readonly chain: RpcChain;
  readonly pool: RpcPool;
}

/** The caller's connection. `notify` exists where the server can speak first (WebSocket). */
export interface Connection {
  readonly ip: string;
  /** Sends a message unasked; false when the connection is gone or too slow. */
  readonly notify?: (message: string) => boolean;
}

/** Limits of execution and queries that the operator may set. */
export interface RpcLimits {
  /** Gas of one eth_call, of all calls of one simulation. */
  readonly gasCap: bigint;
  /** ms of EVM time of one call */
  readonly evmTimeoutMs: number;
  /** Highest fee of a transaction sent over RPC, wei; 0 = no cap. */
  readonly txFeeCap: bigint;
  /** Blocks of one eth_getLogs query; 0 = no limit. */
  readonly logRange: bigint;
}

export interface RpcContext {
  readonly node: RpcNode;
  readonly connection: Connection;
  readonly limits: RpcLimits;
}
