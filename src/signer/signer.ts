/**
 * Who signs with a post-quantum key. One interface, three places where the key may be: in this process (a seed, from a key
 * file or unsealed by a PKCS #11 token) or behind a remote signer. Callers see addresses and signatures, never seeds.
 */
import { openPqKey, type PqAccountAlgorithm } from "../crypto/pqAccounts.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address } from "../primitives/hex.ts";

/** Longest message that any signer takes. */
export const MAX_MESSAGE_BYTES = 65_536;

/** A key somewhere. */
export interface Signer {
  readonly algorithm: PqAccountAlgorithm;
  readonly publicKey: Bytes;
  readonly address: Address;
  /** Signature over a message of at most 64 KiB in a context. Rejects with SignerError. */
  sign(message: Bytes, context: Bytes): Promise<Bytes>;
  /** Lets go of connections; a signer in this process has none. */
  close(): Promise<void>;
}

export type SignerErrorReason =
  | { readonly code: "MESSAGE_TOO_LONG"; readonly bytes: number; readonly maximum: number }
  /** The remote signer does not answer, or is not who it must be */
  | { readonly code: "SIGNER_UNREACHABLE"; readonly url: string; readonly detail: string }
  /** The remote signer answers no */
  | { readonly code: "SIGNER_REFUSED"; readonly url: string; readonly detail: string }
  /** The remote signer's answer cannot be a signature of this key */
  | { readonly code: "BAD_SIGNER_REPLY"; readonly url: string; readonly detail: string }
  /** The token, or the library in front of it */
  | { readonly code: "TOKEN_FAILED"; readonly token: string; readonly detail: string };

/** A signature that cannot be had. */
export class SignerError extends NodeError<SignerErrorReason> {}

/** The signer of a seed in this process. Throws RangeError on a seed that is none. */
export async function localSigner(algorithm: PqAccountAlgorithm, seed: Bytes): Promise<Signer> {
  const key = await openPqKey(algorithm, seed);
  return {
    algorithm,
    publicKey: key.publicKey,
    address: key.address,
    sign: async (message, context) => {
      demandLength(message);
      return key.sign(message, context);
    },
    close: async () => undefined,
  };
}

/** Throws SignerError MESSAGE_TOO_LONG. */
export function demandLength({ length }: Bytes): void {
  if (length <= MAX_MESSAGE_BYTES) return;
  const message = `a message has ${length} bytes, signers take ${MAX_MESSAGE_BYTES}`;
  throw new SignerError(
    { code: "MESSAGE_TOO_LONG", bytes: length, maximum: MAX_MESSAGE_BYTES },
    { message },
  );
}
