/** Programs of contracts that ran lately, by code hash: their blocks are read once. */
import type { Bytes } from "../../primitives/bytes.ts";
import type { Hash } from "../../primitives/hex.ts";
import { type InstructionSet, Program } from "./program.ts";

/** Bytes of code whose programs are kept; a program takes some 10 to 100 times that where all of it has run. */
const MAX_CODE_BYTES = 8 * 2 ** 20;

/** Bounded by bytes of code; the oldest leave first. */
export class ProgramCache {
  readonly #set: InstructionSet;
  readonly #programs = new Map<Hash, Program>();
  #codeBytes = 0;

  constructor(set: InstructionSet) {
    this.#set = set;
  }

  /** The program of code with this hash. */
  get(codeHash: Hash, code: Bytes): Program {
    const known = this.#programs.get(codeHash);
    if (known !== undefined) return known;
    const program = new Program(code, this.#set);
    this.#programs.set(codeHash, program);
    this.#codeBytes += code.length;
    this.#evict();
    return program;
  }

  #evict(): void {
    for (const [codeHash, { code }] of this.#programs) {
      if (this.#codeBytes <= MAX_CODE_BYTES) return;
      this.#programs.delete(codeHash);
      this.#codeBytes -= code.length;
    }
  }
}
