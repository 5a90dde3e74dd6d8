/** The form in which a text leaves over HTTP, compressed off the main thread where the caller takes that and it is worth the trouble. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { constants, gzip, zstdCompress } from "node:zlib";

/** Texts shorter than this are not worth compressing. */
const COMPRESSED_FROM_CHARACTERS = 1_024;
/** Replies are large and the caller waits: the fastest level of either. */
const GZIP_LEVEL = 1;
const ZSTD_LEVEL = 1;

const zip = promisify(gzip);
const zstd = promisify(zstdCompress);

/** The faster and smaller one first: it is taken where the caller likes both alike. */
const encoders = {
  zstd: (text: string) =>
    zstd(text, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } }),
  gzip: (text: string) => zip(text, { level: GZIP_LEVEL }),
} as const;
type Encoding = keyof typeof encoders;
const ENCODINGS: readonly Encoding[] = ["zstd", "gzip"];

/** What is answered. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Default: JSON */
  readonly contentType?: string;
}

/** What is sent: what a reply comes to for one caller. */
export interface Outgoing {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where a status has none */
  readonly body: string | Uint8Array;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** The form of a reply for a caller that takes `accepted` (its Accept-Encoding); rejects only where compression fails. */
export function outgoingOf(
  reply: Reply,
  accepted: string | undefined,
): Outgoing | Promise<Outgoing> {
  const encoding =
    accepted === undefined || reply.text.length < COMPRESSED_FROM_CHARACTERS
      ? undefined
      : preferredEncoding(accepted);
  return encoding === undefined ? uncompressed(reply) : compressed(reply, encoding);
}

/** The form of a reply as it is. */
export function uncompressed({ status, text, contentType = JSON_TYPE }: Reply): Outgoing {
  const headers = {
    "Content-Type": contentType,
    Vary: "Accept-Encoding",
    // the reply is no page and is never to be taken for one
    "X-Content-Type-Options": "nosniff",
    "Content-Length": String(Buffer.byteLength(text)),
  };
  return { status, headers, body: text };
}

async function compressed(reply: Reply, encoding: Encoding): Promise<Outgoing> {
  const { status, text, contentType = JSON_TYPE } = reply;
  const body = await encoders[encoding](text);
  const headers = {
    "Content-Type": contentType,
    Vary: "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Content-Encoding": encoding,
    "Content-Length": String(body.length),
  };
  return { status, headers, body };
}

/** Sends a reply; rejects only where compression fails. */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
): void | Promise<void> {
  const outgoing = outgoingOf(reply, request.headers["accept-encoding"]);
  if (outgoing instanceof Promise) return outgoing.then((ready) => sendOutgoing(response, ready));
  sendOutgoing(response, outgoing);
}

/** Writes status, headers and body. */
export function sendOutgoing(response: ServerResponse, outgoing: Outgoing): void {
  const { status, headers, body } = outgoing;
  // what stands here already says on what else the reply depends
  const vary = response.getHeader("vary");
  if (vary === undefined || headers["Vary"] === undefined) response.writeHead(status, headers);
  else response.writeHead(status, { ...headers, Vary: `${String(vary)}, ${headers["Vary"]}` });
  response.end(body);
}

/** The encoding that a caller likes best of those there are; undefined: none. Source: RFC 9110, "Accept-Encoding". */
function preferredEncoding(accepted: string): Encoding | undefined {
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)) || 0);
  }
  let best: Encoding | undefined;
  let bestWeight = 0;
  for (const encoding of ENCODINGS) {
    const weight = weights.get(encoding) ?? weights.get("*") ?? 0;
    if (weight > bestWeight) [best, bestWeight] = [encoding, weight];
  }
  return best;
}
