/** A network of nodes in virtual time: who they are, what goes wrong, and what was seen. */
import type { ChainPoint, Checkpoint } from "../../src/consensus/core/chainPoint.ts";
import { childEpoch, lastCheckpoint } from "../../src/consensus/core/chainPoint.ts";
import type {
  Alarm,
  Broadcast,
  FoundEvidence,
  SignatureCheck,
} from "../../src/consensus/core/events.ts";
import { genesisPoint } from "../../src/consensus/core/genesisPoint.ts";
import { type CoreParams, domainOf } from "../../src/consensus/core/params.ts";
import { type Bytes, equalBytes } from "../../src/primitives/bytes.ts";
import { type Hash, parseAddress, parseHash, ZERO_HASH } from "../../src/primitives/hex.ts";
import type { AckQC } from "../../src/types/certificate.ts";
import {
  consensusMessage,
  MESSAGE_KIND,
  type MessageDomain,
} from "../../src/types/consensusMessage.ts";
import { type Candidate, compareRank } from "../../src/types/epochSummary.ts";
import { encodeSeal } from "../../src/types/seal.ts";
import {
  decodeSealedBlock,
  encodeSealedBlock,
  type SealedBlock,
  sealOf,
} from "../../src/types/sealedBlock.ts";
import {
  decodeSignedAck,
  decodeSignedVote,
  encodeAck,
  encodeSignedAck,
  encodeSignedVote,
  encodeVote,
} from "../../src/types/vote.ts";
import { Disk } from "./disk.ts";
import { mlDsaKey, type SimKey, stubKey } from "./keys.ts";
import { Network } from "./network.ts";
import { Observer } from "./observer.ts";
import { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { Signer } from "./signer.ts";
import { SimNode } from "./simNode.ts";
import { stubGenesis } from "./stubChain.ts";
import { Timeline } from "./timeline.ts";

const GENESIS_MS = 1_800_000_000_000;
const MAX_BLOCK_BYTES = 4_194_304;
const STAKE = 10_000_000_000_000n;

const CHAIN_ID = 20_815n;

/** What can be given instead of what the seed decides. */
export interface WorldParts {
  readonly keyOf?: (index: number) => SimKey;
  readonly domain?: MessageDomain;
}

export class World {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly observer: Observer;
  readonly nodes: readonly SimNode[];
  /** Longest execution of a block, ms. */
  readonly slowness: number;
  readonly #scenario: Scenario;
  readonly #network: Network;
  readonly params: CoreParams;
  readonly genesis: ChainPoint;
  /** Hears of what a node makes or receives, in this order. */
  onMessage: ((node: number, message: Broadcast) => void) | undefined;
  /** Hears of each new head of an honest node. */
  onHead: ((node: SimNode, point: ChainPoint) => void) | undefined;
  /** Hears of each certificate that an honest node found sufficient. */
  onFinal: ((checkpoint: Checkpoint, certificate: AckQC) => void) | undefined;
  /** Hears of each contradiction that an honest node found. */
  onEvidence: ((evidence: FoundEvidence) => void) | undefined;
  /** Validator → its first and second key. */
  readonly keys: readonly (readonly SimKey[])[];
  readonly #byHash: ReadonlyMap<Hash, SimKey>;
  /** Epoch of the heads at the moment of healing. */
  #healEpoch: number | undefined;
  #healFinal = 0;
  readonly #verified = new WeakMap<
    Bytes,
    { readonly check: SignatureCheck; readonly isValid: boolean }
  >();
  readonly #stalled = new Set<number>();
  readonly #traitors: ReadonlySet<number>;
  /** Checkpoints whose last block a traitor made. */
  readonly #split = new Set<Hash>();

  /** `keyOf`: other keys than stubs or random ones; `domain`: another network than the seed's. */
  constructor(scenario: Scenario, { keyOf, domain }: WorldParts = {}) {
    this.#scenario = scenario;
    this.random = new Random(scenario.seed);
    this.slowness = scenario.slownessMs;
    this.timeline.nowMs = GENESIS_MS;
    this.#network = new Network(this, {
      ...scenario.network,
      cuts: scenario.cuts.map((cut) => ({
        ...cut,
        fromMs: GENESIS_MS + cut.fromMs,
        toMs: GENESIS_MS + cut.toMs,
      })),
    });
    const validators = scenario.validators + scenario.standby;
    const makeKey =
      keyOf ??
      ((index: number) => (scenario.realSignatures ? mlDsaKey() : stubKey(scenario.seed, index)));
    this.keys = Array.from({ length: validators }, (_, id) =>
      [0, 1].map((second) => makeKey(id * 2 + second)),
    );
    this.#byHash = new Map(this.keys.flat().map((key) => [key.keyHash, key]));
    const traitors = new Set(
      scenario.nodes
        .filter(({ treason }) => Object.keys(treason).length > 0)
        .map(({ validator }) => validator),
    );
    this.#traitors = traitors;
    const honest = this.keys.filter((_, id) => !traitors.has(id)).flat();
    this.observer = new Observer(new Set(honest.map(({ keyHash }) => keyHash)));
    this.params = paramsOf(scenario, domain);
    const candidates = this.candidatesAt(undefined);
    this.genesis = genesisPoint(this.params, stubGenesis(BigInt(GENESIS_MS / 1000)), candidates);
    const first = this.genesis.closing?.checkpoint;
    if (first !== undefined) this.observer.sawCheckpoint(first, GENESIS_MS);
    const signedFor = domainOf(this.params);
    this.nodes = scenario.nodes.map(({ validator, treason }, index) => {
      const keys = this.keys[validator] ?? [];
      const params = { ...this.params, ownKeys: keys.map(({ keyHash }) => keyHash) };
      const signers = keys.map((key) => new Signer(key, signedFor, treason.unsafe !== true));
      return new SimNode(this, { index, params, signers, treason, disk: new Disk(this.genesis) });
    });
  }

  /** Runs the whole scenario. */
  run(): Observer {
    const scenario = this.#scenario;
    for (const node of this.nodes) {
      node.skewMs = scenario.skewMs[node.index] ?? 0;
      node.start();
    }
    for (const { node, atMs, downMs } of scenario.crashes) {
      this.timeline.at(GENESIS_MS + atMs, () => this.nodes[node]?.crash());
      this.timeline.at(GENESIS_MS + atMs + downMs, () => this.nodes[node]?.start());
    }
    for (const { node, atMs, byMs } of scenario.clockJumps)
      this.timeline.at(GENESIS_MS + atMs, () => this.#jump(node, byMs));
    this.timeline.at(GENESIS_MS + scenario.healMs, () => this.#heal());
    this.timeline.runUntil(GENESIS_MS + scenario.durationMs);
    return this.observer;
  }

  /** The network hands one decoded message to all nodes: what one of them found out the others need not repeat. */
  verify(check: SignatureCheck): boolean {
    const { kind, body, keyHash, signature } = check;
    const known = this.#verified.get(signature);
    if (known?.check.keyHash === keyHash && equalBytes(known.check.body, body))
      return known.isValid;
    const message = consensusMessage(domainOf(this.params), kind, body);
    const isValid = this.#byHash.get(keyHash)?.verify(message, signature) === true;
    this.#verified.set(signature, { check, isValid });
    return isValid;
  }

  sealFor(signer: Signer, block: SealedBlock): Bytes {
    const body = encodeSeal(sealOf(block));
    return signer.key.sign(consensusMessage(domainOf(this.params), MESSAGE_KIND.seal, body));
  }

  pendingTransactions(): number {
    const phase = Math.floor((this.timeline.nowMs - GENESIS_MS) / this.#scenario.loadPhaseMs);
    const { load } = this.#scenario;
    return load[phase % load.length] ?? 0;
  }

  /** Validators in the state of a block: the genesis' ones, with a change that its hash decides. */
  candidatesAt(hash: Hash | undefined): readonly Candidate[] {
    const { validators, standby } = this.#scenario;
    const bytes = hash === undefined ? [] : [...Buffer.from(hash.slice(2), "hex")];
    const change = this.#changeOf(bytes);
    const isIn = (id: number) => {
      if (!change.swaps) return id < validators;
      return (
        id === validators + ((bytes[3] ?? 0) % standby) ||
        (id < validators && id !== change.validator)
      );
    };
    return this.keys
      .map((keys, id) => {
        const isChosen = id === change.validator;
        const key = keys[isChosen && change.rotates ? 1 : 0];
        const stake = isChosen && change.raises ? STAKE + STAKE / 10n : STAKE;
        const reputation = ((bytes[4 + (id % 20)] ?? 128) * 10_000) >> 8;
        return { id, stake, reputation, keyHash: key?.keyHash ?? ZERO_HASH };
      })
      .filter(({ id }) => isIn(id))
      .sort(compareRank);
  }

  /** What happens to which honest validator: it makes place for another, gets more stake, or a new key. */
  #changeOf(bytes: readonly number[]) {
    const { changesSets, standby, nodes } = this.#scenario;
    const honest = nodes.filter(({ treason }) => Object.keys(treason).length === 0);
    const kind = changesSets ? (bytes[1] ?? 0) % 8 : 0;
    return {
      validator: honest[(bytes[2] ?? 0) % Math.max(1, honest.length)]?.validator ?? -1,
      swaps: kind === 5 && standby > 0,
      raises: kind === 6,
      rotates: kind === 7,
    };
  }

  /** To all other nodes, by its encoding: what arrives was decoded. */
  broadcast(from: number, message: Broadcast): void {
    this.onMessage?.(from, message);
    const copy = recode(message);
    for (const node of this.nodes)
      if (node.index !== from) this.#network.send(from, node.index, () => node.receive(copy, from));
  }

  /** One message to one half of the nodes, another to the other half. */
  broadcastSplit(from: number, a: Broadcast, b: Broadcast): void {
    const [first, second] = [recode(a), recode(b)];
    for (const node of this.nodes) {
      if (node.index === from) continue;
      const message = node.index % 2 === 0 ? first : second;
      this.#network.send(from, node.index, () => node.receive(message, from));
    }
  }

  /** What a node accepted goes on to another. */
  relay(from: number, message: Broadcast): void {
    if (this.#scenario.relays) this.sendToSome(from, 1, (node) => node.receive(message, from));
  }

  sendToSome(from: number, count: number, deliver: (to: SimNode) => void): void {
    for (let i = 0; i < count; i++) {
      const to = this.random.between(0, this.nodes.length - 1);
      if (to !== from) this.sendTo(from, to, deliver);
    }
  }

  sendTo(from: number, to: number, deliver: (to: SimNode) => void): void {
    const node = this.nodes[to];
    if (node !== undefined) this.#network.send(from, to, () => deliver(node));
  }

  /** A vote or ack of a traitor that contradicts this one. */
  otherMessage(node: SimNode, message: Broadcast): Broadcast | undefined {
    const { state } = node;
    if (state === undefined || message.topic === "micro") return undefined;
    const { validator } = message.topic === "vote" ? message.vote.vote : message.ack.ack;
    const [epoch, hash] =
      message.topic === "vote"
        ? [message.vote.vote.tgtEpoch, message.vote.vote.tgtHash]
        : [message.ack.ack.epoch, message.ack.ack.macroHash];
    const rival = [...this.observer.checkpoints.values()].find(
      (each) => each.header.epoch === epoch && each.hash !== hash,
    );
    const key = this.keys[validator]?.[0];
    if (key === undefined) return undefined;
    const sign = (kind: number, body: Bytes) =>
      key.sign(consensusMessage(domainOf(this.params), kind, body));
    if (message.topic === "vote") {
      const tgtHash = rival?.hash ?? hash;
      const vote = { ...message.vote.vote, tgtHash, commit: parseHash(`0x${"5a".repeat(32)}`) };
      return {
        topic: "vote",
        vote: { vote, signature: sign(MESSAGE_KIND.vote, encodeVote(vote)) },
      };
    }
    if (rival === undefined) return undefined;
    const ack = { validator, epoch, macroHash: rival.hash };
    return { topic: "ack", ack: { ack, signature: sign(MESSAGE_KIND.ack, encodeAck(ack)) } };
  }

  heard(message: Broadcast): void {
    const { observer } = this;
    if (this.#scenario.isSafe) return; // nobody will be blamed
    if (message.topic === "vote") observer.sawHeard({ type: "vote", vote: message.vote.vote });
    if (message.topic === "ack") observer.sawHeard({ type: "ack", ack: message.ack.ack });
    if (message.topic === "micro")
      for (const vote of message.block.core.votes) observer.sawHeard({ type: "vote", vote });
  }

  sawEvidence(node: SimNode, evidence: FoundEvidence): void {
    this.observer.evidence++;
    if (node.isHonest) this.onEvidence?.(evidence);
  }

  sawCheckpoint({ state }: SimNode, checkpoint: Checkpoint): void {
    this.observer.sawCheckpoint(checkpoint, this.timeline.nowMs);
    const proposer = state?.tree.get(checkpoint.header.lastBlockHash)?.point.proposer;
    if (proposer !== undefined && this.#traitors.has(proposer)) this.#split.add(checkpoint.hash);
  }

  sawFinal(node: SimNode, checkpoint: Checkpoint, certificate: AckQC): void {
    this.onFinal?.(checkpoint, certificate);
    this.observer.sawFinal(node.index, checkpoint, this.timeline.nowMs);
  }

  sawHead(node: SimNode, point: ChainPoint, depth: number): void {
    this.observer.sawReorg(depth);
    this.onHead?.(node, point);
    const { epoch } = childEpoch(point);
    const final = node.state?.finalized.header.epoch ?? 0;
    if (this.#healEpoch === undefined || epoch <= this.#healEpoch + 2) return;
    const isLate = epoch > this.#healEpoch + 2 + this.#excused(lastCheckpoint(point));
    if (!isLate || final > this.#healFinal || this.#stalled.has(node.index)) return;
    this.#stalled.add(node.index);
    const text = `node ${node.index} is in epoch ${epoch}, healed in ${this.#healEpoch}, final ${final}`;
    this.observer.violations.push({ kind: "no finality", atMs: this.timeline.nowMs, text });
  }

  sawAlarm(node: SimNode, alarm: Alarm): void {
    if (alarm.code === "DEEP_REORG") return;
    const isExpected = this.observer.conflicts > 0 || !this.#scenario.isSafe;
    if (isExpected) return;
    const text = `node ${node.index}: ${JSON.stringify(alarm)}`;
    this.observer.violations.push({ kind: "alarm", atMs: this.timeline.nowMs, text });
  }

  /**
   * Epochs since healing that a traitor closed, where votes do not wait for heads to agree (K = 0): one that shows each half
   * of the network another last block splits their votes, and there is one vote an epoch.
   */
  #excused(newest: Checkpoint): number {
    if (this.#scenario.config.voteDelaySlots > 0) return 0;
    let count = 0;
    let at: Checkpoint | undefined = newest;
    while (at !== undefined && at.header.epoch >= (this.#healEpoch ?? 0)) {
      if (this.#split.has(at.hash)) count++;
      at = this.observer.checkpoints.get(at.header.parentMacroHash);
    }
    return count;
  }

  #heal(): void {
    const honest = this.nodes.filter(({ isHonest, state }) => isHonest && state !== undefined);
    const points = honest.map(({ state }) => state?.tree.get(state.head)?.point);
    this.#healEpoch = Math.max(
      ...points.map((point) => (point === undefined ? 0 : childEpoch(point).epoch)),
    );
    this.#healFinal = Math.max(...honest.map(({ state }) => state?.finalized.header.epoch ?? 0));
  }

  #jump(index: number, byMs: number): void {
    const node = this.nodes[index];
    if (node !== undefined) node.skewMs += byMs;
  }
}

function recode(message: Broadcast): Broadcast {
  if (message.topic === "micro") {
    const block = decodeSealedBlock(encodeSealedBlock(message.block), MAX_BLOCK_BYTES);
    return { topic: "micro", block };
  }
  if (message.topic === "vote")
    return { topic: "vote", vote: decodeSignedVote(encodeSignedVote(message.vote)) };
  return { topic: "ack", ack: decodeSignedAck(encodeSignedAck(message.ack)) };
}

function paramsOf({ config, seed }: Scenario, domain?: MessageDomain): CoreParams {
  const {
    chainId = CHAIN_ID,
    salt = parseHash(`0x${(seed % 2 ** 32).toString(16).padStart(64, "0")}`),
  } = domain ?? {};
  return {
    config: {
      slotMs: 2000,
      tickMs: 250,
      minTickGap: 1,
      epochLength: config.epochLength,
      commitBlocks: config.commitBlocks,
      voteDelaySlots: config.voteDelaySlots,
      maxActive: 100,
      issuancePerSlot: 1_000_000_000n,
      maxSupply: 1_000_000_000_000_000_000n,
      slotGasLimit: 30_000_000n,
      gasLimit: 30_000_000n,
      maxVotesPerBlock: 64,
      clockDisparityMs: 500,
      emptyBlocks: true,
      salt,
      staking: parseAddress("0x0000000000000000000000000000000000515000"),
      dev: false,
    },
    chainId,
    genesisMs: GENESIS_MS,
    genesisSupply: 1_000_000_000n,
    ownKeys: [],
  };
}
