/** Precompiles that verify one algorithm with an empty context: EIP-8355 at 0x12 to 0x14 and its like. */
import { pqAlgorithm } from "../../crypto/pqAlgorithms.ts";
import { EMPTY_BYTES } from "../../primitives/bytes.ts";
import type { PrecompileEntry } from "../../types/qnetConfig.ts";
import { verifyGas, verifyWord } from "./signedInput.ts";
import type { Precompile } from "./table.ts";

/** Input `public key ‖ signature ‖ message`, the message may be empty. Source: EIP-8355 at ethereum/EIPs@832b174. */
export function verifyPrecompile(entry: Extract<PrecompileEntry, { kind: "verify" }>): Precompile {
  const algorithm = pqAlgorithm(entry.algorithm);
  return {
    address: entry.address,
    gas: (input) => verifyGas(entry, algorithm, input.length),
    run: (input, verifier) => verifyWord(verifier, algorithm, input, EMPTY_BYTES),
  };
}
