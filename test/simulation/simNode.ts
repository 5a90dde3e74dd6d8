/** One node of a simulation: the real core, with disk, signer and network that can fail. */

import { sidecarOf } from "../../src/consensus/core/duties.ts";
import type {
  Action,
  Broadcast,
  BuildPlan,
  Event,
  Letter,
} from "../../src/consensus/core/events.ts";
import { openConsensus } from "../../src/consensus/core/openConsensus.ts";
import type { CoreParams } from "../../src/consensus/core/params.ts";
import type { ConsensusState } from "../../src/consensus/core/state.ts";
import { step } from "../../src/consensus/core/step.ts";
import { slotAt, slotStartMs, ticksPerSlot } from "../../src/consensus/core/time.ts";
import { headPoint } from "../../src/consensus/core/tree.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import type { Candidate } from "../../src/types/epochSummary.ts";
import type { SealedBlock } from "../../src/types/sealedBlock.ts";
import type { Disk, DiskWrite } from "./disk.ts";
import type { Signer } from "./signer.ts";
import { stateRootAfter, stubBlock } from "./stubChain.ts";
import type { World } from "./world.ts";

type EventBody = Event extends infer E
  ? E extends { nowMs: number }
    ? Omit<E, "nowMs">
    : never
  : never;
type ActionOf<T extends Action["type"]> = Extract<Action, { type: T }>;

/** What a traitor does differently. */
export interface Treason {
  /** May sign anything. */
  readonly unsafe?: boolean;
  /** Makes two blocks of each and shows each half of the network one. */
  readonly equivocates?: boolean;
  /** Makes a second block that cannot be executed, or with a forged seal. */
  readonly sendsRubbish?: boolean;
  /** Publishes its blocks so much later. */
  readonly withholdsBlocksMs?: number;
  /** Publishes its votes and acks so much later; Infinity: never. */
  readonly withholdsVotesMs?: number;
  /** Votes twice and acks whatever it sees. */
  readonly votesTwice?: boolean;
  /** Makes no block in which it would have to reveal. */
  readonly hidesReveals?: boolean;
  /** Sends old and maimed certificates around. */
  readonly sendsStaleCertificates?: boolean;
}

export class SimNode {
  readonly index: number;
  readonly disk: Disk;
  readonly treason: Treason;
  /** Clock error, ms. */
  skewMs = 0;
  state: ConsensusState | undefined;
  readonly #world: World;
  readonly #params: CoreParams;
  readonly #signers: readonly Signer[];
  /** Grows with each start: what was under way before a crash is gone. */
  #life = 0;
  #nextToken = 0;
  readonly #relays = new Map<number, Broadcast>();
  readonly #sealedPlans = new Map<
    Hash,
    { readonly plan: BuildPlan; readonly secret: Hash | undefined }
  >();
  readonly #certificates: Letter[] = [];

  constructor(
    world: World,
    parts: {
      readonly index: number;
      readonly params: CoreParams;
      readonly signers: readonly Signer[];
      readonly disk: Disk;
      readonly treason: Treason;
    },
  ) {
    this.#world = world;
    this.index = parts.index;
    this.#params = parts.params;
    this.#signers = parts.signers;
    this.disk = parts.disk;
    this.treason = parts.treason;
  }

  get isHonest(): boolean {
    return Object.keys(this.treason).length === 0;
  }

  start(): void {
    this.#life++;
    const [state, actions] = openConsensus(this.#params, this.disk.startState(this.#now()));
    this.state = state;
    this.#carryOut(actions);
    this.#scheduleTick(slotAt(this.#params, this.#now()) + 1, 0);
    this.#schedule(this.#world.random.between(500, 5000), () => this.#gossipStatus());
  }

  crash(): void {
    this.#life++;
    this.state = undefined;
    this.disk.crash(this.#world.timeline.nowMs);
  }

  /** A message from another node. */
  receive(message: Broadcast, from: number): void {
    this.#world.onMessage?.(this.index, message);
    const token = this.#nextToken++;
    const origin = { peer: String(from), token };
    this.#relays.set(token, message);
    if (this.isHonest) this.#world.heard(message);
    if (message.topic === "micro") this.#handle({ type: "block", block: message.block, origin });
    if (message.topic === "vote") this.#handle({ type: "vote", vote: message.vote, origin });
    if (message.topic === "ack") this.#handle({ type: "ack", ack: message.ack, origin });
  }

  #now(): number {
    return this.#world.timeline.nowMs + this.skewMs;
  }

  #handle(event: EventBody): void {
    if (this.state === undefined) return;
    const [state, actions] = step(this.state, { ...event, nowMs: this.#now() } as Event);
    this.state = state;
    this.#carryOut(actions);
  }

  /** Later, unless the node crashed meanwhile. */
  #schedule(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#world.timeline.after(delayMs, () => {
      if (life === this.#life && this.state !== undefined) run();
    });
  }

  #answerLater(lowMs: number, highMs: number, event: EventBody): void {
    this.#schedule(this.#world.random.between(lowMs, highMs), () => this.#handle(event));
  }

  #scheduleTick(slot: number, tick: number): void {
    const params = this.#params;
    const dueMs = slotStartMs(params, slot) + tick * params.config.tickMs - this.skewMs;
    this.#schedule(Math.max(0, dueMs - this.#world.timeline.nowMs), () => {
      const pendingTransactions = this.#world.pendingTransactions();
      // an idle network has nothing to say between the starts of slots
      const isLast = tick + 1 >= ticksPerSlot(params) || pendingTransactions <= 100;
      this.#scheduleTick(isLast ? slot + 1 : slot, isLast ? 0 : tick + 1);
      this.#handle({ type: "tick", slot, tick, pendingTransactions });
    });
  }

  #gossipStatus(): void {
    const { state } = this;
    if (state !== undefined) {
      const head = headPoint(state);
      const status = {
        headHash: head.hash,
        headNumber: head.number,
        justifiedEpoch: state.justified.header.epoch,
        finalizedEpoch: state.finalized.header.epoch,
        finalizedHash: state.finalized.hash,
      };
      const peer = String(this.index);
      this.#world.sendToSome(this.index, 1, (to) => to.#handle({ type: "status", peer, status }));
      if (this.treason.sendsStaleCertificates === true) this.#sendStale();
    }
    this.#schedule(this.#world.random.between(4000, 6000), () => this.#gossipStatus());
  }

  #carryOut(actions: readonly Action[]): void {
    for (const action of actions) this.#carryOutOne(action);
  }

  #carryOutOne(action: Action): void {
    switch (action.type) {
      case "verify":
        this.#answerLater(1, 4, {
          type: "verified",
          id: action.id,
          valid: action.checks.map((check) => this.#world.verify(check)),
        });
        return;
      case "execute":
        this.#execute(action);
        return;
      case "build":
        this.#build(action);
        return;
      case "sign":
        this.#sign(action);
        return;
      case "sealed":
        this.#store(action.block);
        return;
      case "broadcast":
        this.#publish(action.message);
        return;
      case "send":
        this.#world.sendTo(this.index, Number(action.peer), (to) =>
          to.#handle({ ...action.letter, origin: { peer: String(this.index), token: undefined } }),
        );
        return;
      case "fetch":
        this.#fetch(action);
        return;
      case "verdict":
        this.#relay(action);
        return;
      case "wake":
        this.#schedule(Math.max(0, action.atMs - this.#now()), () =>
          this.#handle({ type: "wake" }),
        );
        return;
      default:
        this.#note(action);
        return;
    }
  }

  #note(action: Action): void {
    switch (action.type) {
      case "setHead":
        if (this.isHonest) this.#world.sawHead(this, action.point, action.depth);
        return;
      case "macroblock":
        this.#world.sawCheckpoint(this, action.checkpoint);
        return;
      case "justified":
        if (action.certificate !== undefined) {
          this.#write({ type: "justified", qc: action.certificate });
          this.#certificates.push({ type: "voteCertificate", qc: action.certificate });
        }
        return;
      case "finalized":
        this.#write({ type: "final", point: action.point, certificate: action.certificate });
        this.#certificates.push({ type: "ackCertificate", qc: action.certificate });
        if (this.isHonest) this.#world.sawFinal(this, action.checkpoint, action.certificate);
        return;
      case "evidence":
        this.#world.sawEvidence(this, action.evidence);
        return;
      case "alarm":
        if (this.isHonest) this.#world.sawAlarm(this, action.alarm);
        return;
      default:
        return;
    }
  }

  #execute({ block, expected }: ActionOf<"execute">): void {
    const { header, hash } = block.block;
    const parent = this.state?.tree.get(expected.parentHash)?.point;
    const root =
      parent === undefined ? undefined : stateRootAfter(parent.stateRoot, expected.number);
    const ok = root === header.stateRoot;
    const candidates = this.#candidatesAfter(hash, expected.number);
    if (ok) this.#store(block);
    const outcome = ok ? ({ ok, candidates } as const) : ({ ok: false, invalid: true } as const);
    this.#answerLater(3, this.#world.slowness, { type: "executed", hash, outcome });
  }

  #candidatesAfter(hash: Hash, number: number): readonly Candidate[] | undefined {
    const isLast = number % this.#params.config.epochLength === 0;
    return isLast ? this.#world.candidatesAt(hash) : undefined;
  }

  #build({ id, plan }: ActionOf<"build">): void {
    const parent = this.state?.tree.get(plan.header.parentHash)?.point;
    const hides = this.treason.hidesReveals === true && plan.reveal !== undefined;
    if (parent === undefined || hides) {
      this.#answerLater(1, 1, { type: "notBuilt", id });
      return;
    }
    const { reveal } = plan;
    const secret =
      reveal && this.#signerOf(reveal.keyHash)?.secret(reveal.epoch, reveal.targetHash);
    const transactions = plan.needsTransaction ? 1 : Math.min(1, this.#world.pendingTransactions());
    const wish = { beneficiary: this.index, transactions };
    const block = stubBlock(plan, sidecarOf(plan, secret), parent.stateRoot, wish);
    this.#sealedPlans.set(block.hash, { plan, secret });
    const candidates = this.#candidatesAfter(block.hash, plan.header.number);
    this.#answerLater(5, this.#world.slowness, { type: "built", id, block, secret, candidates });
  }

  #sign({ id, request }: ActionOf<"sign">): void {
    const message = this.#signerOf(request.keyHash)?.sign(request);
    const { observer, timeline } = this.#world;
    if (message === undefined) {
      this.#answerLater(1, 3, { type: "notSigned", id });
      return;
    }
    if (message.type === "vote")
      observer.sawSigned(request.keyHash, { type: "vote", vote: message.vote }, timeline.nowMs);
    if (request.type === "ack")
      observer.sawSigned(request.keyHash, { type: "ack", ack: request.ack }, timeline.nowMs);
    if (request.type === "seal") observer.sawSeal(request.keyHash, request.seal, timeline.nowMs);
    this.#answerLater(1, 3, { type: "signed", id, message });
  }

  #signerOf(keyHash: Hash): Signer | undefined {
    return this.#signers.find(({ key }) => key.keyHash === keyHash);
  }

  #store(block: SealedBlock): void {
    const { hash, header } = block.block;
    this.#world.observer.sawBlock(block.block);
    const candidates = this.#candidatesAfter(hash, Number(header.number));
    this.#write({ type: "block", stored: { block, candidates } });
  }

  #write(write: DiskWrite): void {
    const { timeline, random } = this.#world;
    this.disk.write(write, timeline.nowMs + random.between(0, 2000));
  }

  #fetch({ id, peer, tip, from, to }: ActionOf<"fetch">): void {
    const world = this.#world;
    let isAnswered = false;
    const answer = (blocks: readonly SealedBlock[]) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#handle({ type: "fetched", id, blocks });
    };
    this.#schedule(3000, () => answer([]));
    const life = this.#life;
    world.sendTo(this.index, Number(peer), (other) => {
      const blocks = other.disk.range(tip, from, to);
      world.sendTo(other.index, this.index, (self) => {
        if (self.#life === life) answer(blocks);
      });
    });
  }

  #relay({ token, verdict }: ActionOf<"verdict">): void {
    const message = this.#relays.get(token);
    this.#relays.delete(token);
    if (verdict !== "accept" || message === undefined) return;
    this.#world.relay(this.index, message);
  }

  #publish(message: Broadcast): void {
    const { treason } = this;
    const isBlock = message.topic === "micro";
    const delay = (isBlock ? treason.withholdsBlocksMs : treason.withholdsVotesMs) ?? 0;
    if (delay === Number.POSITIVE_INFINITY) return;
    const send = () => {
      const twin = this.#twinOf(message);
      if (twin === undefined) this.#world.broadcast(this.index, message);
      else this.#world.broadcastSplit(this.index, message, twin);
    };
    if (delay === 0) send();
    else this.#schedule(delay, send);
  }

  /** A second message that contradicts the first, if that is this node's nature. */
  #twinOf(message: Broadcast): Broadcast | undefined {
    const { treason } = this;
    if (
      message.topic === "micro" &&
      (treason.equivocates === true || treason.sendsRubbish === true)
    )
      return this.#otherBlock(message.block);
    if (treason.votesTwice !== true) return undefined;
    return message.topic === "micro" ? undefined : this.#world.otherMessage(this, message);
  }

  #otherBlock(block: SealedBlock): Broadcast | undefined {
    const made = this.#sealedPlans.get(block.block.hash);
    const parent = this.state?.tree.get(block.block.header.parentHash)?.point;
    const signer = made === undefined ? undefined : this.#signerOf(made.plan.keyHash);
    if (made === undefined || parent === undefined || signer === undefined) return undefined;
    const isInvalid = this.treason.sendsRubbish === true && this.#world.random.chance(0.5);
    const wish = { beneficiary: 200, transactions: block.block.transactions.length, isInvalid };
    const core = sidecarOf(made.plan, made.secret);
    const other = stubBlock(made.plan, core, parent.stateRoot, wish);
    const isForged = this.treason.sendsRubbish === true && !isInvalid;
    const seal = isForged
      ? new Uint8Array(2420)
      : this.#world.sealFor(signer, { ...block, block: other });
    return { topic: "micro", block: { ...block, block: other, seal } };
  }

  #sendStale(): void {
    const letter = this.#certificates[this.#world.random.between(0, this.#certificates.length)];
    if (letter === undefined) return;
    const { qc } = letter;
    const maimed = this.#world.random.chance(0.5)
      ? letter
      : ({ ...letter, qc: { ...qc, epoch: qc.epoch + 1 } } as Letter);
    const origin = { peer: String(this.index), token: undefined };
    this.#world.sendToSome(this.index, 2, (to) => to.#handle({ ...maimed, origin }));
  }
}
