/**
 * Whether code on chain is what a compiler made: equal but for what is filled in at deployment (immutables, addresses of
 * libraries). At the end of the code stands a CBOR map with the hash of the metadata, its length in the last two bytes.
 */
import type { CompiledCode, Span } from "./compiler.ts";

/** `exact_match`: the metadata too, so names and comments are the author's; `match`: what runs is the same. */
export type Match = "exact_match" | "match";

const LENGTH_BYTES = 2;
/** CBOR maps of one to fifteen entries begin with a1 to af. */
const CBOR_MAP = 0xa0;

/** Code without the metadata at its end. */
function withoutMetadata(code: Buffer): Buffer {
  if (code.length < LENGTH_BYTES) return code;
  const start = code.length - LENGTH_BYTES - code.readUInt16BE(code.length - LENGTH_BYTES);
  const isMap = start >= 0 && ((code[start] ?? 0) & 0xf0) === CBOR_MAP;
  return isMap ? code.subarray(0, start) : code;
}

function spansOf({ linkReferences, immutableReferences }: CompiledCode): Span[] {
  const links = Object.values(linkReferences ?? {}).flatMap((file) => Object.values(file).flat());
  return [...links, ...Object.values(immutableReferences ?? {}).flat()];
}

/** A copy with zeros where something is filled in. */
function masked(code: Buffer, spans: readonly Span[]): Buffer {
  const copy = Buffer.from(code);
  for (const { start, length } of spans) copy.fill(0, start, start + length);
  return copy;
}

/** Placeholders `__$…$__` of libraries are no hex. */
function bytesOf({ object }: CompiledCode): Buffer {
  return Buffer.from(object.replace(/__\$[0-9a-f]{34}\$__/g, "0".repeat(40)), "hex");
}

/** How the code of a contract compares with what the compiler made. */
export function matchRuntime(onChain: Uint8Array, compiled: CompiledCode): Match | undefined {
  const spans = spansOf(compiled);
  const found = masked(Buffer.from(onChain), spans);
  const made = masked(bytesOf(compiled), spans);
  if (found.equals(made)) return made.length === 0 ? undefined : "exact_match";
  const rest = withoutMetadata(made);
  return rest.length > 0 && withoutMetadata(found).equals(rest) ? "match" : undefined;
}

/** How the data of the transaction that made a contract compares; arguments of the constructor follow the code. */
export function matchCreation(data: Uint8Array, compiled: CompiledCode): Match | undefined {
  const made = bytesOf(compiled);
  if (made.length === 0 || data.length < made.length) return undefined;
  const spans = spansOf(compiled);
  const found = masked(Buffer.from(data.subarray(0, made.length)), spans);
  const wanted = masked(made, spans);
  if (found.equals(wanted)) return "exact_match";
  const rest = withoutMetadata(wanted);
  return rest.length > 0 && found.subarray(0, rest.length).equals(rest) ? "match" : undefined;
}
