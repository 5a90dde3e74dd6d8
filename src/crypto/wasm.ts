/**
 * An assembler for WebAssembly modules of one function: it takes a 32-bit number, works on 64-bit local variables and on one
 * page of memory. Source: WebAssembly core specification, section 5 (binary format).
 */
import type { Bytes } from "../primitives/bytes.ts";

/** What is used of WebAssembly: its types come with those of web pages, which the project does without. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** What a module is made of. Local variable 0 is the parameter, then come those of 32 bits, then those of 64. */
interface ModuleParts {
  readonly locals32: number;
  readonly locals64: number;
  readonly code: readonly number[];
  /** What its memory holds at the start, beside zeros. */
  readonly data?: { readonly offset: number; readonly bytes: readonly number[] };
}

interface StartedModule {
  /** The module's memory, one page */
  readonly memory: Bytes;
  readonly run: (parameter: number) => void;
}

export const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  branch: [0x0c],
  branchIf: [0x0d],
  isZero32: [0x45],
  less32: [0x49],
  add32: [0x6a],
  sub32: [0x6b],
  add: [0x7c],
  and: [0x83],
  xor: [0x85],
  rotateLeft: [0x89],
  rotateRight: [0x8a],
  /** Takes an address and is followed by an offset. */
  load64: [0x29, 0],
} as const;

/** Assembles and starts a module. Throws where there is no WebAssembly. */
export function startModule(parts: ModuleParts): StartedModule {
  const api: WebAssemblyApi = Reflect.get(globalThis, "WebAssembly");
  const { memory, run } = new api.Instance(new api.Module(assemble(parts))).exports;
  const buffer = typeof memory === "object" && memory !== null && Reflect.get(memory, "buffer");
  if (!(buffer instanceof ArrayBuffer) || typeof run !== "function")
    throw new TypeError("the module exports something else");
  return { memory: new Uint8Array(buffer), run: (parameter) => void run(parameter) };
}

function assemble({ locals32, locals64, code, data }: ModuleParts): Bytes {
  const i32 = 0x7f;
  const i64 = 0x7e;
  const body = [2, locals32, i32, locals64, i64, ...code, ...op.end];
  const segment = data && [1, 0, ...constant32(data.offset), ...op.end, ...sized(data.bytes)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, i32, 0]), // type 0: one i32 in, nothing out
    ...section(3, [1, 0]), // function 0 has type 0
    ...section(5, [1, 0, 1]), // one memory of one page
    ...section(7, [2, ...name("memory"), 2, 0, ...name("run"), 0, 0]),
    ...section(10, [1, ...sized(body)]),
    ...(segment === undefined ? [] : section(11, segment)),
  ]);
}

export function get(local: number): number[] {
  return [0x20, local];
}

export function set(local: number): number[] {
  return [0x21, local];
}

/** Sets a local variable and leaves its value. */
export function tee(local: number): number[] {
  return [0x22, local];
}

/** The 64-bit word at a fixed offset. */
export function load(offset: number): number[] {
  return [...constant32(0), ...op.load64, ...unsigned(offset)];
}

/** Writes a 64-bit local variable to a fixed offset. */
export function store(offset: number, local: number): number[] {
  return [...constant32(offset), ...get(local), 0x37, 0, 0];
}

export function constant32(value: number): number[] {
  return [0x41, ...signed(value)];
}

export function constant64(value: number): number[] {
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
export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128 */
function signed(value: number): number[] {
  const isLast = value >= -64 && value < 64;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
