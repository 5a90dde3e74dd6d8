/**
 * Who calls: by its address, by an API key, by a token. Whoever proves nothing is known by the address alone; a program on
 * this machine and the bearer of a token are trusted with the methods that rule the node.
 */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIPv6 } from "node:net";
import type { Bytes } from "../src/primitives/bytes.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { tokenProblem } from "./jwt.ts";

/** Somebody who calls, as limits and restrictions see it. */
export interface Caller {
  /** Callers with the same id share their limit. */
  readonly id: string;
  /** May use methods that rule the node. */
  readonly isTrusted: boolean;
  /** The namespaces of an API key, of those that are open; undefined: all of them. */
  readonly namespaces?: ReadonlySet<string>;
  /** Units of work per second that its API key is worth; undefined: what everybody has. */
  readonly unitsPerSecond?: number;
}

/** A key that a caller shows with each request. */
export interface ApiKey {
  /** Shown in logs; the key itself never is. */
  readonly name: string;
  /** SHA-256 of the key, hex. */
  readonly sha256: string;
  readonly namespaces?: readonly string[];
  /** Units of work per second; 0: no limit */
  readonly unitsPerSecond?: number;
}

/** How callers are told apart. */
export interface CallerRules {
  /** Secret of tokens (HS256), 32 bytes. */
  readonly secret?: Bytes;
  /** Nobody is answered without a token. */
  readonly tokenOnly?: boolean;
  /** With keys, nobody is answered without one of them or a token. */
  readonly keys?: readonly ApiKey[];
}

/** What a request says of its sender. */
export interface CallOrigin {
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
  /** Path and query. */
  readonly url: string;
}

/** A caller, or why there is none: the text of a reply with status 401. */
export type Identity =
  | { readonly caller: Caller }
  | { readonly caller: undefined; readonly problem: string };

/** A key is longer than what can be guessed and shorter than what would be a nuisance to hash. */
const MAX_KEY_CHARACTERS = 256;

/** Tells who sent a request. */
export type Identify = (origin: CallOrigin) => Identity | Promise<Identity>;

/** Makes the one who tells callers apart. */
export function createIdentify(rules: CallerRules): Identify {
  const keys = rules.keys && new Map(rules.keys.map((key) => [key.sha256, key]));
  return (origin) => {
    const { authorization } = origin.headers;
    if (rules.secret !== undefined && (rules.tokenOnly === true || isToken(authorization)))
      return byToken(rules.secret, authorization);
    if (keys === undefined) {
      return { caller: { id: addressGroupOf(origin.ip), isTrusted: isLocalProgram(origin) } };
    }
    return byKey(keys, origin);
  };
}

async function byToken(secret: Bytes, authorization: string | undefined): Promise<Identity> {
  const problem = await tokenProblem(authorization, secret, systemClock.nowMs());
  if (problem !== undefined) return { caller: undefined, problem };
  return { caller: { id: "token", isTrusted: true, unitsPerSecond: 0 } };
}

function byKey(keys: ReadonlyMap<string, ApiKey>, origin: CallOrigin): Identity {
  const shown = keyOf(origin);
  if (shown === undefined) {
    const problem =
      "missing API key: send it as x-api-key, as Authorization: Bearer KEY, or as ?apikey=KEY";
    return { caller: undefined, problem };
  }
  const key = keys.get(createHash("sha256").update(shown).digest("hex"));
  if (key === undefined) return { caller: undefined, problem: "unknown API key" };
  const { name, namespaces, unitsPerSecond } = key;
  return {
    caller: {
      id: `key ${name}`,
      isTrusted: isLocalProgram(origin),
      ...(namespaces !== undefined && { namespaces: new Set(namespaces) }),
      ...(unitsPerSecond !== undefined && { unitsPerSecond }),
    },
  };
}

function keyOf({ headers, url }: CallOrigin): string | undefined {
  const header = headers["x-api-key"];
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  const query = url.includes("?") ? new URL(url, "http://host").searchParams.get("apikey") : null;
  const shown = typeof header === "string" ? header : (bearer ?? query ?? undefined);
  return shown !== undefined && shown.length <= MAX_KEY_CHARACTERS ? shown : undefined;
}

/** A token has three parts; an API key may stand in the same header. */
function isToken(authorization: string | undefined): boolean {
  return authorization !== undefined && /^Bearer [^.]*\.[^.]*\.[^.]*$/.test(authorization);
}

/**
 * A program on this machine: no page in a browser, which names its origin, and nobody behind a proxy, which names the
 * other side.
 */
function isLocalProgram({ ip, headers }: CallOrigin): boolean {
  const { origin, forwarded, "x-forwarded-for": forwardedFor, "x-real-ip": realIp } = headers;
  const isDirect = forwarded === undefined && forwardedFor === undefined && realIp === undefined;
  return isDirect && origin === undefined && isLoopback(ip);
}

function isLoopback(ip: string): boolean {
  return ip === "::1" || /^(?:::ffff:)?127\./.test(ip);
}

/** The address, or of IPv6 the network of 64 bits that one customer usually has whole. */
export function addressGroupOf(ip: string): string {
  if (!isIPv6(ip) || ip.startsWith("::ffff:")) return ip;
  const [head = "", tail] = ip.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array<string>(zeros).fill("0"), ...back];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
