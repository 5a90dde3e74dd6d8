/**
 * A curve with pairings by mcl, compiled to WebAssembly. One module holds one curve, so each curve starts a module of its own from
 * the package's factory; its C interface works on the module's memory, which is laid out once here. Points come in as contracts
 * write them, are checked, and are worked on in place. Path: `group.read` bytes -> memory, `inSubgroup`, arithmetic,
 * `group.write` memory -> bytes. Nothing here is secret, and nothing takes the same time for all inputs.
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
interface CurveForm {
  /** mcl's number of the curve */
  readonly id: 4 | 5;
  /** Order of the field */
  readonly prime: bigint;
  /** Bytes of a field element, and of the zeros and the element in a contract's input. */
  readonly fieldBytes: number;
  readonly wordBytes: number;
  readonly firstPart: "real" | "imaginary";
}

/** A place in the module's memory. */
export type Pointer = number;

type Test = (x: Pointer) => number;
type Unary = (y: Pointer, x: Pointer) => void;
type Binary = (z: Pointer, x: Pointer, y: Pointer) => void;
type Input = (x: Pointer, bytes: Pointer, length: number) => number;
type GroupName = "G1" | "G2";
type Groups<Name extends string, F> = Readonly<Record<`_mclBn${GroupName}_${Name}`, F>>;

/** What is used of mcl's C interface (mcl/bn.h). Results come first; coordinates are 48 bytes for every curve. */
interface Module
  extends Groups<"isValid" | "isValidOrder" | "isZero", Test>,
    Groups<"clear", (x: Pointer) => void>,
    Groups<"normalize", Unary>,
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
  _mclBnFp_serialize(bytes: Pointer, length: number, x: Pointer): number;
  readonly _mclBnFp_mapToG1: (y: Pointer, x: Pointer) => number;
  readonly _mclBnFp2_mapToG2: (y: Pointer, x: Pointer) => number;
  _mclBn_millerLoopVec(z: Pointer, xs: Pointer, ys: Pointer, length: number): void;
  readonly _mclBn_finalExp: Unary;
  readonly _mclBnGT_mul: Binary;
  readonly _mclBnGT_isOne: Test;
}

/** MCLBN_FR_UNIT_SIZE · 10 + MCLBN_FP_UNIT_SIZE: the sizes that the module was compiled for, in words of 8 bytes. */
const COMPILED_TIME_VAR = 46;
/** The maps to the curve of RFC 9380, as EIP-2537 has them. */
const MAP_TO_MODE_RFC9380 = 5;
const ELEMENT_BYTES = 48;
const SCALAR_BYTES = 32;
const G1_BYTES = 3 * ELEMENT_BYTES;
const G2_BYTES = 2 * G1_BYTES;
const GT_BYTES = 12 * ELEMENT_BYTES;
/** Products summed in one go: more would save a few hundredths and cost memory. */
const MAX_TERMS = 256;
/** Pairings that share their squarings: more would save next to nothing. */
const MAX_PAIRS = 16;
/** A point of G2, the longest input, in words of 64 bytes. */
const SCRATCH_BYTES = 256;

/** Starts a module for the curve. Rejects where WebAssembly does not run. */
export async function startCurve(form: CurveForm): Promise<PairingCurve> {
  const { default: createModule } = await import("mcl-wasm/dist/mcl_c.js");
  // the package offers the factory, but its own interface keeps one module, and so one curve, for everybody
  const module: Module = await createModule({
    cryptoGetRandomValues: () => assert(false, "no random numbers are drawn"),
  });
  assert(module._mclBn_init(form.id, COMPILED_TIME_VAR) === 0, "the module has this curve");
  module._mclBn_setMapToMode(MAP_TO_MODE_RFC9380);
  // `isValid` shall say whether a point is on the curve, no more
  module._mclBn_verifyOrderG1(0);
  module._mclBn_verifyOrderG2(0);
  return new PairingCurve(module, form);
}

export class PairingCurve {
  readonly g1: Group;
  readonly g2: Group;
  readonly #module: Module;
  readonly #memory: Memory;
  readonly #scalars: Pointer;
  readonly #points1: Pointer;
  readonly #points2: Pointer;
  readonly #sum: Pointer;
  readonly #part: Pointer;

  constructor(module: Module, form: CurveForm) {
    this.#module = module;
    this.#memory = new Memory(module, form);
    this.g1 = new Group(module, this.#memory, "G1");
    this.g2 = new Group(module, this.#memory, "G2");
    this.#scalars = this.#memory.allocate(MAX_TERMS * SCALAR_BYTES);
    this.#points1 = this.#memory.allocate(MAX_PAIRS * G1_BYTES);
    this.#points2 = this.#memory.allocate(MAX_TERMS * G2_BYTES);
    this.#sum = this.#memory.allocate(GT_BYTES);
    this.#part = this.#memory.allocate(GT_BYTES);
  }

  /** P + Q of `P ‖ Q`, in the subgroup or not. */
  add(group: Group, input: Bytes): Bytes {
    demandLength(input.length === 2 * group.inputBytes, input);
    group.read(this.#sum, input);
    group.read(this.#part, input.subarray(group.inputBytes));
    group.code.add(this.#sum, this.#sum, this.#part);
    return group.write(this.#sum);
  }

  /** The sum of k·P of all `P ‖ k`, k of 32 bytes; points must be in the subgroup. */
  sumOfProducts(group: Group, input: Bytes): Bytes {
    const { code, inputBytes } = group;
    const stride = inputBytes + SCALAR_BYTES;
    demandLength(input.length % stride === 0, input);
    code.clear(this.#sum);
    let terms = 0;
    for (let at = 0; at < input.length; at += stride) {
      const point = this.#points2 + terms * group.pointBytes;
      if (group.read(point, input.subarray(at, at + inputBytes))) {
        group.demandSubgroup(point);
        const k = input.subarray(at + inputBytes, at + stride);
        this.#memory.scalar(this.#scalars + terms * SCALAR_BYTES, k);
        terms++;
      }
      if (terms === MAX_TERMS || (terms > 0 && at + stride === input.length)) {
        code.mulVec(this.#part, this.#points2, this.#scalars, terms);
        code.add(this.#sum, this.#sum, this.#part);
        terms = 0;
      }
    }
    return group.write(this.#sum);
  }

  /** Whether the product of the pairings of all `P ‖ Q`, P of G1 and Q of G2, is one; points must be in the subgroups. */
  isProductOne(input: Bytes): boolean {
    const { g1, g2 } = this;
    const stride = g1.inputBytes + g2.inputBytes;
    demandLength(input.length % stride === 0, input);
    let pairs = 0;
    let isEmpty = true;
    for (let at = 0; at < input.length; at += stride) {
      const p = this.#points1 + pairs * G1_BYTES;
      const q = this.#points2 + pairs * G2_BYTES;
      const hasP = g1.read(p, input.subarray(at, at + g1.inputBytes));
      const hasQ = g2.read(q, input.subarray(at + g1.inputBytes, at + stride));
      if (hasP) g1.demandSubgroup(p);
      if (hasQ) g2.demandSubgroup(q);
      if (hasP && hasQ) pairs++;
      if (pairs === MAX_PAIRS || (pairs > 0 && at + stride === input.length)) {
        this.#multiplyPairings(pairs, isEmpty);
        isEmpty = false;
        pairs = 0;
      }
    }
    if (isEmpty) return true;
    this.#module._mclBn_finalExp(this.#sum, this.#sum);
    return this.#module._mclBnGT_isOne(this.#sum) === 1;
  }

  #multiplyPairings(pairs: number, isFirst: boolean): void {
    const target = isFirst ? this.#sum : this.#part;
    this.#module._mclBn_millerLoopVec(target, this.#points1, this.#points2, pairs);
    if (!isFirst) this.#module._mclBnGT_mul(this.#sum, this.#sum, this.#part);
  }

  /** The point that an element of the field, or of its extension by two words, is mapped to. Source: RFC 9380. */
  map(group: Group, input: Bytes): Bytes {
    demandLength(input.length === group.inputBytes / 2, input);
    this.#memory.elements(this.#part, input);
    const map = group === this.g1 ? this.#module._mclBnFp_mapToG1 : this.#module._mclBnFp2_mapToG2;
    assert(map(this.#sum, this.#part) === 0, "every element is mapped");
    return group.write(this.#sum);
  }
}

/** The functions of one group. */
class Group {
  /** Bytes of a point as contracts write it. */
  readonly inputBytes: number;
  /** Bytes of a point in memory: three coordinates. */
  readonly pointBytes: number;
  readonly code: {
    readonly add: Binary;
    readonly clear: (x: Pointer) => void;
    readonly mulVec: Module["_mclBnG1_mulVec"];
  };
  readonly #memory: Memory;
  readonly #isValid: Test;
  readonly #isValidOrder: Test;
  readonly #isZero: Test;
  readonly #normalize: Unary;

  constructor(module: Module, memory: Memory, name: GroupName) {
    const degree = name === "G1" ? 1 : 2;
    this.inputBytes = 2 * degree * memory.form.wordBytes;
    this.pointBytes = 3 * degree * ELEMENT_BYTES;
    this.code = {
      add: module[`_mclBn${name}_add`],
      clear: module[`_mclBn${name}_clear`],
      mulVec: module[`_mclBn${name}_mulVec`],
    };
    this.#memory = memory;
    this.#isValid = module[`_mclBn${name}_isValid`];
    this.#isValidOrder = module[`_mclBn${name}_isValidOrder`];
    this.#isZero = module[`_mclBn${name}_isZero`];
    this.#normalize = module[`_mclBn${name}_normalize`];
  }

  /** Puts a point of the curve into memory; false for the point at infinity, which is written as zeros. Throws CurveError. */
  read(point: Pointer, input: Bytes): boolean {
    const bytes = input.subarray(0, this.inputBytes);
    if (bytes.every((byte) => byte === 0)) {
      this.code.clear(point);
      return false;
    }
    this.#memory.elements(point, bytes);
    this.#memory.one(point + (2 * this.pointBytes) / 3, this.pointBytes / 3);
    if (this.#isValid(point) !== 1) throw new CurveError({ code: "NOT_ON_CURVE" });
    return true;
  }

  /** Throws CurveError unless the point, which is on the curve, is in the subgroup. */
  demandSubgroup(point: Pointer): void {
    if (this.#isValidOrder(point) !== 1) throw new CurveError({ code: "NOT_IN_SUBGROUP" });
  }

  /** The affine coordinates of a point, which is changed to them. */
  write(point: Pointer): Bytes {
    if (this.#isZero(point) === 1) return new Uint8Array(this.inputBytes);
    this.#normalize(point, point);
    return this.#memory.words(point, (2 * this.pointBytes) / (3 * ELEMENT_BYTES));
  }
}

/** The module's memory: elements and scalars in and out. */
class Memory {
  readonly form: CurveForm;
  readonly #module: Module;
  readonly #prime: Bytes;
  readonly #scratch: Pointer;
  /** 1 as mcl has it, and zeros: one of the field and of its extension. */
  readonly #one: Pointer;
  #view: Bytes;

  constructor(module: Module, form: CurveForm) {
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

function demandLength(isRight: boolean, { length }: Bytes): void {
  if (!isRight) throw new CurveError({ code: "WRONG_LENGTH", length });
}
