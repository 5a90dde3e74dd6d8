/**
 * Keccak-f[1600] as a WebAssembly module that is assembled here, from the permutation's own tables: one round in 60
 * local variables, looped 24 times per block. The module hashes whole blocks from its memory; padding is done outside.
 * Sources: FIPS 202, sections 3.2 and 3.3; WebAssembly core specification, section 5 (binary format).
 */
import type { Bytes } from "../primitives/bytes.ts";
import {
  constant32,
  constant64,
  get,
  load,
  op,
  set,
  startModule,
  store,
  tee,
  unsigned,
} from "./wasm.ts";

/** Bytes of a block of Keccak-256. */
export const RATE_BYTES = 136;
/** Where the module wants the blocks. */
export const INPUT_OFFSET = 512;
/** Blocks that fit in its memory at a time. */
export const MAX_BLOCKS = Math.floor((65_536 - INPUT_OFFSET) / RATE_BYTES);

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

/** Assembles and starts the module. Throws where there is no WebAssembly. */
export function startKeccakModule(): KeccakModule {
  const data = { offset: CONSTANTS_OFFSET, bytes: roundConstants() };
  const { memory, run } = startModule({
    locals32: 2,
    locals64: LOCALS_64,
    code: absorbCode(),
    data,
  });
  return { memory, absorb: run };
}

function absorbCode(): number[] {
  const code: number[] = [];
  for (let i = 0; i < LANES; i++) code.push(...load(i * LANE_BYTES), ...set(A + i));
  code.push(...constant32(INPUT_OFFSET), ...set(POINTER), ...op.loop);
  for (let i = 0; i < RATE_LANES; i++) {
    code.push(...get(POINTER), ...op.load64, ...unsigned(i * LANE_BYTES));
    code.push(...get(A + i), ...op.xor, ...set(A + i));
  }
  code.push(...constant32(0), ...set(ROUND), ...op.loop, ...roundCode());
  code.push(...get(ROUND), ...constant32(LANE_BYTES), ...op.add32, ...tee(ROUND));
  code.push(...constant32(ROUNDS * LANE_BYTES), ...op.less32, ...op.branchIf, 0, ...op.end);
  code.push(...get(POINTER), ...constant32(RATE_BYTES), ...op.add32, ...set(POINTER));
  code.push(...get(BLOCKS), ...constant32(1), ...op.sub32, ...tee(BLOCKS));
  code.push(...op.branchIf, 0, ...op.end);
  for (let i = 0; i < LANES; i++) code.push(...store(i * LANE_BYTES, A + i));
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
    if (i === 0) code.push(...get(ROUND), ...op.load64, ...unsigned(CONSTANTS_OFFSET), ...op.xor);
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
