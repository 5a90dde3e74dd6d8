/**
 * The plain request: POST of JSON to `/`, of known length, without Origin and encodings, from a trusted host. Who answers
 * it, and how, is here once; it comes in through node:http (fastHttp.ts) or straight from a socket (plainDoor.ts). What
 * is not exactly such a request goes to express untouched. A rule added to the express application for all requests must
 * be asked here too (decisions/0045).
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Logger } from "../src/runtime/log.ts";
import { isTrustedHost } from "./access.ts";
import type { Caller, Identify, Identity } from "./callers.ts";
import { type Dispatcher, failureText } from "./dispatch.ts";
import { BODY_BYTES, type HttpRules, unknownCaller } from "./http.ts";
import { parseJson } from "./jsonDepth.ts";
import { type Outgoing, outgoingOf, uncompressed } from "./reply.ts";

const JSON_TYPES: ReadonlySet<string> = new Set([
  "application/json",
  "application/json; charset=utf-8",
  "application/json;charset=utf-8",
]);
const BYTE_ORDER_MARK = "\ufeff";
const NO_CONTENT: Outgoing = { status: 204, headers: {}, body: "" };

export interface PlainDeps {
  readonly dispatcher: Dispatcher;
  readonly rules: HttpRules;
  readonly log: Logger;
  readonly identify: Identify;
  /** Bytes of one request body; default 5 MiB. */
  readonly bodyBytes?: number;
}

/** What a plain request says beside its body. */
export interface PlainHead {
  /** Address of the other side. */
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
}

/** Judges and answers plain requests. */
export interface PlainAnswerer {
  /** Whether a POST to `/` with these headers is plain. */
  isPlain(headers: IncomingHttpHeaders): boolean;
  /** Never throws and never rejects. */
  answer(body: string, head: PlainHead): Outgoing | Promise<Outgoing>;
}

/** The one who answers plain requests. */
export function createPlainAnswerer(deps: PlainDeps): PlainAnswerer {
  const failed = (error: unknown): Outgoing => {
    deps.log.error("An HTTP request failed", { error });
    return uncompressed({ status: 500, text: failureText({ code: "INTERNAL" }) });
  };
  return {
    isPlain: (headers) => isPlain(headers, deps),
    answer(body, head) {
      try {
        const outgoing = answer(body, head, deps);
        return outgoing instanceof Promise ? outgoing.catch(failed) : outgoing;
      } catch (error) {
        return failed(error);
      }
    },
  };
}

function isPlain(
  headers: IncomingHttpHeaders,
  { rules, bodyBytes = BODY_BYTES }: PlainDeps,
): boolean {
  if (headers.origin !== undefined || headers["content-encoding"] !== undefined) return false;
  if (headers["transfer-encoding"] !== undefined || headers.expect !== undefined) return false;
  const length = Number(headers["content-length"]);
  if (!(length > 0 && length <= bodyBytes)) return false;
  if (!JSON_TYPES.has(headers["content-type"] ?? "")) return false;
  return isTrustedHost(headers.host, rules);
}

function answer(body: string, head: PlainHead, deps: PlainDeps): Outgoing | Promise<Outgoing> {
  const { ip, headers } = head;
  const identity = deps.identify({ ip, headers, url: "/" });
  if (identity instanceof Promise)
    return identity.then((known) => answerAs(known, body, head, deps));
  return answerAs(identity, body, head, deps);
}

function answerAs(
  identity: Identity,
  body: string,
  { headers }: PlainHead,
  deps: PlainDeps,
): Outgoing | Promise<Outgoing> {
  if (identity.caller === undefined) return unknownCaller(identity.problem);
  const accepted = headers["accept-encoding"];
  let calls: unknown;
  try {
    calls = parseJson(body.startsWith(BYTE_ORDER_MARK) ? body.slice(1) : body);
  } catch {
    return outgoingOf({ status: 400, text: failureText({ code: "PARSE_ERROR" }) }, accepted);
  }
  return answerCalls(calls, identity.caller, accepted, deps.dispatcher);
}

function answerCalls(
  calls: unknown,
  caller: Caller,
  accepted: string | undefined,
  dispatcher: Dispatcher,
): Outgoing | Promise<Outgoing> {
  const done = (text: string | undefined) =>
    text === undefined ? NO_CONTENT : outgoingOf({ status: 200, text }, accepted);
  const reply = dispatcher.answerPlain(calls, { caller });
  return reply instanceof Promise ? reply.then(done) : done(reply);
}
