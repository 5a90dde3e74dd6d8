/** What the verifying precompiles share: input `public key ‖ signature ‖ message`, price, answer. */
import type { PqAlgorithm } from "../../crypto/pqAlgorithms.ts";
import type { PqVerifier } from "../../crypto/pqVerifier.ts";
import type { Bytes } from "../../primitives/bytes.ts";

/** Gas of a verification: `base` and `word` per 32 bytes of message, begun ones counted. */
export interface VerifyPrice {
  readonly baseGas: bigint;
  readonly wordGas: bigint;
}

const WORD_BYTES = 32;

/** Gas for `length` bytes of input; what is not key or signature counts as message. */
export function verifyGas(
  { baseGas, wordGas }: VerifyPrice,
  { publicKeyBytes, signatureBytes }: PqAlgorithm,
  length: number,
): bigint {
  const messageBytes = Math.max(0, length - publicKeyBytes - signatureBytes);
  return baseGas + wordGas * BigInt(Math.ceil(messageBytes / WORD_BYTES));
}

/** A new word, 1 or 0: the EVM may keep and change what it is given. */
export function boolWord(value: boolean): Bytes {
  const word = new Uint8Array(WORD_BYTES);
  if (value) word[WORD_BYTES - 1] = 1;
  return word;
}

/** The answer for `public key ‖ signature ‖ message` signed in `context`; 0 where it is too short for a key and a signature. */
export function verifyWord(
  verifier: PqVerifier,
  { name, publicKeyBytes, signatureBytes }: PqAlgorithm,
  signed: Bytes,
  context: Bytes,
): Bytes | Promise<Bytes> {
  const messageStart = publicKeyBytes + signatureBytes;
  if (signed.length < messageStart) return boolWord(false);
  const answer = () =>
    boolWord(
      verifier.verify(
        name,
        signed.subarray(0, publicKeyBytes),
        signed.subarray(messageStart),
        signed.subarray(publicKeyBytes, messageStart),
        context,
      ),
    );
  return verifier.isPrepared(name) ? answer() : verifier.prepare(name).then(answer);
}
