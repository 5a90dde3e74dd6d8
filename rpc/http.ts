/** JSON-RPC over HTTP POST, and what browsers and probes ask around it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import compression from "compression";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import type { Logger } from "../src/runtime/log.ts";
import { type HostRules, isAllowedOrigin, isTrustedHost } from "./access.ts";

import { type Dispatcher, failureText } from "./dispatch.ts";

/** Bytes of one request body, after decompression. */
export const BODY_BYTES = 5 << 20;
/** Replies shorter than this are not worth compressing. */
const COMPRESSED_FROM_BYTES = 1024;
/** zlib level 1: replies are large and the caller waits. */
const COMPRESSION_LEVEL = 1;
/** Compresses what is written to the response, if it is long and the caller asks for it. */
const compressReplies = compression({
  threshold: COMPRESSED_FROM_BYTES,
  level: COMPRESSION_LEVEL,
});
/** Seconds a browser may remember a preflight. */
const PREFLIGHT_SECONDS = 600;

/** Whom the server answers. */
export interface HttpRules extends HostRules {
  /** Name of the option that lists trusted hosts. */
  readonly vhostsOption: string;
  /** Origins whose pages may read replies; `*` allows all. */
  readonly corsDomains: readonly string[];
}

export interface HttpDeps {
  readonly dispatcher: Dispatcher;
  readonly rules: HttpRules;
  readonly log: Logger;
  /** Bytes of one request body, after decompression; default 5 MiB. */
  readonly bodyBytes?: number;
  /** What is wrong with an Authorization header; undefined: nothing. */
  readonly authorize?: (header: string | undefined) => string | undefined;
}

const invalid = (text: string) => failureText({ code: "INVALID_REQUEST", text });

function checkToken(authorize: NonNullable<HttpDeps["authorize"]>): RequestHandler {
  return (request, response, next) => {
    const problem = authorize(request.headers.authorization);
    if (problem === undefined) return next();
    response.status(401).type("text/plain").send(`${problem}\n`);
  };
}

function checkHost(rules: HttpRules): RequestHandler {
  return (request, response, next) => {
    if (isTrustedHost(request.headers.host, rules)) return next();
    response
      .status(403)
      .type("text/plain")
      .send(`invalid host specified: to trust this name, add it to --${rules.vhostsOption}\n`);
  };
}

function answerCors(rules: HttpRules): RequestHandler {
  return (request, response, next) => {
    const { origin } = request.headers;
    const preflight = request.method === "OPTIONS";
    if (origin !== undefined) {
      response.vary("Origin");
      if (isAllowedOrigin(origin, rules.corsDomains)) {
        const any = rules.corsDomains.includes("*");
        response.setHeader("Access-Control-Allow-Origin", any ? "*" : origin);
        if (preflight) allow(response.setHeader.bind(response), request.headers);
      }
    }
    if (preflight) return void response.status(204).end();
    next();
  };
}

function allow(
  set: (name: string, value: string) => void,
  headers: { readonly [name: string]: string | string[] | undefined },
): void {
  const asked = headers["access-control-request-headers"];
  set("Access-Control-Allow-Methods", "POST, GET, OPTIONS");
  set("Access-Control-Allow-Headers", typeof asked === "string" ? asked : "content-type");
  set("Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
  // Chrome asks before a public page may reach a private address
  if (headers["access-control-request-private-network"] === "true") {
    set("Access-Control-Allow-Private-Network", "true");
  }
}

/** Status and text for what the body parser refused. */
function bodyFailure(type: unknown, status: unknown): { status: number; text: string } {
  if (type === "entity.parse.failed")
    return { status: 400, text: failureText({ code: "PARSE_ERROR" }) };
  if (type === "entity.too.large")
    return { status: 413, text: invalid("content length too large") };
  if (type === "encoding.unsupported" || type === "charset.unsupported") {
    return { status: 415, text: invalid("unsupported encoding of the body") };
  }
  if (typeof status === "number" && status >= 400 && status < 500) {
    return { status, text: invalid("unreadable body") };
  }
  return { status: 500, text: failureText({ code: "INTERNAL" }) };
}

function answerFailure(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const fields = typeof error === "object" && error !== null ? error : {};
    const failure = bodyFailure(
      "type" in fields ? fields.type : undefined,
      "status" in fields ? fields.status : undefined,
    );
    if (failure.status === 500) log.error("An HTTP request failed", { error });
    if (response.headersSent) return void response.end();
    response.status(failure.status).type("json").send(failure.text);
  };
}

/** Sends the text of a reply compressed, to a caller that asked for it. */
export type ReplySender = (
  request: IncomingMessage,
  response: ServerResponse,
  reply: string,
) => void;

/** The end of the way through `createHttpApp`, for replies that were made without it. */
export function createReplySender(): ReplySender {
  const replies = new WeakMap<IncomingMessage, string>();
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(compressReplies, (request, response) => {
    response.status(200).type("json").send(replies.get(request));
  });
  return (request, response, reply) => {
    replies.set(request, reply);
    app(request, response);
  };
}

/** The express application that serves JSON-RPC at `/`. */
export function createHttpApp(deps: HttpDeps): Express {
  const { dispatcher, rules, log, bodyBytes = BODY_BYTES, authorize } = deps;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(checkHost(rules), answerCors(rules));
  app.use(compressReplies);
  app.get("/", (_request, response) => void response.status(200).end());
  if (authorize !== undefined) app.use(checkToken(authorize));
  app.post(
    "/",
    express.json({
      limit: bodyBytes,
      strict: false,
      type: ["application/json", "application/json-rpc", "application/jsonrequest"],
    }),
    async (request, response) => {
      const body: unknown = request.body;
      if (body === undefined) {
        response
          .status(415)
          .type("json")
          .send(invalid("invalid content type, only application/json is supported"));
        return;
      }
      const reply = await dispatcher.answer(body, { ip: request.socket.remoteAddress ?? "" });
      if (reply === undefined) response.status(204).end();
      else response.status(200).type("json").send(reply);
    },
  );
  app.all("/", (_request, response) => {
    response
      .status(405)
      .setHeader("Allow", "POST, GET, OPTIONS")
      .type("json")
      .send(invalid("method not allowed"));
  });
  app.use((_request, response) => void response.status(404).type("text/plain").send("not found\n"));
  app.use(answerFailure(log));
  return app;
}
