/** Keeps the EVM from running too long for a caller, and from holding up the node while it runs. */
import { setImmediate } from "node:timers/promises";
import type { Observer } from "../src/execution/observer.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { RpcError } from "./errors.ts";

/** A limit on the time of one execution, or of several that share it. Both parts throw RpcError TIMEOUT. */
export interface TimeLimit {
  /** In loops, and between executions. */
  pause(): Promise<void> | undefined;
  /** At frames: costly precompiles in a row need no loop. */
  readonly observer: Observer;
}

/** ms after which a call lets other requests and blocks go first. */
const TURN_MS = 15;

/** Ends a call after `timeoutMs` (0 = never), and keeps a long one from holding up the node. */
export function timeLimit(timeoutMs: number): TimeLimit {
  let turnMs = systemClock.nowMs();
  const endMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : turnMs + timeoutMs;
  const check = (nowMs: number) => {
    if (nowMs <= endMs) return;
    const text = `execution aborted (timeout = ${timeoutMs} ms)`;
    throw new RpcError({ code: "TIMEOUT", text });
  };
  const rest = async () => {
    await setImmediate();
    turnMs = systemClock.nowMs();
  };
  return {
    pause() {
      const nowMs = systemClock.nowMs();
      check(nowMs);
      return nowMs - turnMs < TURN_MS ? undefined : rest();
    },
    observer: { enter: () => check(systemClock.nowMs()) },
  };
}
