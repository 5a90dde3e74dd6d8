/**
 * The short way for the plain request: POST of JSON to `/`, of known length, without Origin and encodings, from a trusted
 * host. It costs a third of the way through express (decisions/0045) and says the same: the dispatcher answers both, and
 * whatever is not exactly such a request goes to express untouched. A rule added to the express application for all
 * requests must be asked here too.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Logger } from "../src/runtime/log.ts";
import { isTrustedHost } from "./access.ts";
import type { Identify } from "./callers.ts";
import { type Dispatcher, failureText } from "./dispatch.ts";
import { BODY_BYTES, type HttpRules, refuseCaller } from "./http.ts";
import { sendReply } from "./reply.ts";

const JSON_TYPES: ReadonlySet<string> = new Set([
  "application/json",
  "application/json; charset=utf-8",
  "application/json;charset=utf-8",
]);
const BYTE_ORDER_MARK = "\ufeff";

interface FastDeps {
  readonly dispatcher: Dispatcher;
  readonly rules: HttpRules;
  readonly log: Logger;
  readonly identify: Identify;
  /** Bytes of one request body; default 5 MiB. */
  readonly bodyBytes?: number;
}

/** A listener that answers plain requests itself and gives all others to `app`. */
export function withFastPath(app: RequestListener, deps: FastDeps): RequestListener {
  return (request, response) => {
    if (!isPlain(request, deps)) return app(request, response);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [only] = chunks;
      const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      answer(body.toString("utf8"), { request, response }, deps).catch((error: unknown) => {
        deps.log.error("An HTTP request failed", { error });
        if (response.headersSent) response.end();
        else
          void sendReply(request, response, {
            status: 500,
            text: failureText({ code: "INTERNAL" }),
          });
      });
    });
  };
}

function isPlain(request: IncomingMessage, { rules, bodyBytes = BODY_BYTES }: FastDeps): boolean {
  if (request.method !== "POST" || request.url !== "/") return false;
  const { headers } = request;
  if (headers.origin !== undefined || headers["content-encoding"] !== undefined) return false;
  if (headers["transfer-encoding"] !== undefined || headers.expect !== undefined) return false;
  const length = Number(headers["content-length"]);
  if (!(length > 0 && length <= bodyBytes)) return false;
  if (!JSON_TYPES.has(headers["content-type"] ?? "")) return false;
  return isTrustedHost(headers.host, rules);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(text: string, exchange: Exchange, deps: FastDeps): Promise<void> {
  const { request, response } = exchange;
  const { headers } = request;
  const asked = deps.identify({ ip: request.socket.remoteAddress ?? "", headers, url: "/" });
  const identity = asked instanceof Promise ? await asked : asked;
  if (identity.caller === undefined) return refuseCaller(response, identity.problem);
  let body: unknown;
  try {
    body = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    return sendReply(request, response, {
      status: 400,
      text: failureText({ code: "PARSE_ERROR" }),
    });
  }
  const reply = await deps.dispatcher.answerPlain(body, { caller: identity.caller });
  if (reply !== undefined) return sendReply(request, response, { status: 200, text: reply });
  response.writeHead(204);
  response.end();
}
