/** Whatever a peer can make a decoder accept, the core must answer: an exception in it stops the node. */
import assert from "node:assert/strict";
import type { Action, Broadcast, Event } from "../../../../src/consensus/core/events.ts";
import { domainOf } from "../../../../src/consensus/core/params.ts";
import type { ConsensusState } from "../../../../src/consensus/core/state.ts";
import { step } from "../../../../src/consensus/core/step.ts";
import { bigIntToHash, ZERO_HASH } from "../../../../src/primitives/hex.ts";
import type { AckQC, JustQC } from "../../../../src/types/certificate.ts";
import { consensusMessage, MESSAGE_KIND } from "../../../../src/types/consensusMessage.ts";
import { hashHeader } from "../../../../src/types/header.ts";
import { encodeSeal } from "../../../../src/types/seal.ts";
import { type SealedBlock, sealOf } from "../../../../src/types/sealedBlock.ts";
import { hashSidecar } from "../../../../src/types/sidecar.ts";
import { encodeAck, encodeVote } from "../../../../src/types/vote.ts";
import { feed, newFollower, recordMessages } from "../../../simulation/follower.ts";
import { Random } from "../../../simulation/random.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { World } from "../../../simulation/world.ts";

const SEED = Number(process.env["QNET_TEST_SEED"] ?? 20_814);
const EVENTS = Number(process.env["QNET_TEST_RUNS"] ?? 3_000);

const world = new World(quietScenario(9, { validators: 4, durationMs: 60_000, load: [1000, 200] }));
const said = recordMessages(world);
const { params } = world;
const { nowMs } = world.timeline;
const random = new Random(SEED);

/** One of these, `undefined` too. */
function pick<T>(list: readonly T[]): T {
  return random.pick(list.map((value) => ({ value }))).value;
}

/** A counter as a decoder lets it in. */
function counter(near: number, most = Number.MAX_SAFE_INTEGER): number {
  const picked = pick([0, 1, near - 1, near + 1, near + 64, most - 1, most]);
  return Math.min(Math.max(picked, 0), most);
}

const hash = () => pick([ZERO_HASH, bigIntToHash(BigInt(random.between(1, 1_000)))]);

/** The value with up to three of its fields replaced. */
function changed<T extends object>(value: T, choices: Partial<{ [K in keyof T]: () => T[K] }>): T {
  const copy = { ...value };
  const names = Object.keys(choices) as (keyof T)[];
  for (let n = random.between(0, 3); n > 0; n--) {
    const name = pick(names);
    const choice = choices[name];
    if (choice !== undefined) copy[name] = choice();
  }
  return copy;
}

function signed(validator: number, kind: number, body: Uint8Array): Uint8Array {
  const message = consensusMessage(domainOf(params), kind, body);
  return world.keys[validator]?.[0]?.sign(message) ?? new Uint8Array(2420);
}

/** What the headers of the first blocks of Ethereum lack. */
const FRONTIER = {
  baseFeePerGas: undefined,
  withdrawalsRoot: undefined,
  blobGasUsed: undefined,
  excessBlobGas: undefined,
  parentBeaconBlockRoot: undefined,
  requestsHash: undefined,
};

/** The block with wrong fields, half of the time under a hash and a seal that are right for them. */
function blockLike(sealed: SealedBlock): SealedBlock {
  const { slot, seq, tick, proposer } = sealed.core;
  const core = changed(sealed.core, {
    slot: () => counter(slot),
    seq: () => counter(seq, 255),
    tick: () => counter(tick, 255),
    proposer: () => counter(proposer, 4_294_967_295),
    reveal: () => pick([undefined, hash()]),
    votes: () => sealed.core.votes.map(voteLike),
    sigsHash: hash,
  });
  const { number } = sealed.block.header;
  const header = changed(sealed.block.header, {
    number: () => pick([0n, number - 1n, number + 1n, 2n ** 53n, 2n ** 64n - 1n]),
    parentHash: () => pick([hash(), sealed.block.hash, world.genesis.hash]),
    timestamp: () => pick([0n, 2n ** 64n - 1n]),
    gasUsed: () => pick([0n, 2n ** 64n - 1n]),
    gasLimit: () => pick([0n, 2n ** 64n - 1n]),
    baseFeePerGas: () => pick([0n, 2n ** 256n - 1n]),
    parentBeaconBlockRoot: hash,
    extraData: () => new Uint8Array(random.between(0, 33)),
    stateRoot: hash,
  });
  const isRight = random.chance(0.5);
  const extraData = isRight ? Buffer.from(hashSidecar(core).slice(2), "hex") : header.extraData;
  const fork = random.chance(0.1) ? FRONTIER : {};
  const final = { ...header, ...fork, extraData: Uint8Array.from(extraData) };
  const withdrawals = pick([sealed.block.withdrawals, undefined, []]);
  const block = { ...sealed.block, withdrawals, header: final, hash: hashHeader(final) };
  const isSealable = block.header.number < 2n ** 53n;
  const body = isSealable ? encodeSeal(sealOf({ block, core })) : new Uint8Array(0);
  const seal = isRight ? signed(core.proposer, MESSAGE_KIND.seal, body) : sealed.seal;
  const voteSigs = pick([sealed.voteSigs, [], sealed.voteSigs.slice(1)]);
  return { block, core, voteSigs, seal: pick([seal, seal, seal, undefined]) };
}

function voteLike<T extends SealedBlock["core"]["votes"][number]>(vote: T): T {
  return changed(vote, {
    validator: () => counter(vote.validator, 4_294_967_295),
    srcEpoch: () => counter(vote.srcEpoch),
    srcHash: hash,
    tgtEpoch: () => counter(vote.tgtEpoch),
    tgtHash: hash,
    commit: hash,
  } as never);
}

/** A bitmap of any length with its signatures, as the decoder demands. */
function signers() {
  const bitmap = Uint8Array.from({ length: random.between(0, 3) }, () => random.between(0, 255));
  const bits = [...bitmap].reduce(
    (sum, byte) => sum + byte.toString(2).replaceAll("0", "").length,
    0,
  );
  const signatures = Array.from({ length: bits }, () => new Uint8Array(2420));
  return { bitmap, signatures, commits: signatures.map(hash) };
}

function certificateLike(state: ConsensusState): Event {
  const known = [...state.checkpoints.values()].map(({ header, hash: macroHash }) => ({
    epoch: header.epoch,
    macroHash,
  }));
  const { epoch, macroHash } = pick([...known, { epoch: 7, macroHash: hash() }]);
  const { commits, ...signatures } = signers();
  const qc: AckQC = { epoch: pick([epoch, counter(epoch)]), macroHash, ...signatures };
  const origin = { peer: "rubbish", token: pick([undefined, 1]) };
  if (random.chance(0.5)) return { type: "ackCertificate", qc, origin, nowMs };
  const source = { srcEpoch: counter(epoch), srcHash: pick([hash(), macroHash]) };
  const just: JustQC = { ...qc, ...source, commits };
  return { type: "voteCertificate", qc: just, origin, nowMs };
}

function statusLike(state: ConsensusState): Event {
  const { epoch } = state.finalized.header;
  return {
    type: "status",
    peer: pick(["rubbish", "other"]),
    status: {
      headHash: pick([hash(), state.head]),
      headNumber: counter(100),
      justifiedEpoch: counter(epoch),
      finalizedEpoch: counter(epoch),
      finalizedHash: pick([hash(), state.finalized.hash]),
    },
    nowMs,
  };
}

function eventLike(state: ConsensusState, message: Broadcast): Event {
  const origin = { peer: pick(["rubbish", "other"]), token: pick([undefined, 1]) };
  if (random.chance(0.2)) return certificateLike(state);
  if (random.chance(0.1)) return statusLike(state);
  if (message.topic === "micro") {
    const block = blockLike(message.block);
    const isAnswer = state.sync !== undefined && random.chance(0.5);
    if (isAnswer) return { type: "fetched", id: state.sync?.id ?? 0, blocks: [block], nowMs };
    return { type: "block", block, origin, nowMs };
  }
  if (message.topic === "vote") {
    const vote = voteLike(message.vote.vote);
    const signature = signed(vote.validator, MESSAGE_KIND.vote, encodeVote(vote));
    return { type: "vote", vote: { vote, signature }, origin, nowMs };
  }
  const { ack: right } = message.ack;
  const ack = changed(right, {
    validator: () => counter(right.validator, 4_294_967_295),
    epoch: () => counter(right.epoch),
    macroHash: hash,
  });
  const signature = signed(ack.validator, MESSAGE_KIND.ack, encodeAck(ack));
  return { type: "ack", ack: { ack, signature }, origin, nowMs };
}

/** Answers checks as the keys would, and lets half of the blocks be executable. */
function answer(state: ConsensusState, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.type === "verify") {
      const valid = action.checks.map((check) => world.verify(check));
      answer(state, step(state, { type: "verified", id: action.id, valid, nowMs })[1]);
    }
    if (action.type === "execute") {
      const { hash: executed } = action.block.block;
      const outcome = { ok: false, invalid: random.chance(0.5) } as const;
      answer(state, step(state, { type: "executed", hash: executed, outcome, nowMs })[1]);
    }
  }
}

describe("step", function () {
  this.timeout(120_000);

  it(`answers whatever a peer says, and goes on (QNET_TEST_SEED=${SEED})`, () => {
    const state = newFollower(world);
    const part = Math.ceil(said.length / 20);
    for (let from = 0; from < said.length; from += part) {
      for (let n = 0; n < EVENTS / 20; n++) {
        const event = eventLike(
          state,
          said[(from + random.between(0, part)) % said.length] ?? never(),
        );
        answer(state, step(state, event)[1]);
      }
      feed(world, state, said.slice(from, from + part));
    }
    // what rubbish has pushed out or kept waiting comes again
    feed(world, state, said);
    assert.ok(state.finalized.header.epoch >= 2, `epoch ${state.finalized.header.epoch}`);
  });
});

function never(): never {
  throw new RangeError("there are messages");
}
