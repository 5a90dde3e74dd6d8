/** How the GraphQL side asks the node: through the methods of JSON-RPC, with their checks, costs and errors. */
import { systemClock } from "../../src/runtime/clock.ts";
import { Turns } from "../../src/runtime/turns.ts";
import type { Json, JsonObject } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { allMethods, type MethodName } from "../methods/index.ts";
import type { Charge } from "../rateLimit.ts";
import { JsonText } from "../textCache.ts";

/** Units of work of one query: a plain read is one, as everywhere. */
const MAX_UNITS = 5_000;
const MAX_QUERY_MS = 30_000;

const byName = new Map(allMethods.map((method) => [method.name, method]));

/** Asks the node on behalf of one query. */
export class Asker {
  readonly context: RpcContext;
  readonly #charge: Charge;
  readonly #turns = new Turns();
  readonly #endMs = systemClock.nowMs() + MAX_QUERY_MS;
  #unitsLeft = MAX_UNITS;

  constructor(context: RpcContext, charge: Charge) {
    this.context = context;
    this.#charge = charge;
  }

  /** Result of a method. Throws what the method throws, and CLIENT_LIMIT, TIMEOUT, RATE_LIMITED. */
  async ask(name: MethodName, ...args: readonly Json[]): Promise<Json> {
    const method = byName.get(name);
    if (method === undefined) throw new TypeError(`no method ${name}`);
    await this.spend(method.cost);
    const result = await method.call(this.context, args);
    return result instanceof JsonText ? JSON.parse(result.text) : result;
  }

  /** The same where the result is an object or null. */
  async askObject(name: MethodName, ...args: readonly Json[]): Promise<JsonObject | undefined> {
    return asObject(await this.ask(name, ...args));
  }

  /** The same where the result is a list of objects. */
  async askList(name: MethodName, ...args: readonly Json[]): Promise<JsonObject[]> {
    return asList(await this.ask(name, ...args));
  }

  /** Takes units of work from the query and from its caller. */
  async spend(units: number): Promise<void> {
    this.#unitsLeft -= units;
    if (this.#unitsLeft < 0) {
      const text = `query is too costly, want at most ${MAX_UNITS} units of work`;
      throw new RpcError({ code: "CLIENT_LIMIT", text });
    }
    if (systemClock.nowMs() > this.#endMs)
      throw new RpcError({ code: "TIMEOUT", text: "request timed out" });
    await this.#charge(this.context.connection.caller, units);
    await this.#turns.next();
  }
}

/** A JSON object; undefined for anything else. */
export function asObject(json: Json | undefined): JsonObject | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json))
    : undefined;
}

/** The objects of a JSON array. */
export function asList(json: Json | undefined): JsonObject[] {
  if (!Array.isArray(json)) return [];
  return json.map(asObject).filter((item) => item !== undefined);
}

/** A number as GraphQL takes it (JSON number, decimal or hex text) as JSON-RPC writes it. Throws INVALID_PARAMS. */
export function quantityText(value: unknown, where: string): string {
  const text = typeof value === "number" || typeof value === "bigint" ? String(value) : value;
  if (typeof text === "string" && /^(?:0|[1-9][0-9]{0,77}|0x[0-9a-fA-F]{1,64})$/.test(text))
    return `0x${BigInt(text).toString(16)}`;
  throw new RpcError({ code: "INVALID_PARAMS", text: `${where}: expected a number` });
}
