/**
 * Implementations of post-quantum verification in the order of trust in their speed: OpenSSL through node:crypto (ML-DSA-44
 * in 0.14 ms, key import included), WebAssembly (mldsa-native in ox: ML-DSA-44 alone, 0.09 ms) and noble in JavaScript
 * (0.9 ms), which is also the only one with Falcon. Each answers malformed input with false: the libraries throw on it,
 * each in its own way.
 */
import { createPublicKey, verify } from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { MAX_CONTEXT_BYTES, type PqAlgorithmName, pqAlgorithm } from "./pqAlgorithms.ts";

export type PqBackendName = "native" | "wasm" | "noble";

/** Verification by one back end and one algorithm; key and signature have the algorithm's lengths. */
export type PqVerify = (
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
  context: Bytes,
) => boolean;

/** An implementation; `load` gives undefined for an algorithm that it lacks. */
export interface PqBackend {
  readonly name: PqBackendName;
  load(algorithm: PqAlgorithmName): Promise<PqVerify | undefined>;
}

/** What noble's modules export, as far as it is used. */
interface NobleSigner {
  verify(
    signature: Bytes,
    message: Bytes,
    publicKey: Bytes,
    options?: { context?: Bytes },
  ): boolean;
}

type WithOpenssl = Exclude<PqAlgorithmName, "Falcon-512">;

/** Names of OpenSSL's keys. */
export const KEY_TYPES: { readonly [N in WithOpenssl]: Lowercase<N> } = {
  "ML-DSA-44": "ml-dsa-44",
  "ML-DSA-65": "ml-dsa-65",
  "ML-DSA-87": "ml-dsa-87",
  "SLH-DSA-SHA2-128s": "slh-dsa-sha2-128s",
  "SLH-DSA-SHA2-128f": "slh-dsa-sha2-128f",
  "SLH-DSA-SHA2-192s": "slh-dsa-sha2-192s",
  "SLH-DSA-SHA2-192f": "slh-dsa-sha2-192f",
  "SLH-DSA-SHA2-256s": "slh-dsa-sha2-256s",
  "SLH-DSA-SHA2-256f": "slh-dsa-sha2-256f",
  "SLH-DSA-SHAKE-128s": "slh-dsa-shake-128s",
  "SLH-DSA-SHAKE-128f": "slh-dsa-shake-128f",
  "SLH-DSA-SHAKE-192s": "slh-dsa-shake-192s",
  "SLH-DSA-SHAKE-192f": "slh-dsa-shake-192f",
  "SLH-DSA-SHAKE-256s": "slh-dsa-shake-256s",
  "SLH-DSA-SHAKE-256f": "slh-dsa-shake-256f",
};

const mlDsa = () => import("@noble/post-quantum/ml-dsa.js");
const slhDsa = () => import("@noble/post-quantum/slh-dsa.js");
/** Loaded at the first use: the modules take 15-55 ms. */
const NOBLE: { readonly [N in PqAlgorithmName]: () => Promise<NobleSigner> } = {
  "ML-DSA-44": async () => (await mlDsa()).ml_dsa44,
  "ML-DSA-65": async () => (await mlDsa()).ml_dsa65,
  "ML-DSA-87": async () => (await mlDsa()).ml_dsa87,
  "SLH-DSA-SHA2-128s": async () => (await slhDsa()).slh_dsa_sha2_128s,
  "SLH-DSA-SHA2-128f": async () => (await slhDsa()).slh_dsa_sha2_128f,
  "SLH-DSA-SHA2-192s": async () => (await slhDsa()).slh_dsa_sha2_192s,
  "SLH-DSA-SHA2-192f": async () => (await slhDsa()).slh_dsa_sha2_192f,
  "SLH-DSA-SHA2-256s": async () => (await slhDsa()).slh_dsa_sha2_256s,
  "SLH-DSA-SHA2-256f": async () => (await slhDsa()).slh_dsa_sha2_256f,
  "SLH-DSA-SHAKE-128s": async () => (await slhDsa()).slh_dsa_shake_128s,
  "SLH-DSA-SHAKE-128f": async () => (await slhDsa()).slh_dsa_shake_128f,
  "SLH-DSA-SHAKE-192s": async () => (await slhDsa()).slh_dsa_shake_192s,
  "SLH-DSA-SHAKE-192f": async () => (await slhDsa()).slh_dsa_shake_192f,
  "SLH-DSA-SHAKE-256s": async () => (await slhDsa()).slh_dsa_shake_256s,
  "SLH-DSA-SHAKE-256f": async () => (await slhDsa()).slh_dsa_shake_256f,
  // the padded form alone: a second encoding would make signatures malleable
  "Falcon-512": async () => (await import("@noble/post-quantum/falcon.js")).falcon512padded,
};

/** OpenSSL 3.5 or later inside Node; where it is older, no key can be imported and the self test fails. */
export const nativeBackend: PqBackend = {
  name: "native",
  load: async (algorithm) =>
    algorithm === "Falcon-512" ? undefined : nativeVerify(KEY_TYPES[algorithm]),
};

/** WebAssembly, for a Node whose OpenSSL is too old: as fast as OpenSSL, but of one parameter set only. */
export const wasmBackend: PqBackend = {
  name: "wasm",
  load: async (algorithm) => {
    if (algorithm !== "ML-DSA-44") return undefined;
    // at the first use: loading takes 0.1 s
    const { engine } = await import("ox/wasm/MlDsa44");
    return wasmVerify((await engine()).verify);
  },
};

/** JavaScript: seven times slower, but everywhere. */
export const nobleBackend: PqBackend = {
  name: "noble",
  load: async (algorithm) => {
    const signer = await NOBLE[algorithm]();
    return algorithm === "Falcon-512" ? falconVerify(signer) : nobleVerify(signer);
  },
};

function nativeVerify(asymmetricKeyType: Lowercase<WithOpenssl>): PqVerify {
  return (publicKey, message, signature, context) => {
    const { buffer, byteOffset, length } = publicKey;
    try {
      // never as DER, which accepts bytes behind the key
      const key = createPublicKey({
        key: Buffer.from(buffer, byteOffset, length),
        format: "raw-public",
        asymmetricKeyType,
      });
      return verify(null, message, { key, context }, signature);
    } catch {
      return false; // the interface's answer to bytes that are no key or signature
    }
  };
}

type WasmEngine = Awaited<ReturnType<typeof import("ox/wasm/MlDsa44")["engine"]>>;

/** Lengths are all that this library throws on; what else it may throw is a lack of memory, which is no answer. */
function wasmVerify(verifyIn: WasmEngine["verify"]): PqVerify {
  const { publicKeyBytes, signatureBytes } = pqAlgorithm("ML-DSA-44");
  return (publicKey, message, signature, context) =>
    publicKey.length === publicKeyBytes &&
    signature.length === signatureBytes &&
    context.length <= MAX_CONTEXT_BYTES &&
    verifyIn(signature, message, publicKey, { context });
}

function nobleVerify(signer: NobleSigner): PqVerify {
  return (publicKey, message, signature, context) => {
    try {
      return signer.verify(signature, message, publicKey, { context });
    } catch {
      return false; // as above
    }
  };
}

/** Falcon has no context: it stands in front of the message. */
function falconVerify(signer: NobleSigner): PqVerify {
  return (publicKey, message, signature, context) => {
    const signed = context.length === 0 ? message : concatBytes(context, message);
    try {
      return signer.verify(signature, signed, publicKey);
    } catch {
      return false; // as above
    }
  };
}
