/**
 * The chain: which blocks we have, their results, and which one is the head.
 *
 * It owns the block tree in the database, the head pointer and the State at the head. It promises that a block and its
 * state are stored together or not at all, that changes happen one at a time, and that `head` is emitted after the batch
 * is durable. A block enters through `importBlock` alone, whoever made it:
 *   importBlock → queue → processBlock (rules, execution, comparison) → head rule → ONE batch → memory → event
 * Reads are synchronous and see the last committed batch.
 */
import type { ExecutionContext } from "../execution/evm.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import { Emitter, type Listener, type Unsubscribe } from "../runtime/emitter.ts";
import { SerialQueue } from "../runtime/queue.ts";
import type { AccountProof } from "../state/proof.ts";
import type { State } from "../state/state.ts";
import type { WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import { stateChangeOps } from "../storage/stateStore.ts";
import type { Block } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";
import type { ChainConfig, Genesis } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";
import type { Receipt } from "../types/receipt.ts";
import { type AddressQuery, type AddressTransaction, searchAddress } from "./addressIndex.ts";
import { BadBlocks } from "./badBlocks.ts";
import { type AheadWork, BlockAhead } from "./blockAhead.ts";
import { BlockStore, type TransactionPosition } from "./blockStore.ts";
import { ChainError } from "./chainError.ts";
import {
  type ChainDependencies,
  type ChainEvents,
  type ChainHead,
  type Forkchoice,
  headEvent,
  type ImportManner,
  type ImportOutcome,
  type Pointers,
  type RestoredHead,
} from "./chainEvents.ts";
import { ChainStates } from "./chainStates.ts";
import { moveCanonical, namedBlocks, putBlock, putPointer, type Route, routeTo } from "./commit.ts";
import {
  type ExecutedBlock,
  type HeadCandidate,
  type ImportView,
  type ProcessedBlock,
  processBlock,
} from "./importBlock.ts";
import { type FoundLog, type LogLimits, type LogQuery, searchLogs } from "./logIndex.ts";
import { openStored, type StoredChain } from "./openChain.ts";
import { NO_OVERRIDE, type OverrideRecord, putEdits } from "./overrides.ts";
import { Preimages } from "./preimages.ts";
import { type PinnedBlocks, pinnedBlocks } from "./stateHistory.ts";

/** Imports and other changes that may wait; a producer or peer that comes on top is refused with QueueError. */
const MAX_WAITING = 64;

/** One chain over one database. Open it with `Chain.open`. */
export class Chain {
  readonly genesis: Genesis;
  readonly genesisHash: Hash;
  readonly preimages: Preimages;
  readonly states: ChainStates;
  readonly badBlocks = new BadBlocks();
  readonly #database: Database;
  readonly #store: BlockStore;
  readonly #dependencies: ChainDependencies;
  readonly #queue = new SerialQueue({ name: "chain", limit: MAX_WAITING });
  readonly #events = new Emitter<ChainEvents>();
  readonly #ahead = new BlockAhead();
  #pointers: Pointers;

  private constructor(
    dependencies: ChainDependencies & { readonly database: Database },
    stored: StoredChain & { readonly genesis: Genesis },
  ) {
    this.#database = dependencies.database;
    this.#dependencies = dependencies;
    this.#store = new BlockStore(dependencies.database);
    this.genesis = stored.genesis;
    this.preimages = new Preimages(this.#database, this.genesis, stored.genesisWritten);
    this.genesisHash = stored.genesisHash;
    this.#pointers = stored.pointers;
    this.states = new ChainStates(
      {
        ...dependencies,
        store: this.#store,
        exclusive: (task) => this.#queue.run(task),
        pinned: () => this.#pinned(),
      },
      dependencies.stateHistory,
    );
  }

  /**
   * Opens the chain of `genesis` in `database`, writing block 0 into an empty one and walking back to the newest whole
   * block of a damaged one. Throws ChainError GENESIS_MISMATCH.
   */
  static async open(
    database: Database,
    genesis: Genesis,
    dependencies: ChainDependencies,
  ): Promise<Chain> {
    const stored = await openStored(database, genesis, dependencies.log);
    const chain = new Chain({ ...dependencies, database }, { genesis, ...stored });
    await chain.states.prepareFlat(chain.stateRootAt(chain.head.hash));
    return chain;
  }

  get config(): ChainConfig {
    return this.genesis.config;
  }

  get head(): ChainHead {
    return this.#pointers.head;
  }

  get safe(): ChainHead {
    return this.#pointers.safe;
  }

  get finalized(): ChainHead {
    return this.#pointers.finalized;
  }

  header(hash: Hash): Header | undefined {
    return this.#store.header(hash);
  }

  headerByNumber(number: bigint): Header | undefined {
    const hash = this.#store.canonicalHash(number);
    return hash && this.#store.header(hash);
  }

  canonicalHash(number: bigint): Hash | undefined {
    return this.#store.canonicalHash(number);
  }

  isCanonical(hash: Hash): boolean {
    const header = this.#store.header(hash);
    return header !== undefined && this.#store.isCanonical(header, hash);
  }

  /** Any stored block, canonical or not; the senders of its transactions are known. */
  block(hash: Hash): Block | undefined {
    return this.#store.block(hash);
  }

  blockByNumber(number: bigint): Block | undefined {
    const hash = this.#store.canonicalHash(number);
    return hash && this.#store.block(hash);
  }

  receipts(hash: Hash): readonly Receipt[] | undefined {
    return this.#store.receipts(hash);
  }

  /** A transaction of the canonical chain. */
  transaction(hash: Hash): TransactionPosition | undefined {
    return this.#store.transaction(hash);
  }

  /** Sum of difficulties from the genesis to this block. */
  totalDifficulty(hash: Hash): bigint | undefined {
    return this.#store.totalDifficulty(hash);
  }

  rulesFor(header: Header): Rules {
    return this.config.forks.rules(header);
  }

  /** Rules and ancestors for executing the block with this header (or calls in it). */
  contextFor(header: Header): ExecutionContext {
    const { parentHash } = header;
    return {
      rules: this.rulesFor(header),
      verifier: this.#dependencies.verifier,
      evm: this.#dependencies.evm,
      epoch: this.#dependencies.epochCallOf?.(header),
      blockHash: (number) => this.#store.ancestorHash(parentHash, number),
    };
  }

  /** Root of the state that reads at this block see: at the head of a dev chain with edits, else the header's. Throws ChainError UNKNOWN_BLOCK. */
  stateRootAt(hash: Hash): Hash {
    const header = this.#store.demandHeader(hash);
    const edited = hash === this.head.hash ? this.overrideOf(hash).editedStateRoot : undefined;
    return edited ?? header.stateRoot;
  }

  /** A State of its own after this block. Throws ChainError UNKNOWN_BLOCK, STATE_UNAVAILABLE. */
  stateAt(hash: Hash): State {
    return this.states.open(hash, this.stateRootAt(hash));
  }

  /** A State of its own as the block found it, for executing it once more. Throws ChainError. */
  preStateOf(block: Block): State {
    const { parentHash } = block.header;
    const before = this.overrideOf(block.hash).preStateRoot;
    return this.states.open(parentHash, before ?? this.#store.demandHeader(parentHash).stateRoot);
  }

  /** Root of the state on which a child of this block is executed. Throws ChainError UNKNOWN_BLOCK. */
  childStateRoot(parentHash: Hash): Hash {
    return (
      this.overrideOf(parentHash).editedStateRoot ?? this.#store.demandHeader(parentHash).stateRoot
    );
  }

  /** A State on which to execute a child of this block: the warm one if it fits, and then nobody else's. Throws ChainError. */
  takeStateForChild(parentHash: Hash): State {
    return this.states.take(parentHash, this.childStateRoot(parentHash));
  }

  /** What a developer changed by hand around this block. */
  overrideOf(hash: Hash): OverrideRecord {
    return this.isDev ? this.states.overrides.of(hash) : NO_OVERRIDE;
  }

  /** Whether the genesis allows edits by hand. */
  get isDev(): boolean {
    return this.config.qnet?.consensus?.dev === true;
  }

  /** Matching logs of the canonical chain, oldest first. Throws ChainError TOO_MANY_LOGS. */
  logs(query: LogQuery, limits?: LogLimits): AsyncGenerator<FoundLog> {
    return searchLogs({ database: this.#database, store: this.#store }, query, limits);
  }

  /** Transactions of the canonical chain in which the address is sender, recipient or the contract made. */
  addressTransactions(address: Address, query: AddressQuery): Promise<AddressTransaction[]> {
    return searchAddress(this.#database, address, query);
  }

  /** Proofs of an account and of its slots in the state that `stateAt` gives. Throws ChainError, StateError. */
  proofAt(hash: Hash, address: Address, slots: readonly Hash[]): AccountProof {
    return this.states.proof({ hash, root: this.stateRootAt(hash) }, address, slots);
  }

  /** Listeners run synchronously after the batch is durable. */
  on<Name extends keyof ChainEvents>(
    name: Name,
    listener: Listener<ChainEvents[Name]>,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Checks, executes and stores a block, own or foreign; blocks wait their turn. Resolves once it is durable.
   * Throws BlockError (nothing was written), QueueError, and ExecutionFault or StateError for this node's own troubles.
   */
  importBlock(block: Block, executed?: ExecutedBlock, how?: ImportManner): Promise<ImportOutcome> {
    return this.#queue.run(() => this.#import(block, executed, how));
  }

  /** Moves head, safe and finalized to stored blocks, with what `also` writes. Throws ChainError UNKNOWN_BLOCK, STATE_UNAVAILABLE. */
  setForkchoice(choice: Forkchoice, also: readonly WriteOp[] = []): Promise<void> {
    return this.#queue.run(() => this.#setForkchoice(choice, also));
  }

  /** Changes the state at the head by hand; the next block is executed on it. `edit` must be synchronous. Dev chains only. */
  editState(edit: (state: State) => void): Promise<void> {
    return this.#queue.run(() => this.#editState(edit));
  }

  /** Goes to a stored block and to the state that edits had made of it, as a snapshot remembers. Dev chains only. */
  restoreHead(head: RestoredHead): Promise<void> {
    return this.#queue.run(() => this.#restoreHead(head));
  }

  /** Blocks and other changes that wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Refuses what waits, ends what runs. The database stays open: its opener closes it. */
  async close(): Promise<void> {
    await this.states.close(this.#queue.close());
  }

  async #import(
    block: Block,
    executed: ExecutedBlock | undefined,
    how: ImportManner = {},
  ): Promise<ImportOutcome> {
    const mayLead = how.role !== "aside";
    if (this.#store.header(block.hash)) return this.#considerKnown(block.hash, mayLead);
    this.states.demandParent(block.header);
    const view: ImportView = {
      config: this.config,
      store: this.#store,
      ...this.#dependencies,
      badBlocks: this.badBlocks,
      contextFor: (header) => this.contextFor(header),
      takeStateForChild: (parentHash) => this.takeStateForChild(parentHash),
    };
    const processed = await processBlock(view, block, executed ?? this.#ahead.take(block.hash));
    const { totalDifficulty } = processed;
    const isHead =
      mayLead && this.#isBetter({ header: block.header, hash: block.hash, totalDifficulty });
    // edits by hand may come between a block of a dev chain and its child
    const next = this.isDev ? undefined : how.next;
    await this.#commit(processed, isHead, how.also, next && { view, parent: processed, next });
    return { status: "imported", hash: block.hash, isHead };
  }

  async #commit(
    processed: ProcessedBlock,
    isHead: boolean,
    also: readonly WriteOp[] = [],
    ahead?: AheadWork,
  ): Promise<void> {
    const { block, receipts, changes } = processed;
    const { operations, receiptBytes } = putBlock(processed);
    operations.push(...also, ...this.preimages.note(changes));
    const route = isHead ? routeTo(this.#store, this.head.header.number, block) : undefined;
    if (route !== undefined) {
      const receiptsOf = ({ hash }: Block) =>
        hash === block.hash ? receipts : this.#store.demandReceipts(hash);
      for (const operation of moveCanonical(route, receiptsOf)) operations.push(operation);
      operations.push(putPointer("head", block.hash));
    }
    const written = this.states.write(operations, changes, isHead ? changes.root : undefined);
    await (ahead === undefined ? written : this.#ahead.beside(written, ahead));
    this.#store.remember(block, receipts, receiptBytes);
    if (ahead === undefined) this.states.keep(changes.root, processed.state);
    if (route !== undefined) this.#announceHead(block, route);
  }

  /** A block stored before may still become the head: after a reorganisation or a restored snapshot it comes again. */
  async #considerKnown(hash: Hash, mayLead: boolean): Promise<ImportOutcome> {
    const header = this.#store.demandHeader(hash);
    const candidate = { header, hash, totalDifficulty: this.#store.demandDifficulty(hash) };
    const isHead = mayLead && !this.#store.isCanonical(header, hash) && this.#isBetter(candidate);
    // made once more, it is as new: edits belong to the head that it was before
    const edits = this.isDev ? [putEdits(hash, this.overrideOf(hash), undefined)] : [];
    if (isHead) await this.#setForkchoice({ head: hash }, edits, header.stateRoot);
    return { status: "known", hash, isHead: hash === this.head.hash };
  }

  /** `root`: of the state at the new head, when `also` changes what it is. */
  async #setForkchoice(choice: Forkchoice, also: readonly WriteOp[], root?: Hash): Promise<void> {
    const target = this.#store.demandBlock(choice.head ?? this.head.hash);
    this.states.demandHead(target.hash, target.header);
    const before = this.#pointers;
    const { safe, finalized } = namedBlocks(this.#store, target, { choice, before });
    const route = routeTo(this.#store, before.head.header.number, target);
    const operations = moveCanonical(route, (block) => this.#store.demandReceipts(block.hash));
    operations.push(
      ...also,
      putPointer("head", target.hash),
      putPointer("safe", safe.hash),
      putPointer("finalized", finalized.hash),
    );
    await this.states.moveHead(operations, root ?? this.childStateRoot(target.hash));
    this.#pointers = { ...before, safe, finalized };
    if (target.hash !== before.head.hash) this.#announceHead(target, route);
    if (finalized.hash !== before.finalized.hash) this.#events.emit("finalized", finalized);
  }

  async #editState(edit: (state: State) => void): Promise<void> {
    if (!this.isDev) throw new ChainError({ code: "NOT_A_DEV_CHAIN" });
    const { hash } = this.head;
    const state = this.takeStateForChild(hash);
    edit(state);
    const changes = state.takeChanges();
    const edits = putEdits(hash, this.overrideOf(hash), changes.root);
    const operations = [...stateChangeOps(changes), edits];
    operations.push(...this.preimages.note(changes));
    await this.states.write(operations, changes, changes.root);
    this.states.keep(changes.root, state);
  }

  async #restoreHead({ hash, editedStateRoot, finalized }: RestoredHead): Promise<void> {
    if (!this.isDev) throw new ChainError({ code: "NOT_A_DEV_CHAIN" });
    if (editedStateRoot !== undefined) this.states.demand(hash, editedStateRoot);
    const root = editedStateRoot ?? this.#store.demandHeader(hash).stateRoot;
    const edits = putEdits(hash, this.overrideOf(hash), editedStateRoot);
    await this.#setForkchoice({ head: hash, safe: finalized, finalized }, [edits], root);
  }

  #announceHead(block: Block, route: Route): void {
    const { header, hash } = block;
    this.#pointers = { ...this.#pointers, head: { header, hash } };
    const [removed, added] = [route.removed.length, route.added.length];
    const facts = { number: header.number, hash, removed, added };
    if (removed > 0) this.#dependencies.log.info("Chain reorganised", facts);
    this.#events.emit("head", headEvent(this.head, route));
  }

  #pinned(): PinnedBlocks {
    const genesis = { hash: this.genesisHash, header: this.#store.demandHeader(this.genesisHash) };
    return pinnedBlocks(this.#pointers, genesis, this.config);
  }

  #isBetter(candidate: HeadCandidate): boolean {
    const totalDifficulty = this.#store.demandDifficulty(this.head.hash);
    return this.#dependencies.headRule.isBetter(candidate, { ...this.head, totalDifficulty });
  }
}
