/**
 * PQVERIFY: every algorithm of the map behind one address, with a context. Input
 * `algorithm id (1) ‖ context length (1) ‖ context ‖ public key ‖ signature ‖ message`. An algorithm is enabled while the
 * map has an active `verify` entry for it, and costs what that entry says (the first of several).
 */
import { type PqAlgorithm, pqAlgorithm, pqAlgorithmById } from "../../crypto/pqAlgorithms.ts";
import type { Bytes } from "../../primitives/bytes.ts";
import type { PrecompileEntry } from "../../types/qnetConfig.ts";
import { boolWord, type VerifyPrice, verifyGas, verifyWord } from "./signedInput.ts";
import type { Precompile } from "./table.ts";

/** Gas of a call that names no enabled algorithm. */
const UNKNOWN_ALGORITHM_GAS = 6_500n;
const HEADER_BYTES = 2;

interface Enabled {
  readonly algorithm: PqAlgorithm;
  readonly price: VerifyPrice;
}

/** The precompile of an entry; `active` are all entries in force with it. */
export function pqVerifyPrecompile(
  { address }: PrecompileEntry,
  active: readonly PrecompileEntry[],
): Precompile {
  const enabled = enabledBy(active);
  const namedIn = (input: Bytes) => enabled.get(pqAlgorithmById(input[0])?.name ?? "");
  return {
    address,
    gas: (input) => {
      const named = namedIn(input);
      // header and context count as message
      return named === undefined
        ? UNKNOWN_ALGORITHM_GAS
        : verifyGas(named.price, named.algorithm, input.length);
    },
    run: (input, verifier) => {
      const named = namedIn(input);
      const contextEnd = HEADER_BYTES + (input[1] ?? 0);
      if (named === undefined || input.length < contextEnd) return boolWord(false);
      const context = input.subarray(HEADER_BYTES, contextEnd);
      return verifyWord(verifier, named.algorithm, input.subarray(contextEnd), context);
    },
  };
}

function enabledBy(active: readonly PrecompileEntry[]): ReadonlyMap<string, Enabled> {
  const enabled = new Map<string, Enabled>();
  for (const entry of active) {
    if (entry.kind !== "verify" || enabled.has(entry.algorithm)) continue;
    enabled.set(entry.algorithm, { algorithm: pqAlgorithm(entry.algorithm), price: entry });
  }
  return enabled;
}
