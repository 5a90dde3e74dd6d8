/** What execution can be watched by: frames and instructions, in the order they happen. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Address } from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";

export type FrameKind = "CALL" | "CALLCODE" | "DELEGATECALL" | "STATICCALL" | "CREATE" | "CREATE2";

/** A call or creation about to run, or refused for its depth or the caller's balance. `input` is valid during the hook only. */
export interface FrameStart {
  /** 0 for the transaction itself */
  readonly depth: number;
  readonly kind: FrameKind;
  readonly from: Address;
  /** Whose balance and storage the code works on; undefined for a creation. */
  readonly to: Address | undefined;
  /** Whose code runs; undefined for a creation. */
  readonly codeAddress: Address | undefined;
  readonly value: bigint;
  readonly gas: bigint;
  readonly input: Bytes;
}

/** A call or creation that ended. */
export interface FrameEnd {
  readonly depth: number;
  readonly gasUsed: bigint;
  readonly output: Bytes;
  /** Why it failed ("revert", "out of gas", …); undefined on success. */
  readonly failure: string | undefined;
  readonly createdAddress: Address | undefined;
}

/** One instruction, before it runs. */
export interface Step {
  readonly pc: number;
  readonly opcode: number;
  readonly name: string;
  readonly gas: bigint;
  /** Without the gas handed to a callee. */
  readonly gasCost: bigint;
  readonly refund: bigint;
  /** 0 for the outermost frame */
  readonly depth: number;
  readonly address: Address;
  /** Bottom first; a copy. */
  readonly stack: readonly bigint[];
  /** A copy. */
  readonly memory: Bytes;
}

/** What SELFDESTRUCT is about to move, possibly to its own account. */
export interface Selfdestruct {
  readonly from: Address;
  readonly to: Address;
  /** wei */
  readonly value: bigint;
}

/** An instruction whose gas is paid, before it acts. */
export interface Operation {
  readonly opcode: number;
  /** Whose storage it works on. */
  readonly address: Address;
  /** The upper part of the stack, top first. */
  readonly stack: readonly bigint[];
  /** A copy of a part of the memory. */
  memory(offset: bigint, length: bigint): Bytes;
}

/** Watches executions; a hook that throws breaks the execution off with an ExecutionFault. */
export interface Observer {
  /** Every instruction, at the price of a copy of stack and memory each time. */
  step?(step: Step): void;
  /** The instructions of `operations` alone; the others cost nothing. */
  operation?(operation: Operation): void;
  readonly operations?: ReadonlySet<number>;
  enter?(frame: FrameStart): void;
  exit?(frame: FrameEnd): void;
  /** A log, when it is written: the frame that wrote it may still fail and take it back. */
  log?(log: Log): void;
  selfdestruct?(moved: Selfdestruct): void;
}

/**
 * Told of the calls to one address before they run, also of those that fail or are undone later. Either EVM tells it, and
 * other calls cost nothing more; an observer would leave the reference EVM alone to run them.
 */
export interface CallWatch {
  readonly address: Address;
  /** `input` is valid during the call only. */
  called(input: Bytes): void;
}

/** One observer out of several, called in order. */
export function joinObservers(...observers: readonly Observer[]): Observer {
  const operations = new Set(observers.flatMap((one) => [...(one.operations ?? [])]));
  return {
    ...(observers.some((one) => one.step !== undefined) && {
      step: (step) => {
        for (const one of observers) one.step?.(step);
      },
    }),
    enter: (frame) => {
      for (const one of observers) one.enter?.(frame);
    },
    exit: (frame) => {
      for (const one of observers) one.exit?.(frame);
    },
    ...(operations.size > 0 && {
      operations,
      operation: (operation) => {
        for (const one of observers) {
          if (one.operations?.has(operation.opcode)) one.operation?.(operation);
        }
      },
    }),
    ...(observers.some((one) => one.log !== undefined) && {
      log: (log) => {
        for (const one of observers) one.log?.(log);
      },
    }),
    ...(observers.some((one) => one.selfdestruct !== undefined) && {
      selfdestruct: (moved) => {
        for (const one of observers) one.selfdestruct?.(moved);
      },
    }),
  };
}
