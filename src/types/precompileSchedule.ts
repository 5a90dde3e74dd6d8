/** Which entries of the genesis' precompile map (`config.qnet.precompiles`) are active when. */
import type { PrecompileEntry } from "./qnetConfig.ts";

/** Entries of the map that are active together. */
export type ActivePrecompiles = readonly PrecompileEntry[];

/** The map cut into periods between the points at which an entry comes or goes. Immutable. */
export class PrecompileSchedule {
  /** Times at which the active entries change, in seconds, ascending and without repetition. */
  readonly points: readonly bigint[];
  /** Active entries before the first point, then from each point on. */
  readonly #periods: readonly ActivePrecompiles[];

  constructor(entries: readonly PrecompileEntry[] = []) {
    const times = entries.flatMap(({ time, until }) =>
      until === undefined ? [time] : [time, until],
    );
    this.points = [...new Set(times)].filter((at) => at > 0n).sort((a, b) => (a < b ? -1 : 1));
    this.#periods = [0n, ...this.points].map((at) =>
      entries.filter(({ time, until }) => time <= at && (until === undefined || at < until)),
    );
  }

  /** Index of the period that holds this time, in seconds. */
  periodAt(timestamp: bigint): number {
    const later = this.points.findIndex((at) => timestamp < at);
    return later < 0 ? this.points.length : later;
  }

  /** Entries active in a period. */
  activeIn(period: number): ActivePrecompiles {
    return this.#periods[period] ?? [];
  }
}
