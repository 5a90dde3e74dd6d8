/**
 * The head of a plain HTTP request, read more strictly than node:http reads it: what is read here means the same there.
 * Anything unusual (another method, path or version, a name twice, folded lines, odd characters, hop-by-hop headers) is
 * not read at all, and the connection goes to node:http, which knows what to make of it. Source: RFC 9112, sections 2-6.
 */
import type { IncomingHttpHeaders } from "node:http";

/** Bytes of a head; node:http takes 16 KiB and refuses more in its own words. */
const MAX_HEAD_BYTES = 8_192;
/** Headers of a head. */
const MAX_HEADERS = 64;

const START = "POST / HTTP/1.1\r\n";
const END = "\r\n\r\n";

/** One header: a token, a colon, visible ASCII with blanks. Nothing repeats into its neighbour, so it is linear. */
const HEADER = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e]*)\r\n/y;
/** A length that cannot be read in two ways: no sign, no leading zero, below 1 GB. */
const LENGTH = /^[1-9][0-9]{0,8}$/;

/** Names that change how a message is read or what becomes of the connection. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "proxy-connection",
  "http2-settings",
]);

/** A head that could be read. */
export interface RequestHead {
  /** Bytes of the head with the empty line at its end */
  readonly size: number;
  /** Bytes of the body */
  readonly bodySize: number;
  /** By lower-case name */
  readonly headers: IncomingHttpHeaders;
}

/** Position behind the head that `bytes` begin with; 0: there is no whole head of permitted size. */
export function headSize(bytes: Buffer): number {
  const end = bytes.indexOf(END, 0, "latin1");
  return end < 0 || end + END.length > MAX_HEAD_BYTES ? 0 : end + END.length;
}

/** Reads a whole head; undefined when it is not that of a plain request. */
export function readHead(text: string): RequestHead | undefined {
  if (!text.startsWith(START)) return undefined;
  const headers = readHeaders(text);
  if (headers === undefined) return undefined;
  const { host, connection, "content-length": length } = headers;
  if (host === undefined || host === "") return undefined;
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return undefined;
  if (length === undefined || !LENGTH.test(length)) return undefined;
  return { size: text.length, bodySize: Number(length), headers };
}

function readHeaders(text: string): IncomingHttpHeaders | undefined {
  // without a prototype: names come from strangers
  const headers: IncomingHttpHeaders = Object.create(null);
  const end = text.length - 2;
  let count = 0;
  HEADER.lastIndex = START.length;
  while (HEADER.lastIndex < end) {
    const found = HEADER.exec(text);
    if (found === null || ++count > MAX_HEADERS) return undefined;
    const name = found[1]?.toLowerCase() ?? "";
    if (headers[name] !== undefined || NOT_PLAIN.has(name)) return undefined;
    headers[name] = found[2]?.trim() ?? "";
  }
  return headers;
}
