/**
 * mcl, compiled to WebAssembly, by its C interface: a module with one curve, and its memory. Elements come in as contracts write
 * them, are checked, and are worked on in place. Nothing here is secret, and nothing takes the same time for all inputs.
 */
import { type Bytes, bigIntToBytes, padBytes } from "../primitives/bytes.ts";
import { assert, NodeError } from "../primitives/errors.ts";

type CurveErrorReason =
  | { readonly code: "NOT_IN_FIELD" }
  | { readonly code: "NOT_ON_CURVE" }
  | { readonly code: "NOT_IN_SUBGROUP" }
  | { readonly code: "WRONG_LENGTH"; readonly length: number };

/** Bytes that are no point, or no element of the field. */
export class CurveError extends NodeError<CurveErrorReason> {}

/** How contracts write the points of a curve. */
export interface CurveForm {
  /** mcl's number of the curve */
  readonly id: 4 | 5;
  /** Order of the field */
  readonly prime: bigint;
  /** Bytes of a field element, and of the zeros and the element in a contract's input. */
  readonly fieldBytes: number;
  readonly wordBytes: number;
  readonly firstPart: "real" | "imaginary";
  /** Whether G1 is a part of its curve only; G2 always is. */
  readonly hasCofactor1: boolean;
}

/** A place in the module's memory. */
export type Pointer = number;

export type Test = (x: Pointer) => number;
export type Unary = (y: Pointer, x: Pointer) => void;
export type Binary = (z: Pointer, x: Pointer, y: Pointer) => void;
type Input = (x: Pointer, bytes: Pointer, length: number) => number;
export type GroupName = "G1" | "G2";
type Groups<Name extends string, F> = Readonly<Record<`_mclBn${GroupName}_${Name}`, F>>;

/** What is used of mcl's C interface (mcl/bn.h). Results come first; coordinates are 48 bytes for every curve. */
export interface MclModule
  extends Groups<"isValid" | "isValidOrder" | "isZero", Test>,
    Groups<"clear", (x: Pointer) => void>,
    Groups<"normalize" | "neg", Unary>,
    Groups<"add", Binary>,
    Groups<"mulVec", (z: Pointer, xs: Pointer, ys: Pointer, length: number) => void> {
  readonly wasmMemory: { readonly buffer: ArrayBuffer };
  _malloc(length: number): Pointer;
  _mclBn_init(curve: number, compiledTimeVar: number): number;
  _mclBn_setMapToMode(mode: number): number;
  _mclBn_verifyOrderG1(isVerified: number): void;
  _mclBn_verifyOrderG2(isVerified: number): void;
  readonly _mclBnFr_setBigEndianMod: Input;
  readonly _mclBnFp_setBigEndianMod: Input;
  _mclBnFp_setInt32(x: Pointer, value: number): void;
  readonly _mclBnFr_neg: Unary;
  readonly _mclBnFp_sqr: Unary;
  readonly _mclBnFp_neg: Unary;
  readonly _mclBnFp_add: Binary;
  readonly _mclBnFp_mul: Binary;
  /** 0 if there is a root */
  readonly _mclBnFp_squareRoot: (y: Pointer, x: Pointer) => number;
  /** Whether it is larger than its negative. */
  readonly _mclBnFp_isNegative: Test;
  _mclBnFp_serialize(bytes: Pointer, length: number, x: Pointer): number;
  readonly _mclBnFp_mapToG1: (y: Pointer, x: Pointer) => number;
  readonly _mclBnFp2_mapToG2: (y: Pointer, x: Pointer) => number;
  _mclBn_millerLoopVec(z: Pointer, xs: Pointer, ys: Pointer, length: number): void;
  /** What the Miller loop needs of a point of G2, in words of 8 bytes. */
  _mclBn_getUint64NumToPrecompute(): number;
  readonly _mclBn_precomputeG2: Unary;
  /** The product of the Miller loops of P1 with Q1 and of P2 with Q2, both of Q prepared; no point is at infinity. */
  _mclBn_precomputedMillerLoop2: (
    ...args: [z: Pointer, p1: Pointer, prepared1: Pointer, p2: Pointer, prepared2: Pointer]
  ) => void;
  readonly _mclBn_finalExp: Unary;
  readonly _mclBnGT_mul: Binary;
  readonly _mclBnGT_isOne: Test;
}

/** MCLBN_FR_UNIT_SIZE · 10 + MCLBN_FP_UNIT_SIZE: the sizes that the module was compiled for, in words of 8 bytes. */
const COMPILED_TIME_VAR = 46;
/** The maps to the curve of RFC 9380, as EIP-2537 has them. */
const MAP_TO_MODE_RFC9380 = 5;
/** Bytes of a field element in memory, for every curve. */
export const ELEMENT_BYTES = 48;
/** A point of G2, the longest input, in words of 64 bytes. */
const SCRATCH_BYTES = 256;

/** Starts a module for the curve. Rejects where WebAssembly does not run. */
export async function startMcl(form: CurveForm): Promise<MclModule> {
  const { default: createModule } = await import("mcl-wasm/dist/mcl_c.js");
  // the package offers the factory, but its own interface keeps one module, and so one curve, for everybody
  const module: MclModule = await createModule({
    cryptoGetRandomValues: () => assert(false, "no random numbers are drawn"),
  });
  assert(module._mclBn_init(form.id, COMPILED_TIME_VAR) === 0, "the module has this curve");
  module._mclBn_setMapToMode(MAP_TO_MODE_RFC9380);
  // `isValid` shall say whether a point is on the curve, no more
  module._mclBn_verifyOrderG1(0);
  module._mclBn_verifyOrderG2(0);
  return module;
}

/** The module's memory: elements and scalars in and out. */
export class MclMemory {
  readonly form: CurveForm;
  readonly #module: MclModule;
  readonly #prime: Bytes;
  readonly #scratch: Pointer;
  /** 1 as mcl has it, and zeros: one of the field and of its extension. */
  readonly #one: Pointer;
  #view: Bytes;

  constructor(module: MclModule, form: CurveForm) {
    this.form = form;
    this.#module = module;
    this.#view = new Uint8Array(module.wasmMemory.buffer);
    this.#prime = padBytes(bigIntToBytes(form.prime), form.wordBytes);
    this.#scratch = this.allocate(SCRATCH_BYTES);
    this.#one = this.allocate(2 * ELEMENT_BYTES);
    this.#bytes().fill(0, this.#one, this.#one + 2 * ELEMENT_BYTES);
    module._mclBnFp_setInt32(this.#one, 1);
  }

  allocate(length: number): Pointer {
    const pointer = this.#module._malloc(length);
    assert(pointer !== 0, "the module has memory for some points");
    return pointer;
  }

  /** Puts the words of `input` into memory as elements one after the other. Throws CurveError. */
  elements(target: Pointer, input: Bytes): void {
    const { wordBytes, fieldBytes, firstPart } = this.form;
    const count = input.length / wordBytes;
    // coordinates of two parts are the only ones that can be turned
    const turned = count > 2 && firstPart === "imaginary" ? 1 : 0;
    this.#bytes().set(input, this.#scratch);
    for (let i = 0; i < count; i++) {
      this.#demandField(input, i * wordBytes);
      const bytes = this.#scratch + (i + 1) * wordBytes - fieldBytes;
      const element = target + (i ^ turned) * ELEMENT_BYTES;
      this.#module._mclBnFp_setBigEndianMod(element, bytes, fieldBytes);
    }
  }

  /** Elements as words. */
  words(source: Pointer, count: number): Bytes {
    const { wordBytes, fieldBytes, firstPart } = this.form;
    const turned = count > 2 && firstPart === "imaginary" ? 1 : 0;
    const words = new Uint8Array(count * wordBytes);
    for (let i = 0; i < count; i++) {
      const element = source + (i ^ turned) * ELEMENT_BYTES;
      this.#module._mclBnFp_serialize(this.#scratch, SCRATCH_BYTES, element);
      const bytes = this.#bytes();
      // the least byte first
      for (let at = 0; at < fieldBytes; at++)
        words[(i + 1) * wordBytes - 1 - at] = bytes[this.#scratch + at] ?? 0;
    }
    return words;
  }

  /** A scalar of 32 bytes modulo the group's order. */
  scalar(target: Pointer, bytes: Bytes): void {
    this.#bytes().set(bytes, this.#scratch);
    this.#module._mclBnFr_setBigEndianMod(target, this.#scratch, bytes.length);
  }

  one(target: Pointer, length: number): void {
    this.#bytes().copyWithin(target, this.#one, this.#one + length);
  }

  /** mcl reduces what is above the prime, which must not count as an element. */
  #demandField(input: Bytes, start: number): void {
    const prime = this.#prime;
    for (let i = 0; i < prime.length; i++) {
      const difference = (input[start + i] ?? 0) - (prime[i] ?? 0);
      if (difference < 0) return;
      if (difference > 0) break;
    }
    throw new CurveError({ code: "NOT_IN_FIELD" });
  }

  /** A view of the memory; the old one is empty after the memory has grown. */
  #bytes(): Bytes {
    if (this.#view.length === 0) this.#view = new Uint8Array(this.#module.wasmMemory.buffer);
    return this.#view;
  }
}
