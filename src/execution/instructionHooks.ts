/**
 * Hooks at single instructions. Watching every step is slow, since each one copies stack and memory; here only the
 * instructions that an observer asks for are wrapped, and the rest of the interpreter stays as it is.
 */
import type { Common } from "@ethereumjs/common";
import { type EVMOpts, getOpcodesForHF } from "@ethereumjs/evm";
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import { bigIntToHash, bytesToAddress, hexToBytes } from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";
import type { Observer, Selfdestruct } from "./observer.ts";

type InstructionTable = ReturnType<typeof getOpcodesForHF>;
type WrappedInstruction = Extract<
  NonNullable<EVMOpts["customOpcodes"]>[number],
  { readonly logicFunction: unknown }
>;
type Handler = WrappedInstruction["logicFunction"];
type RunState = Parameters<Handler>[0];

const JUMPDEST = 0x5b;
/** Instructions that may run between two pauses hang on this: every loop passes a JUMPDEST. */
const JUMPDESTS_PER_PAUSE = 512;
const FIRST_LOG = 0xa0;
const LAST_LOG = 0xa4;
const SELFDESTRUCT = 0xff;
const ADDRESS_MASK = (1n << 160n) - 1n;

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
}

/** The instructions with something to do beside their own work, for the `customOpcodes` of an EVM. */
export function hookedInstructions(common: Common, hooks: Hooks): WrappedInstruction[] {
  const { pause, observer = {} } = hooks;
  const hooked: WrappedInstruction[] = [];
  if (pause !== undefined) hooked.push(pausingJumpdest(pause));
  if (observer.log === undefined && observer.selfdestruct === undefined) return hooked;
  const table = tableOf(common);
  const hook = (opcode: number, before: (state: RunState) => void) => {
    const wrapped = wrap(table, opcode, before);
    if (wrapped !== undefined) hooked.push(wrapped);
  };
  if (observer.log !== undefined) {
    for (let opcode = FIRST_LOG; opcode <= LAST_LOG; opcode++) {
      hook(opcode, (state) => observer.log?.(logOf(state, opcode - FIRST_LOG)));
    }
  }
  if (observer.selfdestruct !== undefined) {
    hook(SELFDESTRUCT, (state) => observer.selfdestruct?.(movedBy(state)));
  }
  return hooked;
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

/** The instruction as the fork has it, with `before` run first: gas is paid and a static frame refused by then. */
function wrap(
  { opcodes, handlers, dynamicGasHandlers }: InstructionTable,
  opcode: number,
  before: (state: RunState) => void,
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
    logicFunction: (state, fork) => {
      before(state);
      return handler(state, fork);
    },
  };
}

/** The log that LOG with `topics` topics is about to write. */
function logOf({ stack, memory, interpreter }: RunState, topics: number): Log {
  const [offset = 0n, length = 0n, ...words] = stack.peek(2 + topics);
  return {
    address: bytesToAddress(interpreter.getAddress().bytes),
    topics: words.map(bigIntToHash),
    // the offset of nothing may lie anywhere
    data: length === 0n ? EMPTY_BYTES : memory.read(Number(offset), Number(length)),
  };
}

/** Who SELFDESTRUCT gives what. */
function movedBy({ stack, interpreter }: RunState): Selfdestruct {
  const [beneficiary = 0n] = stack.peek(1);
  return {
    from: bytesToAddress(interpreter.getAddress().bytes),
    to: bytesToAddress(hexToBytes(bigIntToHash(beneficiary & ADDRESS_MASK)).subarray(12)),
    value: interpreter.getSelfBalance(),
  };
}
