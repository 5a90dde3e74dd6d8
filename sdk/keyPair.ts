/** Key pairs, addresses and the contexts in which keys sign. */
import { type Address, bytesToHex, concatBytes, keccak256 } from "viem";
import { algorithmRow, type MlDsaAlgorithm, SEED_BYTES } from "./algorithms.ts";

/** Context of transactions. A key never signs with the empty context: such a signature could satisfy any contract. */
export const TRANSACTION_CONTEXT = "QNet/tx/1";
/** Context of messages: EIP-191 and EIP-712 digests. `PostQuantum.sol` verifies it. */
export const MESSAGE_CONTEXT = "QNet/msg/1";

export type SigningContext = typeof TRANSACTION_CONTEXT | typeof MESSAGE_CONTEXT;

/** What signs: a key in this process, or anything that can ask for one elsewhere (an HSM, a remote signer, a hardware wallet). */
export interface MlDsaSigner {
  readonly algorithm: MlDsaAlgorithm;
  readonly publicKey: Uint8Array;
  /** Signs a 32-byte digest in a context: pure ML-DSA (FIPS 204, algorithm 2). */
  readonly sign: (digest: Uint8Array, context: SigningContext) => Promise<Uint8Array>;
}

/** A signer whose seed (32 bytes) is in this process. Throws RangeError for another length. */
export function signerFromSeed(
  seed: Uint8Array,
  algorithm: MlDsaAlgorithm = "ML-DSA-44",
): MlDsaSigner {
  if (seed.length !== SEED_BYTES)
    throw new RangeError(`expected a seed of ${SEED_BYTES} bytes, got ${seed.length}`);
  const { scheme } = algorithmRow(algorithm);
  const { publicKey, secretKey } = scheme.keygen(seed);
  return {
    algorithm,
    publicKey,
    sign: (digest, context) =>
      Promise.resolve(scheme.sign(digest, secretKey, { context: contextBytes(context) })),
  };
}

/** Whether a signature is the key's over a digest in a context. False for wrong lengths. */
export function verifyDigest(
  { algorithm, publicKey }: Pick<MlDsaSigner, "algorithm" | "publicKey">,
  { digest, signature }: { readonly digest: Uint8Array; readonly signature: Uint8Array },
  context: SigningContext,
): boolean {
  const { scheme, publicKeyBytes, signatureBytes } = algorithmRow(algorithm);
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false;
  return scheme.verify(signature, digest, publicKey, { context: contextBytes(context) });
}

/** Address of a key: the last 20 bytes of keccak256(algorithm id ‖ public key). Source: EIP-7932 */
export function addressOfKey(algorithm: MlDsaAlgorithm, publicKey: Uint8Array): Address {
  const { id, publicKeyBytes } = algorithmRow(algorithm);
  if (publicKey.length !== publicKeyBytes)
    throw new RangeError(
      `expected a public key of ${publicKeyBytes} bytes (${algorithm}), got ${publicKey.length}`,
    );
  const hash = keccak256(concatBytes([Uint8Array.of(id), publicKey]), "bytes");
  return bytesToHex(hash.subarray(12));
}

function contextBytes(context: SigningContext): Uint8Array {
  return new TextEncoder().encode(context);
}
