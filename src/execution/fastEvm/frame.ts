/**
 * One running contract: its code, stack, memory and gas. Frames are kept and reused, one per depth; `open` resets all
 * of it. Instructions work on a frame and answer with a Signal; the frames themselves are stacked by fastEvm.ts, not by
 * recursion, so that an execution can be held between two blocks of code and at every call.
 */
import { type Bytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import { type Address, ZERO_ADDRESS } from "../../primitives/hex.ts";
import type { Environment } from "./environment.ts";
import { Memory } from "./memory.ts";
import type { Prices } from "./prices.ts";
import type { CodeBlock, Program } from "./program.ts";
import type { Slots, Substate } from "./substate.ts";
import { MAX_NUMBER, type Word } from "./word.ts";

/** What follows an instruction. */
export type Signal = 0 | 1 | 2 | 3 | 4 | 5;
/** The next instruction. */
export const NEXT = 0;
/** The block at `pc`. */
export const JUMPED = 1;
/** The frame is done: `output`. */
export const STOPPED = 2;
/** The frame is undone, what gas is left is kept: `output`. */
export const REVERTED = 3;
/** The frame is undone and its gas is gone: `failure`. */
export const FAILED = 4;
/** A frame is to be opened: `request`. */
export const CALLING = 5;

/** Most words on the stack. */
export const STACK_LIMIT = 1_024;

/** A frame that an instruction (or a transaction) asks for. */
export interface FrameRequest {
  readonly kind: "call" | "create";
  readonly depth: number;
  readonly caller: Address;
  /** The account that runs; of a creation the new one */
  readonly address: Address;
  /** Whose code runs in a call */
  readonly codeAddress: Address;
  /** Wei that the frame sees */
  readonly value: Word;
  /** The value moves from caller to address: not so with DELEGATECALL. */
  readonly transfers: boolean;
  /** Of a creation: the code to run */
  readonly input: Bytes;
  readonly gas: number;
  readonly isStatic: boolean;
  /** Where the caller's memory takes the output */
  readonly outputOffset: number;
  readonly outputLength: number;
}

/** What all frames of an EVM share. */
export interface FrameWorld {
  readonly substate: Substate;
  readonly environment: Environment;
  readonly prices: Prices;
}

/** State of one frame; plain fields, since instructions use them millions of times a second. */
export class Frame {
  readonly stack: Word[] = newStack();
  readonly memory = new Memory();
  substate: Substate;
  environment: Environment;
  prices: Prices;
  request: FrameRequest = NO_REQUEST;
  program: Program;
  /** Words on the stack */
  height = 0;
  gas = 0;
  /** The execution asks whether to wait once the gas is below this. */
  pauseBelow = 0;
  pc = 0;
  /** Call data; a creation has none. */
  input: Bytes = EMPTY_BYTES;
  returnData: Bytes = EMPTY_BYTES;
  output: Bytes = EMPTY_BYTES;
  failure = "";
  /** The frame that the last instruction asks for */
  wanted: FrameRequest = NO_REQUEST;
  /** Where the substate's journal stood when the frame was opened */
  mark = 0;
  #slots: Slots | undefined;

  constructor({ substate, environment, prices }: FrameWorld, program: Program) {
    this.substate = substate;
    this.environment = environment;
    this.prices = prices;
    this.program = program;
  }

  /** A frame of this world: one that another has done with, or a new one. */
  static take(world: FrameWorld, program: Program): Frame {
    const frame = spare.pop();
    if (frame === undefined) return new Frame(world, program);
    frame.substate = world.substate;
    frame.environment = world.environment;
    frame.prices = world.prices;
    return frame;
  }

  /** Gives the frame to whoever takes one next; it holds on to nothing large. */
  giveBack(): void {
    if (spare.length >= MAX_SPARE) return;
    this.request = NO_REQUEST;
    this.wanted = NO_REQUEST;
    this.input = EMPTY_BYTES;
    this.returnData = EMPTY_BYTES;
    this.output = EMPTY_BYTES;
    this.memory.shrink();
    spare.push(this);
  }

  /** Starts on `request` with nothing left of the frame before. */
  open(request: FrameRequest, program: Program, mark: number): void {
    this.request = request;
    this.program = program;
    this.mark = mark;
    this.height = 0;
    this.gas = request.gas;
    this.pc = 0;
    this.input = request.kind === "create" ? EMPTY_BYTES : request.input;
    this.returnData = EMPTY_BYTES;
    this.output = EMPTY_BYTES;
    this.failure = "";
    this.memory.reset();
    this.#slots = undefined;
  }

  /** Storage slots of the account that runs, as far as the transaction has met them. */
  get slots(): Slots {
    this.#slots ??= this.substate.slotsOf(this.request.address);
    return this.#slots;
  }

  /** The word `depth` below the top, which the block's stack check has shown to be there. */
  peek(depth: number): Word {
    return this.stack[this.height - 1 - depth] ?? 0;
  }

  /** Takes the top word. */
  pop(): Word {
    this.height--;
    return this.stack[this.height] ?? 0;
  }

  /** Puts a word on the stack. */
  push(word: Word): void {
    this.stack[this.height++] = word;
  }

  /** Pays for a block and checks the stack for it; false when the frame fails. */
  enter(block: CodeBlock): boolean {
    this.gas -= block.gas;
    this.pc = block.end;
    if (this.gas >= 0 && this.height >= block.needs && this.height <= block.room) return true;
    if (this.gas < 0) this.failure = "out of gas";
    else this.failure = this.height < block.needs ? "stack underflow" : "stack overflow";
    return false;
  }

  /** Ends the frame without output. */
  stop(): Signal {
    this.output = EMPTY_BYTES;
    return STOPPED;
  }

  /** Ends the frame with an exceptional halt. */
  fail(failure: string): Signal {
    this.failure = failure;
    return FAILED;
  }

  /** Pays `gas`; false when there is not enough. */
  pay(gas: number): boolean {
    this.gas -= gas;
    return this.gas >= 0;
  }

  /**
   * Pays for the memory to hold `length` bytes at `offset` and gives the offset, -1 when the gas does not reach. Where
   * the length is 0 the offset does not matter, and is 0.
   */
  reach(offset: Word, length: Word): number {
    if (length === 0) return 0;
    if (typeof offset !== "number" || typeof length !== "number") return -1;
    const { memory } = this;
    const end = offset + length;
    if (end <= memory.size) return offset;
    if (end > MAX_NUMBER) return -1;
    const cost = memory.costTo(end);
    if (!this.pay(cost)) return -1;
    memory.growTo(end, cost);
    return offset;
  }
}

/**
 * Frames that no EVM uses: making one costs as much as a short call does. There is one thread, so there is one list.
 */
const spare: Frame[] = [];
const MAX_SPARE = 128;

const NO_REQUEST: FrameRequest = {
  kind: "call",
  depth: 0,
  caller: ZERO_ADDRESS,
  address: ZERO_ADDRESS,
  codeAddress: ZERO_ADDRESS,
  value: 0,
  transfers: false,
  input: EMPTY_BYTES,
  gas: 0,
  isStatic: false,
  outputOffset: 0,
  outputLength: 0,
};

/** Filled, so that no store grows it, and with a bigint in it once, so that it keeps one representation. */
function newStack(): Word[] {
  const stack = new Array<Word>(STACK_LIMIT).fill(1n);
  return stack.fill(0);
}
