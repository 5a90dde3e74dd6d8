/** Calls at each tick of each slot, and at moments asked for. What a sleeping computer has missed for a whole slot is left out. */
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { CoreParams } from "./core/params.ts";
import { ticksPerSlot } from "./core/time.ts";

/** Who is called. */
export interface SlotListener {
  tick(slot: number, tick: number): void;
  wake(): void;
}

/** The clock as slots and ticks. */
export class SlotTimer {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #params: CoreParams;
  readonly #listener: SlotListener;
  readonly #stopping = new AbortController();
  #wakeMs: number | undefined;
  #waking = new AbortController();

  constructor(
    dependencies: { readonly clock: Clock; readonly log: Logger; readonly params: CoreParams },
    listener: SlotListener,
  ) {
    this.#clock = dependencies.clock;
    this.#log = dependencies.log;
    this.#params = dependencies.params;
    this.#listener = listener;
  }

  start(): void {
    this.#run(this.#stopping.signal).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#log.error("Slot timer stopped", { error });
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#waking.abort();
  }

  /** Calls `wake` at this moment, ms since 1970; the earliest of several counts. */
  wakeAt(ms: number): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#wakeMs !== undefined && this.#wakeMs <= ms) return;
    this.#waking.abort();
    const waking = new AbortController();
    this.#waking = waking;
    this.#wakeMs = ms;
    this.#clock.sleepUntil(ms, waking.signal).then(
      () => {
        this.#wakeMs = undefined;
        this.#listener.wake();
      },
      () => undefined, // an earlier moment took its place, or the end
    );
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { genesisMs, config } = this.#params;
    const ticks = ticksPerSlot(this.#params);
    let next = this.#tickNow() + 1;
    while (!signal.aborted) {
      await this.#clock.sleepUntil(genesisMs + next * config.tickMs, signal);
      const now = this.#tickNow();
      // asleep for a slot or more, or set back by hand
      if (now - next >= ticks || now < next) next = now;
      this.#listener.tick(Math.floor(next / ticks), next % ticks);
      next++;
    }
  }

  /** Ticks since the genesis. */
  #tickNow(): number {
    const { genesisMs, config } = this.#params;
    return Math.max(0, Math.floor((this.#clock.nowMs() - genesisMs) / config.tickMs));
  }
}
