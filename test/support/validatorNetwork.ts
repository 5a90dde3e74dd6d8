/**
 * Validators in one process, each a whole node, joined by queues in memory that delay, lose and cut. Messages are encoded
 * and decoded on the way, so that nodes share no object. Time runs faster than the computer's by a factor.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Broadcast } from "../../src/consensus/core/events.ts";
import type { ReporterAccount } from "../../src/consensus/evidenceReporter.ts";
import {
  type BlockRequest,
  type Incoming,
  noPeers,
  type Transport,
} from "../../src/consensus/transport.ts";
import { QNode } from "../../src/node/node.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type Logger, silentLogger } from "../../src/runtime/log.ts";
import {
  decodeAckQC,
  decodeJustQC,
  encodeAckQC,
  encodeJustQC,
} from "../../src/types/certificate.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import {
  decodeSealedBlock,
  encodeSealedBlock,
  type SealedBlock,
} from "../../src/types/sealedBlock.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { signTransaction } from "../../src/types/transactionCodec.ts";
import {
  decodeSignedAck,
  decodeSignedVote,
  encodeSignedAck,
  encodeSignedVote,
} from "../../src/types/vote.ts";
import { NETWORK_TIME, ownerKeyOf, ownerOf, validatorKeyOf } from "./validatorGenesis.ts";

const MAX_BLOCK_BYTES = 8 * 1_048_576;
/** ms of network time between two rounds of "where do you stand" */
const STATUS_INTERVAL_MS = 2_000;

/** A clock that starts at the network's genesis and runs `factor` times as fast as the computer's. */
export class FastClock implements Clock {
  readonly #factor: number;
  readonly #startMs = systemClock.nowMs();

  constructor(factor: number) {
    this.#factor = factor;
  }

  nowMs(): number {
    return NETWORK_TIME * 1000 + (systemClock.nowMs() - this.#startMs) * this.#factor;
  }

  sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
    const real = this.#startMs + (ms - NETWORK_TIME * 1000) / this.#factor;
    return systemClock.sleepUntil(real, signal);
  }
}

export interface NetworkOptions {
  readonly genesis: Genesis;
  readonly factor: number;
  /** ms of network time that a message takes, at least and at most */
  readonly delayMs?: readonly [number, number];
  /** Share of gossip that gets lost */
  readonly loss?: number;
  /** Numbers in [0, 1), seeded by the test */
  readonly random: () => number;
  /** Folder for databases; default: memory */
  readonly folder?: string;
  readonly log?: Logger;
  /** Nodes that report evidence from their owner's account */
  readonly reporters?: ReadonlySet<number>;
}

/** Numbers in [0, 1), the same for the same seed. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The owner's account, as the command line makes it of a key file. */
function reporterOf(index: number): ReporterAccount {
  const key = ownerKeyOf(index);
  return {
    address: ownerOf(index),
    pqSender: undefined,
    sign: (fields) => Promise.resolve(signTransaction(fields, key)),
  };
}

/** A network; `start` its nodes. */
export class ValidatorNetwork implements AsyncDisposable {
  readonly clock: FastClock;
  readonly nodes = new Map<number, QNode>();
  readonly #options: NetworkOptions;
  readonly #cut = new Set<number>();
  readonly #statusTimer: NodeJS.Timeout;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.clock = new FastClock(options.factor);
    this.#statusTimer = setInterval(() => this.#exchange(), STATUS_INTERVAL_MS / options.factor);
  }

  /** Starts node `index` as the validators `keys` (default: that of its index). */
  async start(index: number, keys: readonly number[] = [index]): Promise<QNode> {
    const { genesis, folder, log = silentLogger, reporters = new Set() } = this.#options;
    const place = folder === undefined ? undefined : join(folder, String(index));
    const node = await QNode.start({
      genesis,
      databasePath: place && join(place, "chain"),
      clientVersion: "qnet/test",
      log,
      clock: this.clock,
      recoveryThreads: 0,
      consensus: {
        keys: keys.map(validatorKeyOf),
        recordsPath: place === undefined ? undefined : (hash) => join(place, "validators", hash),
        transport: this.#transportOf(index),
        listenMs: 0,
        reporter: reporters.has(index) ? reporterOf(index) : undefined,
      },
    });
    this.nodes.set(index, node);
    return node;
  }

  get genesis(): Genesis {
    return this.#options.genesis;
  }

  /** A message of a node to all others, whatever it is. */
  deliverToAll(from: number, message: Incoming): void {
    for (const to of this.nodes.keys()) if (to !== from) this.#deliver(from, to, message);
  }

  async stop(index: number): Promise<void> {
    const node = this.nodes.get(index);
    this.nodes.delete(index);
    await node?.stop();
  }

  /** Cuts a node off from all others, or joins it again. */
  setCut(index: number, cut: boolean): void {
    if (cut) this.#cut.add(index);
    else this.#cut.delete(index);
  }

  /** Adds a transaction to every node's pool, as gossip would. */
  async submit(transaction: Transaction): Promise<void> {
    const added = [...this.nodes].map(async ([index, node]) => {
      try {
        await node.pool.add(transaction.raw, "local");
      } catch (error) {
        if (this.nodes.get(index) === node) throw error; // else it stopped meanwhile
      }
    });
    await Promise.all(added);
  }

  /** Resolves once `holds` on all nodes, looked at each time some time has passed; throws after `limitMs` of real time. */
  async until(what: string, holds: (node: QNode) => boolean, limitMs: number): Promise<void> {
    const endMs = systemClock.nowMs() + limitMs;
    for (;;) {
      const late = [...this.nodes].filter(([, node]) => !holds(node)).map(([index]) => index);
      if (late.length === 0) return;
      if (systemClock.nowMs() > endMs) throw new Error(`${what}: not on nodes ${late}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends what `next` makes, 20 a second, until stopped. */
  startLoad(next: (node: QNode, sent: number) => Transaction) {
    let running = true;
    const run = async () => {
      while (running) {
        const [node] = this.nodes.values();
        if (node !== undefined) await this.submit(next(node, load.sent));
        load.sent++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const load = {
      sent: 0,
      stop: async () => {
        running = false;
        await done;
      },
    };
    const done = run();
    return load;
  }

  /** All nodes have the same blocks up to the lowest final one. */
  assertAgreement(): void {
    const nodes = [...this.nodes.values()];
    const finals = nodes.map((node) => node.chain.finalized.header.number);
    const lowest = finals.sort((a, b) => Number(a - b))[0] ?? 0n;
    for (let number = 0n; number <= lowest; number++) {
      const hashes = new Set(nodes.map((node) => node.chain.canonicalHash(number)));
      assert.equal(hashes.size, 1, `block ${number}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#statusTimer);
    for (const index of [...this.nodes.keys()]) await this.stop(index);
  }

  #transportOf(from: number): Transport {
    return {
      ...noPeers,
      broadcast: (message) => {
        for (const [to] of this.nodes)
          if (to !== from && this.#options.random() >= (this.#options.loss ?? 0))
            this.#deliver(from, to, copyOf(message));
      },
      send: (peer, letter) => this.#deliver(from, Number(peer), copyOfLetter(letter)),
      fetch: (request) => this.#fetch(from, request),
    };
  }

  #deliver(from: number, to: number, message: Incoming): void {
    this.#later(() => {
      if (this.#isCut(from, to)) return;
      this.nodes.get(to)?.consensus?.engine.receive(message, { peer: String(from), token: 0 });
    });
  }

  #fetch(from: number, request: BlockRequest): Promise<readonly SealedBlock[]> {
    return new Promise((resolve) => {
      this.#later(() => {
        const node = this.nodes.get(Number(request.peer));
        const blocks = this.#isCut(from, Number(request.peer))
          ? []
          : node?.consensus?.engine.blocks(request);
        const copies = (blocks ?? []).map((block) =>
          decodeSealedBlock(encodeSealedBlock(block), MAX_BLOCK_BYTES),
        );
        this.#later(() => resolve(copies));
      });
    });
  }

  #exchange(): void {
    for (const [from, node] of this.nodes)
      for (const to of this.nodes.keys()) {
        const status = node.consensus?.engine.status;
        if (from === to || status === undefined) continue;
        this.#later(() => {
          if (!this.#isCut(from, to))
            this.nodes.get(to)?.consensus?.engine.receiveStatus(String(from), status);
        });
      }
  }

  #later(task: () => void): void {
    const [least, most] = this.#options.delayMs ?? [10, 60];
    const delay = least + this.#options.random() * (most - least);
    setTimeout(task, delay / this.#options.factor);
  }

  #isCut(from: number, to: number): boolean {
    return this.#cut.has(from) || this.#cut.has(to);
  }
}

function copyOf(message: Broadcast): Incoming {
  switch (message.topic) {
    case "micro":
      return {
        type: "block",
        block: decodeSealedBlock(encodeSealedBlock(message.block), MAX_BLOCK_BYTES),
      };
    case "vote":
      return { type: "vote", vote: decodeSignedVote(encodeSignedVote(message.vote)) };
    case "ack":
      return { type: "ack", ack: decodeSignedAck(encodeSignedAck(message.ack)) };
  }
}

function copyOfLetter(letter: Parameters<Transport["send"]>[1]): Incoming {
  return letter.type === "ackCertificate"
    ? { type: "ackCertificate", qc: decodeAckQC(encodeAckQC(letter.qc)) }
    : { type: "voteCertificate", qc: decodeJustQC(encodeJustQC(letter.qc)) };
}
