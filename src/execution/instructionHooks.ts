/**
 * Hooks at single instructions. Watching every step is slow, since each one copies stack and memory; here only the
 * instructions that an observer asks for are wrapped, and the rest of the interpreter stays as it is.
 */
import type { Common } from "@ethereumjs/common";
import { getOpcodesForHF } from "@ethereumjs/evm";
import { bigIntToHash, bytesToAddress } from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";
import {
  addressOf,
  FRAME_KINDS,
  type FrameWatch,
  memoryOf,
  type RunState,
  type WrappedInstruction,
} from "./frameWatch.ts";
import type { Observer, Operation, Selfdestruct } from "./observer.ts";

type InstructionTable = ReturnType<typeof getOpcodesForHF>;

const JUMPDEST = 0x5b;
/** Instructions that may run between two pauses hang on this: every loop passes a JUMPDEST. */
const JUMPDESTS_PER_PAUSE = 512;
const FIRST_LOG = 0xa0;
const LAST_LOG = 0xa4;
const SELFDESTRUCT = 0xff;
/** Stack items an operation shows: CALL takes 7. */
const SHOWN_ITEMS = 7;

/** Building a table takes as long as a small call. */
const tables = new WeakMap<Common, InstructionTable>();

function tableOf(common: Common): InstructionTable {
  const known = tables.get(common);
  if (known !== undefined) return known;
  const table = getOpcodesForHF(common);
  tables.set(common, table);
  return table;
}

/** What may want to be called at instructions. */
interface Hooks {
  readonly pause?: (() => Promise<void> | undefined) | undefined;
  readonly observer?: Observer | undefined;
  /** Told of the instructions that open frames. */
  readonly frames?: FrameWatch | undefined;
}

/** The instructions with something to do beside their own work, for the `customOpcodes` of an EVM. */
export function hookedInstructions(common: Common, hooks: Hooks): WrappedInstruction[] {
  const { pause, observer, frames } = hooks;
  const hooked = new Map<number, WrappedInstruction>();
  if (pause !== undefined) hooked.set(JUMPDEST, pausingJumpdest(pause));
  if (observer === undefined) return [...hooked.values()];
  const table = tableOf(common);
  const hook = (opcode: number, before: (state: RunState) => void) => {
    const known = hooked.get(opcode) ?? plain(table, opcode);
    if (known !== undefined) hooked.set(opcode, withHook(known, before));
  };
  for (const [opcode, kind] of FRAME_KINDS) hook(opcode, (state) => frames?.opening(state, kind));
  for (const opcode of observer.operations ?? []) {
    hook(opcode, (state) => observer.operation?.(operationOf(state)));
  }
  if (observer.log !== undefined) {
    for (let opcode = FIRST_LOG; opcode <= LAST_LOG; opcode++) {
      hook(opcode, (state) => observer.log?.(logOf(state, opcode - FIRST_LOG)));
    }
  }
  if (observer.selfdestruct !== undefined) {
    hook(SELFDESTRUCT, (state) => observer.selfdestruct?.(movedBy(state)));
  }
  return [...hooked.values()];
}

/** JUMPDEST as it is, with `pause` called every so often. */
function pausingJumpdest(pause: () => Promise<void> | undefined): WrappedInstruction {
  let count = 0;
  return {
    opcode: JUMPDEST,
    opcodeName: "JUMPDEST",
    baseFee: 1,
    logicFunction: () => {
      count++;
      return count % JUMPDESTS_PER_PAUSE === 0 ? pause() : undefined;
    },
  };
}

/** The instruction as the fork has it; undefined when it does not. */
function plain(
  { opcodes, handlers, dynamicGasHandlers }: InstructionTable,
  opcode: number,
): WrappedInstruction | undefined {
  const info = opcodes.get(opcode);
  const handler = handlers.get(opcode);
  if (info === undefined || handler === undefined) return undefined;
  const gasFunction = info.dynamicGas ? dynamicGasHandlers.get(opcode) : undefined;
  return {
    opcode,
    opcodeName: info.name,
    baseFee: info.fee,
    ...(gasFunction !== undefined && { gasFunction }),
    logicFunction: handler,
  };
}

/** The instruction with `before` run first: gas is paid by then. */
function withHook(
  known: WrappedInstruction,
  before: (state: RunState) => void,
): WrappedInstruction {
  const { logicFunction } = known;
  return {
    ...known,
    logicFunction: (state, fork) => {
      before(state);
      return logicFunction(state, fork);
    },
  };
}

function operationOf(state: RunState): Operation {
  const { stack } = state;
  return {
    opcode: state.opCode,
    address: bytesToAddress(state.env.address.bytes),
    stack: stack.peek(Math.min(SHOWN_ITEMS, stack.length)),
    memory: (offset, length) => memoryOf(state, offset, length),
  };
}

/** The log that LOG with `topics` topics is about to write. */
function logOf(state: RunState, topics: number): Log {
  const [offset = 0n, length = 0n, ...words] = state.stack.peek(2 + topics);
  return {
    address: bytesToAddress(state.interpreter.getAddress().bytes),
    topics: words.map(bigIntToHash),
    data: memoryOf(state, offset, length),
  };
}

/** Who SELFDESTRUCT gives what. */
function movedBy({ stack, interpreter }: RunState): Selfdestruct {
  const [beneficiary = 0n] = stack.peek(1);
  return {
    from: bytesToAddress(interpreter.getAddress().bytes),
    to: addressOf(beneficiary),
    value: interpreter.getSelfBalance(),
  };
}
