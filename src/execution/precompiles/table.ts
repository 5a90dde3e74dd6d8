/** Precompiled contracts of our own. The genesis decides which are active; a public chain has none. */
import type { Bytes } from "../../primitives/bytes.ts";
import type { Address } from "../../primitives/hex.ts";
import type { Rules } from "../../types/forks.ts";

/** A pure function at an address: price first, then the answer. `run` must not throw. */
export interface Precompile {
  readonly address: Address;
  /** Gas for this input; with less the call fails and takes all. */
  gas(input: Bytes): bigint;
  run(input: Bytes): Bytes;
}

const NONE: readonly Precompile[] = [];

/** Own precompiles active under `rules`. */
export function precompilesFor(_rules: Rules): readonly Precompile[] {
  return NONE;
}
