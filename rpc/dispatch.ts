/**
 * From a parsed JSON body to the text of the reply. The envelope is judged here, one call at a time and in order;
 * jayson then runs the method. What jayson gets wrong (ids of null, null params, nested and concurrent batches) never reaches it.
 */

import jayson from "jayson";
import { systemClock } from "../src/runtime/clock.ts";
import type { Logger } from "../src/runtime/log.ts";
import { Turns } from "../src/runtime/turns.ts";
import { namespaceOf } from "./access.ts";
import type { Json } from "./codec.ts";
import type { Connection, RpcContext } from "./context.ts";
import { faultError, internalError, type JsonRpcError, knownError, RpcError } from "./errors.ts";
import type { Method } from "./method.ts";
import { closestName } from "./similar.ts";

/** Limits of one request. */
export interface DispatchLimits {
  /** Calls of one batch. */
  readonly batchCalls: number;
  /** Characters of all replies of one batch, after which the rest is refused. */
  readonly batchReplyBytes: number;
  /** ms for one body: one call or a whole batch. */
  readonly requestTimeoutMs: number;
}

export interface DispatcherDeps {
  /** Every method there is: to tell a closed namespace from an unknown name. */
  readonly all: readonly Method[];
  /** The methods that may be called. */
  readonly open: ReadonlyMap<string, Method>;
  /** What handlers get, but for the connection. */
  readonly context: Omit<RpcContext, "connection">;
  readonly log: Logger;
}

export interface Dispatcher {
  /** Text of the reply to a parsed body; undefined when nothing is to be answered (notifications). */
  answer(body: unknown, connection: Connection): Promise<string | undefined>;
}

/** Calls of a batch that run at once; then others get their turn. */
const MAX_TOGETHER = 128;

/** What travels through jayson beside the parameters. */
class CallContext {
  readonly rpc: RpcContext;
  constructor(rpc: RpcContext) {
    this.rpc = rpc;
  }
}

type CallId = string | number | null;

/** One call, judged. */
interface Call {
  readonly id: CallId;
  readonly isNotification: boolean;
  readonly method: string;
  readonly params: unknown;
}

/** Text of an error reply. */
export function errorText(id: CallId, error: JsonRpcError): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}

/** Text of the error reply for a failure of the envelope. */
export function failureText(reason: RpcError["reason"], id: CallId = null): string {
  return errorText(id, knownError(new RpcError(reason)) ?? internalError);
}

function idOf(body: unknown): CallId {
  if (typeof body !== "object" || body === null || !("id" in body)) return null;
  const { id } = body;
  // a number such as 1e400 cannot be written again
  return typeof id === "string" || (typeof id === "number" && Number.isFinite(id)) ? id : null;
}

/** Judges the envelope: a call, or the text of its refusal. */
function judge(body: unknown): Call | string {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return failureText({ code: "INVALID_REQUEST", text: "invalid request" });
  }
  const id = idOf(body);
  const refuse = (text: string) => failureText({ code: "INVALID_REQUEST", text }, id);
  if (!("jsonrpc" in body) || body.jsonrpc !== "2.0")
    return refuse('invalid request: jsonrpc must be "2.0"');
  if (!("method" in body) || typeof body.method !== "string")
    return refuse("invalid request: no method");
  const isNotification = !("id" in body);
  if (!isNotification && id === null && body.id !== null) return refuse("invalid request: bad id");
  const params: unknown = "params" in body ? (body.params ?? []) : [];
  return { id, isNotification, method: body.method, params };
}

function errorOf(error: unknown, method: string, { log, context }: DispatcherDeps): JsonRpcError {
  const known = knownError(error, context.node.dev !== undefined);
  if (known !== undefined) return known;
  log.error("A JSON-RPC method failed", { method, error });
  return faultError(error);
}

/** Text of a reply with a result; a result too long for one string becomes an error. */
function resultText(id: CallId, result: Json): string {
  try {
    return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`;
  } catch (error) {
    if (error instanceof RangeError) return failureText({ code: "RESPONSE_TOO_LARGE" }, id);
    throw error;
  }
}

type Outcome = { readonly result: Json } | { readonly error: JsonRpcError };

/** A deadline shared by all calls of one body. */
class Deadline {
  readonly passed: Promise<Outcome>;
  readonly #endMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    let pass: (outcome: Outcome) => void = () => {};
    this.passed = new Promise((resolve) => {
      pass = resolve;
    });
    this.#endMs = systemClock.nowMs() + timeoutMs;
    this.#timer = setTimeout(() => {
      // made here: an error costs its stack, and hardly a request comes to this
      const error = knownError(new RpcError({ code: "TIMEOUT", text: "request timed out" }));
      pass({ error: error ?? internalError });
    }, timeoutMs);
  }

  /** By the clock: calls that never wait leave the timer no turn. */
  get expired(): boolean {
    return systemClock.nowMs() >= this.#endMs;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

function createServer(deps: DispatcherDeps): jayson.Server {
  const wrap = (
    run: (context: RpcContext, args: readonly unknown[]) => Promise<Json>,
    name: string,
  ) =>
    new jayson.Method({
      useContext: true,
      handler: (params: unknown, context: object, done: jayson.JSONRPCCallbackTypePlain) => {
        const started = async (): Promise<Json> => {
          if (!Array.isArray(params)) {
            throw new RpcError({ code: "INVALID_PARAMS", text: "non-array args" });
          }
          if (!(context instanceof CallContext)) throw new TypeError("called without a context");
          return await run(context.rpc, params);
        };
        started().then(
          (result) => done(null, result),
          // jayson keeps plain objects only; an Error would lose its message
          (error: unknown) => done(plain(errorOf(error, name, deps))),
        );
      },
    });
  const call = async (method: Method, context: RpcContext, args: readonly unknown[]) => {
    // whoever sent and now asks finds the block of it, also on a busy machine
    if (!method.atOnce) await context.node.settled?.();
    return method.call(context, args);
  };
  const table = new Map(
    [...deps.open].map(([name, method]) => [name, wrap((c, args) => call(method, c, args), name)]),
  );
  const missing = (name: string) => wrap(() => Promise.reject(unknownMethod(name, deps)), name);
  return new jayson.Server(
    {},
    { useContext: true, router: (name) => table.get(name) ?? missing(name) },
  );
}

/** jayson's type wants `data` to be an object; it passes any value through. */
function plain(error: JsonRpcError): { code: number; message: string; data?: object } {
  return error as { code: number; message: string; data?: object };
}

function unknownMethod(name: string, { all, open }: DispatcherDeps): RpcError {
  const exists = all.find((method) => method.name === name);
  if (exists !== undefined && !exists.devOnly) {
    return new RpcError({ code: "METHOD_NOT_FOUND", method: name, namespaceEnabled: false });
  }
  const didYouMean = exists === undefined ? closestName(name, open.keys()) : undefined;
  const namespace = namespaceOf(name);
  const namespaceEnabled = [...open.keys()].some((other) => namespaceOf(other) === namespace);
  return new RpcError({
    code: "METHOD_NOT_FOUND",
    method: name,
    ...(didYouMean !== undefined && { didYouMean }),
    ...(!namespaceEnabled && { namespaceEnabled }),
  });
}

/** Wires the methods to jayson. */
export function createDispatcher(deps: DispatcherDeps, limits: DispatchLimits): Dispatcher {
  const server = createServer(deps);

  function run(call: Call, context: CallContext): Promise<Outcome> {
    return new Promise((resolve) => {
      // id 0 inside, the caller's outside: jayson takes an id of null for a notification
      const request: jayson.JSONRPCVersionTwoRequest = {
        jsonrpc: "2.0",
        id: 0,
        method: call.method,
        params: Object(call.params),
      };
      server.call(request, context, (failed, reply) => resolve(outcomeOf(failed, reply)));
    });
  }

  async function one(
    body: unknown,
    context: CallContext,
    deadline: Deadline,
  ): Promise<string | undefined> {
    const call = judge(body);
    if (typeof call === "string") return call;
    const outcome = await (deadline.expired
      ? deadline.passed
      : Promise.race([run(call, context), deadline.passed]));
    if (call.isNotification) return undefined;
    return "error" in outcome
      ? errorText(call.id, outcome.error)
      : resultText(call.id, outcome.result);
  }

  async function batch(
    calls: readonly unknown[],
    context: CallContext,
    deadline: Deadline,
  ): Promise<string | undefined> {
    if (calls.length === 0) return failureText({ code: "INVALID_REQUEST", text: "empty batch" });
    if (calls.length > limits.batchCalls)
      return `[${failureText({ code: "BATCH_TOO_LARGE" }, idOf(calls[0]))}]`;
    const replies: string[] = [];
    const turns = new Turns();
    let size = 0;
    // in order: what a call does must be seen by those behind it
    for (const group of groupsOf(calls, deps.open)) {
      await turns.next();
      const full = size > limits.batchReplyBytes;
      const running = group.map((call) => (full ? tooMuch(call) : one(call, context, deadline)));
      for (const reply of await Promise.all(running)) {
        if (reply === undefined) continue;
        size += reply.length;
        replies.push(reply);
      }
    }
    return replies.length === 0 ? undefined : `[${replies.join(",")}]`;
  }

  return {
    async answer(body, connection) {
      const context = new CallContext({ ...deps.context, connection });
      const deadline = new Deadline(limits.requestTimeoutMs);
      try {
        return await (Array.isArray(body)
          ? batch(body, context, deadline)
          : one(body, context, deadline));
      } finally {
        deadline.clear();
      }
    },
  };
}

/** Calls of a batch that run at once: those of methods that overlap, when they follow each other. Any other stands alone. */
function groupsOf(calls: readonly unknown[], open: DispatcherDeps["open"]): unknown[][] {
  const groups: unknown[][] = [];
  let last: unknown[] | undefined;
  for (const call of calls) {
    const joins = overlaps(call, open);
    if (joins && last !== undefined && last.length < MAX_TOGETHER) {
      last.push(call);
      continue;
    }
    const group = [call];
    groups.push(group);
    last = joins ? group : undefined;
  }
  return groups;
}

function overlaps(call: unknown, open: DispatcherDeps["open"]): boolean {
  if (typeof call !== "object" || call === null || !("method" in call)) return false;
  return typeof call.method === "string" && open.get(call.method)?.overlaps === true;
}

/** Reply to a call that came after the replies of its batch had reached their limit. */
function tooMuch(body: unknown): string | undefined {
  const call = judge(body);
  if (typeof call === "string") return call;
  return call.isNotification ? undefined : failureText({ code: "RESPONSE_TOO_LARGE" }, call.id);
}

function outcomeOf(
  failed: jayson.JSONRPCResponseWithError | null | undefined,
  reply: jayson.JSONRPCResponseWithResult | undefined,
): Outcome {
  if (failed !== null && failed !== undefined) {
    const { error } = failed;
    if ("code" in error && typeof error.code === "number" && "message" in error) {
      const shown = "data" in error ? { data: error.data as Json } : {};
      return { error: { code: error.code, message: String(error.message), ...shown } };
    }
    return { error: internalError };
  }
  return reply === undefined ? { error: internalError } : { result: reply.result };
}
