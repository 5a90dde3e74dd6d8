/**
 * All precompiles in force, Ethereum's and those of the genesis' map, as functions of input and gas. Ethereum's are the
 * library's functions with our crypto where that is faster; a promise comes only while a curve or a post-quantum verifier still loads.
 */
import { EVM, getActivePrecompiles, type PrecompileFunc } from "@ethereumjs/evm";
import { blake2Compress } from "../../crypto/blake2.ts";
import { loadBls12381, loadedBls12381 } from "../../crypto/bls12381.ts";
import { loadBn254, loadedBn254, nobleBn254 } from "../../crypto/bn254.ts";
import { sha256 } from "../../crypto/keccak.ts";
import { verifyP256 } from "../../crypto/p256.ts";
import {
  loadedPointEvaluation,
  loadPointEvaluation,
  type VerifyOpening,
} from "../../crypto/pointEvaluation.ts";
import { type PqVerifier, pqVerifier } from "../../crypto/pqVerifier.ts";
import { type Bytes, EMPTY_BYTES, equalBytes } from "../../primitives/bytes.ts";
import { type Address, hexToBytes, parseAddress } from "../../primitives/hex.ts";
import type { Rules } from "../../types/forks.ts";
import { commonFor } from "../ethereumjs.ts";
import { BLS12381, BLS12381_CALLS } from "./bls12381.ts";
import type { PrecompileRules } from "./offload.ts";
import { boolWord } from "./signedInput.ts";
import { type Precompile, precompilesFor } from "./table.ts";

/** What a precompile did. On failure its output is empty. */
export interface PrecompileAnswer {
  readonly gasUsed: number;
  readonly output: Bytes;
  /** undefined on success */
  readonly failure: string | undefined;
}

/** Runs a precompile with at most `gas`. The input is not kept, the output is the caller's. */
export type PrecompileCall = (
  input: Bytes,
  gas: number,
) => PrecompileAnswer | Promise<PrecompileAnswer>;

export type PrecompileSet = ReadonlyMap<Address, PrecompileCall>;

type LibraryResult = Awaited<ReturnType<PrecompileFunc>>;

const POINT_EVALUATION = parseAddress(`0x${"00".repeat(19)}0a`);
const POINT_EVALUATION_GAS = 50_000;
const POINT_EVALUATION_BYTES = 192;
const KZG_VERSION = 1;
/** Field elements of a blob, and the modulus of the field. */
const POINT_EVALUATION_OUTPUT = hexToBytes(
  `0x${"1000".padStart(64, "0")}73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001`,
);
const P256VERIFY = parseAddress(`0x${"00".repeat(18)}0100`);
const P256VERIFY_GAS = 6_900;
const P256VERIFY_BYTES = 160;
const BN254_CALLS: readonly Address[] = ["06", "07", "08"].map((end) =>
  parseAddress(`0x${"00".repeat(19)}${end}`),
);
const BN254_MUL_BYTES = 96;
const BLAKE2F = parseAddress(`0x${"00".repeat(19)}09`);
const BLAKE2F_BYTES = 213;
/** The library gives inputs of 128 bytes to both. */
const BN254 = {
  add: (input: Bytes) => (loadedBn254() ?? nobleBn254).add(input),
  mul: (input: Bytes) => (loadedBn254() ?? nobleBn254).multiply(input.subarray(0, BN254_MUL_BYTES)),
  pairing: (input: Bytes) => boolWord((loadedBn254() ?? nobleBn254).pairing(input)),
};
const known = new WeakMap<PqVerifier, WeakMap<Rules, PrecompileSet>>();

/** The precompiles under `rules` with this verifier; made once. */
export function activePrecompiles(rules: Rules, verifier: PqVerifier = pqVerifier): PrecompileSet {
  let sets = known.get(verifier);
  if (sets === undefined) {
    sets = new WeakMap();
    known.set(verifier, sets);
  }
  let found = sets.get(rules);
  if (found === undefined) {
    found = build(rules, verifier);
    sets.set(rules, found);
  }
  return found;
}

/** The set with some precompiles elsewhere, or nowhere. */
export function withMoved(
  set: PrecompileSet,
  moves: ReadonlyMap<Address, Address | undefined> | undefined,
): PrecompileSet {
  if (moves === undefined || moves.size === 0) return set;
  const moved = new Map(set);
  for (const [from, to] of moves) {
    const call = moved.get(from);
    if (call === undefined) continue;
    moved.delete(from);
    if (to !== undefined) moved.set(to, call);
  }
  return moved;
}

function build(rules: Rules, verifier: PqVerifier): PrecompileSet {
  const set = new Map(libraryPrecompiles(rules));
  for (const precompile of precompilesFor(rules)) {
    set.set(precompile.address, ownCall(precompile, verifier));
  }
  return set;
}

/** Ethereum's own precompiles. */
export function libraryPrecompiles(rules: PrecompileRules): PrecompileSet {
  const set = new Map<Address, PrecompileCall>();
  const common = commonFor(rules);
  const host = new EVM({ common, params: {}, bn254: BN254, bls: BLS12381 });
  // each EVM would stay reachable from the shared Common, whose fork never changes
  common.events.removeAllListeners("hardforkChanged");
  for (const [key, run] of getActivePrecompiles(common)) {
    const address = parseAddress(`0x${key}`);
    const call = libraryCall(run, host);
    if (address === POINT_EVALUATION) set.set(address, pointEvaluationCall);
    else if (BN254_CALLS.includes(address)) set.set(address, afterBn254(call));
    else if (BLS12381_CALLS.includes(address)) set.set(address, afterBls12381(call));
    else if (address === BLAKE2F) set.set(address, blake2Call(call));
    else set.set(address, address === P256VERIFY ? verifyP256Call : call);
  }
  return set;
}

function libraryCall(run: PrecompileFunc, host: EVM): PrecompileCall {
  const { common } = host;
  return (data, gas) => {
    const result = run({ data, gasLimit: BigInt(gas), common, _EVM: host });
    return result instanceof Promise
      ? result.then((one) => answerOf(one, data))
      : answerOf(result, data);
  };
}

function answerOf(result: LibraryResult, input: Bytes): PrecompileAnswer {
  const { returnValue } = result;
  return {
    gasUsed: Number(result.executionGasUsed),
    // the identity precompile answers with its input, which is the caller's memory
    output: returnValue.buffer === input.buffer ? returnValue.slice() : returnValue,
    failure: result.exceptionError?.error,
  };
}

/** `digest ‖ r ‖ s ‖ x ‖ y`; answers 1 or nothing, and never fails but for gas. Source: EIP-7951. */
const verifyP256Call: PrecompileCall = (input, gas) => {
  if (gas < P256VERIFY_GAS) return failed(gas, "out of gas");
  const isValid =
    input.length === P256VERIFY_BYTES &&
    verifyP256(input.subarray(0, 32), input.subarray(32, 96), input.subarray(96));
  return {
    gasUsed: P256VERIFY_GAS,
    output: isValid ? boolWord(true) : EMPTY_BYTES,
    failure: undefined,
  };
};

/** `rounds ‖ state ‖ message ‖ counter ‖ flag`, a gas for each round; `library` refuses what cannot be run. Source: EIP-152. */
function blake2Call(library: PrecompileCall): PrecompileCall {
  return (input, gas) => {
    const [a = 0, b = 0, c = 0, d = 0] = input;
    const rounds = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
    const flag = input[BLAKE2F_BYTES - 1] ?? 0;
    if (input.length !== BLAKE2F_BYTES || flag > 1 || gas < rounds) return library(input, gas);
    const output = blake2Compress({
      rounds,
      state: input.subarray(4, 68),
      message: input.subarray(68, 196),
      counter: input.subarray(196, 212),
      isLast: flag === 1,
    });
    return { gasUsed: rounds, output, failure: undefined };
  };
}

/**
 * `versioned hash ‖ z ‖ y ‖ commitment ‖ proof`; answers two constants, and fails, with all gas, where the value is not proven. The first
 * call waits for what proves. Source: EIP-4844.
 */
const pointEvaluationCall: PrecompileCall = (input, gas) => {
  if (gas < POINT_EVALUATION_GAS) return failed(gas, "out of gas");
  if (input.length !== POINT_EVALUATION_BYTES) return failed(gas, "invalid input length");
  const hash = sha256(input.subarray(96, 144)).with(0, KZG_VERSION);
  if (!equalBytes(hash, input.subarray(0, 32)))
    return failed(gas, "kzg commitment does not match versioned hash");
  const verify = loadedPointEvaluation();
  if (verify !== undefined) return evaluated(verify, input, gas);
  return loadPointEvaluation().then((loaded) => evaluated(loaded, input, gas));
};

function evaluated(verify: VerifyOpening, input: Bytes, gas: number): PrecompileAnswer {
  const isProven = verify({
    z: input.subarray(32, 64),
    y: input.subarray(64, 96),
    commitment: input.subarray(96, 144),
    proof: input.subarray(144),
  });
  if (!isProven) return failed(gas, "kzg proof invalid");
  return {
    gasUsed: POINT_EVALUATION_GAS,
    output: POINT_EVALUATION_OUTPUT.slice(),
    failure: undefined,
  };
}

function failed(gas: number, failure: string): PrecompileAnswer {
  return { gasUsed: gas, output: EMPTY_BYTES, failure };
}

/** The first call waits for the faster implementation. */
function afterBn254(call: PrecompileCall): PrecompileCall {
  return (input, gas) =>
    loadedBn254() === undefined ? loadBn254().then(() => call(input, gas)) : call(input, gas);
}

/** The first call waits for the faster implementation, if this machine has it. */
function afterBls12381(call: PrecompileCall): PrecompileCall {
  return (input, gas) =>
    loadedBls12381() === undefined ? loadBls12381().then(() => call(input, gas)) : call(input, gas);
}

function ownCall(precompile: Precompile, verifier: PqVerifier): PrecompileCall {
  return (input, gas) => {
    const gasUsed = Number(precompile.gas(input));
    if (gasUsed > gas) return failed(gas, "out of gas");
    const output = precompile.run(input, verifier);
    return output instanceof Promise
      ? output.then((word) => ({ gasUsed, output: word, failure: undefined }))
      : { gasUsed, output, failure: undefined };
  };
}
