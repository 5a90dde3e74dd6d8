/**
 * The short way for the plain request: POST of JSON to `/`, of known length, without Origin and encodings, from a trusted
 * host. It costs a third of the way through express (decisions/0045) and says the same: the dispatcher answers both, and
 * whatever is not exactly such a request goes to express untouched. A rule added to the express application for all
 * requests must be asked here too.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Logger } from "../src/runtime/log.ts";
import { isTrustedHost } from "./access.ts";
import { type Dispatcher, failureText } from "./dispatch.ts";
import { BODY_BYTES, createReplySender, type HttpRules } from "./http.ts";

const JSON_TYPES: ReadonlySet<string> = new Set([
  "application/json",
  "application/json; charset=utf-8",
  "application/json;charset=utf-8",
]);
/** Replies shorter than this are not worth compressing. */
const COMPRESSED_FROM_CHARACTERS = 1024;
const BYTE_ORDER_MARK = "\ufeff";

const sendCompressed = createReplySender();

interface FastDeps {
  readonly dispatcher: Dispatcher;
  readonly rules: HttpRules;
  readonly log: Logger;
}

/** A listener that answers plain requests itself and gives all others to `app`. */
export function withFastPath(app: RequestListener, deps: FastDeps): RequestListener {
  return (request, response) => {
    if (!isPlain(request, deps.rules)) return app(request, response);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [only] = chunks;
      const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      answer(body.toString("utf8"), { request, response }, deps).catch((error: unknown) => {
        deps.log.error("An HTTP request failed", { error });
        if (response.headersSent) response.end();
        else send(response, 500, failureText({ code: "INTERNAL" }));
      });
    });
  };
}

function isPlain(request: IncomingMessage, rules: HttpRules): boolean {
  if (request.method !== "POST" || request.url !== "/") return false;
  const { headers } = request;
  if (headers.origin !== undefined || headers["content-encoding"] !== undefined) return false;
  if (headers["transfer-encoding"] !== undefined || headers.expect !== undefined) return false;
  const length = Number(headers["content-length"]);
  if (!(length > 0 && length <= BODY_BYTES)) return false;
  if (!JSON_TYPES.has(headers["content-type"] ?? "")) return false;
  return isTrustedHost(headers.host, rules);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(text: string, exchange: Exchange, { dispatcher }: FastDeps): Promise<void> {
  const { request, response } = exchange;
  let body: unknown;
  try {
    body = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    return send(response, 400, failureText({ code: "PARSE_ERROR" }));
  }
  const reply = await dispatcher.answer(body, { ip: request.socket.remoteAddress ?? "" });
  if (reply === undefined) {
    response.writeHead(204);
    response.end();
  } else if (
    reply.length >= COMPRESSED_FROM_CHARACTERS &&
    request.headers["accept-encoding"] !== undefined
  ) {
    sendCompressed(request, response, reply);
  } else send(response, 200, reply);
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    Vary: "Accept-Encoding",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}
