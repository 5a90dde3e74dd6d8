/**
 * The shell around the core: carries its actions out and tells it what came of them. Owns time, the order of work on the
 * chain, the signers and the transport; decides nothing.
 *
 *   clock, peers ──▶ dispatch(event) ──▶ step ──▶ actions ──▶ work queue   execute, build, store, head, finality: one at a
 *                        ▲                            │                    time, in the core's order
 *                        └──────── answers ◀──────────┼──▶ signatures      verify, sign: off the queue
 *                                                     └──▶ transport
 *
 * A block and its consensus data are one batch. A crash loses unsigned work only: what was signed is in the signer's own
 * records, and `open` starts from F* with all stored blocks above it. Source: docs/consensus.md §14.
 *
 * On a chain with `dev: true` somebody else keeps time (`drive`) and may go back (`rewind`): the same core, other moments.
 */

import type { BuiltBlock } from "../chain/buildBlock.ts";
import { assert } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import { Emitter, type Listener, type Unsubscribe } from "../runtime/emitter.ts";
import { SerialQueue } from "../runtime/queue.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { BlockOrder } from "./blockWork.ts";
import type { Action, Event, FoundEvidence, Origin, PeerStatus } from "./core/events.ts";
import { openConsensus } from "./core/openConsensus.ts";
import type { CoreParams } from "./core/params.ts";
import type { ConsensusState } from "./core/state.ts";
import { step } from "./core/step.ts";
import { headPoint } from "./core/tree.ts";
import type { EngineEvents } from "./engineEvents.ts";
import { FactKeeper } from "./engineFacts.ts";
import type {
  Driven,
  DriverEvent,
  EngineDependencies,
  EngineEvent,
  EngineOptions,
} from "./engineParts.ts";
import { SlotTimer } from "./slotTimer.ts";
import { loadStart, startBelow } from "./startState.ts";
import { storedRange } from "./storedRange.ts";
import type { Incoming } from "./transport.ts";

/** Tasks on the chain that may wait: each block in flight, and what heads and checkpoints bring. */
const MAX_WORK = 4_096;
/** Own blocks built and not sealed yet. */
const MAX_DRAFTS = 8;

const NOTHING_DRIVEN: Driven = { block: undefined, skipped: 0 };

/** Consensus of one node. */
export class ConsensusEngine {
  readonly #deps: EngineDependencies;
  readonly #options: EngineOptions;
  #state: ConsensusState;
  readonly #work = new SerialQueue({ name: "consensus", limit: MAX_WORK });
  readonly #drafts = new Map<Hash, BuiltBlock>();
  readonly #events = new Emitter<EngineEvents>();
  readonly #timer: SlotTimer;
  readonly #facts: FactKeeper;
  #listenUntilMs = Number.NEGATIVE_INFINITY;
  #phase: "opening" | "running" | "stopped" = "opening";
  #failure: unknown;
  /** Answers under way, and who waits until there are none. */
  #awaited = 0;
  #quiet = Promise.withResolvers<void>();
  #order: BlockOrder | undefined;
  #driven: Driven = NOTHING_DRIVEN;
  #opened: readonly Action[];

  private constructor(
    deps: EngineDependencies,
    options: EngineOptions,
    opened: readonly [ConsensusState, readonly Action[]],
  ) {
    this.#deps = deps;
    this.#options = options;
    [this.#state, this.#opened] = opened;
    const { clock, params, pool, log } = deps;
    const events = this.#events;
    this.#facts = new FactKeeper({ ...deps, events, queue: (task) => this.#queue(task) });
    this.#timer = new SlotTimer(
      { clock, log, params },
      {
        tick: (slot, tick) =>
          this.#dispatch({
            type: "tick",
            slot,
            tick,
            pendingTransactions: pool.stats().pending,
          }),
        wake: () => this.#dispatch({ type: "wake" }),
      },
    );
  }

  /** Opens consensus where the database left it. Throws StorageError, ChainError. */
  static async open(deps: EngineDependencies, options: EngineOptions): Promise<ConsensusEngine> {
    const start = await loadStart(deps);
    return new ConsensusEngine(deps, options, openConsensus(deps.params, start));
  }

  /** Begins to keep time, to vote and, if there are signers, to make blocks. */
  start(): void {
    if (this.#phase !== "opening") return;
    this.#phase = "running";
    const { listenMs } = this.#options;
    // the clock of a dev chain may go back behind its start
    if (listenMs > 0) this.#listenUntilMs = this.#deps.clock.nowMs() + listenMs;
    const actions = this.#opened;
    this.#opened = [];
    for (const action of actions) this.#carryOut(action);
    this.#alignHead();
    if (!this.#options.isDriven) this.#timer.start();
  }

  /**
   * One moment of a driven engine. Resolves when everything that follows has been done: the block stored, votes and acks
   * counted, finality told. One at a time. Rejects with the failure that stopped the engine.
   */
  async drive(event: DriverEvent, order: BlockOrder): Promise<Driven> {
    this.#order = order;
    this.#driven = NOTHING_DRIVEN;
    this.#dispatch(event);
    await this.settled();
    return this.#driven;
  }

  /**
   * Goes to a stored block of a dev chain, as a node that has never heard of others, and to what edits had made of its state.
   * What was final beyond it is not any more. Nothing may be driven meanwhile. Throws ChainError, StorageError, StartError.
   */
  async rewind(head: Hash, editedStateRoot: Hash | undefined): Promise<void> {
    const { chain, params } = this.#deps;
    await this.settled();
    const start = await startBelow(this.#deps, head);
    await chain.restoreHead({ hash: head, editedStateRoot, finalized: start.point.hash });
    this.#drafts.clear();
    const [state, actions] = openConsensus(params, start);
    this.#state = state;
    for (const action of actions) this.#carryOut(action);
    await this.settled();
  }

  /** Ends timers and work under way. The chain and the signers stay open: their openers close them. */
  async stop(): Promise<void> {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.#timer.stop();
    await this.#work.close();
  }

  /** A message from a peer. It gets its verdict through the transport. */
  receive(message: Incoming, origin: Origin): void {
    this.#dispatch({ ...message, origin });
  }

  /** Evidence from outside, judged before: kept and told like what was found here. */
  report(evidence: FoundEvidence): void {
    this.#facts.record({ type: "evidence", evidence });
  }

  /** A peer says where it stands. */
  receiveStatus(peer: string, status: PeerStatus): void {
    this.#dispatch({ type: "status", peer, status });
  }

  /** Where this node stands, for peers. */
  get status(): PeerStatus {
    const head = headPoint(this.#state);
    return {
      headHash: head.hash,
      headNumber: head.number,
      justifiedEpoch: this.#state.justified.header.epoch,
      finalizedEpoch: this.#state.finalized.header.epoch,
      finalizedHash: this.#state.finalized.hash,
    };
  }

  /** Stored blocks `from`..`to` of the chain that ends in `tip`, ascending, at most 64: the answer to a peer's fetch. */
  blocks(request: { readonly tip: Hash; readonly from: number; readonly to: number }) {
    return storedRange(this.#deps, request);
  }

  /** What consensus knows. Not to be changed, and not to be kept: it changes with the next event. */
  get view(): Readonly<ConsensusState> {
    return this.#state;
  }

  get params(): CoreParams {
    return this.#deps.params;
  }

  /** Resolves when no answer is under way: nothing will happen until the next event. Rejects if the engine has stopped itself. */
  async settled(): Promise<void> {
    if (this.#awaited > 0) await this.#quiet.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  on<Name extends keyof EngineEvents>(
    name: Name,
    listener: Listener<EngineEvents[Name]>,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  #dispatch(event: EngineEvent): void {
    if (this.#phase !== "running") return;
    try {
      const timed: Event = { ...event, nowMs: this.#deps.clock.nowMs() };
      const [, actions] = step(this.#state, timed);
      for (const action of actions) this.#carryOut(action);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** One action. Nothing in here dispatches before it returns: the core's order of actions is kept. */
  #carryOut(action: Action): void {
    const { transport } = this.#deps;
    switch (action.type) {
      case "verify":
      case "sign":
        this.#answerLater(action);
        return;
      case "execute":
      case "build":
      case "sealed":
        this.#workOnBlock(action);
        return;
      case "broadcast":
        transport.broadcast(action.message);
        return;
      case "send":
        transport.send(action.peer, action.letter);
        return;
      case "fetch":
        this.#fetch(action);
        return;
      case "verdict":
        transport.verdict(action.token, action.verdict, action.reason);
        return;
      case "blame":
        transport.blame(action.peer, action.reason);
        return;
      case "setHead":
        this.#events.emit("head", { point: action.point, depth: action.depth });
        this.#alignHead();
        return;
      case "wake":
        this.#timer.wakeAt(action.atMs);
        return;
      default:
        this.#facts.record(action);
        return;
    }
  }

  #answerLater(action: Extract<Action, { type: "verify" | "sign" }>): void {
    const { id } = action;
    const { signatures } = this.#deps;
    if (action.type === "verify") {
      this.#follow(signatures.verify(action.checks), (valid) =>
        this.#dispatch({ type: "verified", id, valid }),
      );
      return;
    }
    if (this.#isListening) {
      this.#soon(() => this.#dispatch({ type: "notSigned", id }));
      return;
    }
    this.#follow(signatures.sign(action.request), (message) => {
      if (message === undefined) this.#events.emit("refused", action.request.type);
      this.#dispatch(
        message === undefined ? { type: "notSigned", id } : { type: "signed", id, message },
      );
    });
  }

  #workOnBlock(action: Extract<Action, { type: "execute" | "build" | "sealed" }>): void {
    switch (action.type) {
      case "execute":
        this.#queue(() => this.#execute(action.block));
        return;
      case "build":
        if (this.#isListening)
          this.#soon(() => this.#dispatch({ type: "notBuilt", id: action.id }));
        else this.#queue(() => this.#build(action));
        return;
      case "sealed":
        this.#queue(() => this.#store(action.block));
        return;
    }
  }

  async #execute(block: SealedBlock): Promise<void> {
    const { hash, header } = block.block;
    const isNext = header.parentHash === this.#state.head;
    const outcome = await this.#deps.blocks.execute(block, isNext);
    this.#dispatch({ type: "executed", hash, outcome });
    this.#alignHead();
  }

  async #build({ id, plan }: Extract<Action, { type: "build" }>): Promise<void> {
    const { blocks, signatures } = this.#deps;
    const secret = plan.reveal && signatures.secretOf(plan.reveal, plan.proposer);
    const lacksSecret = plan.reveal !== undefined && secret === undefined;
    const own = lacksSecret ? undefined : await blocks.build(plan, secret, this.#order);
    if (own === undefined) {
      this.#dispatch({ type: "notBuilt", id });
      return;
    }
    const { built, candidates } = own;
    this.#driven = { block: undefined, skipped: built.skipped.length };
    this.#drafts.set(built.block.hash, built);
    for (const hash of this.#drafts.keys()) {
      if (this.#drafts.size <= MAX_DRAFTS) break;
      this.#drafts.delete(hash);
    }
    this.#dispatch({ type: "built", id, block: built.block, secret, candidates });
  }

  async #store(block: SealedBlock): Promise<void> {
    const { hash, header } = block.block;
    const built = this.#drafts.get(hash);
    this.#drafts.delete(hash);
    assert(built !== undefined, "a block that is sealed was built a moment before");
    const isNext = header.parentHash === this.#deps.chain.head.hash;
    await this.#deps.blocks.store(block, built, isNext);
    this.#driven = { ...this.#driven, block: block.block };
    this.#events.emit("produced", block);
    this.#alignHead();
  }

  #fetch({ id, ...request }: Extract<Action, { type: "fetch" }>): void {
    const { transport, log } = this.#deps;
    const none = (error: unknown): readonly SealedBlock[] => {
      log.debug("Fetch failed", { peer: request.peer, error });
      return [];
    };
    this.#follow(transport.fetch(request).catch(none), (blocks) =>
      this.#dispatch({ type: "fetched", id, blocks }),
    );
  }

  /** Makes the core's head the chain's, unless the block's own batch has done so. */
  #alignHead(): void {
    const target = this.#state.head;
    const { chain } = this.#deps;
    this.#queue(async () => {
      // a later change of the core's head brings its own task
      if (target !== this.#state.head || chain.head.hash === target) return;
      if (chain.header(target) !== undefined) await chain.setForkchoice({ head: target });
    });
  }

  get #isListening(): boolean {
    return this.#deps.clock.nowMs() < this.#listenUntilMs;
  }

  #queue(task: () => Promise<void>): void {
    this.#follow(this.#work.run(task), () => undefined);
  }

  #soon(task: () => void): void {
    this.#follow(Promise.resolve(), task);
  }

  #follow<T>(work: Promise<T>, then: (value: T) => void): void {
    this.#awaited++;
    work
      .then(then)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#awaited--;
        if (this.#awaited > 0) return;
        this.#quiet.resolve();
        this.#quiet = Promise.withResolvers();
      });
  }

  /** Disk, memory or a rule of this program failed: a node that goes on could contradict itself. */
  #fail(error: unknown): void {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.#failure = error;
    this.#timer.stop();
    this.#deps.log.error("Consensus stopped", { error });
    this.#events.emit("failed", error);
  }
}
