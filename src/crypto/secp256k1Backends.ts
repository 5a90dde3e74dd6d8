/** The two implementations of ECDSA on secp256k1: libsecp256k1, native, and noble, in JavaScript. */
import { secp256k1 as noble } from "@noble/curves/secp256k1.js";
import type * as Secp256k1 from "secp256k1";
import { type Bytes, equalBytes } from "../primitives/bytes.ts";

/** Compact signature (r ‖ s, 64 bytes) and which of the two candidate points it means. */
export interface CompactSignature {
  readonly compact: Bytes;
  readonly recovery: number;
}

/** ECDSA on 32-byte digests and valid 32-byte private keys; public keys are 64 bytes, without the 0x04 prefix. */
export interface EcdsaBackend {
  readonly name: "native" | "noble";
  /** undefined: r is no x-coordinate, or the key would be the point at infinity */
  readonly recover: (digest: Bytes, signature: CompactSignature) => Bytes | undefined;
  /** RFC 6979, low s */
  readonly sign: (digest: Bytes, privateKey: Bytes) => CompactSignature;
  readonly publicKey: (privateKey: Bytes) => Bytes;
}

type Library = Pick<typeof Secp256k1, "ecdsaRecover" | "ecdsaSign" | "publicKeyCreate">;

export const nobleBackend: EcdsaBackend = {
  name: "noble",
  recover: (digest, { compact, recovery }) => {
    try {
      const signature = noble.Signature.fromBytes(compact, "compact").addRecoveryBit(recovery);
      return signature.recoverPublicKey(digest).toBytes(false).slice(1);
    } catch {
      return undefined; // the interface's answer to a signature that none can have made
    }
  },
  sign: (digest, privateKey) => {
    const signed = noble.sign(digest, privateKey, { prehash: false, format: "recovered" });
    return { compact: signed.subarray(1), recovery: signed[0] ?? 0 };
  },
  publicKey: (privateKey) => noble.getPublicKey(privateKey, false).slice(1),
};

/** The native implementation, or undefined where no binary is built for this platform or it answers wrongly. */
export async function loadNativeBackend(): Promise<EcdsaBackend | undefined> {
  // The package's main file falls back to JavaScript without a word; bindings.js is the native half, without types.
  const bindings: string = "secp256k1/bindings.js";
  try {
    const module: { readonly default?: unknown } = await import(bindings);
    if (!isLibrary(module.default)) return undefined;
    const backend = nativeBackend(module.default);
    return passesSelfTest(backend) ? backend : undefined;
  } catch {
    return undefined; // no prebuilt binary
  }
}

function nativeBackend(library: Library): EcdsaBackend {
  return {
    name: "native",
    recover: (digest, { compact, recovery }) => {
      try {
        return library.ecdsaRecover(compact, recovery, digest, false).slice(1);
      } catch {
        return undefined; // as above
      }
    },
    sign: (digest, privateKey) => {
      const { signature, recid } = library.ecdsaSign(digest, privateKey);
      return { compact: signature, recovery: recid };
    },
    publicKey: (privateKey) => library.publicKeyCreate(privateKey, false).slice(1),
  };
}

function isLibrary(module: unknown): module is Library {
  return (
    typeof module === "object" &&
    module !== null &&
    "ecdsaRecover" in module &&
    "ecdsaSign" in module &&
    "publicKeyCreate" in module
  );
}

/** The same answers as noble for one key, one signature and one recovery. */
function passesSelfTest(backend: EcdsaBackend): boolean {
  const [privateKey, digest] = [new Uint8Array(32).fill(0x46), new Uint8Array(32).fill(0xd1)];
  const publicKey = nobleBackend.publicKey(privateKey);
  const expected = nobleBackend.sign(digest, privateKey);
  const signed = backend.sign(digest, privateKey);
  const recovered = backend.recover(digest, signed);
  return (
    signed.recovery === expected.recovery &&
    equalBytes(signed.compact, expected.compact) &&
    equalBytes(backend.publicKey(privateKey), publicKey) &&
    recovered !== undefined &&
    equalBytes(recovered, publicKey)
  );
}
