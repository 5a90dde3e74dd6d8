/** The clock of a development chain: the computer's, moved by an offset, with wishes for the timestamps of blocks. */
import type { Clock } from "../runtime/clock.ts";
import { ProducerError } from "./producerError.ts";

/** All that can be set about time. */
export interface DevClockSnapshot {
  readonly offsetMs: number;
  /** seconds */
  readonly nextTimestamp: bigint | undefined;
  /** seconds */
  readonly blockInterval: bigint | undefined;
}

/** Highest timestamp in seconds: milliseconds stay exact as numbers. About the year 280,000. */
export const MAX_TIMESTAMP = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 1000));

/** Longest distance of timestamps: 100,000 blocks of it fit below the highest timestamp. */
const MAX_BLOCK_INTERVAL = 50_000_000n;

const MS = 1000;

/** Time as a development chain sees it. Offsets last until they are changed; a timestamp wish holds for one block. */
export class DevClock implements Clock {
  /** The clock underneath, by which production is paced: intervals do not change when time is moved. */
  readonly real: Clock;
  #offsetMs = 0;
  #nextTimestamp: bigint | undefined;
  #blockInterval: bigint | undefined;

  constructor(real: Clock) {
    this.real = real;
  }

  nowMs(): number {
    return this.real.nowMs() + this.#offsetMs;
  }

  sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
    return this.real.sleepUntil(ms - this.#offsetMs, signal);
  }

  /** How far ahead of the computer's clock, in whole seconds. */
  get offset(): bigint {
    return BigInt(Math.floor(this.#offsetMs / MS));
  }

  /** Timestamp wished for the next block, in seconds. */
  get wishedTimestamp(): bigint | undefined {
    return this.#nextTimestamp;
  }

  /** Moves time on; returns the offset then, in seconds. Throws ProducerError TIMESTAMP_TOO_HIGH. */
  increase(seconds: bigint): bigint {
    this.#moveTo(this.nowMs() + Number(seconds) * MS);
    return this.offset;
  }

  /** Makes it `ms` now; may go back, as long as blocks' timestamps rise. Throws ProducerError TIMESTAMP_TOO_HIGH. */
  setTime(ms: number): void {
    this.#moveTo(ms);
  }

  /** The next block has this timestamp, in seconds, and time goes on from it. Throws ProducerError. */
  setNextTimestamp(timestamp: bigint, parent: bigint): void {
    if (timestamp <= parent)
      throw new ProducerError({ code: "TIMESTAMP_TOO_LOW", timestamp, parent });
    requireTimestamp(timestamp);
    this.#nextTimestamp = timestamp;
  }

  /** Throws ProducerError TIMESTAMP_TOO_HIGH unless blocks may have this timestamp, in seconds. */
  requireTimestamp(timestamp: bigint): void {
    requireTimestamp(timestamp);
  }

  /** Every block's timestamp is its parent's plus `seconds`; undefined: by the clock again. Throws ProducerError BAD_BLOCK_INTERVAL. */
  setBlockInterval(seconds: bigint | undefined): void {
    if (seconds !== undefined && (seconds < 1n || seconds > MAX_BLOCK_INTERVAL))
      throw new ProducerError({ code: "BAD_BLOCK_INTERVAL", seconds, limit: MAX_BLOCK_INTERVAL });
    this.#blockInterval = seconds;
  }

  /** Seconds between the timestamps of blocks, if set. */
  get blockInterval(): bigint | undefined {
    return this.#blockInterval;
  }

  /** Timestamp that a child of a block with timestamp `parent` gets now; `gap` is the least difference. In seconds. */
  nextTimestamp(parent: bigint, gap = 1n): bigint {
    const wish = this.#nextTimestamp;
    if (wish !== undefined && wish > parent) return wish;
    if (this.#blockInterval !== undefined) return parent + this.#blockInterval;
    const now = BigInt(Math.floor(this.nowMs() / MS));
    const least = parent + gap;
    return now < least ? least : now;
  }

  /** A block with this timestamp exists: its wish is fulfilled, and time goes on from there. */
  used(timestamp: bigint): void {
    const wish = this.#nextTimestamp;
    if (wish === undefined) return;
    this.#nextTimestamp = undefined;
    if (wish === timestamp) this.#moveTo(Number(timestamp) * MS);
  }

  snapshot(): DevClockSnapshot {
    return {
      offsetMs: this.#offsetMs,
      nextTimestamp: this.#nextTimestamp,
      blockInterval: this.#blockInterval,
    };
  }

  restore(snapshot: DevClockSnapshot): void {
    this.#offsetMs = snapshot.offsetMs;
    this.#nextTimestamp = snapshot.nextTimestamp;
    this.#blockInterval = snapshot.blockInterval;
  }

  #moveTo(ms: number): void {
    requireTimestamp(BigInt(Math.floor(ms / MS)));
    this.#offsetMs = ms - this.real.nowMs();
  }
}

function requireTimestamp(timestamp: bigint): void {
  if (timestamp > MAX_TIMESTAMP)
    throw new ProducerError({ code: "TIMESTAMP_TOO_HIGH", timestamp, limit: MAX_TIMESTAMP });
}
