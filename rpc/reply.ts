/** Sending a text over HTTP, compressed off the main thread where the caller takes that and it is worth the trouble. */
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

/** What is sent. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Default: JSON */
  readonly contentType?: string;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** Sends a reply; rejects only where compression fails. */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
): void | Promise<void> {
  const accepted = request.headers["accept-encoding"];
  const encoding =
    accepted === undefined || reply.text.length < COMPRESSED_FROM_CHARACTERS
      ? undefined
      : preferredEncoding(accepted);
  if (encoding !== undefined) return sendCompressed(response, reply, encoding);
  writeHead(response, reply, { "Content-Length": Buffer.byteLength(reply.text) });
  response.end(reply.text);
}

async function sendCompressed(
  response: ServerResponse,
  reply: Reply,
  encoding: Encoding,
): Promise<void> {
  const body = await encoders[encoding](reply.text);
  writeHead(response, reply, { "Content-Encoding": encoding, "Content-Length": body.length });
  response.end(body);
}

function writeHead(
  response: ServerResponse,
  { status, contentType }: Reply,
  more: Readonly<Record<string, string | number>>,
): void {
  // what stands here already says on what else the reply depends
  const vary = response.getHeader("vary");
  response.writeHead(status, {
    "Content-Type": contentType ?? JSON_TYPE,
    Vary: vary === undefined ? "Accept-Encoding" : `${String(vary)}, Accept-Encoding`,
    // the reply is no page and is never to be taken for one
    "X-Content-Type-Options": "nosniff",
    ...more,
  });
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
