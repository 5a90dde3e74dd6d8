/** What execution can be watched by: frames and instructions, in the order they happen. */
import type { EVM, EVMResult, InterpreterStep, Message } from "@ethereumjs/evm";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, bytesToAddress } from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";

export type FrameKind = "CALL" | "CALLCODE" | "DELEGATECALL" | "STATICCALL" | "CREATE" | "CREATE2";

/** A call or creation about to run. */
export interface FrameStart {
  /** 0 for the transaction itself */
  readonly depth: number;
  /** Inside a static frame CALL and STATICCALL look alike unless the observer also watches steps. */
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

/** Watches executions; a hook that throws breaks the execution off with an ExecutionFault. */
export interface Observer {
  step?(step: Step): void;
  enter?(frame: FrameStart): void;
  exit?(frame: FrameEnd): void;
  /** A log, when it is written: the frame that wrote it may still fail and take it back. */
  log?(log: Log): void;
  selfdestruct?(moved: Selfdestruct): void;
}

/** One observer out of several, called in order. */
export function joinObservers(...observers: readonly Observer[]): Observer {
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

/** Wires `observer` to the events of one EVM. Listening to steps makes execution about 1.5 times slower. */
export function attachObserver(evm: EVM, observer: Observer): void {
  const open: { depth: number; isStatic: boolean }[] = [];
  let opcode: number | undefined;
  if (observer.step !== undefined) {
    evm.events.on("step", (event) => {
      opcode = event.opcode.code;
      observer.step?.(stepOf(event));
    });
  }
  evm.events.on("beforeMessage", (message) => {
    const parent = open.at(-1);
    open.push({ depth: message.depth, isStatic: message.isStatic });
    observer.enter?.(frameOf(message, kindOf(message, parent?.isStatic ?? false, opcode)));
  });
  evm.events.on("afterMessage", (result) => {
    const frame = open.pop();
    observer.exit?.(endOf(result, frame?.depth ?? 0));
  });
}

function stepOf(event: InterpreterStep): Step {
  return {
    pc: event.pc,
    opcode: event.opcode.code,
    name: event.opcode.name,
    gas: event.gasLeft,
    gasCost: event.opcode.dynamicFee ?? BigInt(event.opcode.fee),
    refund: event.gasRefund,
    depth: event.depth,
    address: bytesToAddress(event.address.bytes),
    stack: event.stack,
    memory: event.memory,
  };
}

function frameOf(message: Message, kind: FrameKind): FrameStart {
  const { to } = message;
  return {
    depth: message.depth,
    kind,
    from: bytesToAddress(message.caller.bytes),
    to: to === undefined ? undefined : bytesToAddress(to.bytes),
    codeAddress: to === undefined ? undefined : bytesToAddress(message.codeAddress.bytes),
    value: message.value,
    gas: message.gasLimit,
    input: message.data,
  };
}

const CALL_OPCODES: ReadonlyMap<number, FrameKind> = new Map([
  [0xf1, "CALL"],
  [0xf2, "CALLCODE"],
  [0xf4, "DELEGATECALL"],
  [0xfa, "STATICCALL"],
]);

function kindOf(message: Message, inStatic: boolean, opcode: number | undefined): FrameKind {
  if (message.to === undefined) return message.salt === undefined ? "CREATE" : "CREATE2";
  if (message.depth === 0) return "CALL";
  const watched = opcode === undefined ? undefined : CALL_OPCODES.get(opcode);
  if (watched !== undefined) return watched;
  if (message.delegatecall) return "DELEGATECALL";
  if (!message.codeAddress.equals(message.to)) return "CALLCODE";
  return message.isStatic && !inStatic ? "STATICCALL" : "CALL";
}

function endOf({ execResult, createdAddress }: EVMResult, depth: number): FrameEnd {
  const failure = execResult.exceptionError?.error;
  return {
    depth,
    gasUsed: execResult.executionGasUsed,
    output: execResult.returnValue ?? EMPTY_BYTES,
    failure,
    createdAddress:
      createdAddress === undefined || failure !== undefined
        ? undefined
        : bytesToAddress(createdAddress.bytes),
  };
}
