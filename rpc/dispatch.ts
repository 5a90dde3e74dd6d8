/**
 * From a parsed JSON body to the text of the reply. The envelope is judged, one call at a time and in order; then jayson runs the
 * call, or, for plain requests, `start` runs it without jayson (decisions/0045). Either way `start` is what happens.
 */
import { elapsedMs, systemClock } from "../src/runtime/clock.ts";
import type { Logger } from "../src/runtime/log.ts";
import { Turns } from "../src/runtime/turns.ts";
import { isOpen, namespaceOf } from "./access.ts";
import type { Caller } from "./callers.ts";
import type { Connection, RpcContext } from "./context.ts";
import { faultError, internalError, type JsonRpcError, knownError, RpcError } from "./errors.ts";
import { type RunCall, throughJayson } from "./jaysonServer.ts";
import type { Method, Result } from "./method.ts";
import type { RpcMeter } from "./metrics.ts";
import type { Charge } from "./rateLimit.ts";
import { closestName } from "./similar.ts";
import { JsonText } from "./textCache.ts";

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
  /** Takes a call's units of work from its caller; without it nobody is limited. */
  readonly charge?: Charge;
  /** Counts calls, errors and time. */
  readonly meter?: RpcMeter | undefined;
}

/** Text of a reply, or that there is none because the call was a notification. */
export type Reply = string | undefined;

export interface Dispatcher {
  /** Text of the reply to a parsed body; undefined when nothing is to be answered (notifications). */
  answer(body: unknown, connection: Connection): Promise<Reply>;
  /** The same without jayson, for plain requests: a call that is answered at once takes no promise and no timer. */
  answerPlain(body: unknown, connection: Connection): Reply | Promise<Reply>;
}

/** Calls of a batch that run at once; then others get their turn. */
const MAX_TOGETHER = 128;
/** Code of what is no call. Source: JSON-RPC 2.0, "error object". */
const INVALID_REQUEST = -32_600;

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
function resultText(id: CallId, result: Result): string {
  try {
    const text = result instanceof JsonText ? result.text : JSON.stringify(result);
    return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}`;
  } catch (error) {
    if (error instanceof RangeError) return failureText({ code: "RESPONSE_TOO_LARGE" }, id);
    throw error;
  }
}

/** A deadline shared by all calls of one body; the timer runs only once somebody waits. */
class Deadline {
  readonly #endMs: number;
  #passed: Promise<void> | undefined;
  /** A timer may fire a fraction of a millisecond before the clock says so. */
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#endMs = systemClock.nowMs() + timeoutMs;
  }

  /** Resolves when the time is over. */
  get passed(): Promise<void> {
    this.#passed ??= new Promise((resolve) => {
      const end = () => {
        this.#isOver = true;
        resolve();
      };
      this.#timer = setTimeout(end, Math.max(0, this.#endMs - systemClock.nowMs()));
    });
    return this.#passed;
  }

  /** By the clock: calls that never wait leave the timer no turn. */
  get expired(): boolean {
    return this.#isOver || systemClock.nowMs() >= this.#endMs;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
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

/** Refuses a call that this caller may not make. Throws METHOD_NOT_FOUND, NOT_TRUSTED. */
function demandAllowed({ name, trustedOnly }: Method, caller: Caller): void {
  if (caller.namespaces !== undefined && !isOpen(name, caller.namespaces))
    throw new RpcError({ code: "METHOD_NOT_FOUND", method: name, namespaceEnabled: false });
  if (trustedOnly && !caller.isTrusted) throw new RpcError({ code: "NOT_TRUSTED", method: name });
}

/** Runs `next` when `before` is done; at once where there is nothing to wait for. */
function after<T>(before: Promise<void> | undefined, next: () => T | Promise<T>): T | Promise<T> {
  return before === undefined ? next() : before.then(next);
}

function start(call: Call, context: RpcContext, deps: DispatcherDeps): Result | Promise<Result> {
  const { params } = call;
  const { caller } = context.connection;
  const method = deps.open.get(call.method);
  if (method === undefined) {
    return after(deps.charge?.(caller, 1), () => {
      throw unknownMethod(call.method, deps);
    });
  }
  if (!Array.isArray(params)) {
    throw new RpcError({ code: "INVALID_PARAMS", text: "non-array args" });
  }
  demandAllowed(method, caller);
  return after(deps.charge?.(caller, method.cost), () => {
    // whoever sent and now asks finds the block of it, also on a busy machine
    const settled = method.atOnce ? undefined : context.node.settled?.();
    return after(settled, () => method.call(context, params));
  });
}

function one(
  body: unknown,
  context: RpcContext,
  { deps, run }: { readonly deps: DispatcherDeps; readonly run: RunCall<Call> },
): Reply | Promise<Reply> {
  const { meter } = deps;
  const call = judge(body);
  if (typeof call === "string") {
    meter?.failed(INVALID_REQUEST);
    return call;
  }
  const { id, isNotification } = call;
  const startedMs = elapsedMs();
  const over = () => meter?.done(deps.open.get(call.method), elapsedMs() - startedMs);
  const failed = (error: unknown): Reply => {
    const told = errorOf(error, call.method, deps);
    over();
    meter?.failed(told.code);
    return isNotification ? undefined : errorText(id, told);
  };
  const done = (result: Result): Reply => {
    const text = isNotification ? undefined : resultText(id, result);
    over();
    return text;
  };
  try {
    const result = run(call, context);
    return result instanceof Promise ? result.then(done).catch(failed) : done(result);
  } catch (error) {
    return failed(error);
  }
}

/** How calls are run, or refused. */
interface CallRun {
  readonly run: (body: unknown) => Reply | Promise<Reply>;
  readonly refuse: (body: unknown, reason: RpcError["reason"]) => Reply;
  readonly deadline: Deadline;
}

/** Replies to calls that may run at once, each in the place of its call; what is not done in time says so. */
async function together(calls: readonly unknown[], how: CallRun): Promise<Reply[]> {
  const { run, refuse, deadline } = how;
  const tooLate = (call: unknown) => refuse(call, { code: "TIMEOUT", text: "request timed out" });
  if (deadline.expired) return calls.map(tooLate);
  const replies: Reply[] = [];
  const waiting = new Map<number, Promise<void>>();
  for (const [index, call] of calls.entries()) {
    const reply = run(call);
    if (!(reply instanceof Promise)) replies[index] = reply;
    else {
      const taken = reply.then((text) => {
        replies[index] = text;
        waiting.delete(index);
      });
      waiting.set(index, taken);
    }
  }
  if (waiting.size > 0) {
    await Promise.race([Promise.all(waiting.values()), deadline.passed]);
    for (const index of waiting.keys()) replies[index] = tooLate(calls[index]);
  }
  return replies;
}

/** How a batch is run. */
interface BatchRun extends CallRun {
  readonly open: DispatcherDeps["open"];
  readonly limits: DispatchLimits;
}

async function batch(calls: readonly unknown[], how: BatchRun): Promise<Reply> {
  const { open, limits, refuse } = how;
  const tooMuch = (call: unknown) => refuse(call, { code: "RESPONSE_TOO_LARGE" });
  if (calls.length === 0) return failureText({ code: "INVALID_REQUEST", text: "empty batch" });
  if (calls.length > limits.batchCalls)
    return `[${failureText({ code: "BATCH_TOO_LARGE" }, idOf(calls[0]))}]`;
  const replies: string[] = [];
  const turns = new Turns();
  let size = 0;
  // in order: what a call does must be seen by those behind it
  for (const group of groupsOf(calls, open)) {
    await turns.next();
    const full = size > limits.batchReplyBytes;
    for (const reply of full ? group.map(tooMuch) : await together(group, how)) {
      if (reply === undefined) continue;
      size += reply.length;
      replies.push(reply);
    }
  }
  return replies.length === 0 ? undefined : `[${replies.join(",")}]`;
}

/** The way from bodies to replies over these methods. */
export function createDispatcher(deps: DispatcherDeps, limits: DispatchLimits): Dispatcher {
  const plain: RunCall<Call> = (call, context) => start(call, context, deps);
  const general = throughJayson(plain);
  const refuse: CallRun["refuse"] = (body, reason) => refused(body, reason, deps.meter);
  const runOf = (connection: Connection, way: RunCall<Call>) => {
    const context: RpcContext = { ...deps.context, connection };
    return (call: unknown) => one(call, context, { deps, run: way });
  };
  const answer = async (body: unknown, run: CallRun["run"]): Promise<Reply> => {
    const deadline = new Deadline(limits.requestTimeoutMs);
    const how = { run, refuse, deadline };
    try {
      if (Array.isArray(body)) return await batch(body, { ...how, open: deps.open, limits });
      return (await together([body], how))[0];
    } finally {
      deadline.clear();
    }
  };
  return {
    answer: (body, connection) => answer(body, runOf(connection, general)),
    answerPlain(body, connection) {
      const run = runOf(connection, plain);
      if (Array.isArray(body)) return answer(body, run);
      const reply = run(body);
      return reply instanceof Promise ? answer(body, () => reply) : reply;
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

/** Reply to a call of a batch that is not run, or not waited for any longer. */
function refused(body: unknown, reason: RpcError["reason"], meter?: RpcMeter): Reply {
  const call = judge(body);
  if (typeof call === "string") return call;
  const error = knownError(new RpcError(reason)) ?? internalError;
  meter?.failed(error.code);
  return call.isNotification ? undefined : errorText(call.id, error);
}
