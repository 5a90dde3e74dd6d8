/**
 * Mutual TLS between a node and its signer: version 1.3 alone, the hybrid group X25519MLKEM768 alone, ML-DSA certificates alone.
 * Neither side asks an authority: each trusts the certificates that its owner put into a file.
 */
import type { SecureContextOptions } from "node:tls";
import type { TlsIdentity } from "../crypto/certificate.ts";

/** One side of the connection. */
export interface TlsSide {
  readonly identity: TlsIdentity;
  /** PEM of every certificate that the other side may have, one after another */
  readonly trusted: string;
}

/** Key exchange that a recorded connection cannot be broken by later. */
const GROUP = "X25519MLKEM768";
const SIGNATURES = "mldsa44:mldsa65:mldsa87";

/** Options of node:tls for either side. */
export function tlsOptions({ identity, trusted }: TlsSide): SecureContextOptions {
  return {
    minVersion: "TLSv1.3",
    ecdhCurve: GROUP,
    sigalgs: SIGNATURES,
    cert: identity.certificate,
    key: identity.privateKey,
    ca: trusted,
  };
}

/** Paths, as Web3Signer names its own. */
export const PATHS = {
  upcheck: "/upcheck",
  publicKeys: "/api/v1/qnet/publicKeys",
  sign: "/api/v1/qnet/sign/",
} as const;
