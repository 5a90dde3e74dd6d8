/**
 * Keccak-f[1600] as a WebAssembly module that is assembled here, from the permutation's own tables: one round in 60
 * local variables, looped 24 times per block. The module hashes whole blocks from its memory; padding is done outside.
 * Sources: FIPS 202, sections 3.2 and 3.3; WebAssembly core specification, section 5 (binary format).
 */
import type { Bytes } from "../primitives/bytes.ts";

/** Bytes of a block of Keccak-256. */
export const RATE_BYTES = 136;
/** Where the module wants the blocks. */
export const INPUT_OFFSET = 512;
/** Blocks that fit in its memory at a time. */
export const MAX_BLOCKS = Math.floor((65_536 - INPUT_OFFSET) / RATE_BYTES);

/** What is used of WebAssembly: its types come with those of web pages, which the project does without. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** The module's exports. The state is the 25 lanes at offset 0, little-endian, kept from call to call. */
export interface KeccakModule {
  /** The module's memory, one page */
  readonly memory: Bytes;
  /** Takes in `blocks` blocks, at least one. */
  absorb(blocks: number): void;
}

const LANES = 25;
const ROUNDS = 24;
const LANE_BYTES = 8;
const RATE_LANES = RATE_BYTES / LANE_BYTES;
/** Where the round constants are. */
const CONSTANTS_OFFSET = 256;

// Local variables: the parameter, two pointers, then 64-bit lanes.
const BLOCKS = 0;
const POINTER = 1;
const ROUND = 2;
const A = 3;
const B = A + LANES;
const C = B + LANES;
const D = C + 5;
const LOCALS_64 = 2 * LANES + 10;

const op = {
  loop: [0x03, 0x40],
  end: [0x0b],
  branchIf: [0x0d],
  add32: [0x6a],
  sub32: [0x6b],
  less32: [0x49],
  and: [0x83],
  xor: [0x85],
  rotateLeft: [0x89],
} as const;

/** Assembles and starts the module. Throws where there is no WebAssembly. */
export function startKeccakModule(): KeccakModule {
  const api: WebAssemblyApi = Reflect.get(globalThis, "WebAssembly");
  const { memory, absorb } = new api.Instance(new api.Module(assemble())).exports;
  const buffer = typeof memory === "object" && memory !== null && Reflect.get(memory, "buffer");
  if (!(buffer instanceof ArrayBuffer) || typeof absorb !== "function") {
    throw new TypeError("the module exports something else");
  }
  return { memory: new Uint8Array(buffer), absorb: (blocks) => void absorb(blocks) };
}

function assemble(): Bytes {
  const i32 = 0x7f;
  const i64 = 0x7e;
  const body = [...[2, 2, i32, LOCALS_64, i64], ...absorbCode(), ...op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, i32, 0]), // type 0: one i32 in, nothing out
    ...section(3, [1, 0]), // function 0 has type 0
    ...section(5, [1, 0, 1]), // one memory of one page
    ...section(7, [2, ...name("memory"), 2, 0, ...name("absorb"), 0, 0]),
    ...section(10, [1, ...sized(body)]),
    ...section(11, [1, 0, ...constant32(CONSTANTS_OFFSET), ...op.end, ...sized(roundConstants())]),
  ]);
}

function absorbCode(): number[] {
  const code: number[] = [];
  for (let i = 0; i < LANES; i++) code.push(...load(i * LANE_BYTES), ...set(A + i));
  code.push(...constant32(INPUT_OFFSET), ...set(POINTER), ...op.loop);
  for (let i = 0; i < RATE_LANES; i++) {
    code.push(...get(POINTER), 0x29, 0, ...unsigned(i * LANE_BYTES));
    code.push(...get(A + i), ...op.xor, ...set(A + i));
  }
  code.push(...constant32(0), ...set(ROUND), ...op.loop, ...roundCode());
  code.push(...get(ROUND), ...constant32(LANE_BYTES), ...op.add32, 0x22, ROUND);
  code.push(...constant32(ROUNDS * LANE_BYTES), ...op.less32, ...op.branchIf, 0, ...op.end);
  code.push(...get(POINTER), ...constant32(RATE_BYTES), ...op.add32, ...set(POINTER));
  code.push(...get(BLOCKS), ...constant32(1), ...op.sub32, 0x22, BLOCKS);
  code.push(...op.branchIf, 0, ...op.end);
  for (let i = 0; i < LANES; i++) {
    code.push(...constant32(i * LANE_BYTES), ...get(A + i), 0x37, 0, 0);
  }
  return code;
}

/** One round: theta, rho and pi from A to B, chi and iota back to A. */
function roundCode(): number[] {
  const code: number[] = [];
  for (let x = 0; x < 5; x++) {
    code.push(...get(A + x));
    for (let y = 1; y < 5; y++) code.push(...get(A + x + 5 * y), ...op.xor);
    code.push(...set(C + x));
  }
  for (let x = 0; x < 5; x++) {
    code.push(...get(C + ((x + 1) % 5)), ...constant64(1), ...op.rotateLeft);
    code.push(...get(C + ((x + 4) % 5)), ...op.xor, ...set(D + x));
  }
  const offsets = rotationOffsets();
  for (let x = 0; x < 5; x++) {
    for (let y = 0; y < 5; y++) {
      const from = x + 5 * y;
      const to = y + 5 * ((2 * x + 3 * y) % 5);
      code.push(...get(A + from), ...get(D + x), ...op.xor);
      code.push(...constant64(offsets[from] ?? 0), ...op.rotateLeft, ...set(B + to));
    }
  }
  for (let i = 0; i < LANES; i++) {
    const row = i - (i % 5);
    const next = row + ((i + 1) % 5);
    const afterNext = row + ((i + 2) % 5);
    code.push(...get(B + next), ...constant64(-1), ...op.xor, ...get(B + afterNext), ...op.and);
    code.push(...get(B + i), ...op.xor);
    if (i === 0) code.push(...get(ROUND), 0x29, 0, ...unsigned(CONSTANTS_OFFSET), ...op.xor);
    code.push(...set(A + i));
  }
  return code;
}

/** FIPS 202, section 3.2.2. */
function rotationOffsets(): number[] {
  const offsets = new Array<number>(LANES).fill(0);
  let [x, y] = [1, 0];
  for (let t = 0; t < LANES - 1; t++) {
    offsets[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return offsets;
}

/** FIPS 202, section 3.2.5, as bytes. */
function roundConstants(): number[] {
  const bytes: number[] = [];
  let register = 1;
  for (let round = 0; round < ROUNDS; round++) {
    let constant = 0n;
    for (let j = 0; j <= 6; j++) {
      if ((register & 1) === 1) constant |= 1n << BigInt(2 ** j - 1);
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
    for (let i = 0; i < LANE_BYTES; i++) bytes.push(Number((constant >> BigInt(8 * i)) & 0xffn));
  }
  return bytes;
}

function get(local: number): number[] {
  return [0x20, local];
}

function set(local: number): number[] {
  return [0x21, local];
}

/** The lane at a fixed offset. */
function load(offset: number): number[] {
  return [...constant32(0), 0x29, 0, ...unsigned(offset)];
}

function constant32(value: number): number[] {
  return [0x41, ...signed(value)];
}

function constant64(value: number): number[] {
  return [0x42, ...signed(value)];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return sized([...new TextEncoder().encode(text)]);
}

/** LEB128 */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128 */
function signed(value: number): number[] {
  const isLast = value >= -64 && value < 64;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
