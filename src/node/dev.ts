/**
 * What a development chain lets one do beside Ethereum: use accounts whose keys the node holds or nobody holds, change
 * state by hand, move the clock, go back to snapshots. Nothing here exists on other chains.
 *
 * State edits go through the chain (`editState`), which keeps them beside the head, so that they survive a restart and
 * every block can be replayed. Everything that changes the head, the clock or the pool together runs in the producer's
 * own order, so that no block is made from half of it.
 */
import { keccakHash } from "../crypto/keccak.ts";
import type { Chain } from "../chain/chain.ts";
import type { DevClock, DevClockState } from "../consensus/devClock.ts";
import type { BlockSettings, Producer } from "../consensus/producer.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import { type Address, bytesToHash, hexToBytes, type Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import type { State } from "../state/state.ts";
import type { PoolSnapshot, TxPool } from "../txpool/pool.ts";
import { DevLog } from "./devLog.ts";

/** An account the node can sign for. */
export interface DevAccount {
  readonly address: Address;
  /** 32 bytes, secp256k1 */
  readonly privateKey: Bytes;
}

export interface DevDependencies {
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly producer: Producer;
  readonly clock: DevClock;
  readonly log: Logger;
}

export interface DevOptions {
  readonly accounts: readonly DevAccount[];
  /** Every sender may be used without a key. */
  readonly autoImpersonate: boolean;
  /** Tell of each transaction and of what contracts print. */
  readonly logging: boolean;
}

export type DevErrorReason =
  | { readonly code: "BELOW_FINALIZED"; readonly number: bigint; readonly finalized: bigint }
  | { readonly code: "BEYOND_GENESIS"; readonly depth: bigint; readonly head: bigint };

/** A wish that even a development chain does not grant. */
export class DevError extends NodeError<DevErrorReason> {}

/** Everything that `revert` brings back. */
interface Snapshot {
  readonly hash: Hash;
  readonly number: bigint;
  readonly editedStateRoot: Hash | undefined;
  readonly clock: DevClockState;
  readonly settings: BlockSettings;
  readonly pool: PoolSnapshot;
}

/** Test suites take one per test and forget them; the oldest go first. */
const MAX_SNAPSHOTS = 10_000;

/** The development side of a node. */
export class DevChain {
  readonly accounts: readonly Address[];
  /** Names this start of the chain in `hardhat_metadata`. */
  readonly instanceId: Hash;
  readonly clock: DevClock;
  readonly producer: Producer;
  readonly devLog: DevLog;
  /** Least fee of a transaction taken over RPC, wei per gas. */
  minGasPrice = 0n;
  autoImpersonate: boolean;
  /** When the last block was made, ms since 1970. */
  lastBlockWallMs: number;
  readonly #chain: Chain;
  readonly #pool: TxPool;
  readonly #keys: ReadonlyMap<Address, Bytes>;
  readonly #impersonated = new Set<Address>();
  readonly #snapshots = new Map<bigint, Snapshot>();
  readonly #subscriptions: (() => void)[] = [];
  #snapshotsTaken = 0n;

  constructor(dependencies: DevDependencies, options: DevOptions) {
    const { chain, pool, producer, clock, log } = dependencies;
    this.#chain = chain;
    this.#pool = pool;
    this.producer = producer;
    this.clock = clock;
    this.devLog = new DevLog({ chain, log }, options.logging);
    this.accounts = options.accounts.map(({ address }) => address);
    this.#keys = new Map(options.accounts.map(({ address, privateKey }) => [address, privateKey]));
    this.autoImpersonate = options.autoImpersonate;
    this.lastBlockWallMs = Date.now();
    this.instanceId = keccakHash(
      hexToBytes(bytesToHash(hexToBytes(chain.genesisHash))),
    );
    this.#subscriptions.push(
      chain.on("head", ({ added }) => {
        this.lastBlockWallMs = Date.now();
        for (const block of added) this.devLog.tell(block);
      }),
      pool.on("transaction", ({ transaction, expects }) => {
        if (expects !== undefined) this.devLog.tellQueued(transaction, expects);
      }),
    );
  }
}
