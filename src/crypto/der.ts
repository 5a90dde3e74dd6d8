/** Distinguished encoding rules of ASN.1, the few types that a certificate is made of. Source: ITU-T X.690. */
import { type Bytes, concatBytes } from "../primitives/bytes.ts";

const LONGEST_SHORT = 0x7f;
const text = new TextEncoder();

/** A value with its tag and length; at most 65,535 bytes of content. */
export function der(tag: number, ...parts: readonly Bytes[]): Bytes {
  const content = concatBytes(...parts);
  return concatBytes(Uint8Array.of(tag), lengthOf(content.length), content);
}

export function derSequence(...parts: readonly Bytes[]): Bytes {
  return der(0x30, ...parts);
}

/** `arcs` as dotted text, "2.5.4.3". */
export function derOid(arcs: string): Bytes {
  const [first = 0, second = 0, ...others] = arcs.split(".").map(Number);
  return der(0x06, Uint8Array.of(40 * first + second), ...others.map(base128));
}

/** An unsigned integer of these big-endian bytes. */
export function derInteger(bytes: Bytes): Bytes {
  const sign = (bytes[0] ?? 0) > LONGEST_SHORT ? Uint8Array.of(0) : new Uint8Array(0);
  return der(0x02, sign, bytes);
}

/** A bit string without unused bits. */
export function derBits(bytes: Bytes): Bytes {
  return der(0x03, Uint8Array.of(0), bytes);
}

export function derText(value: string): Bytes {
  return der(0x0c, text.encode(value));
}

/** A moment in whole seconds: UTCTime before 2050, GeneralizedTime from then on. Source: RFC 5280, section 4.1.2.5. */
export function derTime(unixSeconds: number): Bytes {
  const digits = new Date(unixSeconds * 1000).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const generalized = digits >= "2050";
  return der(generalized ? 0x18 : 0x17, text.encode(`${generalized ? digits : digits.slice(2)}Z`));
}

/** The text form of a DER value. Source: RFC 7468. */
export function pem(label: string, bytes: Bytes): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function lengthOf(length: number): Bytes {
  if (length <= LONGEST_SHORT) return Uint8Array.of(length);
  if (length <= 0xff) return Uint8Array.of(0x81, length);
  if (length <= 0xffff) return Uint8Array.of(0x82, length >> 8, length & 0xff);
  throw new RangeError(`${length} bytes of DER content`);
}

function base128(arc: number): Bytes {
  const digits = [arc & 0x7f];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest & 0x7f) | 0x80);
  }
  return Uint8Array.from(digits);
}
