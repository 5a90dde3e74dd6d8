/**
 * Precompiled contracts of our own: one case of `precompileOf` per kind of entry in the genesis' precompile map (`config.qnet.precompiles`).
 * Addresses, prices and times come from the map alone, so a chain without one has none, and a change of price is a change
 * of schedule. Path of a call: evm.ts takes the gas -> run -> 32 bytes, 1 or 0; bad input is a 0, never an exception.
 */
import type { PqVerifier } from "../../crypto/pqVerifier.ts";
import type { Bytes } from "../../primitives/bytes.ts";
import type { Address } from "../../primitives/hex.ts";
import type { Rules } from "../../types/forks.ts";
import type { PrecompileEntry } from "../../types/qnetConfig.ts";
import { pqVerifyPrecompile } from "./pqVerify.ts";
import { verifyPrecompile } from "./verify.ts";

/** A pure function at an address: price first, then the answer. */
export interface Precompile {
  readonly address: Address;
  /** Gas for this input; with less the call fails and takes all. */
  gas(input: Bytes): bigint;
  /** Never throws on bytes; a promise only while the verifier still loads. */
  run(input: Bytes, verifier: PqVerifier): Bytes | Promise<Bytes>;
}

const known = new WeakMap<Rules, readonly Precompile[]>();

/** Own precompiles active under `rules`. */
export function precompilesFor(rules: Rules): readonly Precompile[] {
  let found = known.get(rules);
  if (found === undefined) {
    found = rules.precompiles.map((entry) => precompileOf(entry, rules.precompiles));
    known.set(rules, found);
  }
  return found;
}

function precompileOf(entry: PrecompileEntry, active: readonly PrecompileEntry[]): Precompile {
  switch (entry.kind) {
    case "verify":
      return verifyPrecompile(entry);
    case "pqverify":
      return pqVerifyPrecompile(entry, active);
  }
}
