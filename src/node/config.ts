/** What a node is started with: plain data, made by the command line or a test. */
import type { ReporterAccount } from "../consensus/evidenceReporter.ts";
import type { ProducerOptions } from "../consensus/producer.ts";
import type { SigningKey } from "../consensus/signing/validatorSigner.ts";
import type { Transport } from "../consensus/transport.ts";
import type { EvmName } from "../execution/evm.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { PoolOptions } from "../txpool/poolOptions.ts";
import type { Genesis } from "../types/genesis.ts";
import type { DevOptions } from "./dev.ts";

/** Part of a node in consensus. */
export interface ConsensusNodeOptions {
  /** Keys of the validators that this node is; none: it only follows. */
  readonly keys: readonly SigningKey[];
  /** Directory of what a key has signed; undefined keeps it in memory, for tests alone. */
  readonly recordsPath: ((keyHash: Hash) => string) | undefined;
  readonly transport: Transport;
  /** ms after the start in which nothing is signed and the own keys are listened for; 0: a chain of one's own */
  readonly listenMs: number;
  /** Account that reports validators which contradict themselves; undefined: evidence is kept and shown only */
  readonly reporter?: ReporterAccount | undefined;
}

/** Everything about one node. */
export interface NodeOptions {
  /** The chain's genesis, or a choice that sees the one the database was made with (undefined: it is empty) and may throw. */
  readonly genesis: Genesis | ((stored: Genesis | undefined) => Genesis | Promise<Genesis>);
  /** Folder of everything that the node keeps; it is only shown, the paths below say what lies where. */
  readonly dataDir?: string | undefined;
  /** Directory of the database; without it everything is in memory and ends with the process. */
  readonly databasePath?: string | undefined;
  /** File that keeps local transactions over a restart. */
  readonly journalPath?: string | undefined;
  /** Memory for reading the database, see `openDatabase`. */
  readonly databaseCacheBytes?: number | undefined;
  /** Blocks whose states are kept; default: all */
  readonly stateHistory?: bigint | undefined;
  readonly pool?: Partial<PoolOptions>;
  /** Threads that recover senders; 0: none */
  readonly recoveryThreads?: number;
  /** Makes blocks with the keys of the genesis' validator; only for a genesis that says `dev: true`. */
  readonly producer?: ProducerOptions & { readonly keys: readonly SigningKey[] };
  /** Takes part in the consensus of the genesis' validators; without it their blocks cannot be followed. */
  readonly consensus?: ConsensusNodeOptions;
  /** Accounts and manners of a development chain that makes blocks; default: no accounts, quiet. */
  readonly dev?: DevOptions;
  /** Verifies post-quantum signatures with two implementations and reports a disagreement to `onFatal`. */
  readonly paranoid?: boolean;
  /** Which EVM runs blocks and calls; default: fast */
  readonly evm?: EvmName | undefined;
  /** Hears of what this node cannot go on from; whoever started it has to stop it. */
  readonly onFatal?: ((error: Error) => void) | undefined;
  /** Such as `qnet/v0.1.0/linux-x64/node24`. */
  readonly clientVersion: string;
  readonly log: Logger;
  /** Default: the computer's */
  readonly clock?: Clock;
  /** Adds memory, CPU and event loop to the metrics. */
  readonly processMetrics?: boolean;
}
