/** A network that delays, loses, doubles, reorders and cuts. One link for each ordered pair of nodes. */
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export interface NetworkOptions {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Probability that a message is lost, that it comes twice, that it comes very late. */
  readonly loss: number;
  readonly duplication: number;
  readonly straggling: number;
}

/** A time in which some links are down. */
export interface Cut {
  readonly fromMs: number;
  readonly toMs: number;
  /** The pair is ordered: a one-way cut names one direction. */
  readonly isCut: (from: number, to: number) => boolean;
}

const STRAGGLER_MS = 5_000;

export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #options: NetworkOptions;
  readonly #cuts: readonly Cut[];

  constructor(
    parts: { readonly timeline: Timeline; readonly random: Random },
    options: NetworkOptions & { readonly cuts: readonly Cut[] },
  ) {
    this.#timeline = parts.timeline;
    this.#random = parts.random;
    this.#options = options;
    this.#cuts = options.cuts;
  }

  /** Delivers, perhaps: at once for a node's message to itself. */
  send(from: number, to: number, deliver: () => void): void {
    const { nowMs } = this.#timeline;
    const { loss, duplication } = this.#options;
    if (this.#cuts.some((cut) => nowMs >= cut.fromMs && nowMs < cut.toMs && cut.isCut(from, to)))
      return;
    if (this.#random.chance(loss)) return;
    this.#timeline.after(this.#delay(), deliver);
    if (this.#random.chance(duplication)) this.#timeline.after(this.#delay(), deliver);
  }

  #delay(): number {
    const { minDelayMs, maxDelayMs, straggling } = this.#options;
    const usual = this.#random.between(minDelayMs, maxDelayMs);
    return this.#random.chance(straggling) ? usual + this.#random.between(0, STRAGGLER_MS) : usual;
  }
}
