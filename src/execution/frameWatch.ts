/** Tells an observer about frames: those the interpreter opens and those it refuses to open. */
import type { EVMOpts, EVMResult, Message } from "@ethereumjs/evm";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, bigIntToHash, bytesToAddress, parseAddress } from "../primitives/hex.ts";
import type { FrameEnd, FrameKind, FrameStart, Observer } from "./observer.ts";

/** An instruction with our work beside its own. */
export type WrappedInstruction = Extract<
  NonNullable<EVMOpts["customOpcodes"]>[number],
  { readonly logicFunction: unknown }
>;
/** The interpreter inside one frame. */
export type RunState = Parameters<WrappedInstruction["logicFunction"]>[0];

/** The instructions that open frames. */
export const FRAME_KINDS: ReadonlyMap<number, FrameKind> = new Map([
  [0xf0, "CREATE"],
  [0xf1, "CALL"],
  [0xf2, "CALLCODE"],
  [0xf4, "DELEGATECALL"],
  [0xf5, "CREATE2"],
  [0xfa, "STATICCALL"],
]);

/** Deepest frame; the outermost is 0. */
const MAX_DEPTH = 1_024;
const CALL_STIPEND = 2_300n;
const NOTHING_DONE = { gasUsed: 0n, output: EMPTY_BYTES, createdAddress: undefined };

/** Follows the frames of one EVM. */
export class FrameWatch {
  readonly #observer: Observer;
  readonly #depths: number[] = [];
  /** Kind of the frame that the latest instruction opens: the message alone does not always tell. */
  #kind: FrameKind = "CALL";

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  /** An instruction is about to open a frame. */
  opening(state: RunState, kind: FrameKind): void {
    this.#kind = kind;
    const failure = refusalOf(state, kind);
    if (failure === undefined) return;
    const start = refusedFrame(state, kind);
    this.#observer.enter?.(start);
    this.#observer.exit?.({ ...NOTHING_DONE, depth: start.depth, failure });
  }

  begin(message: Message): void {
    this.#depths.push(message.depth);
    const outermost = message.to === undefined ? "CREATE" : "CALL";
    this.#observer.enter?.(frameOf(message, message.depth === 0 ? outermost : this.#kind));
  }

  end(result: EVMResult): void {
    this.#observer.exit?.(endOf(result, this.#depths.pop() ?? 0));
  }
}

/** Why the interpreter will not open the frame. A creation in a static frame fails by itself. */
function refusalOf({ env, stack }: RunState, kind: FrameKind): string | undefined {
  if (env.depth >= MAX_DEPTH) return "max call depth exceeded";
  let value = 0n;
  if (kind === "CALL" || kind === "CALLCODE") value = stack.peek(3)[2] ?? 0n;
  else if (isCreation(kind) && !env.isStatic) value = stack.peek()[0] ?? 0n;
  return value > env.contract.balance ? "insufficient balance" : undefined;
}

function isCreation(kind: FrameKind): boolean {
  return kind === "CREATE" || kind === "CREATE2";
}

function refusedFrame(state: RunState, kind: FrameKind): FrameStart {
  const { env } = state;
  const own = bytesToAddress(env.address.bytes);
  const gas = state.messageGasLimit ?? 0n;
  const shared = { depth: env.depth + 1, kind, from: own };
  if (isCreation(kind)) {
    const [value = 0n, offset = 0n, length = 0n] = state.stack.peek(3);
    const input = memoryOf(state, offset, length);
    return { ...shared, to: undefined, codeAddress: undefined, value, gas, input };
  }
  const sendsValue = kind === "CALL" || kind === "CALLCODE";
  const items = state.stack.peek(sendsValue ? 5 : 4);
  const codeAddress = addressOf(items[1] ?? 0n);
  const value = sendsValue ? (items[2] ?? 0n) : 0n;
  const inherits = kind === "DELEGATECALL";
  return {
    ...shared,
    from: inherits ? bytesToAddress(env.caller.bytes) : own,
    to: kind === "CALL" || kind === "STATICCALL" ? codeAddress : own,
    codeAddress,
    value: inherits ? env.callValue : value,
    gas: value > 0n ? gas + CALL_STIPEND : gas,
    input: memoryOf(state, items.at(-2) ?? 0n, items.at(-1) ?? 0n),
  };
}

/** The address in a word of the stack. */
export function addressOf(word: bigint): Address {
  return parseAddress(`0x${bigIntToHash(word).slice(-40)}`);
}

/** A copy of a part of the memory; an empty part may start anywhere. */
export function memoryOf({ memory }: RunState, offset: bigint, length: bigint): Bytes {
  return length === 0n ? EMPTY_BYTES : memory.read(Number(offset), Number(length));
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
