/**
 * What probes of orchestrators and load balancers ask: is the process alive, is the node fit to be asked, what does it do.
 * The words UP and DOWN and the paths are besu's.
 */
import { systemClock } from "../src/runtime/clock.ts";
import type { RpcNode } from "./context.ts";

/** Lateness of the event loop from which the process counts as stuck. */
const STUCK_MS = 5_000;
const SAMPLE_MS = 500;
/** Samples looked back on: half a minute. */
const SAMPLES = 60;
const MAX_QUERY_NUMBER = 2n ** 64n;

/** A health reply. */
export interface HealthReply {
  readonly status: 200 | 400 | 503;
  readonly body: object;
}

/** How late the event loop was in the last half minute. */
class LoopLag {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #dueMs = systemClock.nowMs() + SAMPLE_MS;

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = systemClock.nowMs();
      this.#samples.push(Math.max(0, nowMs - this.#dueMs));
      if (this.#samples.length > SAMPLES) this.#samples.shift();
      this.#dueMs = nowMs + SAMPLE_MS;
    }, SAMPLE_MS);
    this.#timer.unref();
  }

  get worstMs(): number {
    return Math.max(0, ...this.#samples);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Answers the probes of one server. */
export class Health {
  readonly #node: RpcNode;
  readonly #lag = new LoopLag();
  readonly #startedMs = systemClock.nowMs();

  constructor(node: RpcNode) {
    this.#node = node;
  }

  /** Whether the process does its work at all. */
  liveness(): HealthReply {
    const loopLagMs = this.#lag.worstMs;
    return verdict(loopLagMs < STUCK_MS ? [] : ["the event loop is late"], { loopLagMs });
  }

  /**
   * Whether the node is in step: `minPeers`, `maxBlocksBehind` (of what peers have), `maxFinalityLag` (blocks between
   * head and final block), each only where asked for.
   */
  readiness(query: URLSearchParams): HealthReply {
    const { chain, network } = this.#node;
    const head = chain.head.header.number;
    const facts = {
      peers: BigInt(network?.peerCount() ?? 0),
      blocksBehind: behind(head, network?.highestBlock()),
      finalityLag: head - chain.finalized.header.number,
    };
    const wanted = {
      minPeers: numberOf(query, "minPeers"),
      maxBlocksBehind: numberOf(query, "maxBlocksBehind"),
      maxFinalityLag: numberOf(query, "maxFinalityLag"),
    };
    if (Object.values(wanted).includes("invalid")) {
      const error = "minPeers, maxBlocksBehind and maxFinalityLag are decimal numbers";
      return { status: 400, body: { error } };
    }
    const problems = [
      ...(isBelow(facts.peers, wanted.minPeers) ? ["too few peers"] : []),
      ...(isBelow(wanted.maxBlocksBehind, facts.blocksBehind) ? ["too far behind"] : []),
      ...(isBelow(wanted.maxFinalityLag, facts.finalityLag) ? ["finality lags"] : []),
    ];
    return verdict(problems, {
      peers: Number(facts.peers),
      blocksBehind: Number(facts.blocksBehind),
      finalityLag: Number(facts.finalityLag),
    });
  }

  /** The node in a few numbers; heights are decimal JSON numbers here, unlike in JSON-RPC. */
  status(): HealthReply {
    const { chain, pool, network, clientVersion } = this.#node;
    const place = ({ header, hash }: typeof chain.head) => ({
      number: Number(header.number),
      hash,
    });
    const { pending, queued } = pool.stats();
    return {
      status: 200,
      body: {
        client: clientVersion,
        chainId: Number(chain.config.chainId),
        genesis: chain.genesisHash,
        head: { ...place(chain.head), timestamp: Number(chain.head.header.timestamp) },
        safe: place(chain.safe),
        finalized: place(chain.finalized),
        peers: network?.peerCount() ?? 0,
        blocksBehind: Number(behind(chain.head.header.number, network?.highestBlock())),
        pool: { pending, queued },
        uptimeSeconds: Math.floor((systemClock.nowMs() - this.#startedMs) / 1_000),
        loopLagMs: this.#lag.worstMs,
      },
    };
  }

  close(): void {
    this.#lag.stop();
  }
}

function verdict(problems: readonly string[], facts: object): HealthReply {
  if (problems.length === 0) return { status: 200, body: { status: "UP", ...facts } };
  return { status: 503, body: { status: "DOWN", problems, ...facts } };
}

function behind(head: bigint, highest: bigint | undefined): bigint {
  return highest === undefined || highest <= head ? 0n : highest - head;
}

type Wanted = bigint | "invalid" | undefined;

function numberOf(query: URLSearchParams, name: string): Wanted {
  const text = query.get(name);
  if (text === null) return undefined;
  const number = /^[0-9]{1,20}$/.test(text) ? BigInt(text) : MAX_QUERY_NUMBER;
  return number < MAX_QUERY_NUMBER ? number : "invalid";
}

function isBelow(least: Wanted, most: Wanted): boolean {
  return typeof least === "bigint" && typeof most === "bigint" && least < most;
}
