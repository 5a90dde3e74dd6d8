/**
 * Precompiles that run long: one call may take seconds of the processor for the gas of one eth_call (most are WebAssembly
 * here and priced for native code). Blocks run them in place; calls and traces that others wait behind have them run
 * elsewhere.
 */
import type { Bytes } from "../../primitives/bytes.ts";
import { type Address, parseAddress } from "../../primitives/hex.ts";
import type { Rules } from "../../types/forks.ts";
import type { PrecompileAnswer, PrecompileSet } from "./active.ts";

/** The part of the rules that Ethereum's precompiles depend on. */
export type PrecompileRules = Pick<Rules, "fork" | "chainId">;

/** A call of a precompile that is run elsewhere. */
export interface OffloadedCall {
  readonly rules: PrecompileRules;
  readonly address: Address;
  readonly input: Bytes;
  readonly gas: number;
}

/** Runs precompiles without holding this thread. */
export interface PrecompileOffload {
  /** The input is not kept. Rejects with a NodeError when there is no answer. */
  run(call: OffloadedCall): Promise<PrecompileAnswer>;
}

/** Bytes that are hashed in a few ms. */
const SHORT_HASH_BYTES = 65_536;
const SHORT_ROUNDS = 100_000;
/** Bytes of base, exponent and modulus up to which a power takes some ms at most. */
const SHORT_POWER_BYTES = 128;
/** Products of BLS12-381 that are summed in some ms: `P ‖ k` of 160 bytes in G1, of 288 in G2. */
const SHORT_SUM_G1_BYTES = 4 * 160;
const SHORT_SUM_G2_BYTES = 2 * 288;
const WORD_BYTES = 32;

const isLongHash = (input: Bytes) => input.length > SHORT_HASH_BYTES;
const always = () => true;

/** The first four bytes are the number of rounds. Source: EIP-152. */
function hasManyRounds(input: Bytes): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = input;
  return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d > SHORT_ROUNDS;
}

/** The first three words are lengths. Source: EIP-198. */
function isLongPower(input: Bytes): boolean {
  for (let at = 0; at < 3 * WORD_BYTES; at++) {
    const byte = input[at] ?? 0;
    const isLow = at % WORD_BYTES === WORD_BYTES - 1;
    if (isLow ? byte > SHORT_POWER_BYTES : byte > 0) return true;
  }
  return false;
}

const precompile = (number: number) => parseAddress(`0x${number.toString(16).padStart(40, "0")}`);

/** Which calls are long, by address: hashes, powers, pairings and what else works on curves for more than some ms. */
export const LONG_CALLS: ReadonlyMap<Address, (input: Bytes) => boolean> = new Map([
  [precompile(0x02), isLongHash],
  [precompile(0x03), isLongHash],
  [precompile(0x05), isLongPower],
  [precompile(0x08), (input) => input.length > 0],
  [precompile(0x09), hasManyRounds],
  [precompile(0x0a), always],
  [precompile(0x0c), (input) => input.length > SHORT_SUM_G1_BYTES],
  [precompile(0x0e), (input) => input.length > SHORT_SUM_G2_BYTES],
  [precompile(0x0f), always],
]);

const known = new WeakMap<PrecompileOffload, WeakMap<PrecompileSet, PrecompileSet>>();

/** The set under `rules` with its long calls run by `offload`; made once for each pair. */
export function withOffload(
  set: PrecompileSet,
  rules: PrecompileRules,
  offload: PrecompileOffload,
): PrecompileSet {
  let sets = known.get(offload);
  if (sets === undefined) {
    sets = new WeakMap();
    known.set(offload, sets);
  }
  let found = sets.get(set);
  if (found === undefined) {
    found = offloaded(set, rules, offload);
    sets.set(set, found);
  }
  return found;
}

function offloaded(
  set: PrecompileSet,
  { fork, chainId }: PrecompileRules,
  offload: PrecompileOffload,
): PrecompileSet {
  const result = new Map(set);
  for (const [address, isLong] of LONG_CALLS) {
    const call = set.get(address);
    if (call === undefined) continue;
    result.set(address, (input, gas) =>
      isLong(input)
        ? offload.run({ rules: { fork, chainId }, address, input, gas })
        : call(input, gas),
    );
  }
  return result;
}
