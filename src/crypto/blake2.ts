/**
 * The compression function F of BLAKE2b with any number of rounds, for the precompile at 0x09, where a round costs one gas:
 * 16 million of them may stand in one transaction. A WebAssembly module is assembled from the algorithm's own tables at the
 * first use. Sources: RFC 7693, section 3; EIP-152.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { constant32, constant64, get, load, op, set, startModule, store, tee } from "./wasm.ts";

const WORD_BYTES = 8;
const STATE_BYTES = 64;
const MESSAGE_WORDS = 16;
const MESSAGE_BYTES = MESSAGE_WORDS * WORD_BYTES;
const COUNTER_BYTES = 16;
/** The work vector is two states long. */
const VECTOR_BYTES = 2 * STATE_BYTES;
/** Word 12 of the vector takes the counter, word 14 the flag. */
const COUNTER_AT = 12 * WORD_BYTES;
const FLAG_AT = 14 * WORD_BYTES;

/** Whole tens, so that the order of words goes on; V8 puts its faster code in place of the first from one call to the next. */
const CHUNK_ROUNDS = 10_000;

// Local variables: the parameter, then 64-bit words.
const ROUNDS = 0;
const V = 1;
const M = V + 16;

/** Word order of each round's message; after the tenth it begins again. RFC 7693, section 2.7. */
const SIGMA = [
  "0123456789abcdef",
  "ea489fd61c02b753",
  "b8c052fdae367194",
  "7931dcbe265a40f8",
  "905724afe1bc683d",
  "2c6a0b834d75fe19",
  "c51fed4a0763928b",
  "db7ec13950f4862a",
  "6fe9b308c2d714a5",
  "a2847615fb9e3cd0",
];

/** Which words of the vector the eight mixings of a round take: columns, then diagonals. RFC 7693, section 3.2. */
const MIXINGS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** The first 64 bits of the fractions of the square roots of 2, 3, 5, 7, 11, 13, 17 and 19. RFC 7693, section 2.6. */
const IV = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];

type Module = ReturnType<typeof startModule>;
let started: Module | undefined;

/** What F works on; all words are little-endian. */
export interface Blake2Input {
  /** 0 to 2^32 - 1 */
  readonly rounds: number;
  /** 64 bytes */
  readonly state: Bytes;
  /** 128 bytes */
  readonly message: Bytes;
  /** 16 bytes: how many have been hashed, with this message */
  readonly counter: Bytes;
  readonly isLast: boolean;
}

/** The next state, 64 bytes. */
export function blake2Compress({ rounds, state, message, counter, isLast }: Blake2Input): Bytes {
  started ??= startModule({ locals32: 0, locals64: 16 + MESSAGE_WORDS, code: roundsCode() });
  const { memory, run } = started;
  const view = new DataView(memory.buffer);
  memory.set(state);
  for (const [i, word] of IV.entries()) view.setBigUint64(STATE_BYTES + i * WORD_BYTES, word, true);
  xorInto(memory, COUNTER_AT, counter.subarray(0, COUNTER_BYTES));
  if (isLast) xorInto(memory, FLAG_AT, new Uint8Array(WORD_BYTES).fill(0xff));
  memory.set(message.subarray(0, MESSAGE_BYTES), VECTOR_BYTES);
  for (let left = rounds; left > 0; left -= CHUNK_ROUNDS) run(Math.min(left, CHUNK_ROUNDS));
  const next = memory.slice(0, STATE_BYTES);
  xorInto(next, 0, memory.subarray(STATE_BYTES, VECTOR_BYTES));
  xorInto(next, 0, state);
  return next;
}

function xorInto(target: Bytes, at: number, bytes: Bytes): void {
  for (let i = 0; i < bytes.length; i++) target[at + i] = (target[at + i] ?? 0) ^ (bytes[i] ?? 0);
}

/** Reads vector and message from memory, mixes, and writes the vector back. */
function roundsCode(): number[] {
  const code: number[] = [];
  for (let i = 0; i < 16; i++) code.push(...load(i * WORD_BYTES), ...set(V + i));
  for (let i = 0; i < MESSAGE_WORDS; i++)
    code.push(...load(VECTOR_BYTES + i * WORD_BYTES), ...set(M + i));
  code.push(...op.block, ...get(ROUNDS), ...op.isZero32, ...op.branchIf, 0, ...op.loop);
  for (const order of SIGMA) {
    const words = Array.from(order, (digit) => Number.parseInt(digit, 16));
    for (const [i, mixing] of MIXINGS.entries())
      code.push(...mixingCode(mixing, [words[2 * i] ?? 0, words[2 * i + 1] ?? 0]));
    code.push(...get(ROUNDS), ...constant32(1), ...op.sub32, ...tee(ROUNDS));
    code.push(...op.isZero32, ...op.branchIf, 1);
  }
  code.push(...op.branch, 0, ...op.end, ...op.end);
  for (let i = 0; i < 16; i++) code.push(...store(i * WORD_BYTES, V + i));
  return code;
}

/** G of RFC 7693, section 3.1: twice, with another word of the message and other rotations. */
function mixingCode(
  [a, b, c, d]: (typeof MIXINGS)[number],
  [x, y]: readonly [number, number],
): number[] {
  const half = (word: number, first: number, second: number) => [
    ...[...get(V + a), ...get(V + b), ...op.add, ...get(M + word), ...op.add, ...set(V + a)],
    ...turned(d, a, first),
    ...[...get(V + c), ...get(V + d), ...op.add, ...set(V + c)],
    ...turned(b, c, second),
  ];
  return [...half(x, 32, 24), ...half(y, 16, 63)];
}

/** v[to] = (v[to] ^ v[by]) >>> bits */
function turned(to: number, by: number, bits: number): number[] {
  const xor = [...get(V + to), ...get(V + by), ...op.xor];
  return [...xor, ...constant64(bits), ...op.rotateRight, ...set(V + to)];
}
