/** Who may ask what: namespaces that are open, host names and origins that are trusted. */
import { isIP } from "node:net";
import type { Method } from "./method.ts";

/** Namespaces that are always open: they only describe the others. */
const ALWAYS_OPEN = new Set(["rpc"]);

/** Namespace of a method's name: what stands before the first underscore or dot. */
export function namespaceOf(name: string): string {
  return name.split(/[_.]/, 1)[0] ?? "";
}

/** Whether a method of this name is open where these namespaces are. */
export function isOpen(name: string, namespaces: ReadonlySet<string>): boolean {
  const namespace = namespaceOf(name);
  return namespaces.has(namespace) || ALWAYS_OPEN.has(namespace);
}

/** Which methods a server offers. */
export interface AccessOptions {
  /** Open namespaces, such as "eth". */
  readonly api: readonly string[];
  /** Whether the chain is a development chain. */
  readonly dev: boolean;
}

/** The methods that are open under `options`, by name. */
export function openMethods(
  methods: readonly Method[],
  options: AccessOptions,
): ReadonlyMap<string, Method> {
  const open = new Map<string, Method>();
  const namespaces = new Set(options.api);
  for (const method of methods) {
    if (!isOpen(method.name, namespaces)) continue;
    if (method.devOnly && !options.dev) continue;
    open.set(method.name, method);
  }
  return open;
}

/** Host name of a Host header or of an origin's authority: no port, no brackets, lower case. */
export function hostNameOf(authority: string): string {
  const trimmed = authority.trim().toLowerCase();
  if (trimmed.startsWith("[")) return trimmed.slice(1, trimmed.indexOf("]"));
  return trimmed.replace(/:[0-9]*$/, "");
}

/** Names that no public DNS server hands out, so that no web page can rebind them. */
function isPrivateName(name: string): boolean {
  return !name.includes(".") || /\.(localhost|local|internal|lan|home\.arpa)$/.test(name);
}

/** Trusted host names. */
export interface HostRules {
  /** Names; `*` trusts all. */
  readonly vhosts: readonly string[];
  /** Trust names without a dot and of private zones: container names of a compose file. */
  readonly privateNames: boolean;
}

/** Whether a request with this Host header is answered. A literal address cannot be rebound and passes. */
export function isTrustedHost(header: string | undefined, rules: HostRules): boolean {
  if (rules.vhosts.includes("*") || header === undefined || header === "") return true;
  const name = hostNameOf(header);
  if (isIP(name) !== 0 || rules.vhosts.some((host) => host.toLowerCase() === name)) return true;
  return rules.privateNames && isPrivateName(name);
}

/** Whether a page of `origin` may read replies: `*` or the origin itself is listed. */
export function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes("*") || allowed.some((one) => one.toLowerCase() === origin.toLowerCase());
}

/** Whether a WebSocket upgrade is accepted: programs send no Origin, pages of this machine are local, others are listed. */
export function isAllowedSocketOrigin(
  origin: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || isAllowedOrigin(origin, allowed)) return true;
  const name = hostNameOf(origin.replace(/^[a-z+.-]+:\/\//i, ""));
  return name === "localhost" || name === "127.0.0.1" || name === "::1";
}
