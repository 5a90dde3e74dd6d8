/**
 * BLS12-381 as the library's precompiles call it: ours once it is loaded, the library's own before that and where there is no
 * WebAssembly. Both give the same bytes and the same errors.
 */
import { EVMError, NobleBLS } from "@ethereumjs/evm";
import { type Bls12381, loadedBls12381 } from "../../crypto/bls12381.ts";
import { CurveError } from "../../crypto/mcl.ts";
import type { Bytes } from "../../primitives/bytes.ts";
import { type Address, parseAddress } from "../../primitives/hex.ts";
import { boolWord } from "./signedInput.ts";

type Call = (input: Bytes) => Bytes;

const { errorMessages } = EVMError;
const library = new NobleBLS();
const isOne = (word: Bytes) => word.some((byte) => byte !== 0);

/** The addresses of EIP-2537. */
export const BLS12381_CALLS: readonly Address[] = [0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11].map(
  (number) => parseAddress(`0x${number.toString(16).padStart(40, "0")}`),
);

/** The functions that the library's precompiles at 0x0b to 0x11 call. Each throws EVMError. */
export const BLS12381 = {
  addG1: call(
    ({ addG1 }) => addG1,
    (input) => library.addG1(input),
  ),
  addG2: call(
    ({ addG2 }) => addG2,
    (input) => library.addG2(input),
  ),
  msmG1: call(
    ({ msmG1 }) => msmG1,
    (input) => library.msmG1(input),
  ),
  msmG2: call(
    ({ msmG2 }) => msmG2,
    (input) => library.msmG2(input),
  ),
  mapFPtoG1: call(
    ({ mapToG1 }) => mapToG1,
    (input) => library.mapFPtoG1(input),
  ),
  mapFP2toG2: call(
    ({ mapToG2 }) => mapToG2,
    (input) => library.mapFP2toG2(input),
  ),
  // the library's word is one for all callers
  pairingCheck: call(
    ({ pairing }) =>
      (input) =>
        boolWord(pairing(input)),
    (input) => boolWord(isOne(library.pairingCheck(input))),
  ),
};

function call(ours: (bls: Bls12381) => Call, theirs: Call): Call {
  return (input) => {
    const bls = loadedBls12381();
    try {
      return bls === undefined ? theirs(input) : ours(bls)(input);
    } catch (error) {
      throw error instanceof EVMError ? error : new EVMError(messageOf(error));
    }
  };
}

function messageOf(error: unknown) {
  // the library has no word for coordinates of G1 above the prime: noble's own error says so
  if (!(error instanceof CurveError)) return errorMessages.BLS_12_381_FP_NOT_IN_FIELD;
  switch (error.reason.code) {
    case "NOT_IN_FIELD":
      return errorMessages.BLS_12_381_FP_NOT_IN_FIELD;
    case "NOT_ON_CURVE":
    case "NOT_IN_SUBGROUP":
      return errorMessages.BLS_12_381_POINT_NOT_ON_CURVE;
    case "WRONG_LENGTH":
      return errorMessages.BLS_12_381_INVALID_INPUT_LENGTH;
  }
}
