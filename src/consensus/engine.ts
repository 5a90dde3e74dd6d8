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
 */

import type { BuiltBlock } from "../chain/buildBlock.ts";
import type { Chain } from "../chain/chain.ts";
import { assert } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Clock } from "../runtime/clock.ts";
import { Emitter, type Listener, type Unsubscribe } from "../runtime/emitter.ts";
import type { Logger } from "../runtime/log.ts";
import { SerialQueue } from "../runtime/queue.ts";
import type { TxPool } from "../txpool/pool.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import type { BlockWork } from "./blockWork.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import type { Action, Event, FoundEvidence, Origin, PeerStatus } from "./core/events.ts";
import { openConsensus } from "./core/openConsensus.ts";
import type { CoreParams } from "./core/params.ts";
import type { ConsensusState } from "./core/state.ts";
import { step } from "./core/step.ts";
import { headPoint } from "./core/tree.ts";
import type { EngineEvents } from "./engineEvents.ts";
import type { FinalityWork } from "./finalityWork.ts";
import type { SignatureWork } from "./signatureWork.ts";
import { SlotTimer } from "./slotTimer.ts";
import { loadStart } from "./startState.ts";
import { storedRange } from "./storedRange.ts";
import type { Incoming, Transport } from "./transport.ts";

export interface EngineDependencies {
  readonly params: CoreParams;
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly store: ConsensusStore;
  readonly blocks: BlockWork;
  readonly signatures: SignatureWork;
  readonly finality: FinalityWork;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface EngineOptions {
  /** ms after the start in which nothing is signed, while own messages of another process may be heard. */
  readonly listenMs: number;
}

/** What an event is before it gets its time. */
type WithoutTime<T> = T extends unknown ? Omit<T, "nowMs"> : never;
type EngineEvent = WithoutTime<Event>;

/** Tasks on the chain that may wait: each block in flight, and what heads and checkpoints bring. */
const MAX_WORK = 4_096;
/** Own blocks built and not sealed yet. */
const MAX_DRAFTS = 8;

/** Consensus of one node. */
export class ConsensusEngine {
  readonly #deps: EngineDependencies;
  readonly #options: EngineOptions;
  readonly #state: ConsensusState;
  readonly #work = new SerialQueue({ name: "consensus", limit: MAX_WORK });
  readonly #drafts = new Map<Hash, BuiltBlock>();
  readonly #events = new Emitter<EngineEvents>();
  readonly #timer: SlotTimer;
  #listenUntilMs = 0;
  #phase: "opening" | "running" | "stopped" = "opening";
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
    this.#listenUntilMs = this.#deps.clock.nowMs() + this.#options.listenMs;
    const actions = this.#opened;
    this.#opened = [];
    for (const action of actions) this.#carryOut(action);
    this.#alignHead();
    this.#timer.start();
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
    this.#record({ type: "evidence", evidence });
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

  /** Resolves when all work asked for so far is done. */
  idle(): Promise<void> {
    return this.#work.idle();
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
        this.#record(action);
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
    const own = lacksSecret ? undefined : await blocks.build(plan, secret);
    if (own === undefined) {
      this.#dispatch({ type: "notBuilt", id });
      return;
    }
    const { built, candidates } = own;
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

  /** Facts that are stored or told, in their order. */
  #record(
    action: Extract<
      Action,
      { type: "macroblock" | "justified" | "finalized" | "evidence" | "alarm" | "invalidBlock" }
    >,
  ): void {
    const { finality, log } = this.#deps;
    switch (action.type) {
      case "macroblock":
        finality.know(action.checkpoint);
        this.#queue(() => finality.macroblock(action.checkpoint));
        return;
      case "justified":
        this.#events.emit("justified", action.checkpoint);
        this.#queue(() => finality.justified(action.checkpoint, action.certificate));
        return;
      case "finalized":
        this.#queue(async () => {
          await finality.finalized(action);
          this.#events.emit("finalized", action);
        });
        return;
      case "evidence":
        this.#events.emit("evidence", action.evidence);
        this.#queue(() => finality.evidence(action.evidence));
        return;
      case "alarm":
        log.error("Consensus alarm", { ...action.alarm });
        this.#events.emit("alarm", action.alarm);
        return;
      case "invalidBlock":
        log.warn("Block breaks a rule", { hash: action.hash, ...action.fault });
    }
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
    work.then(then).catch((error: unknown) => this.#fail(error));
  }

  /** Disk, memory or a rule of this program failed: a node that goes on could contradict itself. */
  #fail(error: unknown): void {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.#timer.stop();
    this.#deps.log.error("Consensus stopped", { error });
    this.#events.emit("failed", error);
  }
}
