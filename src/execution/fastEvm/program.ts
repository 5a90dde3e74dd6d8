/**
 * Code made ready to run: split into blocks, each with the gas, the stack and the instructions of a stretch that runs
 * from its first instruction to its last or fails. A block is made when it is first reached, so that code costs what of
 * it runs. Gas and stack are checked once per block: an instruction that sees the gas left (GAS, calls, SSTORE) ends one,
 * and a frame that fails has neither effects nor gas left, so nobody can see that it failed a few instructions early.
 * A later compiler takes a block, or several, and puts one handler of its own in place of theirs (decisions/0040).
 */
import type { Bytes } from "../../primitives/bytes.ts";
import { type Frame, JUMPED, NEXT, type Signal, STACK_LIMIT } from "./frame.ts";
import { bytesToWord, type Word } from "./word.ts";

/** Does an instruction; gas and stack of the block are checked. `argument`: of PUSH the word, of PC the position. */
export type Handler = (frame: Frame, argument: Word) => Signal;

/** One opcode under one fork. */
export interface Instruction {
  readonly name: string;
  /** Gas that is known beforehand */
  readonly gas: number;
  /** Words it takes */
  readonly pops: number;
  /** Words it leaves */
  readonly pushes: number;
  readonly run: Handler;
  /** "block": a new block follows, since it sees or takes gas; "path": nothing follows */
  readonly ends?: "block" | "path" | undefined;
}

/** The opcodes of a fork; undefined ones are invalid. */
export type InstructionSet = readonly (Instruction | undefined)[];

/** A stretch of code without a way in but at its start. */
export interface CodeBlock {
  readonly gas: number;
  /** Words that must be on the stack */
  readonly needs: number;
  /** Most words that may be on the stack, else it overflows */
  readonly room: number;
  readonly handlers: readonly Handler[];
  readonly args: readonly Word[];
  /** Position after the block */
  readonly end: number;
}

const JUMPDEST = 0x5b;
const JUMP = 0x56;
const JUMPI = 0x57;
const PUSH0 = 0x5f;
const PUSH1 = 0x60;
const PUSH32 = 0x7f;
const JUMP_GAS = 8;
const JUMPI_GAS = 10;

/** Code and what is known about it. */
export class Program {
  readonly code: Bytes;
  readonly #set: InstructionSet;
  /** Position -> index into #blocks, plus 1 */
  readonly #index: Uint16Array | Uint32Array;
  readonly #blocks: CodeBlock[] = [];
  #destinations: Uint8Array | undefined;

  constructor(code: Bytes, set: InstructionSet) {
    this.code = code;
    this.#set = set;
    const size = code.length + 1;
    this.#index = code.length < 2 ** 16 ? new Uint16Array(size) : new Uint32Array(size);
  }

  /** The block at `position`, which is in the code or just behind it. */
  blockAt(position: number): CodeBlock {
    const index = this.#index[position] ?? 0;
    const known = index === 0 ? undefined : this.#blocks[index - 1];
    if (known !== undefined) return known;
    const block = new BlockReader(this, this.#set).read(position);
    this.#index[position] = this.#blocks.push(block);
    return block;
  }

  /** Whether a jump may go to `position`: there is a JUMPDEST, and not in the bytes of a PUSH. */
  isDestination(position: Word): boolean {
    if (typeof position !== "number" || this.code[position] !== JUMPDEST) return false;
    this.#destinations ??= destinationsOf(this.code);
    return this.#destinations[position] === 1;
  }
}

function destinationsOf(code: Bytes): Uint8Array {
  const found = new Uint8Array(code.length);
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at] ?? 0;
    if (opcode === JUMPDEST) found[at] = 1;
    else if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH0;
  }
  return found;
}

/** Reads one block. */
class BlockReader {
  readonly #program: Program;
  readonly #set: InstructionSet;
  readonly #handlers: Handler[] = [];
  readonly #args: Word[] = [];
  #gas = 0;
  #height = 0;
  #lowest = 0;
  #highest = 0;

  constructor(program: Program, set: InstructionSet) {
    this.#program = program;
    this.#set = set;
  }

  read(start: number): CodeBlock {
    const { code } = this.#program;
    let at = start;
    while (at < code.length) {
      const opcode = code[at] ?? 0;
      if (opcode === JUMPDEST && at > start) break;
      const instruction = this.#set[opcode];
      if (instruction === undefined) {
        this.#emit(invalidOpcode, 0);
        break;
      }
      this.#count(instruction);
      const next = at + 1 + pushedBytes(opcode);
      if (this.#joinJump(at, next)) {
        at = next + 1;
        break;
      }
      this.#emit(instruction.run, this.#argumentOf(opcode, at));
      at = next;
      if (instruction.ends !== undefined) break;
    }
    if (at >= code.length) this.#emit(stopAtEnd, 0);
    return {
      gas: this.#gas,
      needs: -this.#lowest,
      room: STACK_LIMIT - this.#highest,
      handlers: this.#handlers,
      args: this.#args,
      end: Math.min(at, code.length),
    };
  }

  #emit(handler: Handler, argument: Word): void {
    this.#handlers.push(handler);
    this.#args.push(argument);
  }

  #count({ gas, pops, pushes }: Pick<Instruction, "gas" | "pops" | "pushes">): void {
    this.#gas += gas;
    this.#lowest = Math.min(this.#lowest, this.#height - pops);
    this.#height += pushes - pops;
    this.#highest = Math.max(this.#highest, this.#height);
  }

  /** PUSH and a jump, by far the most frequent pair, are one instruction with a destination that is known to be good. */
  #joinJump(at: number, next: number): boolean {
    const { code } = this.#program;
    const opcode = code[at] ?? 0;
    const jump = code[next];
    if (opcode < PUSH1 || opcode > PUSH32 || (jump !== JUMP && jump !== JUMPI)) return false;
    const destination = this.#argumentOf(opcode, at);
    if (!this.#program.isDestination(destination)) return false;
    const isConditional = jump === JUMPI;
    this.#count({
      gas: isConditional ? JUMPI_GAS : JUMP_GAS,
      pops: isConditional ? 2 : 1,
      pushes: 0,
    });
    this.#emit(isConditional ? jumpToIf : jumpTo, destination);
    return true;
  }

  #argumentOf(opcode: number, at: number): Word {
    const { code } = this.#program;
    const length = pushedBytes(opcode);
    if (length === 0) return at;
    const word = code.subarray(at + 1, at + 1 + length);
    if (word.length === length) return bytesToWord(word);
    const padded = new Uint8Array(length);
    padded.set(word);
    return bytesToWord(padded);
  }
}

function pushedBytes(opcode: number): number {
  return opcode >= PUSH1 && opcode <= PUSH32 ? opcode - PUSH0 : 0;
}

const jumpTo: Handler = (frame, destination) => {
  frame.pc = Number(destination);
  return JUMPED;
};

const jumpToIf: Handler = (frame, destination) => {
  if (frame.pop() === 0) return NEXT;
  frame.pc = Number(destination);
  return JUMPED;
};

const invalidOpcode: Handler = (frame) => frame.fail("invalid opcode");

/** Code that runs past its end stops. */
const stopAtEnd: Handler = (frame) => frame.stop();
