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

/** JUMP and JUMPI; with those that open frames: code that passes none ends after as many instructions as it is long. */
const JUMPS = [0x56, 0x57];
const FIRST_LOG = 0xa0;
const LAST_LOG = 0xa4;
const SELFDESTRUCT = 0xff;
/** Stack items an operation shows: CALL takes 7. */
const SHOWN_ITEMS = 7;

/** What is done before an instruction, which waits for a promise. */
type Before = (state: RunState) => Promise<void> | undefined;

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
  if (pause === undefined && observer === undefined) return [];
  const table = tableOf(common);
  const hook = (opcode: number, before: Before) => {
    const known = hooked.get(opcode) ?? plain(table, opcode);
    if (known !== undefined) hooked.set(opcode, withHook(known, before));
  };
  if (pause !== undefined)
    for (const opcode of [...JUMPS, ...FRAME_KINDS.keys()]) hook(opcode, pause);
  if (observer === undefined) return [...hooked.values()];
  for (const [opcode, kind] of FRAME_KINDS) {
    hook(opcode, (state) => void frames?.opening(state, kind));
  }
  for (const opcode of observer.operations ?? []) {
    hook(opcode, (state) => void observer.operation?.(operationOf(state)));
  }
  if (observer.log !== undefined) {
    for (let opcode = FIRST_LOG; opcode <= LAST_LOG; opcode++) {
      hook(opcode, (state) => void observer.log?.(logOf(state, opcode - FIRST_LOG)));
    }
  }
  if (observer.selfdestruct !== undefined) {
    hook(SELFDESTRUCT, (state) => void observer.selfdestruct?.(movedBy(state)));
  }
  return [...hooked.values()];
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
function withHook(known: WrappedInstruction, before: Before): WrappedInstruction {
  const { logicFunction } = known;
  return {
    ...known,
    logicFunction: (state, fork) => {
      const wait = before(state);
      if (wait === undefined) return logicFunction(state, fork);
      return wait.then(() => logicFunction(state, fork));
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
