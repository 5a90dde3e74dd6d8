/**
 * What a development chain lets one do beside Ethereum: use accounts whose keys the node holds or nobody holds, change
 * state by hand, move the clock, go back to snapshots. Nothing here exists on other chains.
 *
 * State edits go through the chain (`editState`), which keeps them beside the head, so that they survive a restart and
 * every block can be replayed. What changes head, clock and pool together runs in the producer's own order
 * (`exclusive`), so that no block is made from half of it.
 */
import { randomBytes } from "node:crypto";
import type { Chain } from "../chain/chain.ts";
import type { DevClock, DevClockSnapshot } from "../consensus/devClock.ts";
import type { ConsensusEngine } from "../consensus/engine.ts";
import type { NextBlock } from "../consensus/nextBlock.ts";
import type { Producer, ProducerSnapshot } from "../consensus/producer.ts";
import { keccakHash } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import type { State } from "../state/state.ts";
import type { TxPool } from "../txpool/pool.ts";
import type { PoolSnapshot } from "../txpool/poolFacts.ts";
import { DevError } from "./devError.ts";
import { DevLog } from "./devLog.ts";
import { type DevPqAccount, type DevSigner, devSigner } from "./devSigner.ts";
import { dumpState, loadState, type StateDump } from "./stateDump.ts";

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
  readonly engine: ConsensusEngine;
  readonly clock: DevClock;
  readonly log: Logger;
}

export interface DevOptions {
  readonly accounts: readonly DevAccount[];
  readonly pqAccounts?: readonly DevPqAccount[];
  /** Every sender may be used without a key. */
  readonly autoImpersonate: boolean;
  /** Tell of each transaction and of what contracts print. */
  readonly logging: boolean;
}

/** Everything that `revert` brings back. */
interface Snapshot {
  readonly hash: Hash;
  readonly number: bigint;
  readonly editedStateRoot: Hash | undefined;
  readonly clock: DevClockSnapshot;
  readonly producer: ProducerSnapshot;
  readonly pool: PoolSnapshot;
}

/** A snapshot by its id. */
export interface SnapshotInfo {
  readonly id: bigint;
  readonly number: bigint;
  readonly hash: Hash;
}

/** Test suites take one per test and forget them; the oldest go first. */
const MAX_SNAPSHOTS = 10_000;
/** Pooled transactions that all snapshots together name; the oldest snapshots go first. */
const MAX_SNAPSHOT_ENTRIES = 1_000_000;
/** Addresses impersonated one by one; the oldest go first. */
const MAX_IMPERSONATED = 100_000;

/** The development side of a node. */
export class DevChain {
  readonly accounts: readonly Address[];
  /** Unlocked as well, but unlisted: what eth_accounts lists signs with 65 bytes. */
  readonly pqAccounts: readonly Address[];
  /** Different for each start of the node. */
  readonly instanceId: Hash = bytesToHash(randomBytes(32));
  readonly #deps: DevDependencies;
  readonly #keys: ReadonlyMap<Address, Bytes>;
  readonly #pqSigners: ReadonlyMap<Address, DevSigner>;
  readonly #impersonated = new Set<Address>();
  readonly #snapshots = new Map<bigint, Snapshot>();
  readonly #devLog: DevLog;
  readonly #subscriptions: readonly (() => void)[];
  readonly #initial: ProducerSnapshot;
  #autoImpersonate: boolean;
  #minGasPrice = 0n;
  #snapshotsTaken = 0n;
  #lastBlockWallMs: number;

  constructor(dependencies: DevDependencies, options: DevOptions) {
    const { chain, pool, producer, clock, log } = dependencies;
    this.#deps = dependencies;
    this.accounts = options.accounts.map(({ address }) => address);
    this.#keys = new Map(options.accounts.map(({ address, privateKey }) => [address, privateKey]));
    const { pqAccounts = [] } = options;
    this.pqAccounts = pqAccounts.map(({ address }) => address);
    this.#pqSigners = new Map(pqAccounts.map((account) => [account.address, devSigner(account)]));
    this.#autoImpersonate = options.autoImpersonate;
    this.#devLog = new DevLog({ chain, log }, options.logging);
    this.#initial = producer.snapshot();
    this.#lastBlockWallMs = clock.real.nowMs();
    this.#subscriptions = [
      chain.on("head", ({ added }): undefined => {
        this.#lastBlockWallMs = clock.real.nowMs();
        for (const block of added) this.#devLog.tell(block);
      }),
      pool.on("transaction", ({ transaction, expects }): undefined => {
        if (expects !== undefined) this.#devLog.tellQueued(transaction, expects);
      }),
    ];
  }

  /** Lets go of chain and pool. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    await this.#devLog.close();
  }

  // -------------------------------------------------------------------------------------------- accounts

  /** Key of an unlocked account. */
  privateKey(address: Address): Bytes | undefined {
    return this.#keys.get(address);
  }

  /** Post-quantum key of an unlocked account. */
  pqSigner(address: Address): DevSigner | undefined {
    return this.#pqSigners.get(address);
  }

  /** Whether transactions of the account are taken without its key. */
  isImpersonated(address: Address): boolean {
    return this.#autoImpersonate || this.#impersonated.has(address);
  }

  impersonate(address: Address): void {
    this.#impersonated.add(address);
    const [oldest] = this.#impersonated;
    if (this.#impersonated.size > MAX_IMPERSONATED && oldest !== undefined)
      this.#impersonated.delete(oldest);
  }

  stopImpersonating(address: Address): void {
    this.#impersonated.delete(address);
  }

  setAutoImpersonate(enabled: boolean): void {
    this.#autoImpersonate = enabled;
  }

  /** Least fee of a transaction taken over RPC, wei per gas. */
  get minGasPrice(): bigint {
    return this.#minGasPrice;
  }

  setMinGasPrice(gasPrice: bigint): void {
    this.#minGasPrice = gasPrice;
  }

  // -------------------------------------------------------------------------------------------- state

  /** Changes the state at the head; `touched` are the accounts whose pooled transactions are judged anew. */
  async edit(change: (state: State) => void, touched: readonly Address[]): Promise<void> {
    const { chain, pool, producer } = this.#deps;
    await producer.exclusive(async () => {
      await chain.editState(change);
      pool.refresh(touched);
    });
  }

  /** All accounts at the head. Throws DevError UNNAMED_STATE. */
  async dump(): Promise<StateDump> {
    const { chain, producer } = this.#deps;
    return producer.exclusive(() => dumpState(chain));
  }

  /** Puts the accounts of a dump over those at the head. */
  async load(dump: StateDump): Promise<void> {
    await this.edit((state) => loadState(state, dump), [...dump.keys()]);
  }

  // -------------------------------------------------------------------------------------------- blocks and time

  get automine(): boolean {
    return this.#deps.producer.automine;
  }

  setAutomine(enabled: boolean): void {
    this.#deps.producer.setAutomine(enabled);
  }

  /** ms between blocks by the clock; undefined: none are made by it. */
  get intervalMs(): number | undefined {
    const { intervalMs } = this.#deps.producer;
    return intervalMs === 0 ? undefined : intervalMs;
  }

  setIntervalMs(intervalMs: number): void {
    this.#deps.producer.setIntervalMs(intervalMs);
  }

  /** Makes blocks, their timestamps `intervalSeconds` apart if that is not 0. Throws ProducerError. */
  mine(count: number, intervalSeconds?: bigint): Promise<readonly Hash[]> {
    const interval = intervalSeconds === 0n ? undefined : intervalSeconds;
    return this.#deps.producer.mine(count, interval);
  }

  /** Wishes for the next block alone; a gas limit lasts. */
  setNext(wishes: NextBlock): void {
    this.#deps.producer.setNext(wishes);
  }

  /** Beneficiary of all later blocks. */
  setMiner(miner: Address): void {
    this.#deps.producer.setMiner(miner);
  }

  /** Moves the clock on; returns by how many seconds it is ahead in all. Throws ProducerError. */
  increaseTime(seconds: bigint): bigint {
    return this.#deps.clock.increase(seconds);
  }

  /** Sets the clock; returns by how many seconds it moved. Throws ProducerError. */
  setTime(seconds: bigint): bigint {
    const { clock } = this.#deps;
    const before = BigInt(Math.floor(clock.nowMs() / 1000));
    clock.setTime(Number(seconds) * 1000);
    return seconds - before;
  }

  /** Timestamp of the next block, in seconds. Throws ProducerError. */
  setNextTimestamp(timestamp: bigint): void {
    const { clock, chain } = this.#deps;
    clock.setNextTimestamp(timestamp, chain.head.header.timestamp);
  }

  /** Distance of the timestamps of all later blocks, in seconds; tells whether one was set before. */
  setTimestampInterval(seconds: bigint | undefined): boolean {
    const { clock } = this.#deps;
    const before = clock.blockInterval !== undefined;
    clock.setBlockInterval(seconds);
    return before;
  }

  /** When the last block came, by the computer's clock, in ms since 1970. */
  get lastBlockWallMs(): number {
    return this.#lastBlockWallMs;
  }

  // -------------------------------------------------------------------------------------------- history

  /** Remembers head, edits, pool, clock and wishes for blocks; returns the id. */
  snapshot(): Promise<bigint> {
    const { chain, pool, producer, clock } = this.#deps;
    return producer.exclusive(() => {
      const { hash, header } = chain.head;
      const id = this.#snapshotsTaken++;
      this.#snapshots.set(id, {
        hash,
        number: header.number,
        editedStateRoot: chain.overrideOf(hash).editedStateRoot,
        clock: clock.snapshot(),
        producer: producer.snapshot(),
        pool: pool.snapshot(),
      });
      this.#forgetOldSnapshots();
      return id;
    });
  }

  #forgetOldSnapshots(): void {
    let entries = 0;
    for (const { pool } of this.#snapshots.values()) entries += pool.entries.length;
    for (const [id, { pool }] of this.#snapshots) {
      if (this.#snapshots.size <= MAX_SNAPSHOTS && entries <= MAX_SNAPSHOT_ENTRIES) return;
      this.#snapshots.delete(id);
      entries -= pool.entries.length;
    }
  }

  /** Goes back to a snapshot; it and all later ones are used up. false: there is no such snapshot. */
  revert(id: bigint): Promise<boolean> {
    const { engine, pool, producer, clock } = this.#deps;
    return producer.exclusive(async () => {
      const snapshot = this.#snapshots.get(id);
      if (snapshot === undefined) return false;
      await engine.rewind(snapshot.hash, snapshot.editedStateRoot);
      clock.restore(snapshot.clock);
      pool.restore(snapshot.pool);
      // how blocks are triggered is a mode of the node, not a state of the chain
      const { automine, intervalMs } = producer;
      producer.restore({ ...snapshot.producer, automine, intervalMs });
      for (const later of this.#snapshots.keys()) if (later >= id) this.#snapshots.delete(later);
      return true;
    });
  }

  /** The snapshots that can be gone back to. */
  snapshots(): readonly SnapshotInfo[] {
    return [...this.#snapshots].map(([id, { number, hash }]) => ({ id, number, hash }));
  }

  /** Goes back to block 0 and forgets pool, snapshots, impersonations and everything that was set. */
  async reset(): Promise<void> {
    const { chain, engine, pool, producer, clock } = this.#deps;
    await producer.exclusive(async () => {
      await engine.rewind(chain.genesisHash, undefined);
      pool.clear();
      clock.restore({ offsetMs: 0, nextTimestamp: undefined, blockInterval: undefined });
      producer.restore(this.#initial);
      this.#snapshots.clear();
      this.#impersonated.clear();
      this.#minGasPrice = 0n;
    });
  }

  /** Makes a stored block the head, with what edits had made of its state; the pool takes back what was undone. Throws ChainError. */
  async goTo(hash: Hash): Promise<void> {
    const { chain, engine, producer } = this.#deps;
    const { editedStateRoot } = chain.overrideOf(hash);
    await producer.exclusive(() => engine.rewind(hash, editedStateRoot));
  }

  /** Goes back by `depth` blocks; their transactions leave the pool too. Throws DevError. */
  async rollback(depth: bigint): Promise<void> {
    await this.#deps.producer.exclusive(() => this.#goBack(depth));
  }

  /**
   * Replaces the last `depth` blocks by as many others; `prepare(index)` puts into the pool what the one at that index is
   * to hold. When that fails all is as before. Throws DevError.
   */
  async reorg(depth: bigint, prepare: (index: number) => Promise<void>): Promise<void> {
    const { chain, engine, producer } = this.#deps;
    const { automine } = producer;
    const { hash: before } = chain.head;
    const { editedStateRoot } = chain.overrideOf(before);
    producer.setAutomine(false);
    try {
      const replaced = await producer.exclusive(() => this.#goBack(depth));
      for (const [index, hash] of replaced.entries()) {
        await prepare(index);
        // an empty block of the same second would be the old one again
        producer.setNext({ prevRandao: keccakHash(hexToBytes(hash)) });
        await producer.mine(1);
      }
    } catch (error) {
      await producer.exclusive(() => engine.rewind(before, editedStateRoot));
      throw error;
    } finally {
      producer.setAutomine(automine);
    }
  }

  /** Returns the hashes of the blocks left behind, oldest first. */
  async #goBack(depth: bigint): Promise<readonly Hash[]> {
    const { chain, engine, pool } = this.#deps;
    const head = chain.head.header.number;
    const number = head - depth;
    const target = number < 0n ? undefined : chain.canonicalHash(number);
    if (target === undefined) throw new DevError({ code: "BEYOND_GENESIS", depth, head });
    const left: Hash[] = [];
    const transactions: Hash[] = [];
    for (let at = number + 1n; at <= head; at++) {
      const block = chain.blockByNumber(at);
      if (block === undefined) continue;
      left.push(block.hash);
      for (const { hash } of block.transactions) transactions.push(hash);
    }
    await engine.rewind(target, chain.overrideOf(target).editedStateRoot);
    for (const hash of transactions) pool.remove(hash);
    return left;
  }

  // -------------------------------------------------------------------------------------------- log

  setLogging(enabled: boolean): void {
    this.#devLog.setEnabled(enabled);
  }

  /** Lines that a call printed, unless logging is off. */
  get log(): DevLog {
    return this.#devLog;
  }
}
