/** JSON-RPC over HTTP POST, and what browsers and probes ask around it. */
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import helmet from "helmet";
import type { Logger } from "../src/runtime/log.ts";
import { type HostRules, isAllowedOrigin, isTrustedHost } from "./access.ts";
import type { Caller, Identify } from "./callers.ts";
import { type Dispatcher, failureText } from "./dispatch.ts";
import type { Health, HealthReply } from "./health.ts";
import { refuseDeepJson } from "./jsonDepth.ts";
import { type Outgoing, sendOutgoing, sendReply } from "./reply.ts";

/** Bytes of one request body, after decompression. */
export const BODY_BYTES = 5 << 20;
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
  /** Tells who calls. */
  readonly identify: Identify;
  /** Answers probes; without it there are none. */
  readonly health?: Health;
  /** Adds what else is served; `callerOf` gives the caller that was let in. */
  readonly extend?: (app: Express, callerOf: (response: Response) => Caller) => void;
}

const invalid = (text: string) => failureText({ code: "INVALID_REQUEST", text });

/** Where the caller of a request is kept until it is answered. */
const CALLER = "caller";

function callerOf(response: Response): Caller {
  return response.locals[CALLER];
}

function checkCaller(identify: Identify): RequestHandler {
  return async (request, response, next) => {
    const { headers, url } = request;
    const identity = await identify({ ip: request.socket.remoteAddress ?? "", headers, url });
    if (identity.caller !== undefined) {
      response.locals[CALLER] = identity.caller;
      return next();
    }
    sendOutgoing(response, unknownCaller(identity.problem));
  };
}

/** Tells somebody who is not let in why. */
export function unknownCaller(problem: string): Outgoing {
  const body = `${problem}\n`;
  const headers = {
    "Content-Type": "text/plain",
    "WWW-Authenticate": "Bearer",
    "Content-Length": String(Buffer.byteLength(body)),
  };
  return { status: 401, headers, body };
}

/** Probes are answered to everybody: they come from machines that hold no key. */
function answerProbes(app: Express, health: Health): void {
  const probe = (paths: string[], answer: (query: URLSearchParams) => HealthReply) => {
    app.get(paths, helmet(), (request, response) => {
      const { status, body } = answer(new URL(request.url, "http://host").searchParams);
      response.setHeader("cache-control", "no-store");
      response.status(status).json(body);
    });
  };
  probe(["/liveness"], () => health.liveness());
  probe(["/readiness", "/health"], (query) => health.readiness(query));
  probe(["/status"], () => health.status());
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

/** Answers JSON-RPC with what the body parser left. */
function answerCalls(dispatcher: Dispatcher): RequestHandler {
  return async (request: Request, response: Response) => {
    const body: unknown = request.body;
    if (body === undefined) {
      const text = invalid("invalid content type, only application/json is supported");
      return sendReply(request, response, { status: 415, text });
    }
    const reply = await dispatcher.answer(body, { caller: callerOf(response) });
    if (reply === undefined) return void response.status(204).end();
    await sendReply(request, response, { status: 200, text: reply });
  };
}

/** The express application that serves JSON-RPC at `/`. */
export function createHttpApp(deps: HttpDeps): Express {
  const { dispatcher, rules, log, bodyBytes = BODY_BYTES } = deps;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(checkHost(rules), answerCors(rules));
  app.get("/", (_request, response) => void response.status(200).end());
  if (deps.health !== undefined) answerProbes(app, deps.health);
  app.use(checkCaller(deps.identify));
  app.post(
    "/",
    express.json({
      limit: bodyBytes,
      strict: false,
      verify: refuseDeepJson,
      type: ["application/json", "application/json-rpc", "application/jsonrequest"],
    }),
    answerCalls(dispatcher),
  );
  app.all("/", (_request, response) => {
    response
      .status(405)
      .setHeader("Allow", "POST, GET, OPTIONS")
      .type("json")
      .send(invalid("method not allowed"));
  });
  deps.extend?.(app, callerOf);
  app.use((_request, response) => void response.status(404).type("text/plain").send("not found\n"));
  app.use(answerFailure(log));
  return app;
}
