/**
 * How much work a caller may ask for. Each method has a cost in units (a plain read is one); a caller has so many units
 * per second and may save them up over a window, so that the bursts of wallets pass.
 */
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Caller } from "./callers.ts";
import { RpcError } from "./errors.ts";

/** Seconds over which units are counted: a caller may spend what it has for that time at once. */
export const RATE_WINDOW_SECONDS = 10;

/** Takes the units of a call from its caller. Throws RATE_LIMITED. */
export type Charge = (caller: Caller, units: number) => Promise<void> | undefined;

/** Limits callers to `unitsPerSecond` unless their API key says otherwise; 0: no limit. */
export function createCharge(unitsPerSecond: number): Charge {
  // one limiter for each rate there is: that of everybody and those of the keys
  const limiters = new Map<number, RateLimiterMemory>();
  const limiterOf = (rate: number): RateLimiterMemory => {
    const known = limiters.get(rate);
    if (known !== undefined) return known;
    const points = rate * RATE_WINDOW_SECONDS;
    const limiter = new RateLimiterMemory({ points, duration: RATE_WINDOW_SECONDS });
    limiters.set(rate, limiter);
    return limiter;
  };
  return (caller, units) => {
    const rate = caller.unitsPerSecond ?? unitsPerSecond;
    return rate === 0 ? undefined : take(limiterOf(rate), caller, units);
  };
}

async function take(limiter: RateLimiterMemory, { id }: Caller, units: number): Promise<void> {
  try {
    await limiter.consume(id, units);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    throw new RpcError({ code: "RATE_LIMITED", retryAfterMs: error.msBeforeNext });
  }
}
