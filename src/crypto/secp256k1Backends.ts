/**
 * Implementations of ECDSA on secp256k1, fastest first: libsecp256k1, native (0.06 ms a recovery), the same compiled to
 * WebAssembly, in libauth (0.3 ms), and noble, in JavaScript (1.3 ms). The first that answers as noble does is used.
 */
import type { Secp256k1 as LibauthSecp256k1 } from "@bitauth/libauth/build/lib/crypto/secp256k1-types.js";
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
  readonly name: "native" | "wasm" | "noble";
  /** undefined: r is no x-coordinate, or the key would be the point at infinity */
  readonly recover: (digest: Bytes, signature: CompactSignature) => Bytes | undefined;
  /** RFC 6979, low s */
  readonly sign: (digest: Bytes, privateKey: Bytes) => CompactSignature;
  readonly publicKey: (privateKey: Bytes) => Bytes;
}

/** The fastest implementation that this machine has. */
export async function loadFastestBackend(): Promise<EcdsaBackend> {
  return (await loadNativeBackend()) ?? (await loadWasmBackend()) ?? nobleBackend;
}

type Library = Pick<typeof Secp256k1, "ecdsaRecover" | "ecdsaSign" | "publicKeyCreate">;

type WasmLibrary = Pick<
  LibauthSecp256k1,
  | "derivePublicKeyUncompressed"
  | "recoverPublicKeyUncompressed"
  | "signMessageHashRecoverableCompact"
>;
const RECOVERY_IDS = [0, 1, 2, 3] as const;

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

/** libauth's implementation, or undefined where WebAssembly does not run or answers wrongly. */
export async function loadWasmBackend(): Promise<EcdsaBackend | undefined> {
  try {
    // the package's main file loads all of libauth, which takes 0.5 s
    const { instantiateSecp256k1 } = await import("@bitauth/libauth/build/lib/crypto/secp256k1.js");
    const backend = wasmBackend(await instantiateSecp256k1());
    return passesSelfTest(backend) ? backend : undefined;
  } catch {
    return undefined; // no WebAssembly
  }
}

/** libauth answers bad input with a text. */
function wasmBackend(library: WasmLibrary): EcdsaBackend {
  return {
    name: "wasm",
    recover: (digest, { compact, recovery }) => {
      const which = RECOVERY_IDS.find((id) => id === recovery);
      if (which === undefined) return undefined;
      const key = library.recoverPublicKeyUncompressed(compact, which, digest);
      return typeof key === "string" ? undefined : key.subarray(1);
    },
    sign: (digest, privateKey) => {
      const signed = library.signMessageHashRecoverableCompact(privateKey, digest);
      if (typeof signed === "string") throw new RangeError(signed);
      return { compact: signed.signature, recovery: signed.recoveryId };
    },
    publicKey: (privateKey) => {
      const key = library.derivePublicKeyUncompressed(privateKey);
      if (typeof key === "string") throw new RangeError(key);
      return key.subarray(1);
    },
  };
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
