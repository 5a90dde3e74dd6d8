/**
 * A curve with pairings, by mcl. Path: `group.read` bytes -> memory, `demandSubgroup` where it matters, arithmetic in place,
 * `group.write` memory -> bytes. Points are their affine coordinates as contracts write them, zeros are the point at infinity.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import {
  type Binary,
  CurveError,
  type CurveForm,
  ELEMENT_BYTES,
  type GroupName,
  MclMemory,
  type MclModule,
  type Pointer,
  startMcl,
  type Test,
  type Unary,
} from "./mcl.ts";

export const SCALAR_BYTES = 32;
export const G1_BYTES = 3 * ELEMENT_BYTES;
export const G2_BYTES = 2 * G1_BYTES;
export const GT_BYTES = 12 * ELEMENT_BYTES;
/** Products summed in one go: more would save a few hundredths and cost memory. */
const MAX_TERMS = 256;
/** Pairings that share their squarings: more would save next to nothing. */
const MAX_PAIRS = 16;

/** Starts a module for the curve. Rejects where WebAssembly does not run. */
export async function startCurve(form: CurveForm): Promise<PairingCurve> {
  return new PairingCurve(await startMcl(form), form);
}

export class PairingCurve {
  readonly g1: Group;
  readonly g2: Group;
  readonly module: MclModule;
  readonly memory: MclMemory;
  readonly #scalars: Pointer;
  readonly #points1: Pointer;
  readonly #points2: Pointer;
  readonly #sum: Pointer;
  readonly #part: Pointer;

  constructor(module: MclModule, form: CurveForm) {
    this.module = module;
    this.memory = new MclMemory(module, form);
    this.g1 = new Group(module, this.memory, "G1");
    this.g2 = new Group(module, this.memory, "G2");
    this.#scalars = this.memory.allocate(MAX_TERMS * SCALAR_BYTES);
    this.#points1 = this.memory.allocate(MAX_PAIRS * G1_BYTES);
    this.#points2 = this.memory.allocate(MAX_TERMS * G2_BYTES);
    this.#sum = this.memory.allocate(GT_BYTES);
    this.#part = this.memory.allocate(GT_BYTES);
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
        this.memory.scalar(this.#scalars + terms * SCALAR_BYTES, k);
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
    return this.isOne(this.#sum);
  }

  /** Whether a product of Miller loops, which is changed, is a product of pairings that is one. */
  isOne(product: Pointer): boolean {
    this.module._mclBn_finalExp(product, product);
    return this.module._mclBnGT_isOne(product) === 1;
  }

  #multiplyPairings(pairs: number, isFirst: boolean): void {
    const target = isFirst ? this.#sum : this.#part;
    this.module._mclBn_millerLoopVec(target, this.#points1, this.#points2, pairs);
    if (!isFirst) this.module._mclBnGT_mul(this.#sum, this.#sum, this.#part);
  }

  /** The point that an element of the field, or of its extension by two words, is mapped to. Source: RFC 9380. */
  map(group: Group, input: Bytes): Bytes {
    demandLength(input.length === group.inputBytes / 2, input);
    this.memory.elements(this.#part, input);
    const map = group === this.g1 ? this.module._mclBnFp_mapToG1 : this.module._mclBnFp2_mapToG2;
    assert(map(this.#sum, this.#part) === 0, "every element is mapped");
    return group.write(this.#sum);
  }
}

/** The functions of one group. */
export class Group {
  /** Bytes of a point as contracts write it. */
  readonly inputBytes: number;
  /** Bytes of a point in memory: three coordinates. */
  readonly pointBytes: number;
  readonly code: {
    readonly add: Binary;
    readonly neg: Unary;
    readonly isZero: Test;
    readonly clear: (x: Pointer) => void;
    readonly mulVec: MclModule["_mclBnG1_mulVec"];
  };
  readonly #memory: MclMemory;
  readonly #isValid: Test;
  readonly #isValidOrder: Test;
  readonly #hasCofactor: boolean;
  readonly #normalize: Unary;

  constructor(module: MclModule, memory: MclMemory, name: GroupName) {
    const degree = name === "G1" ? 1 : 2;
    this.inputBytes = 2 * degree * memory.form.wordBytes;
    this.pointBytes = 3 * degree * ELEMENT_BYTES;
    this.code = {
      add: module[`_mclBn${name}_add`],
      neg: module[`_mclBn${name}_neg`],
      isZero: module[`_mclBn${name}_isZero`],
      clear: module[`_mclBn${name}_clear`],
      mulVec: module[`_mclBn${name}_mulVec`],
    };
    this.#memory = memory;
    this.#isValid = module[`_mclBn${name}_isValid`];
    this.#hasCofactor = name === "G2" || memory.form.hasCofactor1;
    this.#isValidOrder = module[`_mclBn${name}_isValidOrder`];
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
    if (this.#hasCofactor && this.#isValidOrder(point) !== 1)
      throw new CurveError({ code: "NOT_IN_SUBGROUP" });
  }

  /** The affine coordinates of a point, which is changed to them. */
  write(point: Pointer): Bytes {
    if (this.code.isZero(point) === 1) return new Uint8Array(this.inputBytes);
    this.#normalize(point, point);
    return this.#memory.words(point, (2 * this.pointBytes) / (3 * ELEMENT_BYTES));
  }
}

function demandLength(isRight: boolean, { length }: Bytes): void {
  if (!isRight) throw new CurveError({ code: "WRONG_LENGTH", length });
}
