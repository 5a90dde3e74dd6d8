/**
 * X.509 certificates with ML-DSA keys, for TLS between machines of one owner: self-signed, to be trusted one by one.
 * Source: RFC 5280 (the profile), RFC 9881 (ML-DSA in certificates: pure, with the empty context).
 */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { der, derBits, derInteger, derOid, derSequence, derText, derTime, pem } from "./der.ts";
import { pqAlgorithm } from "./pqAlgorithms.ts";
import { KEY_TYPES } from "./pqBackends.ts";
import type { MlDsaName } from "./pqKeys.ts";

/** What a certificate says. */
export interface CertificateContent {
  readonly commonName: string;
  /** DNS names and IPv4 addresses under which a server is reached */
  readonly hosts: readonly string[];
  /** Unix seconds */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 16 random bytes */
  readonly serial: Bytes;
}

/** A certificate and its private key, as TLS takes them. */
export interface TlsIdentity {
  /** PEM */
  readonly certificate: string;
  /** PEM, PKCS #8 */
  readonly privateKey: string;
}

const MAX_NAME_BYTES = 64;
const DNS_NAME = /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

const OID = {
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** The certificate of a 32-byte seed, signed by itself. Throws RangeError on a name or host that cannot stand in it. */
export function selfSignedCertificate(
  algorithm: MlDsaName,
  seed: Bytes,
  content: CertificateContent,
): TlsIdentity {
  const key = createPrivateKey({
    key: Buffer.from(seed),
    format: "raw-seed",
    asymmetricKeyType: KEY_TYPES[algorithm],
  });
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const signatureAlgorithm = derSequence(
    derOid(`2.16.840.1.101.3.4.3.${pqAlgorithm(algorithm).id}`),
  );
  const name = nameOf(content.commonName);
  const toSign = derSequence(
    der(0xa0, derInteger(Uint8Array.of(2))), // version 3
    derInteger(concatBytes(Uint8Array.of(1), content.serial.subarray(1))), // positive, no leading zero
    signatureAlgorithm,
    name,
    derSequence(derTime(content.notBefore), derTime(content.notAfter)),
    name,
    spki,
    der(0xa3, derSequence(...extensionsOf(content.hosts))),
  );
  const certificate = derSequence(toSign, signatureAlgorithm, derBits(sign(null, toSign, { key })));
  return {
    certificate: pem("CERTIFICATE", certificate),
    privateKey: key.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function nameOf(commonName: string): Bytes {
  const bytes = new TextEncoder().encode(commonName).length;
  if (bytes === 0 || bytes > MAX_NAME_BYTES)
    throw new RangeError(`a common name has 1 to ${MAX_NAME_BYTES} bytes, not ${bytes}`);
  return derSequence(der(0x31, derSequence(derOid(OID.commonName), derText(commonName))));
}

function extensionsOf(hosts: readonly string[]): Bytes[] {
  const purposes = derSequence(derOid(OID.serverAuth), derOid(OID.clientAuth));
  const digitalSignature = der(0x03, Uint8Array.of(7, 0x80));
  const extensions = [
    extension(OID.basicConstraints, derSequence(), true),
    extension(OID.keyUsage, digitalSignature, true),
    extension(OID.extendedKeyUsage, purposes, false),
  ];
  if (hosts.length > 0)
    extensions.push(extension(OID.subjectAltName, derSequence(...hosts.map(hostName)), false));
  return extensions;
}

function extension(oid: string, value: Bytes, critical: boolean): Bytes {
  const flag = critical ? [der(0x01, Uint8Array.of(0xff))] : [];
  return derSequence(derOid(oid), ...flag, der(0x04, value));
}

function hostName(host: string): Bytes {
  const parts = IPV4.exec(host)?.slice(1).map(Number);
  if (parts?.every((part) => part <= 255)) return der(0x87, Uint8Array.from(parts));
  if (parts === undefined && DNS_NAME.test(host)) return der(0x82, new TextEncoder().encode(host));
  throw new RangeError(`expected a DNS name or an IPv4 address, got "${host}"`);
}
